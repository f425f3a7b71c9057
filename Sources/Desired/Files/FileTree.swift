import ResourceModel

/// A tree of files to read manifests from: a commit in a Git mirror, or a directory on disk. Paths are from its root (`RepositoryPath`).
package protocol FileTree: Sendable {
    /// What messages call the tree: `commit 1a2b3c4 of https://…`, `directory environments`.
    var title: String { get }

    /// The entry at a path, symbolic links not followed; `nil` when nothing is there. The root is a directory.
    func entry(at path: String) async throws -> FileTreeEntry?

    /// What a directory holds, sorted by path; with `recursive`, everything below it. Throws when there is no such directory.
    func entries(in directory: String, recursive: Bool) async throws -> [FileTreeEntry]

    /// The bytes of files, in the order asked for.
    func contents(of files: [FileTreeEntry]) async throws -> [[UInt8]]

    /// A digest that is equal exactly when everything at and below the path is equal (in Git, the object id); `nil` when nothing is there.
    func digest(at path: String) async throws -> String?
}

/// One file, directory or link of a `FileTree`.
package struct FileTreeEntry: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case file
        case executable
        case directory
        /// Where it points, as it is written.
        case symlink(target: String)
        /// A Git submodule: its files are in another repository.
        case submodule
    }

    /// From the tree's root.
    package var path: String
    package var kind: Kind
    /// The Git object id; `nil` on disk.
    package var objectID: String?

    package init(path: String, kind: Kind, objectID: String? = nil) {
        self.path = path
        self.kind = kind
        self.objectID = objectID
    }

    package var name: String { RepositoryPath.name(of: path) }
    var isFile: Bool { kind == .file || kind == .executable }
}

extension FileTree {
    func contents(of file: FileTreeEntry) async throws -> [UInt8] { try await contents(of: [file])[0] }

    /// What `body` makes of each file, in the order asked for: some files are worked on, on all processors, while the next ones are read.
    /// - Parameter body: is given the file's place in `files`, and its bytes.
    package func contents<Value: Sendable>(
        of files: [FileTreeEntry], _ body: @escaping @Sendable (Int, [UInt8]) -> Value
    ) async throws -> [Value] {
        // Few enough that there is soon something to do for every processor, enough that a task is worth its while.
        let atOnce = 64
        return try await withThrowingTaskGroup(of: (start: Int, values: [Value]).self) { group in
            for start in stride(from: 0, to: files.count, by: atOnce) {
                let contents = try await contents(of: Array(files[start..<min(start + atOnce, files.count)]))
                group.addTask { (start, contents.indices.map { body(start + $0, contents[$0]) }) }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.start < $1.start }.flatMap(\.values)
        }
    }

    /// The entry that a path leads to once symbolic links are followed (also those in its directories); `nil` when nothing is there.
    /// - Throws: a `Problem` when a link leaves the tree or links go round in a circle.
    func followedEntry(at path: String) async throws -> FileTreeEntry? {
        var rest = path.split(separator: "/").map(String.init)
        var current = ""
        var links = 0
        while !rest.isEmpty {
            let next = RepositoryPath.joined(current, rest.removeFirst())
            guard let entry = try await entry(at: next) else { return nil }
            guard case .symlink(let target) = entry.kind else {
                current = next
                continue
            }
            links += 1
            guard links <= 16 else {
                throw Problem(
                    code: "source.symlink-loop", message: "symbolic links lead round in a circle",
                    location: SourceLocation(path: path, line: 0))
            }
            guard !target.hasPrefix("/"), let destination = RepositoryPath.resolved(target, from: current) else {
                throw Problem.symlinkEscape(next, target: target)
            }
            rest = destination.split(separator: "/").map(String.init) + rest
            current = ""
        }
        return try await entry(at: current)
    }
}

extension Problem {
    /// A symbolic link whose target is not in the repository.
    static func symlinkEscape(_ path: String, target: String) -> Problem {
        Problem(
            code: "source.symlink-escape", message: "the symbolic link points out of the repository, to `\(target)`",
            location: SourceLocation(path: path, line: 0),
            hint: "replace it by the file itself or by a link inside the repository")
    }
}
