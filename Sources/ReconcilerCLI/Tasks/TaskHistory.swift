import Applier
import ResourceModel
import Store
import TaskModel
import Tasks

/// Tells the history what became of tasks: an entry for each time that some were run, journalled while they are.
struct TaskHistory: Sendable {
    let history: HistoryStore
    let application: String
    let revision: Revision
    let trigger: String
    /// Whether the list is driven for ever: an entry is closed then when nothing has gone on for `quiet`.
    let isLong: Bool

    private static let quiet = Duration.seconds(2)

    private enum Note: Sendable {
        case event(TaskEvent)
        case quiet(Int)
    }

    /// Runs `body`, and records what it tells. What was told is recorded also when `body` throws.
    func whileTold<Value: Sendable>(_ body: (@escaping @Sendable (TaskEvent) -> Void) async throws -> Value) async throws -> Value {
        let (notes, feed) = AsyncStream.makeStream(of: Note.self)
        let keeper = Task { try await keep(notes, feed) }
        let result: Value
        do {
            result = try await body { feed.yield(.event($0)) }
        } catch {
            feed.finish()
            try await keeper.value
            throw error
        }
        feed.finish()
        try await keeper.value
        return result
    }

    /// One entry as it grows.
    private struct Entry {
        var journal: Journal
        var report: SyncReport
        var runningTasks: Set<String> = []
    }

    private func keep(_ notes: AsyncStream<Note>, _ feed: AsyncStream<Note>.Continuation) async throws {
        var entry: Entry?
        var count = 0
        var progress: TaskListStatus?
        for await note in notes {
            count += 1
            switch note {
            case .event(.begun(let record)):
                if entry == nil { entry = try await opened() }
                entry?.runningTasks.insert(record.name)
            case .event(.ended(let record, let seconds)):
                if entry == nil { entry = try await opened() }
                let step = Self.step(record, seconds)
                entry?.runningTasks.remove(record.name)
                entry?.report.steps.append(step)
                entry?.journal.note(step, at: Clocks.now())
            case .event(.progressed(let status)): progress = status
            case .quiet(let seen):
                if seen == count - 1, let done = entry, done.runningTasks.isEmpty {
                    try await close(done, progress)
                    entry = nil
                }
                count -= 1  // it tells nothing itself
                continue
            }
            if isLong, entry?.runningTasks.isEmpty == true {
                let seen = count
                Task {
                    try await Task.sleep(for: Self.quiet)
                    feed.yield(.quiet(seen))
                }
            }
        }
        if let entry { try await close(entry, progress) }
    }

    private func opened() async throws -> Entry {
        let now = Clocks.now()
        let report = SyncReport(
            application: application, revision: revision, planID: "", trigger: trigger, startedAt: now, finishedAt: now, conclusion: .interrupted,
            message: "", sync: .unknown, health: HealthAssessment(.unknown), steps: [], selection: "tasks")
        return Entry(journal: try await history.begin(report), report: report)
    }

    private func close(_ entry: Entry, _ progress: TaskListStatus?) async throws {
        var report = entry.report
        report.finishedAt = Clocks.now()
        let failed = report.steps.filter { if case .failed = $0.actuation { true } else { false } }
        // A failed attempt that was followed by one that succeeded is no failure of the whole.
        let succeeded = Set(report.steps.filter { $0.actuation == .ran }.map(\.id))
        let lost = failed.filter { !succeeded.contains($0.id) }
        report.conclusion = entry.runningTasks.isEmpty ? lost.isEmpty ? .succeeded : .failed : .canceled
        var parts = ["\(succeeded.count) \(succeeded.count == 1 ? "task" : "tasks") succeeded"]
        if !failed.isEmpty { parts.append("\(failed.count) \(failed.count == 1 ? "attempt" : "attempts") failed") }
        if let progress { parts.append(progress.progress) }
        report.message = "tasks: \(parts.joined(separator: ", "))"
        if case .failed(let message) = lost.last?.actuation { report.message += "; \(message)" }
        report.sync = .synced
        if let progress {
            let text = progress.message.isEmpty ? progress.progress : "\(progress.progress), \(progress.message)"
            report.health = HealthAssessment(progress.state == .failed ? .degraded : progress.state == .succeeded ? .healthy : .progressing, text)
        }
        _ = try await Task { try await history.record(report, closing: entry.journal) }.value
    }

    private static func step(_ record: TaskRecord, _ seconds: Double) -> StepResult {
        let id = ResourceID(group: TaskKinds.group, kind: TaskKinds.task.kind, namespace: record.namespace, name: record.name)
        let status = record.status
        var step = StepResult(
            id: id, actuation: status.state == .succeeded ? .ran : .failed("\(record.spec.task.id) attempt \(status.attempts): \(status.message)"),
            health: HealthAssessment(status.state == .succeeded ? .healthy : status.state == .failed ? .degraded : .suspended, status.message), uid: record.uid)
        step.duration = seconds
        step.after = status.commandsDigest
        return step
    }
}
