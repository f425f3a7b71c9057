import CLibGit2
import Crypto
import Glibc

/// A pack of whole objects and its index, put together in memory: the formats of gitformat-pack(5), version 2 of both.
/// Nothing is compressed: that would cost a third of the whole copy and make each later read slower; packs put together are compressed.
/// Not for use by two threads at once.
final class PackWriter {
    private struct Entry {
        var oid: git_oid
        var checksum: UInt32
        var offset: UInt32
    }

    private var bytes: [UInt8] = Array("PACK".utf8)
    private var entries: [Entry] = []

    var count: Int { entries.count }
    /// What the pack takes so far.
    var size: Int { bytes.count }

    init() { bytes += [0, 0, 0, 2, 0, 0, 0, 0] }  // The version, and the number of objects that `finish` knows.

    /// Adds an object, which was not added before.
    /// - Parameters:
    ///   - type: of a commit, tree, blob or tag, as libgit2 and packs number them.
    ///   - content: less than 2 GiB, as all in one pack must be.
    func add(_ oid: git_oid, _ type: git_object_t, _ content: UnsafeRawBufferPointer) {
        let start = bytes.count
        var size = content.count >> 4
        var head = UInt8(type.rawValue) << 4 | UInt8(content.count & 15)
        while size > 0 {
            bytes.append(head | 0x80)
            head = UInt8(size & 0x7f)
            size >>= 7
        }
        bytes.append(head)
        append(content)
        let checksum = bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress! + start, UInt32($0.count - start)) }
        entries.append(Entry(oid: oid, checksum: UInt32(checksum), offset: UInt32(start)))
    }

    /// Appends a zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4). zlib makes the same, but sets up its tables for each object.
    private func append(_ content: UnsafeRawBufferPointer) {
        bytes += [0x78, 0x01]
        var rest = content[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            bytes.append(rest.isEmpty ? 1 : 0)
            for half in [count, ~count] { bytes += [UInt8(truncatingIfNeeded: half), UInt8(half >> 8)] }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: block))
        } while !rest.isEmpty
        let checksum = adler32(1, content.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(content.count))
        bytes += PackWriter.bigEndian(UInt32(checksum))
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
