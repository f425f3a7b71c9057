import CLibGit2

/// Goes through everything that some objects lead to, each once, leaving out what is there already and what that leads to.
struct ObjectWalk {
    private struct Key: Hashable {
        private let parts: SIMD4<UInt32>
        private let last: UInt32

        init(_ oid: git_oid) {
            (parts, last) = oid.bytes { bytes in
                (bytes.loadUnaligned(as: SIMD4<UInt32>.self), bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            }
        }
    }

    private let present: OpaquePointer?
    private var seen: Set<Key> = []
    private var waiting: [git_oid] = []

    /// - Parameter present: the objects to leave out, to be kept by the caller; nil for none.
    init(leavingOut present: OpaquePointer?, wanted: [git_oid]) {
        self.present = present
        for oid in wanted { want(oid) }
    }

    /// The next object to copy; nil at the end.
    mutating func next() -> git_oid? { waiting.popLast() }

    private mutating func want(_ oid: git_oid) {
        guard seen.insert(Key(oid)).inserted else { return }
        var oid = oid
        if let present, git_odb_exists_ext(present, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1 { return }
        waiting.append(oid)
    }

    /// Takes up what an object refers to; a submodule's commits belong to another repository.
    mutating func follow(_ type: git_object_t, _ content: UnsafeRawBufferPointer) throws(LibGit2Failure) {
        switch type {
        case GIT_OBJECT_COMMIT:
            var rest = content[...]
            try want(ObjectWalk.id(after: "tree ", &rest))
            while rest.starts(with: "parent ".utf8) { try want(ObjectWalk.id(after: "parent ", &rest)) }
        case GIT_OBJECT_TAG:
            var rest = content[...]
            try want(ObjectWalk.id(after: "object ", &rest))
        case GIT_OBJECT_TREE:
            var rest = content[...]
            while !rest.isEmpty {
                // MODE SP NAME NUL and the id's 20 bytes.
                guard let end = rest.firstIndex(of: 0), rest.endIndex - end > 20 else { throw ObjectWalk.malformed("directory") }
                if !rest.starts(with: "160000 ".utf8) {
                    var oid = git_oid()
                    withUnsafeMutableBytes(of: &oid) { $0.copyBytes(from: rest[(end + 1)...(end + 20)]) }
                    want(oid)
                }
                rest = rest[(end + 21)...]
            }
        default: break
        }
    }

    /// Takes a line `KEY ID` off the front.
    private static func id(after key: String, _ rest: inout Slice<UnsafeRawBufferPointer>) throws(LibGit2Failure) -> git_oid {
        let length = key.utf8.count + 40
        guard rest.starts(with: key.utf8), rest.count > length, rest[rest.startIndex + length] == UInt8(ascii: "\n") else {
            throw malformed("commit or tag")
        }
        let text = rest[(rest.startIndex + key.utf8.count)..<(rest.startIndex + length)]
        rest = rest[(rest.startIndex + length + 1)...]
        return try git_oid(parsing: String(decoding: text, as: UTF8.self))
    }

    private static func malformed(_ kind: String) -> LibGit2Failure {
        LibGit2Failure(code: -1, category: GIT_ERROR_OBJECT.rawValue, message: "the \(kind) is malformed")
    }
}
