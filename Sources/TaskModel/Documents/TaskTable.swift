/// What the columns of a table hold, by the words of its head.
struct TaskTable {
    var id: Int?
    var title: Int?
    var details: Int?
    var priority: Int?
    var estimate: Int?
    /// Hours of a number without a unit in the estimate's column.
    var unit: Double?
    var dependencies: Int?
    var blocks: Int?
    var status: Int?
    var story: Int?
    var phase: Int?
    var parallel: Int?
    var deliverables: Int?
    var acceptance: Int?
    var risks: Int?
    var commands: Int?
    var count: Int?
    /// A column of several ids: `T001–T004`.
    var ids: Int?
    /// The words of the first column's head.
    var first: String

    init(_ head: [String]) {
        first = head.first?.words.joined(separator: " ") ?? ""
        for (index, cell) in head.enumerated() {
            let name = cell.trimmed == "#" ? "#" : cell.words.joined(separator: " ")
            switch name {
            case "#", "id", "task id", "no", "nr", "number", "task no", "task number", "ticket", "key", "ref", "task key", "issue", "code", "task code", "item id":
                id = id ?? index
            case "task", "title", "name", "task name", "task title", "work item", "activity", "action", "item", "summary", "task description", "subtask", "what", "work",
                "action item", "todo", "feature", "step":
                title = title ?? index
            case "description", "details", "detail", "notes", "note", "comment", "comments", "scope": details = details ?? index
            case "deliverable", "deliverables", "output", "outputs": deliverables = deliverables ?? index
            case "priority", "prio", "pri", "p", "importance": priority = priority ?? index
            case "hours", "h", "hrs", "effort h", "effort hours", "estimate h", "estimate hours", "est hours", "estimated hours", "est h", "time h", "duration h", "hours est":
                (estimate, unit) = (estimate ?? index, unit ?? 1)
            case "days", "d", "effort d", "effort days", "estimate d", "estimate days", "est days", "estimated days", "duration days", "duration d", "person days", "pd":
                (estimate, unit) = (estimate ?? index, unit ?? 8)
            case "weeks", "effort weeks", "duration weeks": (estimate, unit) = (estimate ?? index, unit ?? 40)
            case "effort", "estimate", "est", "estimated effort", "estimated time", "time", "duration", "size", "estimation", "time estimate", "effort estimate", "est time", "est effort":
                estimate = estimate ?? index
            case "dependencies", "depends on", "dependency", "depends", "blocked by", "prerequisites", "prerequisite", "requires", "predecessors", "predecessor", "deps", "dep",
                "after", "prereqs", "needs":
                dependencies = dependencies ?? index
            case "blocks", "blocking": blocks = blocks ?? index
            case "", "check", "checked", "checkbox", "status", "state", "done", "progress", "complete", "completed": status = status ?? index
            case "story", "user story", "us": story = story ?? index
            case "phase", "milestone", "sprint", "stage", "epic", "iteration": phase = phase ?? index
            case "parallel", "parallelizable", "can parallel": parallel = parallel ?? index
            case "acceptance criteria", "acceptance", "definition of done", "done when", "success criteria", "criteria": acceptance = acceptance ?? index
            case "risk", "risks": risks = risks ?? index
            case "command", "commands": commands = commands ?? index
            case "count", "tasks", "task count", "total tasks", "number of tasks", "of tasks", "total", "num tasks", "no of tasks": count = count ?? index
            case "task ids", "ids", "task range", "range": ids = ids ?? index
            default: break
            }
        }
        // `| # | Description | Effort |`, `| ID | Deliverable |`.
        if title == nil, id != nil {
            if let other = details {
                (title, details) = (other, nil)
            } else if let other = deliverables {
                (title, deliverables) = (other, nil)
            }
        }
        // `| Story | Task | ...` and a head of ids only.
        if id == nil, title == nil, let story, priority != nil || estimate != nil || status != nil { (title, self.story) = (story, nil) }
    }

    /// Whether its rows are tasks as far as the head tells.
    var listsTasks: Bool {
        guard title != nil, count == nil || id != nil else { return false }
        if risks != nil, estimate == nil, dependencies == nil, status == nil { return false }
        return id != nil || priority != nil || estimate != nil || dependencies != nil || status != nil
    }
}
