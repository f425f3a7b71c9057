import ArgumentParser

/// How commands that write wait for each other, and how much of the history is kept.
struct WriterOptions: ParsableArguments {
    @Option(help: "Seconds to wait for another run that writes to the application ($RECONCILER_LEASE_WAIT; default: 60).")
    var leaseWait: Int?
    @Option(help: "Attempts to keep in the history, of each application ($RECONCILER_KEEP_ATTEMPTS; default: 1000).")
    var keepAttempts: Int?
    @Option(help: "Days to keep an attempt in the history ($RECONCILER_KEEP_DAYS; default: 400).")
    var keepDays: Int?
}
