import Glibc
import SystemPackage

/// A real bare repository and a clone to work in, made by the `git` command in a temporary directory.
package struct ScratchRepository: Sendable {
    /// The temporary directory; whatever a test puts here is removed with it.
    package let root: String
    package var bare: String { root + "/remote.git" }
    package var work: String { root + "/work" }
    /// The remote as a URL.
    package var url: String { "file://" + bare }
    /// A directory for a mirror; not made yet.
    package var mirror: String { root + "/mirror" }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Runs `git` in the clone and returns what it printed, without the last line break.
    @discardableResult
    package func git(_ arguments: String...) async throws -> String { try await run(["git"] + arguments, in: work) }

    /// Runs a program and returns what it printed, without the last line break.
    @discardableResult
    package func run(_ command: [String], in directory: String? = nil) async throws -> String {
        var text = try await Spawn.run(
            command, in: directory ?? root,
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
                "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
                "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
            ])
        if text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    /// Runs a shell script in the clone; `$1` and so on are `arguments`. One start is several times faster than one for each command.
    @discardableResult
    private func script(_ text: String, _ arguments: [String]) async throws -> String {
        try await run(["sh", "-euc", text, "sh"] + arguments, in: work)
    }

    /// Writes files into the clone; directories are made as needed.
    package func write(_ files: [String: String]) throws {
        for (path, text) in files {
            var directory = work
            for part in path.split(separator: "/").dropLast() {
                directory += "/\(part)"
                mkdir(directory, 0o755)
            }
            let file = try FileDescriptor.open(
                FilePath("\(work)/\(path)"), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
            _ = try file.closeAfter { try file.writeAll(text.utf8) }
        }
    }

    /// Writes `files`, removes `removing`, commits everything and pushes the current branch.
    /// - Returns: the commit's id.
    @discardableResult
    package func commit(_ files: [String: String] = [:], removing: [String] = [], message: String = "Change") async throws -> String {
        try write(files)
        return try await script(
            """
            message=$1; shift
            for path in "$@"; do git rm -rq "$path"; done
            git add -A; git commit -q --allow-empty -m "$message"; git push -q origin HEAD; git rev-parse HEAD
            """, [message] + removing)
    }

    /// Tags the current commit and pushes the tag; with a `message` the tag is annotated.
    package func tag(_ name: String, message: String? = nil) async throws {
        let options = message.map { ["-a", "-m", $0] } ?? []
        try await script(#"name=$1; shift; git tag -f "$@" "$name" >&2; git push -qf origin "refs/tags/$name""#, [name] + options)
    }
}

/// Runs `body` with a new bare repository (default branch `main`, no commits yet) and a clone of it; removes both afterwards.
package func withScratchRepository<Result>(_ body: (ScratchRepository) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/reconciler-git-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw ScratchRepository.Failure(description: "can't make a temporary directory") }
    let root = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    let repository = ScratchRepository(root: root)
    // Work that was cancelled may still be putting its files away.
    let removal = #"for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$1" 2>&- && exit; sleep 0.1; done; rm -rf "$1""#
    func remove() async throws { _ = try await repository.run(["sh", "-c", removal, "sh", root], in: "/") }
    do {
        let setup = "git init -q --bare -b main remote.git; git init -q -b main work; git -C work remote add origin \"$1\""
        try await repository.run(["sh", "-euc", setup, "sh", repository.url])
        let result = try await body(repository)
        try await remove()
        return result
    } catch {
        try await remove()
        throw error
    }
}
