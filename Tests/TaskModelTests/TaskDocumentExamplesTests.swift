import Foundation
import ResourceModel
import TaskModel
import Testing

/// Three documents of real projects; each states how many tasks it holds.
@Suite struct TaskDocumentExamplesTests {
    private func document(_ name: String) throws -> TaskDocument {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "md", subdirectory: "Documents"))
        return try taskDocument(parsing: Array(Data(contentsOf: url)), path: "\(name).md")
    }

    private func task(_ id: String, of document: TaskDocument) throws -> DeclaredTask { try #require(document.tasks.first { $0.id == id }) }

    @Test(arguments: [("canary-requirements", 335, 15), ("cloud-deployment-tasks", 51, 9), ("infrastructure-tasks", 132, 7)])
    func everyCountThatADocumentStatesIsMet(name: String, tasks: Int, phases: Int) throws {
        let document = try document(name)
        #expect(document.tasks.count == tasks)
        #expect(document.phases.count == phases)
        #expect(document.counts.contains { $0.subject == "the whole document" && $0.stated == tasks })
        for count in document.counts { #expect(count.stated == count.found, "\(count)") }
        #expect(!document.warnings.contains { $0.code == "tasks.count" })
        #expect(Set(document.tasks.map(\.id)).count == tasks)
        for task in document.tasks {
            #expect(task.source.line > 0)
            #expect(task.source.path == "\(name).md")
            #expect(!task.title.isEmpty)
        }
    }

    @Test func aTaskThatIsNumberedAndListedByPhaseIsHeldOnce() throws {
        let document = try document("canary-requirements")
        let sizes = document.phases.map { phase in document.tasks.filter { $0.phase == phase.id }.count }
        #expect(sizes == [10, 14, 14, 16, 17, 18, 18, 20, 27, 18, 19, 19, 20, 19, 18])
        for (place, task) in document.tasks.enumerated() {
            #expect(task.id == "TASK_\(String(repeating: "0", count: 3 - String(place + 1).count))\(place + 1)")
            // Each is listed a second time, in a phase or under a heading.
            #expect(task.alsoAt.count == 1, "\(task.id)")
            #expect(task.phase != nil || task.section != nil)
        }
        let clone = try task("TASK_016", of: document)
        #expect(clone.phase == "phase-1")
        #expect(clone.source.line == 64)
        #expect(clone.alsoAt.map(\.line) == [792])
        #expect(clone.priority?.level == .medium)
        #expect(document.phase("phase-1")?.priority?.level == .critical)
        #expect(document.phase("phase-5")?.title == "Phase 5: TinyURL Service Deployment")
    }

    @Test func theKthOfEqualTitlesGoesWithTheKthInTheChecklists() throws {
        let document = try document("canary-requirements")
        let tests = document.tasks.filter { $0.title == "Run unit tests with pytest" }
        #expect(tests.map(\.id) == ["TASK_071", "TASK_088", "TASK_106"])
        #expect(tests.map(\.phase) == ["phase-5", "phase-6", "phase-7"])
    }

    @Test func titlesAndDescriptionsOfRequirementsAreParted() throws {
        let document = try document("canary-requirements")
        let first = try task("TASK_001", of: document)
        #expect(first.title == "Task Manager")
        #expect(first.details == "PRD parsing and task management system")
        #expect(first.section == "Core Infrastructure")
        #expect(try task("TASK_010", of: document).section == "4. Success Criteria")
        #expect(try task("TASK_319", of: document).commands == ["kubectl logs deployment/<service-name>"])
        #expect(try task("TASK_330", of: document).priority?.level == .high)
        #expect(document.tasks.flatMap(\.commands).count == 1)
        #expect(document.tasks.filter(\.isDone).isEmpty)
    }

    @Test func aSpecTaskListKeepsTagsTicksAndPlaces() throws {
        let document = try document("cloud-deployment-tasks")
        #expect(document.tasks.filter(\.isDone).count == 31)
        #expect(document.tasks.filter { $0.order == .parallel }.map(\.id) == [
            "T002", "T003", "T004", "T007", "T008", "T009", "T010", "T014", "T050", "T030", "T031", "T037", "T038", "T039", "T051", "T045", "T046", "T047",
        ])
        let late = try task("T050", of: document)
        #expect(late.phase == "phase-3")
        #expect(late.story == "US1")
        #expect(late.isDone)
        #expect(late.source.line == 73)
        #expect(late.section == "Implementation for User Story 1")
        #expect(document.phases.map(\.story) == [nil, nil, "US1", "US2", "US3", "US4", "US5", "US6", nil])
        #expect(document.phases.map { $0.priority?.text } == [nil, nil, "P1", "P1", "P1", "P2", "P2", "P2", nil])
        #expect(document.phases[2].title == "Phase 3: User Story 1 — Automated Staging Deployment on Code Merge")
        #expect(document.phases[1].checkpoint?.hasPrefix("Cluster running, all platform components healthy") == true)
        #expect(document.phases[3].goal?.hasPrefix("Creating a GitHub release") == true)
        #expect(document.phases[3].independentTest?.hasPrefix("Create release tag v0.1.0") == true)
    }

    @Test func statementsOnOrderBecomeDependencies() throws {
        let document = try document("cloud-deployment-tasks")
        let stories = ["phase-3", "phase-4", "phase-5", "phase-6", "phase-7", "phase-8"]
        #expect(document.phases.map(\.dependencies) == [
            [], ["phase-1"], ["phase-2"], ["phase-2", "phase-3"], ["phase-2"], ["phase-2"], ["phase-2", "phase-4"], ["phase-2"], stories,
        ])
        #expect(try task("T011", of: document).dependencies == ["T007", "T008", "T009", "T010"])
        #expect(try task("T013", of: document).dependencies == ["T011"])
        #expect(try task("T019", of: document).dependencies == ["T016", "T017", "T018", "T050"])
        // `← parallel →` puts the three beside each other.
        #expect(try task("T030", of: document).dependencies == ["T025"])
        #expect(try task("T036", of: document).dependencies == ["T025"])
        // "load balancer IP from T007" is a mention.
        #expect(try task("T021", of: document).dependencies == ["T019"])

        let other = try self.document("infrastructure-tasks")
        #expect(other.phases.map(\.dependencies) == [
            [], ["phase-1"], ["phase-2"], ["phase-2", "phase-3"], ["phase-2", "phase-3"], ["phase-2", "phase-3", "phase-4", "phase-5"],
            ["phase-3", "phase-4", "phase-5", "phase-6"],
        ])
    }

    @Test func commandsAreFoundInCodeSpans() throws {
        let document = try document("cloud-deployment-tasks")
        #expect(try task("T005", of: document).commands == ["doctl kubernetes cluster create", "doctl kubernetes cluster kubeconfig save hackathon-todo"])
        #expect(try task("T025", of: document).commands == ["helm history", "helm rollback", "kubectl rollout undo", "kubectl set image"])
        #expect(try task("T021", of: document).commands == ["dig staging.todo.<DOMAIN>"])
        #expect(try task("T042", of: document).commands == ["helm template todo-app-staging ./chart -f chart/values-staging.yaml --namespace staging | grep namespace"])
        // Actions, paths, names and values are none.
        #expect(try task("T016", of: document).commands == [])
        #expect(try task("T017", of: document).commands == [])
        let other = try self.document("infrastructure-tasks")
        #expect(try task("T005", of: other).commands == ["cargo check --bin doc-indexer"])
        #expect(try task("T080", of: other).commands == ["kubectl scale deployment frontend --replicas=5"])
    }

    @Test(arguments: [("cloud-deployment-tasks", "Windows-1254", 293), ("infrastructure-tasks", "Mac Roman", 25)])
    func brokenEncodingsAreMendedWithAWarning(name: String, encoding: String, places: Int) throws {
        let document = try document(name)
        let warning = try #require(document.warnings.first { $0.code == "tasks.encoding" })
        #expect(warning.message == "UTF-8 was read as \(encoding) and saved again; \(places) places are read as they were meant")
        #expect(!document.tasks.contains { $0.title.contains("â") || $0.title.contains("‚") })
    }

    @Test func theInfrastructureListKeepsSectionsAndResults() throws {
        let document = try document("infrastructure-tasks")
        #expect(document.tasks.filter(\.isDone).count == 46)
        #expect(document.phases[2].title == "Phase 3: User Story 1 - Local Development")
        #expect(try task("T045", of: document).title == "Test cached build: turbo build second time completes in <5 seconds ✅ 1.02s (FULL TURBO)")
        #expect(try task("T060", of: document).section == "Kustomize Overlays")
        #expect(try task("T132", of: document).phase == "phase-7")
    }
}
