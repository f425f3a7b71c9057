import ResourceModel

/// One task as its document declares it.
package struct DeclaredTask: Sendable, Hashable {
    /// When a task may begin, besides what it depends on by name.
    package enum Order: String, Sendable, Hashable, Codable {
        /// After every task before it in its phase.
        case sequential = "Sequential"
        /// `[P]`: beside its neighbours that are marked too; after the last task before it in its phase that is not.
        case parallel = "Parallel"
        /// As soon as what it depends on by name has ended: its document states dependencies task by task.
        case declared = "Declared"
    }

    /// Unique in its list: the document's own (`T016`, `TASK_001`, `P1-01`, `4.2`), else one made of phase and place.
    package var id: String
    /// One line of plain text, without marks.
    package var title: String
    /// What the document says beyond the title, as Markdown.
    package var details = ""
    /// A phase of the same document, by id; `nil` for a task outside of any.
    package var phase: String?
    /// The heading below the phase's under which the task stands.
    package var section: String?
    /// Its own; a task without one has its phase's.
    package var priority: TaskPriority?
    /// `US1`.
    package var story: String?
    package var order = Order.sequential
    package var estimate: TaskEstimate?
    /// Tasks of the list by id that must have ended before.
    package var dependencies: [String] = []
    /// Ticked in the document: it counts as succeeded and is never run.
    package var isDone = false
    /// What the code spans and code blocks of the task hold that is a command line.
    package var commands: [String] = []
    package var deliverables: [String] = []
    package var acceptance: [String] = []
    package var risks: [String] = []
    package var source: SourceLocation
    /// The other places of a task that its documents list more than once.
    package var alsoAt: [SourceLocation] = []

    package init(id: String, title: String, source: SourceLocation) {
        self.id = id
        self.title = title
        self.source = source
    }
}

/// Critical, high, medium or low, with the word that the document uses.
package struct TaskPriority: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Level: Int, Sendable, Hashable, CaseIterable { case low, medium, high, critical }

    package var level: Level
    /// `P1`, `MEDIUM`, `Critical`.
    package var text: String

    /// Reads `critical`, `high`, `medium`, `low` in any case, `P0` to `P3` (critical to low; `P4` and beyond are low) and what
    /// stands for them (`urgent`, `blocker`, `must`, `normal`, `should`, `minor`, `could`); `nil` for another word.
    package init?(_ text: String) {
        switch text.lowercased() {
        case "critical", "p0", "urgent", "blocker", "highest": level = .critical
        case "high", "p1", "must", "major": level = .high
        case "medium", "p2", "normal", "should", "med", "moderate": level = .medium
        case "low", "p3", "p4", "p5", "minor", "could", "lowest", "nice-to-have": level = .low
        default: return nil
        }
        self.text = text
    }

    /// `Critical`, `High`, `Medium`, `Low`.
    package var description: String { "\(level)".capitalized(first: true) }

    package static func < (left: TaskPriority, right: TaskPriority) -> Bool { left.level.rawValue < right.level.rawValue }
}

extension String {
    fileprivate func capitalized(first: Bool) -> String { prefix(1).uppercased() + dropFirst() }
}

/// How long a task is thought to take, as working time: a day has 8 hours, a week 5 days, a month 20.
package struct TaskEstimate: Sendable, Hashable {
    /// As the document says it: `2 days`, `4-6h`.
    package var text: String
    /// Hours at least and at most; equal where one number is given.
    package var minimumHours: Double
    package var hours: Double

    package init(text: String, minimumHours: Double, hours: Double) {
        self.text = text
        self.minimumHours = minimumHours
        self.hours = hours
    }
}
