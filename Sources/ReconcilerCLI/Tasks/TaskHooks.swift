import Desired
import Reconciler
import ResourceModel
import SystemPackage
import TaskModel

extension TaskOperation {
    /// The lists that a desired state declares, by namespace and name: those with an object, and those that tasks by hand name.
    static func lists(in desired: DesiredState) -> [(namespace: String, name: String)] {
        var found: Set<[String]> = []
        for manifest in desired.manifests {
            let namespace = manifest.id.namespace ?? ""
            if manifest.id.groupKind == TaskKinds.list { found.insert([namespace, manifest.id.name]) }
            if manifest.id.groupKind == TaskKinds.task {
                let list = manifest.body[path: "spec", "list"]?.stringValue ?? manifest.labels[TaskKinds.listLabel]?.stringValue
                found.insert([namespace, list ?? TaskKinds.defaultList])
            }
        }
        return found.map { ($0[0], $0[1]) }.sorted { $0 < $1 }
    }

    /// What is to be done about an application's lists.
    /// - Parameter builder: gives the files that commands work on.
    func work(on application: Application, _ desired: DesiredState, _ builder: DesiredStateBuilder, files: LocalFiles?) async throws -> [Work] {
        let lists = Self.lists(in: desired)
        guard !lists.isEmpty else { return [] }
        var root = "/"
        if let files {
            root = files.root
        } else if desired.manifests.contains(where: { $0.id.groupKind == TaskKinds.task && $0.body[path: "spec", "commands"] != nil }) {
            let checkout = Checkout(directory: FilePath("\(state)/checkouts"))
            root = try await checkout.path(of: desired.revision.commit, try await builder.tree(of: desired.revision))
        }
        return lists.map {
            Work(list: $0.name, namespace: $0.namespace, application: application.name, revision: desired.revision, root: root)
        }
    }

    /// For a command that ends: what may run is run until nothing goes on.
    func inlineHook(_ builder: DesiredStateBuilder, files: LocalFiles?) -> TaskHook {
        { application, desired in
            guard application.syncPolicy.syncOptions.runTasks == true else {
                for list in Self.lists(in: desired) { try await settle(list.name, namespace: list.namespace) }
                return
            }
            for work in try await work(on: application, desired, builder, files: files) {
                let status = try await run(work, trigger: "tasks:\(Person.name)") { event in
                    if let line = TaskText.line(event, list: work.list) { Terminal.error(line) }
                }
                if let message = TaskText.outcome(status) { Terminal.error("\(work.list): \(message)") }
            }
        }
    }

    /// For `reconciler run`: lists are driven beside the syncs.
    func backgroundHook(_ builder: DesiredStateBuilder, _ service: TaskService) -> TaskHook {
        { application, desired in
            guard application.syncPolicy.syncOptions.runTasks == true else {
                await service.keep(only: [], of: application.name)
                for list in Self.lists(in: desired) { try await settle(list.name, namespace: list.namespace) }
                return
            }
            let works = try await work(on: application, desired, builder, files: nil)
            await service.keep(only: Set(works.map { "\($0.namespace)/\($0.list)" }), of: application.name)
            for work in works { await service.drive(work) }
        }
    }
}

extension TaskText {
    /// Where a list stands, in a line: `12/51, at T019: exit code 1`.
    static func outcome(_ status: TaskListStatus) -> String? {
        status.message.isEmpty ? status.progress : "\(status.progress), \(status.message)"
    }
}
