import Desired
import ResourceModel

/// When a failed sync is tried again: Argo CD's `spec.syncPolicy.retry`, or the flags of a command.
package struct RetrySchedule: Sendable, Hashable {
    /// The number of retries; negative for no limit.
    package var limit: Int
    /// Whether a retry takes what the branch says by then; else it is of the same revision.
    package var refresh: Bool
    package var first: Duration
    package var factor: Int
    package var longest: Duration

    package init(limit: Int, refresh: Bool = false, first: Duration = .seconds(5), factor: Int = 2, longest: Duration = .seconds(180)) {
        self.limit = limit
        self.refresh = refresh
        self.first = first
        self.factor = factor
        self.longest = longest
    }

    package init(_ policy: SyncPolicy.Retry) {
        self.init(
            limit: policy.limit, refresh: policy.refresh, first: policy.backoff.duration, factor: policy.backoff.factor,
            longest: policy.backoff.maxDuration)
    }

    /// The pause before a retry, counted from 1: the first one, multiplied by the factor each time, never more than the longest.
    /// - Returns: `nil` when the limit is reached.
    package func pause(before retry: Int) -> Duration? {
        guard limit < 0 || retry <= limit else { return nil }
        var pause = first
        for _ in 1..<max(retry, 1) where pause < longest { pause *= max(factor, 1) }
        return min(pause, longest)
    }
}
