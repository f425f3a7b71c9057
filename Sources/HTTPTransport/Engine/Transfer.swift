import CLibCurl
import Glibc

/// One request on its way. Created by the caller, then confined to the engine's thread from `CurlEngine.start` on.
final class Transfer: @unchecked Sendable {  // confined: see above
    enum Sink {
        case none
        case whole(CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>)
        case stream(StreamBuffer)
    }

    let id: UInt64
    let request: HTTPRequest
    let configuration: HTTPClientConfiguration
    var sink: Sink = .none
    let deadline: ContinuousClock.Instant?
    private(set) var lastActivity: ContinuousClock.Instant?

    private var status = 0
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private(set) var overflowed = false
    var headerList: UnsafeMutablePointer<curl_slist>?
    var connectList: UnsafeMutablePointer<curl_slist>?
    let errorBuffer: UnsafeMutablePointer<CChar>

    init(request: HTTPRequest, configuration: HTTPClientConfiguration) {
        id = Self.nextID()
        self.request = request
        self.configuration = configuration
        deadline = request.deadline.map { ContinuousClock.now + $0 }
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectList)
        errorBuffer.deallocate()
    }

    private static let counterLock = Lock()
    nonisolated(unsafe) private static var counter: UInt64 = 0  // guarded by counterLock
    private static func nextID() -> UInt64 {
        counterLock.withLock {
            counter += 1
            return counter
        }
    }

    /// When this transfer has to be given up if nothing more happens.
    var expiry: ContinuousClock.Instant? {
        guard let idle = request.idleDeadline, let last = lastActivity else { return deadline }
        let idleExpiry = last + idle
        return deadline.map { min($0, idleExpiry) } ?? idleExpiry
    }

    /// One header line as libcurl hands it over, with its line end; the empty line ends the head.
    func receive(headerLine line: UnsafeRawBufferPointer) {
        let text = String(decoding: line, as: UTF8.self)
        let trimmed = text.drop(while: \.isWhitespace)
        if text.hasPrefix("HTTP/") {
            status = Int(text.split(separator: " ", maxSplits: 2).dropFirst().first?.prefix(3) ?? "") ?? 0
            headers = HTTPHeaders()
        } else if trimmed.isEmpty {
            if status >= 200, case .stream(let buffer) = sink {
                lastActivity = .now
                buffer.deliver(head: HTTPHead(status: status, headers: headers))
            }
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...]
            headers.append(name: String(text[..<colon]), value: Self.trim(value))
        }
    }

    private static func trim(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// Returns how many bytes were taken, in libcurl's terms.
    func receive(body chunk: UnsafeRawBufferPointer) -> Int {
        if request.idleDeadline != nil { lastActivity = .now }
        switch sink {
        case .stream(let buffer):
            return buffer.append(chunk) ? chunk.count : reconciler_curl_write_pause()
        default:
            if body.count + chunk.count > configuration.maximumBodyBytes {
                overflowed = true
                return chunk.count == 0 ? 1 : 0
            }
            body.append(contentsOf: chunk)
            return chunk.count
        }
    }

    func finish(_ failure: HTTPError?) {
        switch sink {
        case .none: break
        case .whole(let continuation):
            if let failure {
                continuation.resume(returning: .failure(failure))
            } else {
                continuation.resume(returning: .success(HTTPResponse(head: HTTPHead(status: status, headers: headers), body: body)))
            }
        case .stream(let buffer):
            buffer.finish(failure.map { .failure($0) } ?? .success(()))
        }
        sink = .none
    }
}
