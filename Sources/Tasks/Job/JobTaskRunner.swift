import KubernetesClient
import Processes
import ResourceModel
import TaskModel

/// Runs attempts as `batch/v1` Jobs in the task's namespace.
///
/// The Job's name follows from the attempt, so creating it is the claim, and a Job that is there is the attempt that was begun. A Job
/// is never deleted here: one that was canceled or withdrawn is suspended for good, so that the name stays taken. The Task that owns
/// it takes it along. See docs/task-runners.md.
package final class JobTaskRunner: TaskRunner {
    let client: KubernetesClient
    /// How long a pod may be unable to begin, as without its image.
    let startLimit: Duration

    package init(client: KubernetesClient, startLimit: Duration = .seconds(60)) {
        self.client = client
        self.startLimit = startLimit
    }

    package func outcome(of attempt: TaskAttempt) async -> TaskOutcome {
        let run = JobRun(runner: self, attempt: attempt)
        // Not a child: when the caller is cancelled, the Job is still to be stopped.
        let task = Task.detached { await run.outcome() }
        return await withTaskCancellationHandler { await task.value } onCancel: { run.cancel() }
    }

    package func withdraw(_ attempt: TaskAttempt) async -> Bool {
        let manifest = JobManifest(attempt: attempt)
        do {
            let jobs = try await jobs()
            do {
                _ = try await client.create(manifest.tombstone(end: "withdrawn"), as: jobs)
                return true
            } catch let error as APIError where error.isAlreadyExists {
                let job = try await client.get(jobs, namespace: attempt.namespace, name: manifest.name)
                let annotations = job?[path: "metadata", "annotations"]
                return annotations?[JobManifest.endKey]?.stringValue == "withdrawn" && annotations?[JobManifest.attemptKey]?.stringValue == manifest.attemptValue
            }
        } catch {
            return false  // What cannot be claimed may have begun.
        }
    }

    func jobs() async throws -> APIResource { try await client.resource(for: GroupKind(group: "batch", kind: "Job")) }
    func pods() async throws -> APIResource { try await client.resource(for: GroupKind(group: "", kind: "Pod")) }
}
