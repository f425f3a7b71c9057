import KubernetesClient
import Logging
import ResourceModel
import TaskModel

/// Drives one list: looks, decides, writes, begins, waits for something to happen, and looks again.
final class TaskListDriver: Sendable {
    private enum Signal: Sendable {
        case observed(ObservedEvent, ofTasks: Bool)
        case ended(TaskAttempt, TaskOutcome)
        case failed(any Error)
        case timer
    }

    private let controller: TaskController
    private let namespace: String
    private let list: String
    private let tasks: APIResource
    private let lists: APIResource
    private let onEvent: @Sendable (TaskEvent) -> Void
    private let mailbox = Mailbox<Signal>()

    init(
        _ controller: TaskController, list: String, namespace: String, tasks: APIResource, lists: APIResource,
        onEvent: @escaping @Sendable (TaskEvent) -> Void
    ) {
        self.controller = controller
        self.list = list
        self.namespace = namespace
        self.tasks = tasks
        self.lists = lists
        self.onEvent = onEvent
    }

    func drive(_ extent: TaskController.Extent) async throws -> TaskListStatus {
        var watches: [Task<Void, Never>] = []
        if extent == .once {
            try await look()
        } else {
            watches = [watch(tasks, fieldSelector: nil, ofTasks: true), watch(lists, fieldSelector: "metadata.name=\(list)", ofTasks: false)]
        }
        var active: [String: Task<Void, Never>] = [:]
        defer { watches.forEach { $0.cancel() } }
        do {
            return try await loop(extent, &active)
        } catch {
            // Whatever else went wrong, the commands may end their work: they are found again.
            if Task.isCancelled, controller.running?.stopsCommands == true { await stop(&active) }
            throw error
        }
    }

    private func loop(_ extent: TaskController.Extent, _ active: inout [String: Task<Void, Never>]) async throws -> TaskListStatus {
        var view = TaskListView(name: list)
        var told: TaskListStatus?
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        while true {
            for signal in try await mailbox.take() { try await take(signal, &view, &active) }
            for name in view.takeGone() { active[name]?.cancel() }
            guard view.isLoaded else { continue }
            var (decision, machine) = try decision(view, active)
            for index in decision.begun {
                let begun = decision.statuses[index]
                decision.statuses[index]?.log = log(of: machine.records[index], begun)
            }
            let written = try await write(decision, machine, &view)
            if decision.list != told {
                told = decision.list
                try await write(decision.list, view)
                onEvent(.progressed(decision.list))
            }
            for index in decision.begun + decision.resumed where written.contains(machine.records[index].name) || decision.resumed.contains(index) {
                guard let record = view.records[machine.records[index].name] else { continue }
                begin(record, isNew: decision.begun.contains(index), &active)
            }
            timer?.cancel()
            timer = decision.nextLook.map { at in
                let pause = max(0, at - controller.now())
                return Task { [mailbox] in
                    do { try await Task.sleep(for: .seconds(pause)) } catch { return }
                    mailbox.put(.timer)
                }
            }
            // Statuses that somebody else changed meanwhile were not written; the next pass sees them.
            let isSettled = active.isEmpty && decision.nextLook == nil && written.count == decision.statuses.count
            switch extent {
            case .once:
                if written.count == decision.statuses.count { return decision.list }
                try await look()
            case .settled where isSettled && decision.begun.isEmpty && decision.resumed.isEmpty: return decision.list
            default: continue
            }
        }
    }

    private func decision(_ view: TaskListView, _ active: [String: Task<Void, Never>]) throws -> (TaskMachine.Decision, TaskMachine) {
        guard view.problems.isEmpty else { throw Problems(view.problems.sorted { $0.key < $1.key }.map(\.value)) }
        let machine = try TaskMachine(list: try view.spec(), records: Array(view.records.values))
        let running = controller.running
        let situation = TaskMachine.Situation(
            now: controller.now(), mayRun: running != nil, identity: running?.identity ?? "", active: Set(active.keys), chosen: running?.chosen
        ) { record in
            guard let running else { return nil }
            guard running.runners[record.spec.run.runner] != nil else {
                return TaskRefusal(reason: "NoRunner", message: "nothing here runs tasks as \(record.spec.run.runner.rawValue)")
            }
            if case .failure(let refusal) = running.preparation(record) { return refusal }
            return nil
        }
        return (machine.decision(situation), machine)
    }

    private func take(_ signal: Signal, _ view: inout TaskListView, _ active: inout [String: Task<Void, Never>]) async throws {
        switch signal {
        case .observed(let event, let ofTasks):
            if case .interrupted(let reason) = event { controller.logger.warning("tasks of \(namespace)/\(list): \(reason); trying again") }
            view.take(event, ofTasks: ofTasks)
        case .ended(let attempt, let outcome):
            active[attempt.name] = nil
            try await record(outcome, of: attempt, &view)
        case .failed(let error): throw error
        case .timer: break
        }
    }

    // MARK: Attempts

    /// Where the output of the attempt that begins will be.
    private func log(of record: TaskRecord, _ status: TaskStatus?) -> String? {
        var begun = record
        begun.status = status ?? record.status
        return controller.running?.runners[record.spec.run.runner]?.log(of: TaskAttempt(bare: begun))
    }

    private func begin(_ record: TaskRecord, isNew: Bool, _ active: inout [String: Task<Void, Never>]) {
        guard let running = controller.running, let runner = running.runners[record.spec.run.runner] else { return }
        var attempt: TaskAttempt
        switch running.preparation(record) {
        case .success(let prepared): attempt = prepared
        case .failure(let refusal):
            // It was begun once, under other rules: what became of it is still to be found out, but it must not begin now.
            let bare = TaskAttempt(bare: record)
            active[record.name] = Task { [mailbox] in
                let isUnbegun = await runner.withdraw(bare)
                mailbox.put(.ended(bare, isUnbegun ? .notStarted(refusal.message) : await runner.outcome(of: bare)))
            }
            return
        }
        attempt.number = record.status.attempts
        attempt.startedAt = record.status.startedAt ?? controller.now()
        attempt.uid = record.uid
        if isNew { onEvent(.begun(record)) }
        active[record.name] = Task { [mailbox, attempt] in mailbox.put(.ended(attempt, await runner.outcome(of: attempt))) }
    }

    /// Writes what became of an attempt, unless the task has gone on without it.
    private func record(_ outcome: TaskOutcome, of attempt: TaskAttempt, _ view: inout TaskListView) async throws {
        while let record = view.records[attempt.name], record.status.state == .running, record.status.attempts == attempt.number {
            var ended = record
            ended.status = record.status.after(outcome, run: record.spec.run, id: record.spec.task.id, now: controller.now(), lot: controller.lot())
            guard try await write(ended.status, of: record, &view) else { continue }
            onEvent(.ended(ended, seconds: max(0, controller.now() - attempt.startedAt)))
            return
        }
    }

    private func stop(_ active: inout [String: Task<Void, Never>]) async {
        guard !active.isEmpty else { return }
        for task in active.values { task.cancel() }
        for task in active.values { await task.value }
        // What they came to is written although this task is cancelled.
        await Task { [self] in
            do {
                var view = TaskListView(name: list)
                view.take(.listed(try await controller.client.list(tasks, namespace: namespace).items, resourceVersion: ""), ofTasks: true)
                for signal in try await mailbox.take() {
                    if case .ended(let attempt, let outcome) = signal { try await record(outcome, of: attempt, &view) }
                }
            } catch {
                controller.logger.error("tasks of \(namespace)/\(list): what became of stopped commands could not be written: \(error)")
            }
        }.value
        active = [:]
    }

    // MARK: Reads and writes

    /// Reads everything once.
    private func look() async throws {
        async let tasks = controller.client.list(tasks, namespace: namespace)
        async let lists = controller.client.list(lists, namespace: namespace)
        mailbox.put(.observed(.listed(try await lists.items, resourceVersion: ""), ofTasks: false))
        mailbox.put(.observed(.listed(try await tasks.items, resourceVersion: ""), ofTasks: true))
    }

    private func watch(_ resource: APIResource, fieldSelector: String?, ofTasks: Bool) -> Task<Void, Never> {
        Task { [mailbox, client = controller.client, namespace] in
            do {
                for try await event in client.listAndWatch(resource, namespace: namespace, fieldSelector: fieldSelector) {
                    mailbox.put(.observed(event, ofTasks: ofTasks))
                }
            } catch {
                if !(error is CancellationError) { mailbox.put(.failed(error)) }
            }
        }
    }

    /// - Returns: the names of the tasks whose status was written: those that nobody else had changed meanwhile.
    private func write(_ decision: TaskMachine.Decision, _ machine: TaskMachine, _ view: inout TaskListView) async throws -> Set<String> {
        let wanted = decision.statuses.map { (record: machine.records[$0.key], status: $0.value) }
        var written: Set<String> = []
        for start in stride(from: 0, to: wanted.count, by: 64) {
            let answers = try await withThrowingTaskGroup(of: (String, JSONValue?).self) { group in
                for (record, status) in wanted[start..<min(start + 64, wanted.count)] {
                    group.addTask { [self] in (record.name, try await patch(status, of: record)) }
                }
                var answers: [(String, JSONValue?)] = []
                for try await answer in group { answers.append(answer) }
                return answers
            }
            for (name, object) in answers {
                guard let object else { continue }
                view.put(object, ofTasks: true)
                written.insert(name)
            }
        }
        return written
    }

    private func write(_ status: TaskStatus, of record: TaskRecord, _ view: inout TaskListView) async throws -> Bool {
        if let object = try await patch(status, of: record) {
            view.put(object, ofTasks: true)
            return true
        }
        // Somebody changed it: look, and decide again.
        if let object = try await controller.client.get(tasks, namespace: namespace, name: record.name) {
            view.put(object, ofTasks: true)
        } else {
            view.take(.deleted(["metadata": ["name": .string(record.name)]]), ofTasks: true)
        }
        return false
    }

    /// The object with that status; `nil` when it is another one by now, or gone.
    private func patch(_ status: TaskStatus, of record: TaskRecord) async throws -> JSONValue? {
        do {
            return try await controller.client.patch(
                tasks, namespace: namespace, name: record.name, type: .merge,
                patch: ["metadata": ["resourceVersion": .string(record.resourceVersion)], "status": status.json],
                options: WriteOptions(fieldManager: "reconciler-tasks", subresource: "status")
            ).object
        } catch let error as APIError where error.isConflict || error.isNotFound {
            return nil
        }
    }

    private func write(_ status: TaskListStatus, _ view: TaskListView) async throws {
        guard let object = view.list else { return }
        var status = status
        status.observedGeneration = object[path: "metadata", "generation"]?.integerValue
        do {
            _ = try await controller.client.patch(
                lists, namespace: namespace, name: list, type: .merge, patch: ["status": status.json],
                options: WriteOptions(fieldManager: "reconciler-tasks", subresource: "status"))
        } catch let error as APIError where error.isNotFound {
            // It was deleted meanwhile; the watch will tell.
        }
    }
}

extension TaskAttempt {
    /// Enough to find an attempt again, nothing to begin it with.
    init(bare record: TaskRecord) {
        self.init(
            namespace: record.namespace, list: record.spec.list, task: record.spec.task.id, name: record.name, number: record.status.attempts, commands: [],
            environment: [:], workingDirectory: "/", timeoutSeconds: record.spec.run.timeoutSeconds, startedAt: record.status.startedAt ?? 0,
            image: record.spec.run.image)
        uid = record.uid
    }
}
