/// When a failed request is sent again.
package struct RetryPolicy: Sendable {
    /// Attempts in all.
    package var attempts: Int
    /// Before the second attempt; doubled each time, with jitter.
    package var firstDelay: Duration
    package var longestDelay: Duration
    /// How long a server that answered before may be out of reach (it is probably being restarted), or may refuse a request with 429 and say
    /// when to come back; however many attempts that takes.
    package var patience: Duration

    package init(
        attempts: Int = 6, firstDelay: Duration = .milliseconds(100), longestDelay: Duration = .seconds(10), patience: Duration = .seconds(30)
    ) {
        self.attempts = attempts
        self.patience = patience
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
    }

    /// Every request once.
    package static let none = RetryPolicy(attempts: 1, patience: .zero)

    /// - Parameter attempt: the one that failed, from 1.
    func delay(after attempt: Int, retryAfter: Duration?) -> Duration {
        // Those that were refused together do not come back together; and one that says "at once" each time is not asked without a pause.
        if let retryAfter, retryAfter > .zero || attempt < attempts {
            return min(retryAfter, .seconds(30)) + min(retryAfter, .seconds(1)) * Double.random(in: 0...1)
        }
        let doubled = firstDelay * (1 << min(attempt - 1, 16))
        return min(doubled, longestDelay) * Double.random(in: 0.75...1.25)
    }
}
