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
        reconciler_curl_slist_free_all(headerList)
        reconciler_curl_slist_free_all(connectList)
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
        let trimmed = Self.trim(line[...])
        if line.starts(with: "HTTP/".utf8) {
            let code = trimmed.drop { $0 != UInt8(ascii: " ") }.drop { $0 == UInt8(ascii: " ") }.prefix(3)
            status = Int(String(decoding: code, as: UTF8.self)) ?? 0
            headers = HTTPHeaders()
        } else if trimmed.isEmpty {
            guard status >= 200 else { return }
            if case .stream(let buffer) = sink {
                lastActivity = .now
                buffer.deliver(head: HTTPHead(status: status, headers: headers))
            } else if let length = headers["Content-Length"].flatMap({ Int($0) }), length > 0 {
                // Said, not sent yet: no more than an answer that grows would take anyway.
                body.reserveCapacity(min(length, configuration.maximumBodyBytes, 64 << 20))
            }
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            headers.append(
                name: String(decoding: line[..<colon], as: UTF8.self),
                value: String(decoding: Self.trim(line[(colon + 1)...]), as: UTF8.self))
        }
    }

    private static func trim(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var bytes = bytes
        while let first = bytes.first, isSpace(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
        return bytes
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

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
