import Foundation
import Glibc
import ResourceModel
import SystemPackage

/// A private temporary directory that a tool works in: copies of just the needed parts of the trees, and a home of its own.
final class ScratchDirectory {
    let path: FilePath
    private(set) var treeCount = 0
    private var trees: [(tree: RecordingFileTree, directories: Set<String>)] = []

    /// Makes the directory, calls `body` and removes it again.
    static func with<Result>(_ configuration: ToolConfiguration, _ body: (ScratchDirectory) async throws -> Result) async throws
        -> Result
    {
        let scratch = try ScratchDirectory(under: configuration.scratchParent)
        defer { scratch.remove() }
        return try await body(scratch)
    }

    private init(under parent: FilePath) throws {
        var template = Array(parent.appending("reconciler-render.XXXXXX").string.utf8CString)
        guard let made = mkdtemp(&template) else {
            throw Problem(
                code: "tool.no-scratch", message: "cannot make a temporary directory in \(parent): \(Errno(rawValue: errno))",
                hint: "set TMPDIR to a directory that can be written to")
        }
        path = FilePath(platformString: made)
        for folder in ["home/cache/helm", "home/config/helm", "home/data/helm", "home/tmp"] {
            try makeDirectory(path.appending(folder))
        }
    }

    private func remove() {
        // Left-overs in a temporary directory must not hide what the render itself threw.
        try? FileManager.default.removeItem(atPath: path.string)
    }

    /// Where the copy of a tree begins; the same tree gets the same place.
    func treeIndex(of tree: RecordingFileTree) -> Int {
        if let known = trees.firstIndex(where: { $0.tree === tree }) { return known }
        trees.append((tree, []))
        treeCount = trees.count
        return trees.count - 1
    }

    func treeRoot(_ index: Int) -> FilePath { path.appending("tree\(index)") }

    func location(of file: String, in tree: RecordingFileTree) -> FilePath {
        let root = treeRoot(treeIndex(of: tree))
        return file.isEmpty ? root : root.appending(file)
    }

    /// Writes a file of our own, beside the trees.
    func write(_ bytes: [UInt8], as name: String) throws -> FilePath {
        let place = path.appending(name)
        try FileBytes.write(bytes, to: place)
        return place
    }

    /// Copies a directory with everything below it; symbolic links become what they point to.
    /// - Throws: a `Problem` for a link out of the repository and for a submodule.
    func materialise(_ directory: String, of tree: RecordingFileTree) async throws {
        let index = treeIndex(of: tree)
        guard !trees[index].directories.contains(where: { RepositoryPath.contains($0, directory) }) else { return }
        trees[index].directories.insert(directory)
        try await copy(directory, of: tree, to: location(of: directory, in: tree), depth: 0)
    }

    /// Copies one file.
    func materialise(file entry: FileTreeEntry, as name: String, of tree: RecordingFileTree) async throws {
        let place = location(of: name, in: tree)
        try makeDirectory(place.removingLastComponent())
        try FileBytes.write(try await tree.contents(of: entry), to: place, executable: entry.kind == .executable)
    }

    private func copy(_ directory: String, of tree: RecordingFileTree, to target: FilePath, depth: Int) async throws {
        guard depth < 8 else {
            throw Problem(
                code: "source.symlink-loop", message: "symbolic links nest too deeply",
                location: SourceLocation(path: directory, line: 0))
        }
        try makeDirectory(target)
        var files: [(entry: FileTreeEntry, place: FilePath)] = []
        for entry in try await tree.entries(in: directory, recursive: true) {
            let place = target.appending(RepositoryPath.relative(entry.path, to: directory) ?? entry.path)
            switch entry.kind {
            case .directory: try makeDirectory(place)
            case .file, .executable: files.append((entry, place))
            case .submodule: throw Problem.submodule(entry.path)
            case .symlink:
                // A link to nothing is left out: what reads it will say so.
                guard let followed = try await tree.followedEntry(at: entry.path) else { continue }
                if followed.isFile {
                    files.append((followed, place))
                } else if followed.kind == .directory, !RepositoryPath.contains(followed.path, entry.path) {
                    try await copy(followed.path, of: tree, to: place, depth: depth + 1)
                }
            }
        }
        let contents = try await tree.contents(of: files.map(\.entry))
        for (file, bytes) in zip(files, contents) {
            try makeDirectory(file.place.removingLastComponent())
            try FileBytes.write(bytes, to: file.place, executable: file.entry.kind == .executable)
        }
    }

    private func makeDirectory(_ path: FilePath) throws {
        do {
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        } catch {
            throw Problem(code: "tool.no-scratch", message: "cannot make \(path): \(error)")
        }
    }
}
