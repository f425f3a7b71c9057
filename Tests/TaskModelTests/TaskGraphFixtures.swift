import ResourceModel
import TaskModel

/// Graphs out of short texts, one line a task: `T003 P setup after T001,T002 2h done`. Lines of the form `phase NAME [after a,b] [3h]`
/// begin a phase; line numbers are those of the text.
enum TaskText {
    static func document(_ text: String) -> TaskDocument {
        var document = TaskDocument(title: "Test", paths: ["tasks.md"])
        for (line, words) in text.split(separator: "\n", omittingEmptySubsequences: false).map({ $0.split(separator: " ").map(String.init) }).enumerated() {
            guard let first = words.first else { continue }
            let place = SourceLocation(path: "tasks.md", line: line + 1)
            let after = words.firstIndex(of: "after").map { $0 + 1 < words.count ? words[$0 + 1].split(separator: ",").map(String.init) : [] }
            let estimate = words.last { $0.hasSuffix("h") && Double($0.dropLast()) != nil }.flatMap { text in
                Double(text.dropLast()).map { TaskEstimate(text: text, minimumHours: $0, hours: $0) }
            }
            if first == "phase" {
                var phase = TaskPhase(id: words[1], title: "Phase \(words[1])", source: place)
                phase.dependencies = after.map { $0 == ["nothing"] ? [] : $0 }
                phase.estimate = estimate
                document.phases.append(phase)
                continue
            }
            var task = DeclaredTask(id: first, title: "Do \(first)", source: place)
            task.phase = words.contains("outside") ? nil : document.phases.last?.id
            task.order = words.dropFirst().contains("P") ? .parallel : words.dropFirst().contains("D") ? .declared : .sequential
            task.dependencies = after ?? []
            task.isDone = words.contains("done")
            task.estimate = estimate
            document.tasks.append(task)
        }
        return document
    }

    static func graph(_ text: String) throws -> TaskGraph { try TaskGraph(document(text)) }

    /// `A dependency, B order`.
    static func words(_ neighbours: [TaskNeighbour]) -> String {
        neighbours.map { "\($0.id) \($0.reason.rawValue.lowercased())" }.joined(separator: ", ")
    }
}

extension TaskGraph {
    /// Ticked ones succeeded, the others pending.
    var ticked: [TaskStatus.State] { tasks.map { $0.isDone ? .succeeded : .pending } }
}
