/// What can be chosen about running workloads.
package struct WorkloadConfiguration: Sendable {
    /// Name of the one Node.
    package var nodeName = "embedded"
    /// The wait before a container's second restart; doubles up to the maximum.
    package var restartBackoff: Duration = .seconds(10)
    package var maximumRestartBackoff: Duration = .seconds(300)
    /// Seconds between a Job's failed pod and its next one; doubles.
    package var jobBackoffSeconds: Int64 = 10
    /// A container's log is rotated at that many bytes; two of them are kept.
    package var logLimit: Int64 = 10 << 20
    /// Leaves processes running when the cluster stops; its next start finds them again.
    package var keepsProcesses = false
    /// How long pods get to end when the cluster stops, if their grace period is longer.
    package var shutdownGrace: Duration = .seconds(5)

    package init() {}
}
