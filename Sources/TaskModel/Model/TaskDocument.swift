import ResourceModel

/// A group of tasks that its document heads as a phase.
package struct TaskPhase: Sendable, Hashable {
    /// Unique in its list and made of the heading alone: `phase-3`, `setup`.
    package var id: String
    /// The heading without priority and marks: `Phase 3: User Story 1 - Local Development`.
    package var title: String
    package var priority: TaskPriority?
    package var story: String?
    package var purpose: String?
    package var goal: String?
    package var independentTest: String?
    package var checkpoint: String?
    package var estimate: TaskEstimate?
    package var risks: [String] = []
    /// What the document lists for the whole phase and for none of its tasks.
    package var deliverables: [String] = []
    /// Criteria for the whole phase; `checkpoint` repeats them where the document has no other.
    package var acceptance: [String] = []
    /// Phases by id that must have ended before; `nil` where the document does not say, which means the phase before it.
    package var dependencies: [String]?
    package var source: SourceLocation

    package init(id: String, title: String, source: SourceLocation) {
        self.id = id
        self.title = title
        self.source = source
    }
}

/// A number of tasks that a document states about itself, with what was found.
package struct StatedCount: Sendable, Hashable {
    /// `the whole document`, a phase's id, or the words that the number stands beside.
    package var subject: String
    package var stated: Int
    package var found: Int
    package var source: SourceLocation

    package init(subject: String, stated: Int, found: Int, source: SourceLocation) {
        self.subject = subject
        self.stated = stated
        self.found = found
        self.source = source
    }
}

/// What one document, or several merged ones, declare: phases and tasks in the order in which they are to be done.
package struct TaskDocument: Sendable, Hashable {
    package var title: String
    /// Each path that was read.
    package var paths: [String]
    package var phases: [TaskPhase] = []
    package var tasks: [DeclaredTask] = []
    package var counts: [StatedCount] = []
    /// Warnings only; an error is thrown instead.
    package var warnings: [Problem] = []

    package init(title: String, paths: [String]) {
        self.title = title
        self.paths = paths
    }

    package func phase(_ id: String?) -> TaskPhase? { id.flatMap { id in phases.first { $0.id == id } } }
}
