import CLibGit2
import Crypto
import Glibc

/// A pack of whole objects and its index, put together in memory: the formats of gitformat-pack(5), version 2 of both.
/// Not for use by two threads at once.
final class PackWriter {
    private struct Entry {
        var oid: git_oid
        var checksum: UInt32
        var offset: UInt32
    }

    private var bytes: [UInt8] = Array("PACK".utf8)
    private var entries: [Entry] = []
    private let stream: UnsafeMutablePointer<z_stream>  // zlib keeps the address.

    var count: Int { entries.count }
    /// What the pack takes so far.
    var size: Int { bytes.count }

    init() throws(LibGit2Failure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        bytes += [0, 0, 0, 2, 0, 0, 0, 0]  // The version, and the number of objects that `finish` knows.
        // Compressing costs a third of the whole copy and makes each later read slower; packs put together are compressed.
        guard rc_deflate_init(stream, Z_NO_COMPRESSION) == Z_OK else { throw PackWriter.failure("can't start to pack") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    private static func failure(_ text: String) -> LibGit2Failure {
        LibGit2Failure(code: -1, category: GIT_ERROR_ZLIB.rawValue, message: text)
    }

    /// Adds an object, which was not added before.
    /// - Parameters:
    ///   - type: of a commit, tree, blob or tag, as libgit2 and packs number them.
    ///   - content: less than 2 GiB, as all in one pack must be.
    func add(_ oid: git_oid, _ type: git_object_t, _ content: UnsafeRawBufferPointer) throws(LibGit2Failure) {
        let start = bytes.count
        var size = content.count >> 4
        var head = UInt8(type.rawValue) << 4 | UInt8(content.count & 15)
        while size > 0 {
            bytes.append(head | 0x80)
            head = UInt8(size & 0x7f)
            size >>= 7
        }
        bytes.append(head)
        try append(content)
        let checksum = bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress! + start, UInt32($0.count - start)) }
        entries.append(Entry(oid: oid, checksum: UInt32(checksum), offset: UInt32(start)))
    }

    private func append(_ content: UnsafeRawBufferPointer) throws(LibGit2Failure) {
        deflateReset(stream)
        let (stream, start, bound) = (stream, bytes.count, Int(deflateBound(stream, UInt(content.count))))
        bytes.append(contentsOf: repeatElement(0, count: bound))
        let status = bytes.withUnsafeMutableBufferPointer { bytes in
            // zlib only reads there.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: content.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(content.count)
            stream.pointee.next_out = bytes.baseAddress! + start
            stream.pointee.avail_out = UInt32(bound)
            return deflate(stream, Z_FINISH)
        }
        guard status == Z_STREAM_END else { throw PackWriter.failure("can't pack \(content.count) bytes") }
        bytes.removeLast(Int(stream.pointee.avail_out))
    }

    /// Writes the pack into the directory `place`. Ends the writer.
    /// - Throws: `GitError` if the disk refuses.
    func finish(in place: String) throws {
        bytes.replaceSubrange(8..<12, with: PackWriter.bigEndian(UInt32(entries.count)))
        let checksum = Array(Insecure.SHA1.hash(data: bytes))
        bytes += checksum
        let base = "\(place)/pack-\(checksum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())"
        // Readers pass over an index without its pack; a pack without its index would count as damage.
        for (content, ending) in [(index(of: checksum), ".idx"), (bytes, ".pack")] {
            try MirrorFiles.write(content, to: "\(base)\(ending).new")
            guard rename("\(base)\(ending).new", base + ending) == 0 else { throw MirrorFiles.failure("make", base + ending) }
        }
    }

    private func index(of checksum: [UInt8]) -> [UInt8] {
        let sorted = entries.sorted { left, right in
            left.oid.bytes { left in right.oid.bytes { left.lexicographicallyPrecedes($0) } }
        }
        var index: [UInt8] = [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]
        index.reserveCapacity(8 + 1_024 + 28 * sorted.count + 40)
        var fanout = [UInt32](repeating: 0, count: 256)
        for item in sorted { fanout[Int(item.oid.id.0)] += 1 }
        var total: UInt32 = 0
        for count in fanout {
            total += count
            index += PackWriter.bigEndian(total)
        }
        for item in sorted { item.oid.bytes { index += $0 } }
        for item in sorted { index += PackWriter.bigEndian(item.checksum) }
        for item in sorted { index += PackWriter.bigEndian(item.offset) }
        index += checksum
        return index + Array(Insecure.SHA1.hash(data: index))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
