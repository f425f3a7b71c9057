import ResourceModel

/// Decides what is to be done about one list of tasks: pure, so that everything that can happen is a row of a table.
///
/// It is given what is there and says what to write and what to begin; whoever carries that out comes back with what is there then.
package struct TaskMachine: Sendable {
    package let list: TaskListSpec
    /// In the list's order.
    package let records: [TaskRecord]
    /// `nil` while the tasks are still being written: there may be dependencies on some that are to come.
    private let graph: TaskGraph?

    /// - Throws: `Problems`: a cycle, an id that nothing has.
    package init(list: TaskListSpec, records: [TaskRecord]) throws {
        self.list = list
        self.records = records.sorted { ($0.spec.index, $0.name) < ($1.spec.index, $1.name) }
        let isWhole = list.total.map { $0 == records.count } ?? true
        let tasks = self.records.map(\.spec.task)
        graph = isWhole ? try TaskGraph(phases: TaskBoard.phases(list.phases, of: tasks), tasks: tasks) : nil
    }

    /// What a pass is made with.
    package struct Situation: Sendable {
        /// Seconds since 1970-01-01 UTC.
        package var now: Double
        /// Whether anything may be begun at all.
        package var mayRun: Bool
        /// The identity that attempts of this machine are begun under.
        package var identity: String
        /// Names of the objects whose attempts are being waited for.
        package var active: Set<String>
        /// Only these may be begun; `nil` for all. Object names.
        package var chosen: Set<String>?
        /// Why a task must not begin now; asked only of those that could.
        package var refusal: @Sendable (TaskRecord) -> TaskRefusal?

        package init(
            now: Double, mayRun: Bool, identity: String, active: Set<String> = [], chosen: Set<String>? = nil,
            refusal: @escaping @Sendable (TaskRecord) -> TaskRefusal? = { _ in nil }
        ) {
            self.now = now
            self.mayRun = mayRun
            self.identity = identity
            self.active = active
            self.chosen = chosen
            self.refusal = refusal
        }
    }

    /// What a pass decided.
    package struct Decision: Sendable, Hashable {
        /// Statuses to write, by index into `records`.
        package var statuses: [Int: TaskStatus] = [:]
        /// Attempts to begin; their statuses say Running and must be written first.
        package var begun: [Int] = []
        /// Attempts of this machine that somebody must wait for again.
        package var resumed: [Int] = []
        /// When to look again although nothing happens; seconds since 1970-01-01 UTC.
        package var nextLook: Double?
        package var list = TaskListStatus()
    }

    package func decision(_ situation: Situation) -> Decision {
        var decision = Decision()
        guard let graph else {
            decision.list = summary(records.map(\.status))
            return decision
        }
        var states = records.map(settled)
        let standings = graph.standings(states.map(\.state))
        var free = list.parallelism - states.count { $0.state == .running }
        for (index, record) in records.enumerated() {
            switch standings[index] {
            case .ended, .failed: break
            case .running:
                // No attempt is behind what somebody does by hand.
                let isByHand = states[index].reason == TaskMark.startedByHand
                let isOurs = !isByHand && (states[index].startedBy == situation.identity || record.spec.run.runner == .job)
                if isOurs, situation.mayRun, !situation.active.contains(record.name) { decision.resumed.append(index) }
            case .blocked(let by):
                states[index].block("DependencyFailed", "\(records[by].spec.task.id) failed")
            case .ready where !list.suspended:
                if begins(record, &states[index], situation, free: free, &decision.nextLook) {
                    free -= 1
                    decision.begun.append(index)
                }
            case .waiting, .ready:
                states[index].wait()
            }
            if states[index] != record.status {
                states[index].observedGeneration = record.generation
                decision.statuses[index] = states[index]
            }
        }
        decision.list = summary(states)
        return decision
    }

    /// A task that waits for nothing begins, or is kept from it with the reason.
    private func begins(_ record: TaskRecord, _ status: inout TaskStatus, _ situation: Situation, free: Int, _ nextLook: inout Double?) -> Bool {
        let id = record.spec.task.id
        guard !record.spec.task.commands.isEmpty else {
            status.wait("ByHand", "nothing to run: `reconciler tasks done \(id)`, or a tick in the document, says that it is done")
            return false
        }
        if record.spec.run.needsApproval, status.approvedBy == nil {
            status.block("NeedsApproval", "waits for `reconciler tasks approve \(id)`")
            return false
        }
        guard situation.mayRun, situation.chosen?.contains(record.name) ?? true else {
            status.wait()
            return false
        }
        if let refusal = situation.refusal(record) {
            status.block(refusal.reason, refusal.message)
            return false
        }
        if let next = status.nextAttemptAt, next > situation.now {
            nextLook = min(nextLook ?? next, next)
            return false
        }
        guard free > 0 else {
            status.wait()
            return false
        }
        (status.state, status.reason, status.message) = (.running, "Started", "")
        status.attempts += 1
        status.startedAt = situation.now.rounded(.down)
        (status.finishedAt, status.nextAttemptAt, status.exitCode) = (nil, nil, nil)
        status.commandsDigest = record.commandsDigest
        status.startedBy = situation.identity
        return true
    }

    /// A status as it follows from the task's own specification, before others are looked at.
    private func settled(_ record: TaskRecord) -> TaskStatus {
        let status = record.status
        guard status.state != .running else { return status }
        if record.spec.task.isDone {
            guard status.state != .succeeded else { return status }
            var ticked = status.renewed("Ticked", "ticked at \(record.spec.task.source)")
            ticked.state = .succeeded
            return ticked
        }
        if status.state == .succeeded, status.reason == "Ticked" { return status.renewed("Unticked", "no longer ticked at \(record.spec.task.source)") }
        if status.state == .succeeded || status.state == .failed, let ran = status.commandsDigest, let now = record.commandsDigest, ran != now {
            return status.renewed("CommandsChanged", "has other commands than when it \(status.state == .succeeded ? "succeeded" : "failed")")
        }
        return status
    }

    private func summary(_ states: [TaskStatus]) -> TaskListStatus {
        var summary = TaskListStatus()
        for status in states { summary.counts[status.state, default: 0] += 1 }
        summary.phase = states.firstIndex { $0.state != .succeeded && $0.state != .skipped }.flatMap { records[$0].spec.task.phase }
        func first(_ matches: (TaskStatus) -> Bool) -> (id: String, status: TaskStatus)? {
            states.firstIndex(where: matches).map { (records[$0].spec.task.id, states[$0]) }
        }
        if let total = list.total, total != records.count {
            summary.message = "\(records.count) of \(total) tasks are there: somebody is still writing them"
        } else if let failed = first({ $0.state == .failed }) {
            summary.message = "at \(failed.id): \(failed.status.message)"
        } else if !states.contains(where: { $0.state == .running }) {
            if let blocked = first({ $0.state == .blocked && $0.reason != "DependencyFailed" }) {
                summary.message = "\(blocked.id): \(blocked.status.message)"
            } else if let byHand = first({ $0.reason == "ByHand" }) {
                summary.message = "\(byHand.id) waits for somebody to do it"
            }
        }
        return summary
    }
}

extension TaskStatus {
    /// A pending one that keeps only how often the task was begun and who approved it.
    package func renewed(_ reason: String, _ message: String) -> TaskStatus {
        var fresh = TaskStatus()
        (fresh.reason, fresh.message, fresh.attempts, fresh.approvedBy) = (reason, message, attempts, approvedBy)
        return fresh
    }

    fileprivate mutating func block(_ reason: String, _ message: String) {
        (state, self.reason, self.message, nextAttemptAt) = (.blocked, reason, message, nil)
    }

    /// Waits for its turn. Why it is pending again stays told.
    fileprivate mutating func wait(_ reason: String = "", _ message: String = "") {
        if reason.isEmpty, state == .pending, self.reason != "ByHand" { return }
        (state, self.reason, self.message) = (.pending, reason, message)
    }
}
