import Foundation
import ResourceModel
import SystemPackage
import Testing

@testable import Desired

/// A directory with the given files, removed afterwards. A value that starts with `-> ` makes a symbolic link.
func withFiles<Result>(_ files: [String: String], _ body: (FilePath) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("desired-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }  // a left-over must not hide the test's own failure
    for (name, text) in files { try write(text, to: name, in: FilePath(directory.path)) }
    // The temporary directory itself may be a link.
    return try await body(FilePath(directory.resolvingSymlinksInPath().path))
}

func write(_ text: String, to name: String, in directory: FilePath) throws {
    let place = URL(fileURLWithPath: directory.appending(name).string)
    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    if text.hasPrefix("-> ") {
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: String(text.dropFirst(3)))
    } else {
        try Data(text.utf8).write(to: place)
    }
}

/// The package's own root.
let packageRoot = FilePath(
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path)

/// `PATH` with the directory that `scripts/test-tools` fills.
let toolsWithTestTools = ToolConfiguration(
    searchPath: packageRoot.appending(".build/test-tools/bin").string + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""))

/// - Throws: an error that says what to do when a tool that a test needs is not there.
func requireTool(_ name: String) throws {
    try #require(
        toolsWithTestTools.locate(name) != nil,
        "`\(name)` is neither on PATH nor in .build/test-tools/bin: run scripts/test-tools")
}

/// The one document of a text.
func document(_ text: String, path: String = "app.yaml") throws -> SourceDocument {
    try #require(try DocumentReader.documents(in: Array(text.utf8), path: path).first)
}

/// An application with one source in the directory `path`; `source` and `spec` are more lines for these objects, indented by 4 and 2.
func applicationYAML(
    _ name: String = "web", path: String = "app", source: String = "", spec: String = "", namespace: String = "shop"
) -> String {
    """
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata:
      name: \(name)
    spec:
      source:
        repoURL: .
        path: \(path)
    \(source.split(separator: "\n").map { "    \($0)\n" }.joined())  destination:
        server: https://kubernetes.default.svc
        namespace: \(namespace)
    \(spec.split(separator: "\n").map { "  \($0)\n" }.joined())
    """
}

func decoded(_ text: String) throws -> Application {
    let (application, problems) = Application.decode(try document(text))
    return try #require(application, "\(problems)")
}

/// What rendering a text's application in a directory gives.
func render(_ applicationText: String, in root: FilePath, tools: ToolConfiguration = toolsWithTestTools) async throws
    -> DesiredState
{
    try await OfflineRepository(directory: root, root: root, tools: tools).desiredState(of: try decoded(applicationText))
}

/// The problems that rendering stops with.
func problemsOfRendering(_ applicationText: String, in root: FilePath, tools: ToolConfiguration = toolsWithTestTools) async throws
    -> [Problem]
{
    do {
        let state = try await render(applicationText, in: root, tools: tools)
        Issue.record("rendered \(state.manifests.map(\.id)) instead of failing")
        return []
    } catch let problems as Problems {
        return problems.problems
    }
}

func configMap(_ name: String, _ data: String = "key: value", namespace: String? = nil) -> String {
    """
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: \(name)
    \(namespace.map { "  namespace: \($0)\n" } ?? "")data:
      \(data)

    """
}
