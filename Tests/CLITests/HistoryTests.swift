import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What `history` tells afterwards, and that it can be checked.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct HistoryTests {
        @Test func writesCSVThatProgramsRead() async throws {
            try await withScene { scene in
                try await scene.workspace.push(
                    [
                        "environments/applications/shop.yaml": Workspace.application("shop"),
                        "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    ], message: "Open, \"quickly\"")
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let file = scene.workspace.root.appending("history.csv").string
                try Data(try await scene.run("history", "-o", "csv").output.utf8).write(to: URL(fileURLWithPath: file))
                let python = Program(executable: try Workspace.tool("python3"))
                let read = try await python.run([
                    "-c", "import csv,json,sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='')))))", file,
                ])
                let rows = try JSONValue(parsing: read.output)
                #expect(rows.arrayValue?.count == 1 && rows[0]?["subject"] == "Open, \"quickly\"" && rows[0]?["conclusion"] == "Succeeded")
                #expect(rows[0]?["trigger"]?.stringValue?.wholeMatch(of: /cli:.+@.+/) != nil && rows[0]?["steps"] == "2", "the namespace and the object")
                let steps = try await scene.run("history", "show", "1", "-o", "csv").output
                #expect(steps.hasPrefix("attempt,phase,wave,") && steps.contains(",ConfigMap,shop,keep,created,,") && steps.hasSuffix("\r\n"))
            }
        }

        @Test func recordsFailuresAndRefusalsToo() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push(["environments/shop/keep.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: keep}\ndata: {a: 1}\n"])
                #expect(try await scene.run("sync", "--app", "shop").code == 1)
                try await scene.workspace.push(["environments/shop/keep.yaml": nil, "environments/shop/README": "nothing\n"])
                #expect(try await scene.run("sync", "--app", "shop").code == 3)
                let rows = try JSONValue(parsing: try await scene.run("history", "--app", "shop", "-o", "json").output)
                #expect(rows.arrayValue?.map { $0["conclusion"]?.stringValue } == ["Refused", "Failed", "Succeeded"])
                #expect(rows[0]?["refusals"]?.arrayValue?.count == 1)
                #expect(try await scene.run("history", "--app", "shop", "--limit", "1", "-o", "csv").output.split(separator: "\r\n").count == 2)
                #expect(try await scene.run("history", "--app", "nobody", "-o", "json").output == "[]\n")
            }
        }

        @Test func recordsAnAttemptThatCouldNotReachItsRepository() async throws {
            try await withScene { scene in
                let application = Workspace.application("shop").replacing("repoURL: .", with: "repoURL: file:///nowhere/at/all.git")
                try await scene.workspace.push(["environments/applications/shop.yaml": application])
                #expect(try await scene.run("sync", "--app", "shop").code == 4)
                let rows = try JSONValue(parsing: try await scene.run("history", "-o", "json").output)
                #expect(rows[0]?["conclusion"] == "Failed" && rows[0]?[path: "revision", "repository"] == "file:///nowhere/at/all.git")
                #expect(try await scene.run("history").output.contains("   -          "))
            }
        }

        @Test func findsWhatWasTamperedWith() async throws {
            try await withScene { scene in
                try await scene.withShop()
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await scene.run("history", "verify").code == 0)
                let python = Program(executable: try Workspace.tool("python3"))
                let edited = try await python.run([
                    "-c", "import sqlite3,sys; d = sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE attempt SET conclusion = 'Failed' WHERE id = 2\"); d.commit()",
                    scene.workspace.state.appending("reconciler.db").string,
                ])
                try #require(edited.code == 0, "\(edited.description)")
                let found = try await scene.run("history", "verify")
                #expect(found.code == 1 && found.output.hasPrefix("attempt 2 (shop) was changed after it was recorded; 1 rows"), "\(found.description)")
                let value = try JSONValue(parsing: try await scene.run("history", "verify", "-o", "json").output)
                #expect(value[path: "fault", "kind"] == "changed" && value["verified"] == false)
            }
        }

        @Test func keepsAsManyAsTheSettingsSay() async throws {
            try await withScene { scene in
                try await scene.withShop()
                for _ in 0..<2 { #expect(try await scene.run("sync", "--app", "shop", "--keep-attempts", "2").code == 0) }
                func ids() async throws -> [JSONValue?]? {
                    try JSONValue(parsing: try await scene.run("history", "-o", "json").output).arrayValue?.map { $0["id"] }
                }
                #expect(try await ids() == [3, 2])
                try Data("history: {keepAttempts: 1}\n".utf8).write(to: URL(fileURLWithPath: scene.workspace.root.appending("reconciler.yaml").string))
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await ids() == [4])
                let verified = try await scene.run("history", "verify")
                #expect(verified.code == 0 && verified.output.contains("3 older rows were dropped"), "\(verified.description)")
                #expect(try await scene.run("sync", "--app", "shop", "--keep-days", "0").code == 64)
            }
        }
    }
}
