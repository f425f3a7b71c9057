import Foundation
import Glibc
import ResourceModel
import SystemPackage

/// Plain copies of commits' files, for commands that work on them. Each is made once and then only read by us; what commands write
/// into one stays there.
package struct Checkout: Sendable {
    /// Below it each commit has a directory of its own name.
    package let directory: FilePath

    package init(directory: FilePath) { self.directory = directory }

    /// How many commits are kept.
    private static let limit = 8

    /// The directory with the files of that commit; written whole or not at all.
    /// - Throws: a `Problem` when it cannot be written.
    package func path(of commit: String, _ tree: some FileTree) async throws -> String {
        let place = directory.appending(commit)
        if access(place.string, R_OK | X_OK) == 0 {
            utimensat(AT_FDCWD, place.string, nil, 0)
            return place.string
        }
        let draft = directory.appending(".\(commit).\(getpid())")
        try make(draft)
        do {
            try await copy(tree, to: draft)
            guard rename(draft.string, place.string) == 0 || errno == EEXIST || errno == ENOTEMPTY else { throw Self.problem(place, errno) }
        } catch {
            try? FileManager.default.removeItem(atPath: draft.string)  // the first error is the one to tell
            throw error
        }
        removeOld()
        return place.string
    }

    private func copy(_ tree: some FileTree, to root: FilePath) async throws {
        var files: [FileTreeEntry] = []
        for entry in try await tree.entries(in: "", recursive: true) {
            let place = root.appending(entry.path)
            switch entry.kind {
            case .directory: try make(place)
            case .file, .executable: files.append(entry)
            case .symlink(let target):
                try make(place.removingLastComponent())
                guard symlink(target, place.string) == 0 || errno == EEXIST else { throw Self.problem(place, errno) }
            // Its files are in another repository.
            case .submodule: try make(place)
            }
        }
        for start in stride(from: 0, to: files.count, by: 256) {
            let part = Array(files[start..<min(start + 256, files.count)])
            for (file, bytes) in zip(part, try await tree.contents(of: part)) {
                let place = root.appending(file.path)
                try make(place.removingLastComponent())
                try FileBytes.write(bytes, to: place, executable: file.kind == .executable)
            }
        }
    }

    private func make(_ path: FilePath) throws {
        do {
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        } catch {
            throw Problem(code: "checkout.not-written", message: "cannot make \(path): \(error)")
        }
    }

    private func removeOld() {
        let manager = FileManager.default
        // What cannot be listed or removed is only left-over.
        let names = ((try? manager.contentsOfDirectory(atPath: directory.string)) ?? []).filter { !$0.hasPrefix(".") }
        let dated = names.map { name -> (name: String, at: Int) in
            var info = stat()
            return (name, stat(directory.appending(name).string, &info) == 0 ? info.st_mtim.tv_sec : 0)
        }
        for old in dated.sorted(by: { $0.at > $1.at }).dropFirst(Self.limit) { try? manager.removeItem(atPath: directory.appending(old.name).string) }
    }

    private static func problem(_ path: FilePath, _ code: Int32) -> Problem {
        Problem(code: "checkout.not-written", message: "cannot write \(path): \(Errno(rawValue: code))")
    }
}
