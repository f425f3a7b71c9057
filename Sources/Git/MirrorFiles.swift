import CLibGit2
import Glibc
import ResourceModel

/// A mirror's files: whether they can be trusted, and how a new mirror takes an old one's place. All calls block.
///
/// A finished mirror holds the file `reconciler-mirror`: the remote's URL and every pack's name and size, written last.
/// Objects are only ever stored in packs, libgit2 checks each object's hash when it is read, so a lost, cut or swapped pack
/// shows when the mirror is opened and a flipped bit when the object is read.
struct MirrorFiles: Sendable {
    enum Condition {
        case sound(Repository)
        case absent
        /// Why it can't be used.
        case damaged(String)
    }

    let directory: String
    let url: String

    var incoming: String { directory + ".incoming" }
    private var lockFile: String { directory + ".lock" }
    private func stateFile(_ directory: String) -> String { directory + "/reconciler-mirror" }
    private var damageMark: String { directory + "/reconciler-damaged" }

    /// Opens the mirror after holding its packs against what was recorded.
    func open() -> Condition {
        while true {
            let before = try? MirrorFiles.read(stateFile(directory))  // Unreadable: `inspected` says why it matters.
            let condition = inspected()
            guard case .damaged = condition, before != (try? MirrorFiles.read(stateFile(directory))) else { return condition }
            // Another process put packs together, or a new mirror into place, meanwhile: look again.
        }
    }

    private func inspected() -> Condition {
        guard access(directory, F_OK) == 0 else { return .absent }
        if access(damageMark, F_OK) == 0 { return .damaged("an object in it could not be read") }
        guard let bytes = try? MirrorFiles.read(stateFile(directory)),  // Why it can't be read makes no difference.
            let state = try? JSONValue(parsing: bytes), let recorded = state["packs"]?.objectValue
        else { return .damaged("it was never finished") }
        guard state["url"]?.stringValue == url else { return .damaged("it belongs to another URL") }
        for member in recorded {
            let (name, size) = (member.key, member.value)
            guard let size = size.stringValue, "\(MirrorFiles.size(of: "\(directory)/objects/pack/\(name).pack"))" == size,
                MirrorFiles.trailersAgree("\(directory)/objects/pack/\(name)")
            else { return .damaged("\(name).pack is not what was fetched") }
        }
        do {
            let repository = try Repository(opening: directory)
            var head: OpaquePointer?
            try check(git_reference_lookup(&head, repository.handle, "HEAD"))
            git_reference_free(head)
            var configuration: OpaquePointer?
            try check(git_repository_config_snapshot(&configuration, repository.handle))
            git_config_free(configuration)
            return .sound(repository)
        } catch {
            return .damaged(error.message)
        }
    }

    /// Records what is stored in `directory`, atomically. The lock is held: what others left unfinished there is removed.
    /// - Parameter dropping: packs that are not to be counted on any more.
    func recordState(in directory: String, dropping: Set<String> = []) throws {
        var packs = JSONObject()
        for name in MirrorFiles.names(in: directory + "/objects/pack") {
            if name.hasSuffix(".pack"), !dropping.contains(String(name.dropLast(5))) {
                packs[String(name.dropLast(5))] = .string("\(MirrorFiles.size(of: "\(directory)/objects/pack/\(name)"))")
            } else if !name.hasSuffix(".pack") && !name.hasSuffix(".idx") {
                unlink("\(directory)/objects/pack/\(name)")  // A download's temporary file; its maker was interrupted.
            }
        }
        let state: JSONValue = .object(["url": .string(url), "packs": .object(packs)])
        let bytes = state.serialized()
        if let now = try? MirrorFiles.read(stateFile(directory)), now == bytes { return }  // Unreadable: written anew.
        let temporary = stateFile(directory) + ".new"
        try MirrorFiles.write(bytes, to: temporary)
        guard rename(temporary, stateFile(directory)) == 0 else { throw MirrorFiles.failure("replace", stateFile(directory)) }
    }

    /// Remembers that the mirror can't be trusted, for the next fetch of any process.
    func markDamaged() {
        guard access(directory, F_OK) == 0 else { return }
        try? MirrorFiles.write([], to: damageMark)  // A full disk: the object's hash still protects the next reader.
    }

    /// Puts the mirror made in `incoming` into its place; readers see the old one or the new one.
    func install() throws {
        if access(directory, F_OK) != 0 {
            guard rename(incoming, directory) == 0 else { throw MirrorFiles.failure("install", directory) }
        } else if rc_exchange(incoming, directory) != 0 {
            // A file system that can't swap: readers may find nothing for a moment.
            MirrorFiles.removeTree(directory)
            guard rename(incoming, directory) == 0 else { throw MirrorFiles.failure("install", directory) }
        }
        MirrorFiles.removeTree(incoming)
    }

    /// Runs `body` while no other process or thread changes this mirror.
    func locked<Result>(_ operation: Operation, _ body: () throws -> Result) throws -> Result {
        try MirrorFiles.makeParents(of: lockFile)
        let descriptor = Glibc.open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw MirrorFiles.failure("open", lockFile) }
        defer { close(descriptor) }
        operation.phase = "waiting for another process that fetches into \(directory)"
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw MirrorFiles.failure("lock", lockFile) }
            // A lock has no descriptor to wait on: look again soon, or stop at once.
            _ = operation.wait(for: -1, events: 0, milliseconds: 10)
            if operation.stopped != nil { throw CancellationError() }
        }
        // Closing alone would leave it held while a process that was just forked still has the descriptor.
        defer { flock(descriptor, LOCK_UN) }
        return try body()
    }

    /// Runs `body` under the lock if nobody holds it, and not at all otherwise.
    func ifUnlocked(_ body: () throws -> Void) rethrows {
        let descriptor = Glibc.open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        defer { flock(descriptor, LOCK_UN) }
        try body()
    }

    // MARK: Files

    static func failure(_ verb: String, _ path: String) -> GitError {
        GitError(
            code: .fileSystem, message: "can't \(verb) \(path): check the disk and the state directory's permissions", repository: "",
            cause: String(cString: strerror(errno)))
    }

    static func size(of path: String) -> Int {
        var information = stat()
        return stat(path, &information) == 0 ? Int(information.st_size) : -1
    }

    /// The checksum at a pack's end is the one that its index remembers.
    private static func trailersAgree(_ base: String) -> Bool {
        guard let pack = tail(of: base + ".pack", 20), let index = tail(of: base + ".idx", 40) else { return false }
        return pack[...] == index[..<20]
    }

    private static func tail(of path: String, _ count: Int) -> [UInt8]? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: count)
        guard end >= count, pread(descriptor, &bytes, count, end - count) == count else { return nil }
        return bytes
    }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw failure("read", path) }
            bytes += buffer[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", path) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            guard count > 0 else { throw failure("write", path) }
            written += count
        }
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func makeParents(of path: String) throws {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let parent = String(path[..<slash])
        if access(parent, F_OK) == 0 { return }
        try makeParents(of: parent)
        guard mkdir(parent, 0o700) == 0 || errno == EEXIST else { throw failure("create", parent) }
    }

    /// Removes a directory with all it holds; one that is not there is fine.
    static func removeTree(_ path: String) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        if information.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { removeTree("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
