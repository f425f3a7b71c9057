/// An answer whose body arrives over time. Letting go of the stream ends the transfer.
package final class HTTPStream: Sendable {
    package let head: HTTPHead
    private let buffer: StreamBuffer

    init(head: HTTPHead, buffer: StreamBuffer) {
        self.head = head
        self.buffer = buffer
    }

    deinit { buffer.abandon() }

    package var status: Int { head.status }
    package var headers: HTTPHeaders { head.headers }

    /// Everything that has arrived since the last call, waiting for at least one byte; `nil` at the body's orderly end.
    /// For one reader. When the reader is slow the connection's flow control holds the server back.
    ///
    /// - Throws: when the body ends before its end; an interruption never looks like the end.
    package func next() async throws(HTTPError) -> [UInt8]? { try await buffer.next() }

    /// The rest of the body.
    package func rest(upTo limit: Int = 1 << 20) async throws(HTTPError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, let chunk = try await next() { bytes += chunk }
        return bytes
    }

    /// The body's lines without their line feeds; what follows the last one counts as a line when it is not empty.
    package var lines: HTTPLines { HTTPLines(stream: self) }

    /// Ends the transfer now; `next` throws `cancelled` from here on.
    package func cancel() { buffer.abandon() }
}

/// A stream's lines; see `HTTPStream.lines`.
package struct HTTPLines: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    fileprivate let stream: HTTPStream

    package func makeAsyncIterator() -> Iterator { Iterator(stream: stream) }

    package struct Iterator: AsyncIteratorProtocol, Sendable {
        fileprivate let stream: HTTPStream
        private var framer = LineFramer()

        fileprivate init(stream: HTTPStream) { self.stream = stream }

        package mutating func next() async throws -> [UInt8]? {
            while true {
                if let line = framer.nextLine() { return line }
                guard let chunk = try await stream.next() else { return framer.remainder() }
                framer.append(chunk)
            }
        }
    }
}

/// Cuts bytes into lines; each byte is looked at once.
struct LineFramer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0

    mutating func append(_ chunk: [UInt8]) {
        if start == bytes.count {
            bytes = chunk
            start = 0
            searched = 0
        } else {
            if start > 0 {
                bytes.removeSubrange(..<start)
                searched -= start
                start = 0
            }
            bytes += chunk
        }
    }

    mutating func nextLine() -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return nil
        }
        let line = Array(bytes[start..<end])
        start = end + 1
        searched = start
        return line
    }

    mutating func remainder() -> [UInt8]? {
        guard start < bytes.count else { return nil }
        defer { start = bytes.count; searched = start }
        return Array(bytes[start...])
    }
}
