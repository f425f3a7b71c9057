import Logging
import ServiceLifecycle
import Tasks

/// Drives the lists of automated applications beside `reconciler run`'s syncs, so that a task that takes an hour holds up nothing.
actor TaskService: Service {
    private let operation: TaskOperation
    private let logger: Logger
    private var drives: [String: (work: TaskOperation.Work, task: Task<Void, Never>)] = [:]
    private var isStopping = false

    init(operation: TaskOperation, logger: Logger) {
        self.operation = operation
        self.logger = logger
    }

    /// Waits for the word to stop. Commands that run then go on; the next process finds them again.
    func run() async throws {
        try await gracefulShutdown()
        isStopping = true
        for drive in drives.values { drive.task.cancel() }
        for drive in drives.values { await drive.task.value }
    }

    /// Takes up a list, or goes on with it at another revision.
    func drive(_ work: TaskOperation.Work) async {
        let key = "\(work.namespace)/\(work.list)"
        if let known = drives[key] {
            if known.work == work { return }
            known.task.cancel()
            await known.task.value
        }
        guard !isStopping else { return }
        drives[key] = (
            work,
            Task { [operation, logger] in
                var pause = 1
                while !Task.isCancelled {
                    do {
                        try await operation.serve(work) { event in
                            if let line = TaskText.line(event, list: work.list) { logger.info("\(line)") }
                        }
                    } catch is CancellationError {
                        return
                    } catch {
                        logger.error("tasks of \(key): \(error); again in \(pause) s")
                    }
                    do { try await Task.sleep(for: .seconds(pause)) } catch { return }
                    pause = min(60, pause * 2)
                }
            }
        )
    }

    /// Drives no list of the application any more, unless it is among those.
    func keep(only lists: Set<String>, of application: String) async {
        for (key, drive) in drives where drive.work.application == application && !lists.contains(key) {
            drive.task.cancel()
            await drive.task.value
            drives[key] = nil
        }
    }
}

/// What of tasks is told to people while they run.
enum TaskText {
    /// `nil` for what is not worth a line.
    static func line(_ event: TaskEvent, list: String) -> String? {
        switch event {
        case .begun(let record):
            "\(list): \(record.spec.task.id) \(record.spec.task.title)" + (record.status.attempts > 1 ? " (attempt \(record.status.attempts))" : "")
        case .ended(let record, let seconds):
            "\(list): \(record.spec.task.id) \(record.status.state == .pending ? "Failed" : record.status.state.rawValue) after \(tenths(seconds)) s"
                + (record.status.message.isEmpty ? "" : ": \(record.status.message)")
        case .progressed: nil
        }
    }

    private static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
