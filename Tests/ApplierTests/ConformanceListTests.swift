import Foundation
import ResourceModel
import Testing

/// The lists in docs/ speak of what there is.
@Suite struct ConformanceListTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String { try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8) }

    /// The names of the test functions of each suite, by the text of the sources.
    private func tests() throws -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        let directory = Self.root.appendingPathComponent("Tests")
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory.path) where path.hasSuffix("Tests.swift") {
            let source = try String(contentsOf: directory.appendingPathComponent(path), encoding: .utf8)
            let suites = source.matches(of: /struct ([A-Za-z]+Tests)\b/).map { String($0.1) }
            let names = Set(source.matches(of: /func ([A-Za-z0-9]+)\(/).map { String($0.1) })
            for suite in suites { found[suite, default: []].formUnion(names) }
        }
        return found
    }

    @Test func everyRowOfTheConformanceListHasATest() throws {
        let rows = try text("docs/conformance-sync.md").split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
        #expect(rows.count >= 40)
        let tests = try tests()
        for row in rows {
            let names = row.matches(of: /`([A-Za-z]+Tests)\.([A-Za-z0-9]+)`/)
            #expect(!names.isEmpty, "\(row)")
            for name in names { #expect(tests[String(name.1)]?.contains(String(name.2)) == true, "there is no \(name.1).\(name.2)") }
        }
    }

    @Test func everySyncOptionIsDescribed() throws {
        let described = try text("docs/options.md")
        for name in SyncOptions.names { #expect(described.contains("| `\(name)="), "\(name)") }
    }
}
