import ResourceModel

/// A Deployment with its ReplicaSets, read once: the numbers that every decision needs.
struct DeploymentState: Sendable {
    let deployment: JSONValue
    /// The ReplicaSets it controls, oldest first.
    var replicaSets: [JSONValue]
    let now: Int64

    init(deployment: JSONValue, replicaSets: [JSONValue], now: Int64) {
        self.deployment = deployment
        self.now = now
        self.replicaSets = replicaSets.sorted { ($0.objectCreation, $0.objectName) < ($1.objectCreation, $1.objectName) }
    }

    var replicas: Int { deployment.count("spec", "replicas", fallback: 1) }
    var isPaused: Bool { deployment[path: "spec", "paused"]?.boolValue ?? false }
    var isRolling: Bool { deployment[path: "spec", "strategy", "type"]?.stringValue ?? "RollingUpdate" == "RollingUpdate" }
    var template: JSONValue { deployment[path: "spec", "template"] ?? [:] }
    var minReadySeconds: Int { deployment.count("spec", "minReadySeconds") }
    var collisionCount: Int? { deployment[path: "status", "collisionCount"]?.integerValue.map(Int.init) }
    var hash: String { TemplateHash.hash(of: template, collisionCount: collisionCount) }
    /// `nil`: none is kept (`2147483647`).
    var progressDeadline: Int? {
        let seconds = deployment.count("spec", "progressDeadlineSeconds", fallback: 600)
        return seconds == Int(Int32.max) ? nil : seconds
    }

    private var rollingUpdate: JSONValue? { deployment[path: "spec", "strategy", "rollingUpdate"] }

    /// Surge rounds up, unavailability down; they can't both be 0.
    private var bounds: (surge: Int, unavailable: Int) {
        guard isRolling else { return (0, 0) }
        let surge = (IntOrPercent(rollingUpdate?["maxSurge"]) ?? .percent(25)).resolved(of: replicas, roundingUp: true)
        let unavailable = (IntOrPercent(rollingUpdate?["maxUnavailable"]) ?? .percent(25)).resolved(of: replicas, roundingUp: false)
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable)
    }

    var maxSurge: Int { bounds.surge }
    var maxUnavailable: Int { replicas == 0 ? 0 : min(bounds.unavailable, replicas) }

    /// The ReplicaSet of the present template: the oldest, if there are several.
    var current: JSONValue? { replicaSets.first { TemplateHash.areEqual($0[path: "spec", "template"], template) } }
    var old: [JSONValue] {
        let name = current?.objectName
        return replicaSets.filter { $0.objectName != name }
    }

    static func size(_ set: JSONValue) -> Int { set.count("spec", "replicas") }
    static func available(_ set: JSONValue) -> Int { set.count("status", "availableReplicas") }
    static func revision(_ set: JSONValue) -> Int { Int(set.objectAnnotations[DeploymentAnnotation.revision]?.stringValue ?? "") ?? 0 }

    static func total(_ sets: [JSONValue]) -> Int { sets.reduce(0) { $0 + size($1) } }
    static func totalAvailable(_ sets: [JSONValue]) -> Int { sets.reduce(0) { $0 + available($1) } }
}
