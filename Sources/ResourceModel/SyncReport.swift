/// What became of one step, on two axes: whether the write was done, and what became of the object after it.
package struct StepResult: Sendable, Hashable, Codable {
    package enum Actuation: Sendable, Hashable, Codable {
        case created, configured, recreated, pruned, unchanged
        /// It is there and belongs to no application any more.
        case released
        /// A task's commands were run and succeeded.
        case ran
        case skipped(SkipReason)
        /// The API server's or the transport's answer, in a sentence.
        case failed(String)
        /// An earlier failure or a cancellation came first.
        case notReached
    }

    package var id: ResourceID
    package var phase: SyncPhase
    package var wave: Int
    package var actuation: Actuation
    package var health: HealthAssessment?
    package var uid: String?
    package var resourceVersion: String?
    /// Digests of the object before and after; `nil` where there was none.
    package var before: String?
    package var after: String?
    /// Seconds.
    package var duration: Double

    package init(
        id: ResourceID, phase: SyncPhase = .sync, wave: Int = 0, actuation: Actuation, health: HealthAssessment? = nil,
        uid: String? = nil, resourceVersion: String? = nil, before: String? = nil, after: String? = nil, duration: Double = 0
    ) {
        self.id = id
        self.phase = phase
        self.wave = wave
        self.actuation = actuation
        self.health = health
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.before = before
        self.after = after
        self.duration = duration
    }
}

/// One attempt to sync one application, from its trigger to its end.
package struct SyncReport: Sendable, Hashable, Codable {
    package enum Conclusion: String, Sendable, Hashable, Codable {
        case succeeded = "Succeeded"
        case failed = "Failed"
        case refused = "Refused"
        case canceled = "Canceled"
        /// The process was killed; told by the next one.
        case interrupted = "Interrupted"
    }

    package var application: String
    package var revision: Revision
    package var planID: String
    /// Who or what asked for it: `cli:USER@HOST`, or in `reconciler run` `push`, `drift`, `retry`; `rollback:USER@HOST`, `pin:USER@HOST`. Open.
    package var trigger: String
    /// Seconds since 1970-01-01 UTC.
    package var startedAt: Double
    package var finishedAt: Double
    package var conclusion: Conclusion
    package var message: String
    package var sync: SyncStatus
    package var health: HealthAssessment
    package var steps: [StepResult]
    package var refusals: [Refusal]
    package var warnings: [Problem]
    /// The lease's number under which the writes were sent; `nil` where nothing was to be written.
    package var fencingToken: Int64?
    /// What a sync of chosen objects was of; `nil` for one of the whole application.
    package var selection: String?

    package init(
        application: String, revision: Revision, planID: String, trigger: String, startedAt: Double, finishedAt: Double,
        conclusion: Conclusion, message: String, sync: SyncStatus, health: HealthAssessment, steps: [StepResult],
        refusals: [Refusal] = [], warnings: [Problem] = [], fencingToken: Int64? = nil, selection: String? = nil
    ) {
        self.application = application
        self.revision = revision
        self.planID = planID
        self.trigger = trigger
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.conclusion = conclusion
        self.message = message
        self.sync = sync
        self.health = health
        self.steps = steps
        self.refusals = refusals
        self.warnings = warnings
        self.fencingToken = fencingToken
        self.selection = selection
    }
}

/// What a run announces while it goes on; `--events json` prints one a line.
package enum SyncEvent: Sendable {
    case fetched(application: String, Revision)
    case rendered(application: String, manifests: Int)
    case planned(Plan)
    case waveStarted(application: String, phase: SyncPhase, wave: Int, steps: Int)
    case stepFinished(application: String, StepResult)
    case waiting(application: String, [ResourceID: HealthAssessment])
    case finished(SyncReport)
    /// A failed attempt is followed by another one after a pause; `of` is nil when there is no limit.
    case retrying(application: String, retry: Int, of: Int?, pause: Duration, because: String)
    /// A failed sync is followed by one that brings back what an earlier attempt had applied; 0 when there is none, and what was made
    /// is deleted.
    case restoring(application: String, attempt: Int64)
}
