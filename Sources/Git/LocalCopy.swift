import CLibGit2
import ResourceModel

/// Copies what commits need from a repository on this machine, as one pack. libgit2's own way asks for deltas and parses its
/// own pack again, which takes several times as long for what a repository of manifests holds.
///
/// What is there already is taken to be whole, as every pack of a mirror holds all that its commits need. Each object's hash is
/// checked when it is read, and nothing is stored until everything was.
struct LocalCopy {
    /// More than this is left to libgit2, whose deltas keep a long history small.
    private static let limits = (objects: 20_000, bytes: 16 << 20)

    private let path: String
    private let target: Repository
    private let session: RemoteSession

    init(from path: String, to target: Repository, session: RemoteSession) {
        self.path = path
        self.target = target
        self.session = session
    }

    /// - Parameter wanted: commits, or tags of anything.
    /// - Returns: false, with nothing done, if there is too much to copy.
    /// - Throws: `LibGit2Failure` if the source lacks one of `wanted`, `GitError` if it lacks what they need, `CancellationError`.
    func run(_ wanted: [git_oid]) throws -> Bool {
        do {
            return try attempt(wanted)
        } catch  where session.operation.stopped == nil {
            // Git may be packing the objects there, and have moved some while they were looked for.
            return try attempt(wanted)
        }
    }

    private func attempt(_ wanted: [git_oid]) throws -> Bool {
        let source = try Repository(anywhere: path)
        let writer = PackWriter()
        let finished = try source.withObjects { all in
            for oid in wanted {
                var (oid, size, type) = (oid, 0, GIT_OBJECT_ANY)
                try check(git_odb_read_header(&size, &type, all, &oid))
            }
            let objects = try SourceObjects(source, all: all, limit: LocalCopy.limits.bytes)
            return try target.withObjects { present in
                var walk = ObjectWalk(leavingOut: target.hasPacks ? present : nil, wanted: wanted)
                while let oid = walk.next() {
                    if session.operation.stopped != nil { throw CancellationError() }
                    do {
                        let fits = try objects.read(oid) { type, content in
                            guard writer.count < LocalCopy.limits.objects, writer.size + content.count < LocalCopy.limits.bytes
                            else {
                                return false
                            }
                            writer.add(oid, type, content)
                            try walk.follow(type, content)
                            return true
                        }
                        if !fits { return false }
                    } catch let failure as LibGit2Failure {
                        throw unreadable(oid, in: source, failure)
                    }
                }
                return true
            }
        }
        if finished && writer.count > 0 { try writer.finish(in: target.packs) }
        return finished
    }

    private func unreadable(_ oid: git_oid, in source: Repository, _ failure: LibGit2Failure) -> GitError {
        let url = session.remote.url
        if git_repository_is_shallow(source.handle) == 1 {
            return session.error(.failed, "\(url) is a shallow clone: complete it there (git fetch --unshallow)", failure.message)
        }
        return session.error(
            .failed, "object \(oid.text) of \(url) can't be read: check the repository there (git fsck)", failure.message)
    }
}

/// What a repository holds, in the order that is quickest: packs, files of its own, and whatever else libgit2 finds, alternates too.
private final class SourceObjects {
    private let all: OpaquePointer
    private let packed: OpaquePointer
    private let loose: LooseObjects

    /// - Parameter all: all of its objects, to be kept by the caller.
    init(_ source: Repository, all: OpaquePointer, limit: Int) throws(LibGit2Failure) {
        self.all = all
        loose = try LooseObjects(in: source.objects, limit: limit)
        var (packed, backend): (OpaquePointer?, UnsafeMutablePointer<git_odb_backend>?)
        try check(git_odb_new(&packed))
        self.packed = packed!
        try check(git_odb_backend_pack(&backend, source.objects))
        try check(git_odb_add_backend(packed, backend, 1))
    }

    deinit { git_odb_free(packed) }

    /// Runs `body` with an object's type and content, which are what its id says.
    func read<Result>(_ oid: git_oid, _ body: (git_object_t, UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        var (oid, object): (git_oid, OpaquePointer?) = (oid, nil)
        defer { git_odb_object_free(object) }
        // A pack that can't be read is not the end: the object may have moved.
        let isPacked =
            git_odb_exists_ext(packed, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1 && git_odb_read(&object, packed, &oid) == 0
        if !isPacked {
            if let result = try loose.read(oid, body) { return result }
            try check(git_odb_read(&object, all, &oid))
        }
        return try body(
            git_odb_object_type(object),
            UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object)))
    }
}
