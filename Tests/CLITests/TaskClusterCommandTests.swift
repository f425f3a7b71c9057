import Foundation
import KubernetesClient
import ResourceModel
import TaskModel
import Tasks
import TestSupport
import Testing

extension CommandLineTests {
    /// `reconciler tasks` on the objects of a cluster; no controller is at work beside it.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct TaskClusterCommandTests {
        private struct List {
            var scene: Scene
            var tasks: APIResource

            func run(_ arguments: String...) async throws -> Outcome {
                var program = scene.workspace.reconciler
                program.environment["RECONCILER_REPO"] = nil
                return try await program.run(["tasks"] + arguments)
            }

            func status(_ id: String, list: String = "shop") async throws -> TaskStatus {
                TaskStatus(try await scene.client.get(tasks, namespace: "plans", name: TaskKinds.objectName(list: list, id: id))?["status"])
            }

            func set(_ id: String, list: String = "shop", _ change: (inout TaskStatus) -> Void) async throws {
                var status = try await status(id, list: list)
                change(&status)
                _ = try await scene.client.patch(
                    tasks, namespace: "plans", name: TaskKinds.objectName(list: list, id: id), type: .merge, patch: ["status": status.json],
                    options: WriteOptions(subresource: "status"))
            }
        }

        /// A list `shop`: T1 ticked, T2 and T3 beside each other, T4 after them and only once approved, T5 in the second phase.
        private func withList(_ body: (List) async throws -> Void) async throws {
            try await withScene { scene in
                for definition in TaskDefinitions.all { _ = try await scene.client.apply(definition, as: try await scene.client.resource(for: Self.definition)) }
                for (resource, name) in [("tasks", TaskKinds.task), ("tasklists", TaskKinds.list)] { try await Self.served(name, resource, scene.client) }
                _ = try await scene.client.apply(
                    ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "plans"]],
                    as: try await scene.client.resource(for: GroupKind(group: "", kind: "Namespace")))
                let list = List(scene: scene, tasks: try await scene.client.resource(for: TaskKinds.task))
                try await Self.declare("shop", scene.client)
                try await body(list)
            }
        }

        private static let definition = GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition")

        private static func served(_ kind: GroupKind, _ name: String, _ client: KubernetesClient) async throws {
            try await deadline(.seconds(20), "the definition of \(name)") {
                while true {
                    do {
                        _ = try await client.list(try await client.resource(for: kind), namespace: nil)
                        return
                    } catch is DiscoveryError {} catch let error as APIError where error.isNotFound {}
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }

        private static func declare(_ name: String, _ client: KubernetesClient) async throws {
            let place = { (line: Int) in ResourceModel.SourceLocation(path: "plan.md", line: line) }
            var list = TaskListSpec(name: name, title: "Open the shop")
            list.phases = [TaskPhase(id: "setup", title: "Setup", source: place(3)), TaskPhase(id: "sell", title: "Sell", source: place(9))]
            var objects = [list.object]
            for (index, (id, phase, order)) in [
                ("T1", "setup", DeclaredTask.Order.sequential), ("T2", "setup", .parallel), ("T3", "setup", .parallel), ("T4", "setup", .sequential),
                ("T5", "sell", .sequential),
            ].enumerated() {
                var task = DeclaredTask(id: id, title: "Do \(id)", source: place(index + 4))
                (task.phase, task.order, task.isDone) = (phase, order, id == "T1")
                if id == "T3" { task.commands = ["make check"] }
                var run = TaskRun()
                run.needsApproval = id == "T4"
                objects.append(TaskSpec(list: name, index: index, task: task, run: run).object)
            }
            for (index, object) in objects.enumerated() {
                var placed = object
                placed[path: "metadata", "namespace"] = "plans"
                _ = try await client.apply(placed, as: try await client.resource(for: index == 0 ? TaskKinds.list : TaskKinds.task))
            }
            var ticked = TaskStatus()
            (ticked.state, ticked.reason) = (.succeeded, "Ticked")
            _ = try await client.patch(
                try await client.resource(for: TaskKinds.task), namespace: "plans", name: TaskKinds.objectName(list: name, id: "T1"), type: .merge,
                patch: ["status": ticked.json], options: WriteOptions(subresource: "status"))
        }

        @Test func readsTheOnlyListWithoutARepository() async throws {
            try await withList { list in
                for (name, arguments) in [
                    ("list", ["list"]), ("progress", ["progress"]), ("next", ["next"]), ("show", ["show", "T4"]), ("list-json", ["list", "--status", "done", "-o", "json"]),
                    ("graph-mermaid", ["graph", "-o", "mermaid"]),
                ] {
                    let outcome = try await list.scene.workspace.reconciler.run(["tasks"] + arguments)
                    #expect(outcome.code == 0, "\(outcome.description)")
                    try expectGolden(transcript(["tasks"] + arguments, outcome, in: list.scene.workspace), "tasks/cluster-\(name).txt")
                }
                #expect(try await list.run("list").code == 0, "no repository is named")
            }
        }

        @Test func marksTasksByHand() async throws {
            try await withList { list in
                #expect(try await list.run("start", "T2").output == "T2: Pending -> Running\n")
                let begun = try await list.status("T2")
                #expect(begun.reason == TaskMark.startedByHand && begun.attempts == 1 && begun.startedAt != nil)
                #expect(try await list.run("done", "T2", "t3").output == "T2: Running -> Succeeded\nT3: Pending -> Succeeded\n")
                #expect(try await list.status("T2").finishedAt != nil)
                #expect(try await list.run("done", "T2").output == "T2: unchanged: Succeeded\n")
                #expect(try await list.run("approve", "T4").output == "T4: approved\n")
                #expect(try await list.status("T4").approvedBy?.isEmpty == false)
                #expect(try await list.run("fail", "T4", "--reason", "no quota").output == "T4: Pending -> Failed\n")
                #expect(try await list.status("T4").message.hasPrefix("no quota"))
                let blocked = try await list.run("start", "T5")
                #expect(blocked.code == 3 && blocked.errors.contains("start T5: it waits for phase setup; --force"), "\(blocked.description)")
                #expect(try await list.run("next").output.contains("T4 has failed"))
                #expect(try await list.run("skip", "T4", "--reason", "later").output == "T4: Failed -> Skipped\n")
                #expect(try await list.run("next").output.contains("T5"))
                #expect(try await list.run("reset", "--all").output == "T2: Succeeded -> Pending\nT3: Succeeded -> Pending\nT4: Skipped -> Pending\n")
                let fresh = try await list.status("T2")
                #expect(fresh.startedAt == nil && fresh.finishedAt == nil && fresh.attempts == 1 && fresh.reason != TaskMark.startedByHand, "\(fresh)")
                let nothing = try await list.run("reset", "--all")
                #expect(nothing.code == 0 && nothing.output.isEmpty, "\(nothing.description)")
            }
        }

        @Test func refusesWhatMakesNoSenseAndThenWritesNothing() async throws {
            try await withList { list in
                try await list.set("T3") { ($0.state, $0.attempts) = (.running, 2) }
                let running = try await list.run("done", "T2", "T3")
                #expect(running.code == 3 && running.errors.contains("done T3: it is running (attempt 2)") && running.errors.contains("nothing was changed"), "\(running.description)")
                #expect(try await list.status("T2").state == .pending)
                let ticked = try await list.run("reset", "T1")
                #expect(ticked.code == 3 && ticked.errors.contains("it is ticked in plan.md:4; untick it there"), "\(ticked.description)")
                let unknown = try await list.run("done", "T2", "T44")
                #expect(unknown.code == 1 && unknown.errors.contains("there is no task `T44` in plans/shop (did you mean `T4`?)"), "\(unknown.description)")
                #expect(try await list.status("T2").state == .pending)
                #expect(try await list.run("approve", "T2").code == 3)
                let log = try await list.run("logs", "T2")
                #expect(log.code == 1 && log.errors.contains("task T2 has no log: it is Pending"), "\(log.description)")
            }
        }

        @Test func printsWhatEachAttemptWrote() async throws {
            try await withList { list in
                let object = try #require(try await list.scene.client.get(list.tasks, namespace: "plans", name: TaskKinds.objectName(list: "shop", id: "T3")))
                let runner = ProcessTaskRunner(directory: list.scene.workspace.state.string + "/tasks")
                var last = ""
                for (number, word) in [(1, "first"), (2, "second")] {
                    var attempt = TaskAttempt(
                        namespace: "plans", list: "shop", task: "T3", name: "shop-t3", number: number, commands: ["echo \(word)"], environment: [:],
                        workingDirectory: list.scene.workspace.root.string, timeoutSeconds: 30, startedAt: Date().timeIntervalSince1970)
                    attempt.uid = object[path: "metadata", "uid"]?.stringValue ?? ""
                    #expect(await runner.outcome(of: attempt) == .succeeded)
                    last = runner.log(of: attempt)
                }
                let log = last
                try await list.set("T3") { ($0.state, $0.attempts, $0.log) = (.succeeded, 2, log) }
                let second = try await list.run("logs", "T3", "-f")
                #expect(second.code == 0 && second.output.contains("second") && !second.output.contains("first"), "\(second.description)")
                let first = try await list.run("logs", "T3", "--attempt", "1")
                #expect(first.code == 0 && first.output.contains("first") && !first.output.contains("second"), "\(first.description)")
                let third = try await list.run("logs", "T3", "--attempt", "3")
                #expect(third.code == 64 && third.errors.contains("task T3 has 2 attempts"), "\(third.description)")
            }
        }

        @Test func severalListsAreToldApart() async throws {
            try await withList { list in
                try await Self.declare("market", list.scene.client)
                let several = try await list.run("list")
                #expect(several.code == 64 && several.errors.contains("plans/market, plans/shop"), "\(several.description)")
                #expect(try await list.run("done", "T2", "--list", "market").code == 0)
                let (own, other) = (try await list.status("T2"), try await list.status("T2", list: "market"))
                #expect(own.state == .pending && other.state == .succeeded)
                let unknown = try await list.run("progress", "--list", "shp")
                #expect(unknown.code == 1 && unknown.errors.contains("did you mean `shop`?"), "\(unknown.description)")
                let elsewhere = try await list.run("progress", "-n", "default")
                #expect(elsewhere.code == 1 && elsewhere.errors.contains("there is no list of tasks in namespace default"), "\(elsewhere.description)")
            }
        }

        @Test func aClusterWithoutTasksSaysSo() async throws {
            try await withScene { scene in
                let outcome = try await scene.run("tasks", "list")
                #expect(outcome.code == 1 && outcome.errors.contains("knows no tasks") && outcome.errors.contains("FILE..."), "\(outcome.description)")
            }
        }
    }
}
