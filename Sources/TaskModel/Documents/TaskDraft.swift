import ResourceModel

/// A task as one place of a document gives it, before ids, phases and dependencies are resolved.
struct TaskDraft {
    enum Form: Equatable { case paragraph, box, bullet, heading, row }

    var form: Form
    var task: DeclaredTask
    /// The document's own id.
    var id: String?
    var certainty = TaskIdentifier.Certainty.certain
    /// The text with what looks like an id, and its title then.
    var whole: String
    /// What two places that mean the same task say alike.
    var key: String
    var isDone: Bool?
    /// The heading under which it stands.
    var heading: Int?
    /// The item's list is one of acceptance criteria.
    var isCriterion = false
    /// Sentences and fields that may state dependencies.
    var statements: [Statement] = []
    /// A field or column of its own states its dependencies, be there none.
    var statesDependencies = false
    /// A table's column names the phase.
    var phaseName: String?
    var isDropped = false
}

/// A line that may state dependencies.
struct Statement {
    var text: String
    var line: Int
    /// A field's value: every id in it is meant.
    var isField = false
    /// What follows waits for the subject, not the other way round.
    var isReverse = false
    /// The phase or story that a heading or label names: what a line without a subject is about.
    var subject: String?
}

/// A list item without box and id: with luck the second place of a numbered task.
struct PlainItem {
    var key: String
    var heading: Int?
    var line: Int
}

/// A heading with what stands right under it.
struct HeadingDraft {
    var level: Int
    var title: String
    var line: Int
    var parent: Int?
    /// Worded as a phase: `Phase 3: ...`, `Sprint 2`.
    var isPhase = false
    /// Heads statements on order, not tasks.
    var isDependency = false
    /// The label that its lists have: deliverables, acceptance criteria, risks.
    var label: FieldLabel?
    var priority: TaskPriority?
    var story: String?
    var estimate: TaskEstimate?
    var purpose: String?
    var goal: String?
    var independentTest: String?
    var checkpoint: String?
    var deliverables: [String] = []
    var acceptance: [String] = []
    var risks: [String] = []
    var statements: [Statement] = []
    /// The task that the heading itself is.
    var task: Int?
}

/// Lines under a label that names the task they belong to: `**P1-01 Deliverables**:`.
struct LabelledLines {
    var label: FieldLabel
    var name: String
    var lines: [String]
    var heading: Int?
}
