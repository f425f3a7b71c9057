import Glibc
import Processes
import Synchronization
import TaskModel

/// One look after one attempt: from finding or starting it to its end.
final class AttemptRun: Sendable {
    private enum Event: Sendable {
        case ended(ProcessExit)
        case stop(AttemptFiles.Stop)
    }

    private let runner: ProcessTaskRunner
    private let attempt: TaskAttempt
    private let files: AttemptFiles
    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let isCanceled = Mutex(false)

    init(runner: ProcessTaskRunner, attempt: TaskAttempt, files: AttemptFiles) {
        self.runner = runner
        self.attempt = attempt
        self.files = files
        (events, continuation) = AsyncStream.makeStream()
    }

    func cancel() {
        isCanceled.withLock { $0 = true }
        continuation.yield(.stop(.canceled))
    }

    func outcome() async -> TaskOutcome {
        do {
            for _ in 0..<3 {
                let state = try files.state()
                switch state {
                case .withdrawn(let reason): return stopOutcome(command(1)) ?? (reason.isEmpty ? .canceled : .notStarted(reason))
                case .finished(let command, let code):
                    await runner.endStrays(of: files)
                    return finished(command, code)
                case .running(let process, _):
                    if let process, process.isAlive {
                        runner.logs.follow(files.output)
                        let exit = await watch(process)
                        return await conclude(exit)
                    }
                    // It may have written its result between the two looks.
                    if try files.state() != state { continue }
                    await runner.endStrays(of: files)
                    return unknown(state, exit: .unknown)
                case .unclaimed(intendedBefore: true):
                    return .interrupted("the machine was restarted when the attempt was about to begin: see \(files.path)")
                case .unclaimed:
                    if let outcome = try await start() { return outcome }
                }
            }
            return .notStarted("the shell that runs the commands ended three times before it could begin: see \(files.output).log")
        } catch {
            return .notStarted("\(error)")
        }
    }

    /// - Returns: `nil` when another process claimed the attempt, or none: look again.
    private func start() async throws -> TaskOutcome? {
        if isCanceled.withLock({ $0 }) { return try files.withdraw() ? .canceled : nil }
        if remaining <= 0 {
            guard try files.withdraw() else { return nil }
            try files.record(.timedOut)
            return stopOutcome(command(1))
        }
        if attempt.commands.isEmpty { return .notStarted("the task has no command") }
        try files.intend()
        files.removeOldOutput(keeping: 10)
        runner.logs.follow(files.output)
        let process: ProcessIdentity
        do { process = try runner.spawn(attempt, files) } catch {
            runner.logs.finish(files.output)
            let reason = error.description
            return try files.withdraw(reason: reason) ? .notStarted(reason) : nil
        }
        let exit = await watch(process)
        switch try files.state() {
        case .unclaimed where !files.isIntact:
            return .interrupted("its directory \(files.path) was removed while it ran")
        case .unclaimed where exit == .code(AttemptScript.cannotRecord):
            runner.logs.finish(files.output)
            return .notStarted("cannot record the attempt in \(files.path): is the disk full? See \(files.output).log")
        case .unclaimed, .withdrawn: return nil
        case .running, .finished:
            if let owner = files.owner, owner != process { return nil }
            return await conclude(exit)
        }
    }

    // MARK: Waiting

    private var remaining: Double { attempt.startedAt + attempt.timeoutSeconds - UTCTime.now() }

    private func watch(_ process: ProcessIdentity) async -> ProcessExit {
        let continuation = self.continuation
        // Senders of the run's events: whoever cancels the caller still wants to hear how the process ended.
        Task.detached { continuation.yield(.ended(await ProcessMonitor.shared.exit(of: process))) }
        let seconds = max(0, min(remaining, 1e9))
        let deadline = Task.detached {
            do { try await Task.sleep(for: .seconds(seconds)) } catch { return }  // The attempt ended in time.
            continuation.yield(.stop(.timedOut))
        }
        defer { deadline.cancel() }
        let watched = runner.census.watch(process, mark: files.path) { continuation.yield(.stop(.excessive(processes: $0))) }
        defer { runner.census.forget(watched) }
        var isStopping = false
        for await event in events {
            switch event {
            case .ended(let exit):
                // A shell that came too late has nothing to leave behind: what carries the mark is another's.
                if isAnothers(process) { return exit }
                await runner.end(process, mark: files.path, grace: isStopping ? .zero : min(runner.limits.grace, .seconds(2)))
                return exit
            case .stop(let reason):
                if isStopping { continue }
                if case .finished? = try? files.state() { continue }  // Unreadable: it is stopped all the same.
                isStopping = true
                try? files.record(reason)  // On a full disk: only who comes later does not know why it ended.
                stopped.withLock { $0 = reason }
                let runner = self.runner
                let mark = files.path
                Task.detached {
                    if case .excessive = reason {
                        await runner.end(process, mark: mark, grace: .zero)
                    } else {
                        await runner.end(process, mark: mark, grace: runner.limits.grace)
                    }
                }
            }
        }
        return .unknown
    }

    private func isAnothers(_ process: ProcessIdentity) -> Bool {
        guard let owner = files.owner else { return false }
        return owner != process
    }

    private let stopped = Mutex<AttemptFiles.Stop?>(nil)

    // MARK: What it came to

    private func conclude(_ exit: ProcessExit) async -> TaskOutcome {
        runner.logs.finish(files.output)
        do {
            let state = try files.state()
            if case .finished(let command, let code) = state { return finished(command, code) }
            return unknown(state, exit: exit)
        } catch {
            return .interrupted("\(error)")
        }
    }

    private func finished(_ number: Int, _ code: Int) -> TaskOutcome {
        if code == 0 { return .succeeded }
        if let outcome = stopOutcome(command(number)) { return outcome }
        // The shell's spelling of a signal; see 2.8.2 of POSIX' Shell Command Language.
        if code > 128, code < 160 { return .killed(signal: code - 128, command: command(number)) }
        return .failed(code: code, command: command(number))
    }

    /// The attempt's shell is gone and left no result.
    private func unknown(_ state: AttemptFiles.State, exit: ProcessExit) -> TaskOutcome {
        var number = 0
        if case .running(_, let command) = state { number = command }
        if let outcome = stopOutcome(command(number)) { return outcome }
        if case .signal(let signal) = exit { return .killed(signal: Int(signal), command: command(max(number, 1))) }
        if number == 0 { return .interrupted("it was claimed, and ended before its first command began: see \(files.path)") }
        let place = "command \(number) of \(attempt.commands.count) (`\(command(number))`) was running"
        if case .running(nil, _) = state { return .interrupted("\(place) when the machine was restarted") }
        if exit == .code(AttemptScript.cannotRecord) { return .interrupted("\(place) or had just ended, and that could not be written in \(files.path)") }
        return .interrupted("\(place), and its shell has ended without a result in \(files.path)")
    }

    private func stopOutcome(_ command: String) -> TaskOutcome? {
        switch stopped.withLock({ $0 }) ?? files.stop {
        case .canceled: return .canceled
        case .timedOut: return .timedOut(seconds: attempt.timeoutSeconds, command: command)
        case .excessive(let count):
            return .excessive("it had \(count) processes at one time, more than \(runner.limits.processes), during `\(command)`; all were ended")
        case nil: return nil
        }
    }

    private func command(_ number: Int) -> String {
        number > 0 && number <= attempt.commands.count ? attempt.commands[number - 1] : attempt.commands.first ?? ""
    }
}
