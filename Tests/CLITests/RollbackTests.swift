import Foundation
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// A bad release is taken back with one commit on the branch.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct RollbackTests {
        /// Two applications, and a release of `shop` that is bad: it changes, adds and removes files. Both are synced.
        private func release(_ scene: Scene) async throws -> (good: String, bad: String) {
            let good = try await scene.workspace.push(
                [
                    "environments/applications/shop.yaml": Workspace.application("shop"),
                    "environments/applications/other.yaml": Workspace.application("other"),
                    "environments/shop/keep.yaml": Workspace.configMap("keep", ["version": "1"]),
                    "environments/shop/gone.yaml": Workspace.configMap("gone"), "environments/other/a.yaml": Workspace.configMap("a", ["version": "1"]),
                    "README": "one",
                ], message: "Release 1")
            try await sync(scene)
            let bad = try await scene.workspace.push(
                [
                    "environments/shop/keep.yaml": Workspace.configMap("keep", ["version": "2"]), "environments/shop/gone.yaml": nil,
                    "environments/shop/new.yaml": Workspace.configMap("new"), "environments/other/a.yaml": Workspace.configMap("a", ["version": "2"]),
                    "README": "two",
                ], message: "Release 2")
            try await sync(scene)
            return (good, bad)
        }

        private func sync(_ scene: Scene) async throws {
            let outcome = try await scene.run("sync", "--all")
            try #require(outcome.code == 0, "\(outcome.description)")
        }

        private func version(_ name: String, _ namespace: String, _ scene: Scene) async throws -> JSONValue? {
            try await scene.object("ConfigMap", name, namespace: namespace)?[path: "data", "version"]
        }

        private func remote(_ scene: Scene, _ arguments: String...) async throws -> String {
            let text = try await scene.workspace.git(arguments, in: scene.workspace.root.appending("remote.git"))
            return String(text.trimmingCharacters(in: .newlines))
        }

        @Test func oneCommitRestoresExactlyTheApplicationsFilesAndTheClusterFollows() async throws {
            try await withScene { scene in
                let (good, bad) = try await release(scene)
                let outcome = try await scene.run("rollback", "--app", "shop", "--reason", "Checkout fails.", "--author", "Rosa <rosa@example.org>")
                #expect(outcome.code == 0, "\(outcome.description)")
                #expect(outcome.output.contains("shop: Succeeded, Synced"), "\(outcome.description)")

                #expect(try await remote(scene, "rev-parse", "main~1") == bad)
                let files = ["environments/shop/gone.yaml", "environments/shop/keep.yaml", "environments/shop/new.yaml"]
                #expect(try await remote(scene, "diff", "--no-renames", "--name-only", bad, "main") == files.joined(separator: "\n"))
                #expect(try await remote(scene, "diff", "--name-only", good, "main", "--", "environments/shop") == "")
                let message = try await remote(scene, "log", "-1", "--format=%an <%ae>%n%B", "main")
                #expect(message.hasPrefix("Rosa <rosa@example.org>\nRevert shop to \(good.prefix(7))\n\nCheckout fails.\n"), "\(message)")
                #expect(message.contains("- \(bad.prefix(7)) Release 2 (Ada)"), "\(message)")
                let trailers = try await remote(scene, "log", "-1", "--format=%(trailers:unfold)", "main")
                #expect(trailers.contains("Reconciler-Application: shop\nReconciler-Reverts-To: \(good)\nReconciler-Reverted: \(bad)\nReconciler-History: "), "\(trailers)")

                #expect(try await version("keep", "shop", scene) == "1")
                #expect(try await scene.object("ConfigMap", "gone", namespace: "shop") != nil)
                #expect(try await scene.object("ConfigMap", "new", namespace: "shop") == nil)
                #expect(try await version("a", "other", scene) == "2", "the other application is left alone")
                #expect(try await scene.run("history", "--app", "shop", "--limit", "1").output.contains("rollback"))
                #expect(try await scene.run("diff", "--app", "shop").code == 0)
            }
        }

        @Test func aDryRunShowsTheCommitAndPushesNothing() async throws {
            try await withScene { scene in
                let (good, bad) = try await release(scene)
                let outcome = try await scene.run("rollback", "--app", "shop", "--to", String(good.prefix(10)), "--dry-run")
                #expect(outcome.code == 0 && outcome.output.contains("Revert shop to \(good.prefix(7))"), "\(outcome.description)")
                #expect(outcome.output.contains("environments/shop/keep.yaml  +1 -1"), "\(outcome.description)")
                #expect(outcome.output.contains("-  version: \"2\"\n+  version: \"1\""), "\(outcome.description)")
                #expect(!outcome.output.contains("environments/other"), "\(outcome.description)")
                let json = try JSONValue(parsing: try await scene.run("rollback", "--app", "shop", "--dry-run", "-o", "json").output)
                #expect(json["pushed"] == false && json["files"]?.arrayValue?.count == 3 && json[path: "target", "commit"] == .string(good))
                #expect(try await remote(scene, "rev-parse", "main") == bad)
                #expect(try await version("keep", "shop", scene) == "2")
            }
        }

        @Test func aDryRunShowsNoSecrets() async throws {
            try await withScene { scene in
                _ = try await release(scene)
                let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
                try await scene.workspace.push(["environments/shop/secret.yaml": secret])
                try await sync(scene)
                let outcome = try await scene.run("rollback", "--app", "shop", "--dry-run")
                #expect(outcome.code == 0 && outcome.output.contains("environments/shop/secret.yaml"), "\(outcome.description)")
                #expect(!outcome.output.contains("hunter2") && outcome.output.contains("holds a Secret"), "\(outcome.description)")
            }
        }

        @Test func whatIsAlreadySoNeedsNoCommit() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                try await scene.workspace.push(["README": "three"])
                let outcome = try await scene.run("rollback", "--app", "shop", "--to", bad)
                #expect(outcome.code == 0 && outcome.output.contains("already as they were at \(bad.prefix(7))"), "\(outcome.description)")
            }
        }

        @Test func aBadRevisionIsNotProposedAgainAndARevertCanBeReverted() async throws {
            try await withScene { scene in
                let (good, bad) = try await release(scene)
                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["version": "3"])], message: "Release 3")
                try await sync(scene)
                // 3 is bad, so back to 2; then 2 is bad as well, so back to 1, and not to 3 again.
                #expect(try await scene.run("rollback", "--app", "shop").code == 0)
                #expect(try await version("keep", "shop", scene) == "2")
                let second = try await scene.run("rollback", "--app", "shop")
                #expect(second.code == 0 && second.output.contains("Revert shop to \(good.prefix(7))"), "\(second.description)")
                #expect(try await version("keep", "shop", scene) == "1")
                let third = try await scene.run("rollback", "--app", "shop")
                #expect(third.code == 1 && third.errors.contains("was rolled back by") && third.errors.contains("--to"), "\(third.description)")
                // Forward again, by name.
                let forward = try await scene.run("rollback", "--app", "shop", "--to", bad)
                #expect(forward.code == 0, "\(forward.description)")
                #expect(try await version("keep", "shop", scene) == "2")
                #expect(try await remote(scene, "diff", "--name-only", bad, "main") == "")
                // And back, since a revert that was taken back is not bad.
                #expect(try await scene.run("rollback", "--app", "shop").code == 0)
                #expect(try await version("keep", "shop", scene) == "1")
            }
        }

        @Test func aReleaseThatDoesNotEvenRenderIsRolledBack() async throws {
            try await withScene { scene in
                _ = try await release(scene)
                try await scene.workspace.push(["environments/shop/keep.yaml": "apiVersion: v1\nkind: ["], message: "Break it")
                #expect(try await scene.run("sync", "--app", "shop").code == 1)
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 0, "\(outcome.description)")
                #expect(try await version("keep", "shop", scene) == "2")
            }
        }

        @Test func aBranchThatMovesMeanwhileIsFetchedAndTheRevertMadeAnew() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                let other = try await meanwhile(["README": "three"], scene, after: bad)
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 0, "\(outcome.description)")
                #expect(try await remote(scene, "rev-parse", "main~1") == other, "on top of the commit that came in between")
                #expect(try await remote(scene, "diff", "--name-only", other, "main", "--", ".", ":!environments/shop") == "")
                #expect(try await version("keep", "shop", scene) == "1")
            }
        }

        @Test func aChangeOfTheSameFilesMeanwhileIsExplained() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                let mended = ["environments/shop/keep.yaml": Workspace.configMap("keep", ["version": "2.1"])]
                let other = try await meanwhile(mended, scene, after: bad)
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("\(other.prefix(7)) Meanwhile (Ada <ada@example.org>)"), "\(outcome.description)")
                #expect(try await remote(scene, "rev-parse", "main") == other)
            }
        }

        /// Somebody pushes between this rollback's fetch and its push: the server does it itself, before it takes the first push.
        private func meanwhile(_ files: [String: String?], _ scene: Scene, after bad: String) async throws -> String {
            let other = try await scene.workspace.push(files, message: "Meanwhile")
            let bare = scene.workspace.root.appending("remote.git")
            try await scene.workspace.git(["update-ref", "refs/heads/main", bad], in: bare)
            let hook = bare.appending("hooks/pre-receive").string
            let script = "#!/bin/sh\nrm \"$0\"\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main \(other)\n"
            try FileManager.default.createDirectory(atPath: bare.appending("hooks").string, withIntermediateDirectories: true)
            try writeProgram(script, to: hook)
            return other
        }

        @Test func aProtectedBranchIsToldInTheServersWords() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                let hook = scene.workspace.root.appending("remote.git/hooks/pre-receive").string
                try FileManager.default.createDirectory(
                    atPath: scene.workspace.root.appending("remote.git/hooks").string, withIntermediateDirectories: true)
                try writeProgram("#!/bin/sh\necho 'main wants a review' >&2\nexit 1\n", to: hook)
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("main wants a review"), "\(outcome.description)")
                #expect(try await remote(scene, "rev-parse", "main") == bad)
                #expect(try await version("keep", "shop", scene) == "2")
            }
        }

        @Test func applicationsThatReadTheSameFilesAreListed() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                try await scene.workspace.push(["environments/applications/twin.yaml": Workspace.application("twin", path: "environments/shop")])
                let refused = try await scene.run("rollback", "--app", "shop")
                #expect(refused.code == 3 && refused.errors.contains("twin (environments/shop)") && !refused.errors.contains("other ("), "\(refused.description)")
                #expect(try await remote(scene, "rev-parse", "main~1") == bad)
                let permitted = try await scene.run("rollback", "--app", "shop", "--allow-others")
                #expect(permitted.code == 0 && permitted.output.contains("moves too: twin"), "\(permitted.description)")
            }
        }

        @Test func aTagIsNotRolledBack() async throws {
            try await withScene { scene in
                _ = try await release(scene)
                try await scene.workspace.git(["tag", "v1"])
                try await scene.workspace.git(["push", "-q", "origin", "v1"])
                let pinned = Workspace.application("shop").replacing("repoURL: .\n", with: "repoURL: .\n    targetRevision: v1\n")
                try await scene.workspace.push(["environments/applications/shop.yaml": pinned])
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 3 && outcome.errors.contains("environments/applications/shop.yaml:"), "\(outcome.description)")
            }
        }

        @Test func severalSourcesAreRefused() async throws {
            try await withScene { scene in
                _ = try await release(scene)
                let several = Workspace.application("shop").replacing(
                    "  source:\n    repoURL: .\n    path: environments/shop\n",
                    with: "  sources:\n    - repoURL: .\n      path: environments/shop\n    - repoURL: .\n      path: environments/other\n")
                try await scene.workspace.push(["environments/applications/shop.yaml": several])
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 3 && outcome.errors.contains("has 2 sources"), "\(outcome.description)")
            }
        }

        @Test func theApplicationsOwnDocumentGoesBackAsWell() async throws {
            try await withScene { scene in
                _ = try await release(scene)
                try await scene.workspace.push(
                    [
                        "environments/applications/shop.yaml": Workspace.application("shop", path: "environments/shop-v3"),
                        "environments/shop-v3/keep.yaml": Workspace.configMap("keep", ["version": "3"]),
                    ], message: "Release 3")
                try await sync(scene)
                #expect(try await version("keep", "shop", scene) == "3")
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 0 && outcome.errors.contains("the Application itself is restored too"), "\(outcome.description)")
                #expect(try await version("keep", "shop", scene) == "2")
                #expect(try await scene.object("ConfigMap", "new", namespace: "shop") != nil)
            }
        }

        // MARK: Without Git

        @Test func aPinAppliesStoredManifestsAndTheLoopLeavesThemUntilTheNextCommit() async throws {
            try await withScene { scene in
                let (_, bad) = try await release(scene)
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                    try await run.line(containing: "shop: nothing to do")
                    let outcome = try await scene.run("rollback", "--app", "shop", "--pin", "--reason", "Git is slow today")
                    #expect(outcome.code == 0 && outcome.errors.contains("shop is held"), "\(outcome.description)")
                    try await run.line(containing: "shop: held at what attempt")
                    #expect(try await version("keep", "shop", scene) == "1")
                    #expect(try await scene.object("ConfigMap", "gone", namespace: "shop") != nil)
                    let status = try await scene.run("status", "--app", "shop")
                    #expect(status.output.contains("OutOfSync") && status.output.contains("Git is slow today"), "\(status.description)")
                    // Another application's commit ends nothing.
                    try await scene.workspace.push(["environments/other/a.yaml": Workspace.configMap("a", ["version": "3"])], message: "Other 3")
                    try await run.line(containing: "new revision")
                    try await eventually { try await version("a", "other", scene) == "3" }
                    #expect(try await version("keep", "shop", scene) == "1")
                    #expect(try await remote(scene, "rev-parse", "main~1") == bad, "Git was left alone")

                    try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["version": "3"])], message: "Release 3")
                    try await eventually { try await version("keep", "shop", scene) == "3" }
                }
                #expect(code == 0)
                #expect(try await scene.run("status", "--app", "shop").output.contains("held") == false)
            }
        }

        @Test func aPinNeedsNoRepository() async throws {
            try await withScene { scene in
                let (good, _) = try await release(scene)
                let bare = scene.workspace.root.appending("remote.git").string
                try FileManager.default.moveItem(atPath: bare, toPath: bare + ".away")
                let preview = try await scene.run("rollback", "--app", "shop", "--pin", "--dry-run")
                #expect(preview.code == 0 && preview.output.contains("ConfigMap shop/keep"), "\(preview.description)")
                #expect(try await version("keep", "shop", scene) == "2")
                let outcome = try await scene.run("rollback", "--app", "shop", "--pin", "--to", String(good.prefix(8)))
                #expect(outcome.code == 0 && outcome.errors.contains("what was last fetched is used"), "\(outcome.description)")
                #expect(try await version("keep", "shop", scene) == "1")
                try FileManager.default.moveItem(atPath: bare + ".away", toPath: bare)

                // Who asks for what Git declares gets it, and the hold ends.
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await version("keep", "shop", scene) == "2")
                let parent = try await scene.object("ConfigMap", "application-shop", namespace: "reconciler-system")
                #expect(parent != nil && parent?[path: "metadata", "annotations"]?["reconciler.dev/hold"] == nil)
            }
        }

        @Test func aPinWithoutStoredManifestsIsExplained() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let outcome = try await scene.run("rollback", "--app", "shop", "--pin")
                #expect(outcome.code == 1 && outcome.errors.contains("no manifests of Application shop that differ"), "\(outcome.description)")
                let missing = try await scene.run("rollback", "--app", "shop", "--pin", "--to", "99")
                #expect(missing.code == 1 && missing.errors.contains("attempt 99"), "\(missing.description)")
            }
        }

        /// Looks again until it is so; there is no event to wait for outside the process that does it.
        private func eventually(_ isSo: @escaping @Sendable () async throws -> Bool) async throws {
            try await deadline(.seconds(20), "what the loop is to do") {
                while try await !isSo() { try await Task.sleep(for: .milliseconds(50)) }
            }
        }
    }
}
