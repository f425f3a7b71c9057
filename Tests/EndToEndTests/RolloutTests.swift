import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

/// A Git push becomes running processes: the whole chain, with the built binary.
@Suite(.serialized, .enabled(if: podsAreProcesses), .timeLimit(.minutes(2)))
struct RolloutTests {
    @Test func aPushRollsOutDriftIsHealedAndARemovedFileIsPruned() async throws {
        try await withStage { stage in
            let namespace = stage.name("canary")
            try await stage.pushEnvironments(["canary"])
            let (_, code) = try await stage.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                try await run.line(containing: "canary: successfully synced")
                try await healthy("canary", stage)
                #expect(try await stage.answers(of: "web", in: namespace).map { $0["version"] } == ["1.0.0", "1.0.0"])

                try await stage.edit("environments/canary/deployment.yaml", message: "Release 2.0.0") {
                    $0.replacing("\"1.0.0\"", with: "\"2.0.0\"")
                }
                try await stage.object("Deployment", "web", group: "apps", in: namespace) { web in
                    web?[path: "spec", "template", "spec"]?["containers"]?[0]?["env"]?[0]?["value"] == "2.0.0"
                        && web?[path: "status", "observedGeneration"] == web?[path: "metadata", "generation"]
                        && web?[path: "status", "availableReplicas"] == 2 && web?[path: "status", "replicas"] == 2
                        && web?[path: "status", "updatedReplicas"] == 2
                }
                #expect(try await stage.answers(of: "web", in: namespace).map { $0["version"] } == ["2.0.0", "2.0.0"])

                // Drift: somebody scales by hand, somebody deletes.
                let deployments = try await stage.resource("Deployment", group: "apps")
                _ = try await stage.client.patch(
                    deployments, namespace: namespace, name: "web", type: .merge, patch: ["spec": ["replicas": 5]],
                    options: WriteOptions(fieldManager: "someone"))
                try await stage.object("Deployment", "web", group: "apps", in: namespace) { $0?[path: "spec", "replicas"] == 2 }
                try await stage.client.delete(try await stage.resource("Service"), namespace: namespace, name: "web")
                try await stage.object("Service", "web", in: namespace) { $0 != nil }

                // A second object comes and goes with its file.
                try await stage.workspace.push(["environments/canary/extra.yaml": Workspace.configMap("extra")], message: "Add extra")
                try await stage.object("ConfigMap", "extra", in: namespace) { $0 != nil }
                try await stage.workspace.push(["environments/canary/extra.yaml": nil], message: "Remove extra")
                try await stage.object("ConfigMap", "extra", in: namespace) { $0 == nil }
                #expect(try await stage.client.get(try await stage.resource("ConfigMap"), namespace: namespace, name: "web") != nil)
            }
            #expect(code == 0, "a run that is asked to stop ends well")

            let history = try JSONValue(parsing: try await stage.workspace.run("history", "-o", "json").output).arrayValue ?? []
            let subjects = history.compactMap { $0[path: "revision", "subject"]?.stringValue }
            #expect(subjects.contains("Release 2.0.0") && subjects.last == "Declare environments")
            #expect(history.contains { $0["trigger"] == "drift" } && history.contains { $0["trigger"] == "push" })
            let table = try await stage.workspace.run("history", "--app", "canary").output
            #expect(table.contains("Ada") && table.contains("Remove extra") && table.contains("SECONDS"), "\(table)")
            let status = try await stage.workspace.run("status", "--app", "canary").output
            #expect(status.contains("Remove extra (Ada <ada@example.org>, ") && status.contains("last sync  Succeeded") && status.contains("apps/Deployment \(namespace)/web"), "\(status)")
        }
    }

    private func healthy(_ application: String, _ stage: Stage) async throws {
        let outcome = try await stage.workspace.run("wait", "--app", application, "--timeout", "30")
        try #require(outcome.code == 0, "\(outcome.description)")
    }

    @Test func aBrokenRolloutIsReportedWithItsReason() async throws {
        try await withStage { stage in
            try await stage.pushEnvironments(["canary"])
            let good = try await stage.workspace.run("sync", "--app", "canary", "--wait", "--timeout", "30")
            #expect(good.code == 0 && good.output.contains("Healthy"), "\(good.description)")
            try await stage.edit("environments/canary/deployment.yaml", message: "Break the command") {
                $0.replacing("command: [\"demo-web\"]", with: "command: [\"false\"]")
            }
            let slow = try await stage.workspace.run("sync", "--app", "canary", "--wait", "--timeout", "1")
            #expect(slow.code == 1 && slow.output.contains("canary: Succeeded, Synced, Progressing"), "\(slow.description)")
            #expect(slow.output.contains("apps/Deployment \(stage.name("canary"))/web: Waiting for rollout to finish"), "\(slow.description)")
            try await stage.edit("environments/canary/deployment.yaml", message: "Give it a deadline") {
                $0.replacing("  replicas: 2\n", with: "  replicas: 2\n  progressDeadlineSeconds: 2\n  minReadySeconds: 1\n")
            }
            let failed = try await stage.workspace.run("sync", "--app", "canary", "--wait", "--timeout", "30")
            #expect(failed.code == 1 && failed.output.contains("Degraded") && failed.output.contains("progress"), "\(failed.description)")
            #expect(failed.duration < .seconds(20), "a degraded rollout is not waited for until the time is over")
            // The old version goes on answering.
            let status = try await stage.workspace.run("status")
            #expect(status.output.contains("Degraded"), "\(status.description)")
            let wait = try await stage.workspace.run("wait", "--app", "canary", "--timeout", "30")
            #expect(wait.code == 1 && wait.output.contains("canary: Degraded"), "\(wait.description)")
        }
    }

    @Test func severalApplicationsAreSyncedTogether() async throws {
        try await withStage { stage in
            try await stage.pushEnvironments(["canary", "blue-green"])
            let outcome = try await stage.workspace.run("sync", "--all", "--wait", "--timeout", "40")
            #expect(outcome.code == 0, "\(outcome.description)")
            let status = try JSONValue(parsing: try await stage.workspace.run("status", "-o", "json").output).arrayValue ?? []
            #expect(status.map { $0["application"] } == ["blue-green", "canary"])
            #expect(status.allSatisfy { $0["sync"] == "Synced" && $0[path: "health", "status"] == "Healthy" }, "\(status)")
        }
    }

    @Test func theBrokenOneOfTwoApplicationsDoesNotHinderTheOther() async throws {
        try await withStage { stage in
            let namespace = stage.name("good")
            try await stage.workspace.push([
                "environments/applications/bad.yaml": Workspace.application("bad", namespace: stage.name("bad")),
                "environments/applications/good.yaml": Workspace.application("good", namespace: namespace),
                "environments/bad/a.yaml": "apiVersion: v1\nkind: [", "environments/good/a.yaml": Workspace.configMap("a"),
            ])
            let (_, code) = try await stage.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                try await run.line(containing: "good: successfully synced")
                try await run.line(containing: "environments/bad/a.yaml:")
                try await stage.workspace.push(["environments/bad/a.yaml": Workspace.configMap("a")], message: "Mend it")
                try await run.line(containing: "bad: successfully synced")
            }
            #expect(code == 0)
        }
    }
}
