import Glibc
import Processes

extension ProcessTaskRunner {
    /// Ends all that belongs to a shell that we saw: its session, and what left that. Returns when nothing is left, or when even
    /// SIGKILL has not helped for ten seconds (a process that waits for a broken disk).
    /// - Parameter grace: from SIGTERM to SIGKILL; with none the first signal is SIGKILL.
    func end(_ shell: ProcessIdentity, mark: String, grace: Duration) async {
        if grace == .zero { kill(-shell.pid, SIGKILL) }  // A group ends at once, so that nothing forks on.
        await end(grace: grace) { $0.session == shell.pid || $0.mark == mark }
    }

    /// Ends what a shell that is long gone left. Its number may be another's by now, so only the mark counts.
    func endStrays(of files: AttemptFiles) async {
        await end(grace: min(limits.grace, .seconds(2))) { $0.mark == files.path }
        logs.follow(files.output)
        logs.finish(files.output)
    }

    private func end(grace: Duration, _ belongs: @Sendable (ProcessTable.Entry) -> Bool) async {
        let start = ContinuousClock.now
        var told: Set<ProcessIdentity> = []
        var pause = Duration.milliseconds(5)
        while true {
            let left = await tables.table().entries.filter(belongs)
            if left.isEmpty { return }
            let waited = ContinuousClock.now - start
            if waited > grace + .seconds(10) { return }
            for entry in left {
                if waited >= grace {
                    kill(entry.process.pid, SIGKILL)
                } else if told.insert(entry.process).inserted {
                    kill(entry.process.pid, SIGTERM)
                    kill(entry.process.pid, SIGCONT)
                }
            }
            // Reading the table is the expensive part: the processes that were seen are looked at until they are gone or the grace is over.
            let until = ContinuousClock.now + (waited >= grace ? .milliseconds(500) : min(.seconds(1), grace - waited))
            while ContinuousClock.now < until, left.contains(where: \.process.isAlive) {
                try? await Task.sleep(for: pause)  // Cancelled: it looks again at once.
                pause = min(pause * 2, .milliseconds(100))
            }
        }
    }
}
