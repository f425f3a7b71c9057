import Foundation
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// A sync that fails, is tried again, and is taken back.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct RetryTests {
        /// The server refuses a Service without ports that is not headless.
        private static let refused = "apiVersion: v1\nkind: Service\nmetadata: {name: broken}\nspec: {selector: {app: x}}\n"

        private func application(_ more: String = "", automated: Bool = false) -> String { Workspace.application("shop", automated: automated, more: more) }

        @Test func isTriedAgainAsOftenAsAsked() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application(), "environments/shop/a.yaml": Workspace.configMap("a"),
                    "environments/shop/broken.yaml": Self.refused,
                ])
                let outcome = try await scene.run("sync", "--app", "shop", "--retry-limit", "2", "--retry-backoff-duration", "100ms")
                #expect(outcome.code == 1, "\(outcome.description)")
                #expect(outcome.errors.contains("retry 1 of 2 in 0.1 s") && outcome.errors.contains("retry 2 of 2 in 0.2 s"), "\(outcome.errors)")
                let history = try JSONValue(parsing: Array(try await scene.run("history", "--app", "shop", "-o", "json").output.utf8))
                #expect(history.arrayValue?.count == 3, "each attempt has a record")
            }
        }

        @Test func theApplicationsOwnPolicyCounts() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application("    retry: {limit: 1, backoff: {duration: 50ms, factor: 3, maxDuration: 1m}}\n"),
                    "environments/shop/broken.yaml": Self.refused,
                ])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("retry 1 of 1 in 0.1 s"), "\(outcome.errors)")
                let none = try await scene.run("sync", "--app", "shop", "--retry-limit", "0")
                #expect(none.code == 1 && !none.errors.contains("retry"), "\(none.errors)")
            }
        }

        @Test(arguments: [true, false])
        func aRetryTakesTheNewestCommitOnlyWhenAsked(_ refresh: Bool) async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application(), "environments/shop/a.yaml": Workspace.configMap("a"),
                    "environments/shop/broken.yaml": Self.refused,
                ])
                let arguments = ["sync", "--app", "shop", "--retry-limit", "1", "--retry-backoff-duration", "3s"] + (refresh ? ["--retry-refresh"] : [])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(arguments) { running in
                    _ = try await running.line(containing: "retry 1 of 1")
                    try await scene.workspace.push(["environments/shop/broken.yaml": nil])
                    await running.ended()
                }
                #expect(code == (refresh ? 0 : 1))
            }
        }

        @Test func aRefusalIsNotTriedAgain() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push(["environments/shop/keep.yaml": nil, "environments/shop/README.md": "Empty."])
                let outcome = try await scene.run("sync", "--app", "shop", "--retry-limit", "3", "--retry-backoff-duration", "10ms")
                #expect(outcome.code == 3 && !outcome.errors.contains("retry"), "\(outcome.description)")
            }
        }

        // MARK: --atomic

        private func value(_ scene: Scene, _ name: String) async throws -> String? {
            try await scene.object("ConfigMap", name, namespace: "shop")?[path: "data", "key"]?.stringValue
        }

        @Test func aFailedSyncIsTakenBack() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application(), "environments/shop/a.yaml": Workspace.configMap("a", ["key": "good"]),
                    "environments/shop/old.yaml": Workspace.configMap("old", ["key": "good"]),
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push([
                    "environments/shop/a.yaml": Workspace.configMap("a", ["key": "bad"]), "environments/shop/new.yaml": Workspace.configMap("new"),
                    "environments/shop/broken.yaml": Self.refused,
                ])
                let outcome = try await scene.run("sync", "--app", "shop", "--atomic")
                #expect(outcome.code == 1 && outcome.output.contains("what attempt 1 had applied was brought back"), "\(outcome.description)")
                #expect(try await value(scene, "a") == "good")
                #expect(try await value(scene, "old") == "good")
                #expect(try await scene.object("ConfigMap", "new", namespace: "shop") == nil)
                let history = try await scene.run("history", "--app", "shop")
                #expect(history.output.contains("atomic after cli:") && history.output.contains("Failed"), "\(history.output)")
                #expect(try await scene.run("history", "verify").code == 0)
            }
        }

        @Test func withoutAnEarlierStateWhatWasMadeIsDeleted() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application().replacing("CreateNamespace=true", with: "CreateNamespace=true\n      - Atomic=true"),
                    "environments/shop/a.yaml": Workspace.configMap("a"), "environments/shop/broken.yaml": Self.refused,
                ])
                let first = try await scene.run("sync", "--app", "shop", "--resource", "configmap/none")
                #expect(first.code == 0, "\(first.description)")
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1, "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "a", namespace: "shop") == nil, "\(outcome.description)")
                let kept = try await scene.run("sync", "--app", "shop", "--no-atomic")
                #expect(kept.code == 1)
                #expect(try await scene.object("ConfigMap", "a", namespace: "shop") != nil)
            }
        }

        @Test func whatWasTakenBackIsHeldUntilGitSaysSomethingElse() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application(automated: true).replacing("CreateNamespace=true", with: "CreateNamespace=true\n      - Atomic=true"),
                    "environments/shop/a.yaml": Workspace.configMap("a", ["key": "good"]),
                ])
                _ = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { running in
                    _ = try await running.line(containing: "successfully synced")
                    try await scene.workspace.push([
                        "environments/shop/a.yaml": Workspace.configMap("a", ["key": "bad"]), "environments/shop/broken.yaml": Self.refused,
                    ])
                    _ = try await running.line(containing: "held at what attempt 1 applied")
                    #expect(try await value(scene, "a") == "good")
                    try await scene.workspace.push([
                        "environments/shop/a.yaml": Workspace.configMap("a", ["key": "mended"]), "environments/shop/broken.yaml": nil,
                    ])
                    while try await value(scene, "a") != "mended" { try await Task.sleep(for: .milliseconds(50)) }
                }
            }
        }
    }
}
