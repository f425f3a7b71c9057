import Foundation
import Glibc
import ResourceModel
import SystemPackage

/// A scratch directory with a bare remote, a clone of it and a state directory: what a person has who tries `reconciler`.
package struct Workspace: Sendable {
    package let root: FilePath
    /// More variables for every `reconciler` run in it.
    package var variables: [String: String] = [:]

    package var state: FilePath { root.appending("state") }
    package var clone: FilePath { root.appending("clone") }
    package var remote: String { "file://" + root.appending("remote.git").string }

    /// Runs `body` with a new one, removed afterwards. The remote's branch `main` holds one empty commit.
    package static func with<Result>(_ body: (Workspace) async throws -> Result) async throws -> Result {
        try await withClusterDirectory { directory in
            let workspace = Workspace(root: FilePath(directory))
            try await workspace.git(["init", "-q", "--bare", "-b", "main", workspace.root.appending("remote.git").string], in: workspace.root)
            try await workspace.git(["init", "-q", "-b", "main", workspace.clone.string], in: workspace.root)
            try await workspace.git(["remote", "add", "origin", workspace.remote])
            try await workspace.git(["commit", "-q", "--allow-empty", "-m", "Begin"])
            try await workspace.git(["push", "-q", "origin", "main"])
            return try await body(workspace)
        }
    }

    /// Writes files into the clone (`nil` removes one), commits and pushes.
    /// - Returns: the commit.
    @discardableResult
    package func push(_ files: [String: String?], message: String = "Change something") async throws -> String {
        for (name, text) in files {
            let path = clone.appending(name).string
            if let text {
                try FileManager.default.createDirectory(
                    atPath: FilePath(path).removingLastComponent().string, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            } else {
                try FileManager.default.removeItem(atPath: path)
            }
        }
        try await git(["add", "-A"])
        try await git(["commit", "-q", "-m", message])
        try await git(["push", "-q", "origin", "main"])
        let commit = try await git(["rev-parse", "HEAD"])
        return String(commit.prefix(40))
    }

    /// Takes the last commit back with another one, and pushes.
    package func revert() async throws {
        try await git(["revert", "--no-edit", "HEAD"])
        try await git(["push", "-q", "origin", "main"])
    }

    /// Runs the real `git`, apart from the user's configuration.
    @discardableResult
    package func git(_ arguments: [String], in directory: FilePath? = nil) async throws -> String {
        let program = Program(
            executable: try Self.tool("git"),
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
                "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
            ], directory: directory ?? clone)
        let outcome = try await program.run(arguments)
        guard outcome.code == 0 else { throw ProgramTimeout(description: "git \(arguments.joined(separator: " ")): \(outcome.description)") }
        return outcome.output
    }

    /// The `reconciler` of this build with this workspace's state directory and repository.
    package var reconciler: Program {
        var environment = ["RECONCILER_STATE_DIR": state.string, "RECONCILER_REPO": remote]
        environment.merge(variables) { $1 }
        return Program(executable: Program.reconciler, environment: environment, directory: root)
    }

    /// Runs `reconciler` to its end.
    package func run(_ arguments: String...) async throws -> Outcome { try await reconciler.run(arguments) }

    /// This workspace with one more variable for `reconciler`.
    package func with(_ name: String, _ value: String) -> Workspace {
        var result = self
        result.variables[name] = value
        return result
    }

    /// A program's path on `PATH`.
    package static func tool(_ name: String) throws -> FilePath {
        for directory in Program.searchPath.split(separator: ":") where access("\(directory)/\(name)", X_OK) == 0 {
            return FilePath("\(directory)/\(name)")
        }
        throw ProgramTimeout(description: "`\(name)` is not on PATH: run scripts/setup and scripts/test-tools")
    }
}

extension Workspace {
    /// An Application of the folder `environments/NAME`, automated with prune and self-heal.
    package static func application(
        _ name: String, path: String? = nil, namespace: String? = nil, createNamespace: Bool = true, automated: Bool = true, more: String = ""
    ) -> String {
        """
        apiVersion: argoproj.io/v1alpha1
        kind: Application
        metadata:
          name: \(name)
        spec:
          project: default
          source:
            repoURL: .
            path: \(path ?? "environments/\(name)")
          destination:
            server: https://kubernetes.default.svc
            namespace: \(namespace ?? name)
          syncPolicy:
        \(automated ? "    automated:\n      prune: true\n      selfHeal: true\n" : "")    syncOptions:
              - CreateNamespace=\(createNamespace)
        \(more)
        """
    }

    package static func configMap(_ name: String, _ data: [String: String] = ["key": "value"]) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \(name)\ndata:\n"
            + data.sorted { $0.key < $1.key }.map { "  \($0.key): \"\($0.value)\"\n" }.joined()
    }
}

/// Compares a text with a file of `Golden` beside the calling test. `RECONCILER_UPDATE_GOLDEN=1` writes the files anew.
/// - Returns: what differs, line by line; `nil` when nothing does.
package func goldenDifference(_ text: String, _ name: String, file: String = #filePath) throws -> String? {
    let path = FilePath(file).removingLastComponent().appending("Golden").appending(name)
    if ProcessInfo.processInfo.environment["RECONCILER_UPDATE_GOLDEN"] == "1" {
        try FileManager.default.createDirectory(atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path.string))
        return nil
    }
    let expected = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path.string)), as: UTF8.self)
    if expected == text { return nil }
    let (old, new) = (expected.split(separator: "\n", omittingEmptySubsequences: false), text.split(separator: "\n", omittingEmptySubsequences: false))
    let changes = new.difference(from: old).map { change in
        switch change {
        case .insert(let line, let element, _): "+\(line + 1): \(element)"
        case .remove(let line, let element, _): "-\(line + 1): \(element)"
        }
    }
    return "\(name) differs (RECONCILER_UPDATE_GOLDEN=1 writes it anew):\n" + changes.joined(separator: "\n")
}
