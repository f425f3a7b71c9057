import KubernetesClient
import Logging
import ResourceModel

/// Observes, compares and executes against one cluster, for one application at a time.
package struct Applier: Sendable {
    /// The field manager of every write.
    package static let fieldManager = "reconciler"
    /// Requests in flight. A server that commits writes in groups is a quarter faster with 64 than with 16 (docs/performance.md); one that
    /// has enough of them says so with 429, which is waited for.
    static let concurrency = 64

    package let client: KubernetesClient
    let logger: Logger
    /// CustomResourceDefinitions that a sync installs when the application declares objects of their kinds.
    let definitions: [GroupKind: JSONValue]

    /// - Parameter definitions: of kinds that are this program's own; they belong to no application and are never pruned.
    package init(client: KubernetesClient, logger: Logger, definitions: [JSONValue] = []) {
        self.client = client
        self.logger = logger
        self.definitions = Dictionary(
            definitions.map { body in
                let group = body[path: "spec", "group"]?.stringValue ?? ""
                return (GroupKind(group: group, kind: body[path: "spec", "names", "kind"]?.stringValue ?? ""), body)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Runs an operation on each item, a bounded number at a time; answers stand in the items' order. The first error cancels the rest.
    func concurrently<Item: Sendable, Answer: Sendable>(
        _ items: [Item], _ operation: @escaping @Sendable (Item) async throws -> Answer
    ) async throws -> [Answer] {
        guard !items.isEmpty else { return [] }
        return try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var answers = [Answer?](repeating: nil, count: items.count)
            var next = 0
            func addNext() {
                guard next < items.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await operation(items[index])) }
            }
            for _ in 0..<Self.concurrency { addNext() }
            while let (index, answer) = try await group.next() {
                answers[index] = answer
                addNext()
            }
            return answers.compactMap { $0 }
        }
    }
}
