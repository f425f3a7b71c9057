import CLibGit2
import Crypto
import Glibc

/// Reads the objects that a repository keeps in a file each. libgit2 looks a file up three times, and never comes back from one
/// that was cut off. Not for use by two threads at once.
final class LooseObjects {
    private let directory: String
    private let limit: Int
    private let stream: UnsafeMutablePointer<z_stream>  // zlib keeps the address.
    private var file = [UInt8](repeating: 0, count: 16_384)
    private var bytes = [UInt8](repeating: 0, count: 16_384)

    /// - Parameters:
    ///   - directory: `objects` of the repository.
    ///   - limit: bytes of an object; longer ones are as if they were not there.
    init(in directory: String, limit: Int) throws(LibGit2Failure) {
        self.directory = directory
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard rc_inflate_init(stream) == Z_OK else { throw LooseObjects.failure("can't start to unpack") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    private static func failure(_ text: String) -> LibGit2Failure {
        LibGit2Failure(code: -1, category: GIT_ERROR_ODB.rawValue, message: text)
    }

    /// Runs `body` with an object's type and content, which are what its id says.
    /// - Returns: nil if there is no such file here.
    /// - Throws: `LibGit2Failure` if it is damaged or can't be read.
    func read<Result>(_ oid: git_oid, _ body: (git_object_t, UnsafeRawBufferPointer) throws -> Result) throws -> Result? {
        let name = oid.text
        guard let stored = try load("\(directory)/\(name.prefix(2))/\(name.dropFirst(2))"), let size = try inflate(stored) else {
            return nil
        }
        let whole = bytes[..<size]
        let digest = Insecure.SHA1.hash(data: whole)
        guard oid.bytes({ id in digest.elementsEqual(id) }) else {
            throw LooseObjects.failure("its content is not what its id says")
        }
        guard let end = whole.prefix(32).firstIndex(of: 0), let space = whole.prefix(end).firstIndex(of: UInt8(ascii: " ")),
            Int(String(decoding: whole[(space + 1)..<end], as: UTF8.self)) == size - end - 1
        else { throw LooseObjects.failure("it does not begin with its type and size") }
        let type = git_object_string2type(String(decoding: whole[..<space], as: UTF8.self))
        guard [GIT_OBJECT_COMMIT, GIT_OBJECT_TREE, GIT_OBJECT_BLOB, GIT_OBJECT_TAG].contains(type) else {
            throw LooseObjects.failure("its type is unknown")
        }
        return try bytes.withUnsafeBytes { try body(type, UnsafeRawBufferPointer(rebasing: $0[(end + 1)..<size])) }
    }

    /// - Returns: how many bytes of `file` the file takes.
    private func load(_ path: String) throws(LibGit2Failure) -> Int? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw LooseObjects.failure("\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var filled = 0
        while true {
            let room = file.count - filled
            let count = file.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, room) }
            guard count >= 0 else { throw LooseObjects.failure("\(path): \(String(cString: strerror(errno)))") }
            filled += count
            if count == 0 || filled < file.count { return filled }
            if filled > limit { return nil }
            file += [UInt8](repeating: 0, count: file.count)
        }
    }

    /// - Returns: how many bytes of `bytes` were filled.
    private func inflate(_ stored: Int) throws(LibGit2Failure) -> Int? {
        inflateReset(stream)
        var (read, filled) = (0, 0)
        while true {
            let status = file.withUnsafeMutableBufferPointer { file in
                bytes.withUnsafeMutableBufferPointer { bytes in
                    stream.pointee.next_in = file.baseAddress! + read
                    stream.pointee.avail_in = UInt32(stored - read)
                    stream.pointee.next_out = bytes.baseAddress! + filled
                    stream.pointee.avail_out = UInt32(bytes.count - filled)
                    return CLibGit2.inflate(stream, Z_NO_FLUSH)
                }
            }
            read = stored - Int(stream.pointee.avail_in)
            filled = bytes.count - Int(stream.pointee.avail_out)
            if status == Z_STREAM_END { return filled }
            // Room that is left over means that the file ends too early.
            guard status == Z_OK || status == Z_BUF_ERROR, filled == bytes.count else {
                throw LooseObjects.failure("its file is damaged")
            }
            if filled > limit { return nil }
            bytes += [UInt8](repeating: 0, count: bytes.count)
        }
    }
}
