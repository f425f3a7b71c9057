import Applier
import KubernetesClient
import ResourceModel
import TaskModel

/// Documents as a list of the cluster that no application declares: what `tasks run FILE` works on.
struct TaskDocumentList {
    let client: KubernetesClient
    let document: TaskDocument
    let name: String
    let namespace: String
    let run: TaskRun
    let parallelism: Int

    /// - Parameter name: the list's; made of the first document's file name when absent.
    init(client: KubernetesClient, document: TaskDocument, name: String?, namespace: String, run: TaskRun, parallelism: Int) {
        self.client = client
        self.document = document
        let file = document.paths.first?.split(separator: "/").last.map(String.init) ?? ""
        let stem = file.split(separator: ".").first.map(String.init) ?? "tasks"
        self.name = name ?? TaskKinds.objectName(list: stem, id: "")
        self.namespace = namespace
        self.run = run
        self.parallelism = parallelism
    }

    /// Makes the list in the cluster what the documents say. Tasks that they no longer hold are deleted.
    /// - Throws: a `Problem` when an application declares the list.
    func apply() async throws {
        _ = try TaskGraph(document)
        try await Applier(client: client, logger: Log.logger("reconciler"), definitions: TaskDefinitions.all).installDefinitions(of: [TaskKinds.task, TaskKinds.list])
        try await makeNamespace()
        let lists = try await client.resource(for: TaskKinds.list)
        let tasks = try await client.resource(for: TaskKinds.task)
        if let live = try await client.get(lists, namespace: namespace, name: name),
            let owner = live[path: "metadata", "annotations", TrackingID.annotation]?.stringValue.flatMap(TrackingID.init(parsing:))?.application
        {
            throw Problem(
                code: "task.declared", message: "the list \(namespace)/\(name) is declared by application \(owner)",
                hint: "run it with `reconciler tasks run --app \(owner)`, or give this one another name with --list")
        }
        var list = TaskListSpec(name: name, title: document.title)
        list.documents = document.paths
        list.phases = document.phases
        list.parallelism = parallelism
        list.total = document.tasks.count
        let bodies = document.tasks.enumerated().map { TaskSpec(list: name, index: $0.offset, task: $0.element, run: run).object }
        let wanted = Set(bodies.compactMap { $0[path: "metadata", "name"]?.stringValue })
        let options = ListOptions(labelSelector: "\(TaskKinds.listLabel)=\(name)")
        for object in try await client.list(tasks, namespace: namespace, options: options).items {
            guard let old = object[path: "metadata", "name"]?.stringValue, !wanted.contains(old) else { continue }
            try await client.delete(tasks, namespace: namespace, name: old)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, body) in bodies.enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask { _ = try await client.apply(placed(body), as: tasks) }
            }
            try await group.waitForAll()
        }
        // Last, since it says how many tasks there are.
        _ = try await client.apply(placed(list.object), as: lists)
    }

    private func placed(_ body: JSONValue) -> JSONValue {
        var body = body
        body[path: "metadata", "namespace"] = .string(namespace)
        return body
    }

    private func makeNamespace() async throws {
        let namespaces = try await client.resource(for: GroupKind(group: "", kind: "Namespace"))
        guard try await client.get(namespaces, namespace: nil, name: namespace) == nil else { return }
        _ = try await client.apply(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]], as: namespaces)
    }
}
