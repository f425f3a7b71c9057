import ResourceModel
import Testing

@testable import Applier

/// One row: what an object says, and how it is judged.
struct HealthCase: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var expected: HealthStatus
    /// What the message must hold.
    var message: String = ""
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ expected: HealthStatus, _ message: String = "") {
        self.name = name
        self.text = text
        self.expected = expected
        self.message = message
    }
}

private func deployment(_ rest: String) -> String { "{apiVersion: apps/v1, kind: Deployment, \(rest)}" }
private func set(_ kind: String, _ rest: String) -> String { "{apiVersion: apps/v1, kind: \(kind), \(rest)}" }
private func pod(_ rest: String) -> String { "{apiVersion: v1, kind: Pod, \(rest)}" }
private func custom(_ rest: String) -> String { "{apiVersion: example.com/v1, kind: Widget, \(rest)}" }

private let workloads: [HealthCase] = [
    HealthCase("deployment: done", deployment("metadata: {generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2}"), .healthy),
    HealthCase("deployment: replicas default to one", deployment("metadata: {generation: 1}, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}"), .healthy),
    HealthCase("deployment: scaled to none", deployment("metadata: {generation: 1}, spec: {replicas: 0}, status: {observedGeneration: 1}"), .healthy),
    HealthCase("deployment: not observed", deployment("metadata: {generation: 2}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}"), .progressing, "generation"),
    HealthCase("deployment: paused", deployment("spec: {paused: true}"), .suspended),
    HealthCase("deployment: deadline", deployment("metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded, message: too slow}]}"), .degraded, "too slow"),
    HealthCase("deployment: too few updated", deployment("metadata: {generation: 1}, spec: {replicas: 3}, status: {observedGeneration: 1, replicas: 3, updatedReplicas: 1, availableReplicas: 3}"), .progressing, "1 out of 3 new replicas"),
    HealthCase("deployment: old ones left", deployment("metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 2, updatedReplicas: 1, availableReplicas: 2}"), .progressing, "1 old replicas"),
    HealthCase("deployment: too few available", deployment("metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1}"), .progressing, "1 of 2 updated replicas"),
    HealthCase("statefulset: done", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2, currentRevision: a, updateRevision: a}"), .healthy),
    HealthCase("statefulset: not observed", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 2}"), .progressing, "observed"),
    HealthCase("statefulset: not ready", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, readyReplicas: 1}"), .progressing, "1 pods"),
    HealthCase("statefulset: partition reached", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}}}, status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1, currentRevision: a, updateRevision: b}"), .healthy, "partitioned"),
    HealthCase("statefulset: partition not reached", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1}"), .progressing, "1 out of 2"),
    HealthCase("statefulset: on delete", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 1, updateStrategy: {type: OnDelete}}, status: {observedGeneration: 1, readyReplicas: 1, currentRevision: a, updateRevision: b}"), .healthy),
    HealthCase("statefulset: rolling", set("StatefulSet", "metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, readyReplicas: 1, currentRevision: a, updateRevision: b}"), .progressing, "revision b"),
    HealthCase("daemonset: done", set("DaemonSet", "metadata: {generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2}"), .healthy),
    HealthCase("daemonset: not observed", set("DaemonSet", "metadata: {generation: 1}"), .progressing),
    HealthCase("daemonset: on delete", set("DaemonSet", "metadata: {generation: 1}, spec: {updateStrategy: {type: OnDelete}}, status: {observedGeneration: 1, desiredNumberScheduled: 2}"), .healthy),
    HealthCase("daemonset: too few updated", set("DaemonSet", "metadata: {generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2}"), .progressing, "1 out of 2"),
    HealthCase("daemonset: too few available", set("DaemonSet", "metadata: {generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1}"), .progressing, "1 of 2"),
    HealthCase("replicaset: done", set("ReplicaSet", "metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, availableReplicas: 1}"), .healthy),
    HealthCase("replicaset: failure", set("ReplicaSet", "metadata: {generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: \"True\", message: quota}]}"), .degraded, "quota"),
    HealthCase("replicaset: too few", set("ReplicaSet", "metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, availableReplicas: 1}"), .progressing, "1 out of 2"),
]

private let podsAndJobs: [HealthCase] = [
    HealthCase("pod: ready", pod("spec: {restartPolicy: Always}, status: {phase: Running, conditions: [{type: Ready, status: \"True\"}]}"), .healthy),
    HealthCase("pod: not ready", pod("status: {phase: Running, conditions: [{type: Ready, status: \"False\"}]}"), .progressing),
    HealthCase("pod: restarted and not ready", pod("status: {phase: Running, containerStatuses: [{lastState: {terminated: {exitCode: 1}}}]}"), .degraded),
    HealthCase("pod: back-off", pod("status: {phase: Running, containerStatuses: [{state: {waiting: {reason: CrashLoopBackOff, message: again in 10 s}}}]}"), .degraded, "again in 10 s"),
    HealthCase("pod: image", pod("status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImagePull}}}]}"), .degraded, "ErrImagePull"),
    HealthCase("pod: init container", pod("status: {phase: Pending, initContainerStatuses: [{state: {waiting: {reason: CreateContainerConfigError, message: no secret}}}]}"), .degraded, "no secret"),
    HealthCase("pod: pending", pod("status: {phase: Pending}"), .progressing),
    HealthCase("pod: running once", pod("spec: {restartPolicy: Never}, status: {phase: Running, conditions: [{type: Ready, status: \"True\"}]}"), .progressing),
    HealthCase("pod: succeeded", pod("spec: {restartPolicy: Never}, status: {phase: Succeeded}"), .healthy),
    HealthCase("pod: failed with words", pod("spec: {restartPolicy: Never}, status: {phase: Failed, message: evicted}"), .degraded, "evicted"),
    HealthCase("pod: failed with a code", pod("spec: {restartPolicy: Never}, status: {phase: Failed, containerStatuses: [{name: c, state: {terminated: {exitCode: 3}}}]}"), .degraded, "exit code 3"),
    HealthCase("pod: strange phase", pod("status: {phase: Odd}"), .unknown),
    HealthCase("job: running", "{apiVersion: batch/v1, kind: Job, status: {active: 1}}", .progressing),
    HealthCase("job: complete", "{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: \"True\"}]}}", .healthy),
    HealthCase("job: failed", "{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Failed, status: \"True\", message: limit}]}}", .degraded, "limit"),
    HealthCase("job: suspended", "{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Suspended, status: \"True\"}]}}", .suspended),
    HealthCase("job: resumed", "{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Suspended, status: \"False\"}]}}", .progressing),
]

private let others: [HealthCase] = [
    HealthCase("service", "{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}", .healthy),
    HealthCase("service: waits", "{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}}", .progressing),
    HealthCase("service: has one", "{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}}", .healthy),
    HealthCase("ingress: waits", "{apiVersion: networking.k8s.io/v1, kind: Ingress}", .progressing),
    HealthCase("ingress: has one", "{apiVersion: networking.k8s.io/v1, kind: Ingress, status: {loadBalancer: {ingress: [{hostname: a}]}}}", .healthy),
    HealthCase("claim: bound", "{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Bound}}", .healthy),
    HealthCase("claim: pending", "{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Pending}}", .progressing),
    HealthCase("claim: lost", "{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Lost}}", .degraded),
    HealthCase("claim: nothing said", "{apiVersion: v1, kind: PersistentVolumeClaim}", .unknown),
    HealthCase("autoscaler: able", "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: AbleToScale, status: \"True\", message: ready}]}}", .healthy, "ready"),
    HealthCase("autoscaler: cannot", "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: AbleToScale, status: \"True\"}, {type: ScalingActive, status: \"False\", reason: FailedGetResourceMetric, message: no metrics}]}}", .degraded, "no metrics"),
    HealthCase("autoscaler: new", "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler}", .progressing, "Waiting to Autoscale"),
    HealthCase("autoscaler v1: able", "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {annotations: {autoscaling.alpha.kubernetes.io/conditions: '[{\"type\":\"AbleToScale\",\"status\":\"True\",\"message\":\"ready\"}]'}}}", .healthy, "ready"),
    HealthCase("autoscaler v1: new", "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler}", .progressing),
    HealthCase("apiservice: available", "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, status: {conditions: [{type: Available, status: \"True\", reason: Passed, message: fine}]}}", .healthy, "Passed: fine"),
    HealthCase("apiservice: not available", "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, status: {conditions: [{type: Available, status: \"False\", reason: MissingEndpoints, message: none}]}}", .progressing, "MissingEndpoints"),
    HealthCase("apiservice: new", "{apiVersion: apiregistration.k8s.io/v1, kind: APIService}", .progressing),
    HealthCase("definition: established", "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: \"True\"}, {type: Established, status: \"True\"}]}}", .healthy),
    HealthCase("definition: new", "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}", .progressing),
    HealthCase("definition: names taken", "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: \"False\", message: taken}]}}", .degraded, "taken"),
    HealthCase("workflow: new", "{apiVersion: argoproj.io/v1alpha1, kind: Workflow}", .progressing),
    HealthCase("workflow: running", "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Running}}", .progressing),
    HealthCase("workflow: succeeded", "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Succeeded}}", .healthy),
    HealthCase("workflow: failed", "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Error, message: step 2}}", .degraded, "step 2"),
    HealthCase("workflow: strange", "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Odd}}", .unknown),
    HealthCase("plain object", "{apiVersion: v1, kind: ConfigMap}", .healthy),
    HealthCase("custom: no status", custom("spec: {}"), .healthy),
    HealthCase("custom: observed", custom("metadata: {generation: 2}, status: {observedGeneration: 2}"), .healthy),
    HealthCase("custom: not observed", custom("metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Ready, status: \"True\"}]}"), .progressing, "generation 2"),
    HealthCase("custom: ready", custom("status: {conditions: [{type: Ready, status: \"True\"}]}"), .healthy),
    HealthCase("custom: not ready", custom("status: {conditions: [{type: Ready, status: \"False\", message: wait}]}"), .progressing, "wait"),
    HealthCase("custom: ready unknown", custom("status: {conditions: [{type: Ready, status: Unknown, reason: Asking}]}"), .progressing, "Asking"),
    HealthCase("custom: stalled", custom("status: {conditions: [{type: Stalled, status: \"True\", reason: Why, message: stuck}, {type: Ready, status: \"True\"}]}"), .degraded, "Why: stuck"),
    HealthCase("custom: reconciling", custom("status: {conditions: [{type: Reconciling, status: \"True\", reason: Busy}, {type: Ready, status: \"True\"}]}"), .progressing, "Busy"),
    HealthCase("custom: same kind name in another group", "{apiVersion: example.com/v1, kind: Deployment, status: {observedGeneration: 0}, spec: {replicas: 1}}", .healthy),
    HealthCase("custom: suspended", custom("spec: {suspend: true}, status: {conditions: [{type: Ready, status: \"False\", reason: Failed}]}"), .suspended, "spec.suspend"),
    HealthCase("custom: a failure condition", custom("status: {conditions: [{type: FetchFailed, status: \"True\", reason: Auth, message: no key}, {type: Ready, status: \"True\"}]}"), .degraded, "Auth: no key"),
    HealthCase("custom: no failure", custom("status: {conditions: [{type: FetchFailed, status: \"False\"}, {type: Degraded, status: \"False\"}, {type: Ready, status: \"True\"}]}"), .healthy),
    HealthCase("custom: not ready for a failure", custom("status: {conditions: [{type: Ready, status: \"False\", reason: SecretSyncedError, message: no such key}]}"), .degraded, "no such key"),
    HealthCase("custom: failing and tried again", custom("status: {conditions: [{type: Reconciling, status: \"True\"}, {type: Ready, status: \"False\", reason: GitOperationFailed}]}"), .degraded, "GitOperationFailed"),
    HealthCase("custom: not ready yet", custom("status: {conditions: [{type: Ready, status: \"False\", reason: DoesNotExist, message: issuing}]}"), .progressing, "issuing"),
    HealthCase("custom: unknown for an error", custom("status: {conditions: [{type: Ready, status: Unknown, reason: PartialTriggerError}]}"), .degraded),
    HealthCase("custom: boolean condition", custom("status: {conditions: [{type: Ready, status: true}]}"), .healthy),
    HealthCase("custom: out of time", custom("status: {conditions: [{type: Available, status: \"True\"}, {type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded, message: too slow}]}"), .degraded, "too slow"),
    HealthCase("custom: scheduling may be over", custom("status: {conditions: [{type: Scheduled, status: \"False\"}, {type: Ready, status: \"True\"}]}"), .healthy),
    HealthCase("custom: reconciling is paused", custom("status: {conditions: [{type: Synced, status: \"False\", reason: ReconcilePaused}]}"), .suspended),
    HealthCase("custom: phase failed", custom("status: {phase: Failed, message: disk}"), .degraded, "Failed: disk"),
    HealthCase("custom: phase with a failure in it", custom("status: {state: ConfigError}"), .degraded, "status.state is ConfigError"),
    HealthCase("custom: no errors", custom("status: {state: NoErrors}"), .healthy),
    HealthCase("custom: phase running", custom("status: {phase: Running}"), .healthy),
    HealthCase("custom: phase going on", custom("status: {phase: ScalingUp}"), .progressing, "ScalingUp"),
    HealthCase("custom: phase as a sentence", custom("status: {currentState: Waiting for Pods to be ready}"), .progressing),
    HealthCase("custom: phase in capitals", custom("status: {phase: PROVISIONING}"), .progressing),
    HealthCase("custom: phase is a word of its own", custom("status: {phase: Bound, health: green}"), .healthy),
    HealthCase("custom: phase stopped", custom("status: {phase: Stopped}"), .suspended),
    HealthCase("custom: colours", custom("status: {phase: Ready, health: red}"), .degraded),
    HealthCase("custom: worse word counts", custom("status: {phase: Pending, state: failed}"), .degraded),
    HealthCase("custom: not healthy", custom("status: {healthy: false}"), .degraded),
    HealthCase("custom: an error as an object", custom("status: {readyToUse: false, error: {message: no such driver}}"), .degraded, "no such driver"),
    HealthCase("custom: an empty error", custom("status: {error: ''}"), .healthy),
    HealthCase("custom: not ready to use", custom("status: {readyToUse: false}"), .progressing, "readyToUse"),
    HealthCase("custom: too few replicas", custom("status: {replicas: 3, readyReplicas: 2}"), .progressing, "2 of 3"),
    HealthCase("certificate without a status", "{apiVersion: cert-manager.io/v1, kind: Certificate, spec: {}}", .progressing, "waiting for a status"),
    HealthCase("a kind beside it that has none", "{apiVersion: argoproj.io/v1alpha1, kind: AppProject, spec: {}}", .healthy),
    HealthCase("route: one parent refuses", "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, status: {parents: [{conditions: [{type: Accepted, status: \"True\"}, {type: ResolvedRefs, status: \"False\", reason: BackendNotFound, message: no Service}]}]}}", .degraded, "no Service"),
    HealthCase("route: one of two parents is not meant", "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, status: {parents: [{conditions: [{type: Accepted, status: \"False\", reason: NoMatchingParent}]}, {conditions: [{type: Accepted, status: \"True\"}]}]}}", .healthy),
    HealthCase("gateway: listener not programmed", "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, status: {listeners: [{conditions: [{type: Programmed, status: \"False\", reason: Pending}]}]}}", .progressing, "Pending"),
    HealthCase("solo: rejected", "{apiVersion: gateway.solo.io/v1, kind: VirtualService, status: {statuses: {ns: {state: 2, reason: bad host}}}}", .degraded, "bad host"),
    HealthCase("solo: accepted", "{apiVersion: gateway.solo.io/v1, kind: VirtualService, status: {statuses: {ns: {state: Accepted}}}}", .healthy),
    HealthCase("anything that is being deleted", "{apiVersion: v1, kind: ConfigMap, metadata: {deletionTimestamp: \"2026-01-01T00:00:00Z\"}}", .progressing, "Pending deletion"),
]

@Suite struct HealthTests {
    @Test(arguments: workloads + podsAndJobs + others)
    func judges(_ row: HealthCase) throws {
        let assessment = health(of: try object(row.text))
        #expect(assessment.status == row.expected)
        #expect(assessment.message.contains(row.message) || row.message.isEmpty, "\(assessment.message)")
    }

    @Test func aConditionWithoutAMessageIsToldByItsName() throws {
        let failed = try object(custom("status: {conditions: [{type: FetchFailed, status: \"True\"}]}"))
        #expect(health(of: failed).message == "FetchFailed")
        let busy = try object(custom("status: {conditions: [{type: Reconciling, status: \"True\", reason: Busy}]}"))
        #expect(health(of: busy).message == "Busy")
    }

    @Test(arguments: [
        ([], HealthStatus.healthy), ([.healthy, .healthy], .healthy), ([.healthy, .suspended], .suspended), ([.suspended, .progressing], .progressing),
        ([.progressing, .degraded], .degraded), ([.degraded, .unknown], .unknown), ([.missing, .healthy], .healthy), ([.missing, .missing], .missing),
        ([.missing, .progressing], .progressing),
    ] as [([HealthStatus], HealthStatus)])
    func takesTheWorstAndCountsMissingOnlyWhenAllAre(_ parts: [HealthStatus], _ expected: HealthStatus) {
        let named = parts.enumerated().map { (id("ConfigMap", "x\($0)"), HealthAssessment($1)) }
        #expect(aggregateHealth(named.map { (id: $0.0, health: $0.1) }).status == expected)
    }

    @Test func namesTheCauses() {
        let parts = (1...5).map { (id: id("ConfigMap", "x\($0)"), health: HealthAssessment($0 > 1 ? .degraded : .progressing, "why \($0)")) }
        #expect(aggregateHealth(parts.reversed()).message == "ConfigMap shop/x2: why 2; ConfigMap shop/x3: why 3; ConfigMap shop/x4: why 4")
    }

    @Test func anObjectCanBeLeftOutOfItsApplicationsHealth() throws {
        #expect(!countsForHealth(try object("{metadata: {annotations: {argocd.argoproj.io/ignore-healthcheck: \"true\"}}}")))
        #expect(countsForHealth(try object("{metadata: {annotations: {argocd.argoproj.io/ignore-healthcheck: \"false\"}}}")))
        #expect(countsForHealth(try object("{metadata: {name: x}}")))
    }
}
