/// Looks at what stands under a numbered heading, to tell a task (`### 2.3 Configure DNS`, with an estimate) from a chapter.
struct ChapterSurvey {
    private var hasEstimate = false
    private var hasStatus = false
    private var hasCriteria = false
    /// Tasks of their own stand in it.
    private var hasTasks = false
    /// Boxes without ids that are no criteria.
    private var hasBoxes = false

    /// - Parameters:
    ///   - blocks: What follows the heading.
    ///   - level: The heading's.
    init(_ blocks: ArraySlice<MarkdownBlock>, below level: Int) {
        var label: FieldLabel?
        for block in blocks {
            switch block.kind {
            case .heading(let other):
                if other <= level { return }
                label = FieldLabel(HeadingWording.withoutNumber(block.plainText))
                let line = TaskLine(block.spans, hasBox: true)
                if line.id != nil || HeadingWording(block.plainText).isPhase { hasTasks = true }
                if label == .acceptance { hasCriteria = true }
            case .paragraph:
                label = nil
                for spans in block.spans.lines { for field in Field.read(spans) { see(field, &label) } }
                let line = TaskLine(block.spans, hasBox: true)
                if line.id != nil, line.isMarkedID, label == nil { hasTasks = true }
            case .list:
                for item in block.children { see(item, label) }
            case .table:
                if let head = block.children.first, TaskTable(head.children.map(\.plainText)).listsTasks { hasTasks = true }
            default: break
            }
            if hasTasks { return }
        }
    }

    /// - Parameter isStory: A user story is a task by its criteria alone; boxes under it are its tasks.
    func isTask(isStory: Bool) -> Bool {
        if hasTasks { return false }
        return isStory ? !hasBoxes && (hasEstimate || hasStatus || hasCriteria) : hasEstimate
    }

    private mutating func see(_ field: Field, _ label: inout FieldLabel?) {
        switch field.label {
        case .estimate: hasEstimate = hasEstimate || TaskEstimate(reading: field.value) != nil || TaskEstimate(reading: TaskDocumentReader.beforeParenthesis(field.value)) != nil
        case .dependencies: hasEstimate = true
        case .status: hasStatus = true
        case .acceptance: hasCriteria = true
        default: break
        }
        label = field.value.isEmpty ? field.label : nil
    }

    private mutating func see(_ item: MarkdownBlock, _ label: FieldLabel?) {
        guard let first = item.children.first, first.kind == .paragraph else { return }
        let line = TaskLine(first.spans, hasBox: true)
        if line.box != nil {
            if line.id != nil, line.certainty == .certain { hasTasks = true } else if label != .acceptance, label != .deliverables { hasBoxes = true }
            return
        }
        var ignored: FieldLabel?
        for spans in first.spans.lines { for field in Field.read(spans) { see(field, &ignored) } }
    }
}
