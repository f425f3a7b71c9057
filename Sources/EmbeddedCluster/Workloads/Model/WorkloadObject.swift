import ResourceModel

/// What workload controllers read of every object. The names begin with `object` so that they stay apart from other extensions.
extension JSONValue {
    var objectName: String { self[path: "metadata", "name"]?.stringValue ?? "" }
    var objectNamespace: String { self[path: "metadata", "namespace"]?.stringValue ?? "" }
    var objectUID: String { self[path: "metadata", "uid"]?.stringValue ?? "" }
    var objectGeneration: Int64 { self[path: "metadata", "generation"]?.integerValue ?? 0 }
    var objectLabels: JSONObject { self[path: "metadata", "labels"]?.objectValue ?? [:] }
    var objectAnnotations: JSONObject { self[path: "metadata", "annotations"]?.objectValue ?? [:] }
    var objectIsBeingDeleted: Bool { self[path: "metadata", "deletionTimestamp"]?.stringValue != nil }
    /// Seconds since 1970; 0 when there is none.
    var objectCreation: Int64 { self[path: "metadata", "creationTimestamp"]?.stringValue.flatMap(Timestamp.parse) ?? 0 }

    /// The owner reference with `controller: true`.
    var objectController: JSONValue? {
        self[path: "metadata", "ownerReferences"]?.arrayValue?.first { $0["controller"]?.boolValue == true }
    }

    func isControlled(by owner: JSONValue) -> Bool { objectController?["uid"]?.stringValue == owner.objectUID }

    /// An integer on a path, `fallback` when it is missing.
    func count(_ keys: String..., fallback: Int = 0) -> Int { self[path: keys]?.integerValue.map(Int.init) ?? fallback }

    /// The owner reference that makes `self` the controller of another object.
    var objectControllerReference: JSONValue {
        [
            "apiVersion": self["apiVersion"] ?? "", "kind": self["kind"] ?? "", "name": .string(objectName), "uid": .string(objectUID),
            "controller": true, "blockOwnerDeletion": true,
        ]
    }

    /// The condition of that type in `status.conditions`.
    func condition(_ type: String) -> JSONValue? {
        self[path: "status", "conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
    }

    func hasCondition(_ type: String, _ status: String = "True") -> Bool { condition(type)?["status"]?.stringValue == status }

    mutating func setAnnotation(_ key: String, _ value: String) {
        self[path: "metadata", "annotations", key] = .string(value)
    }

    /// `1` for `count` = 1 and so on: an integer as a JSON value.
    static func count(_ value: Int) -> JSONValue { .integer(Int64(value)) }
}

/// Pods as their controllers see them.
extension JSONValue {
    var podPhase: String { self[path: "status", "phase"]?.stringValue ?? "Pending" }
    var podIsFinished: Bool { podPhase == "Succeeded" || podPhase == "Failed" }
    /// Neither finished nor being deleted.
    var podIsActive: Bool { !podIsFinished && !objectIsBeingDeleted }
    var podIsReady: Bool { hasCondition("Ready") }

    /// Ready for at least `minReadySeconds`.
    func podIsAvailable(minReadySeconds: Int, now: Int64) -> Bool { podAvailableAt(minReadySeconds: minReadySeconds).map { $0 <= now } ?? false }

    /// When the pod becomes available if it stays ready; `nil` while it is not ready.
    func podAvailableAt(minReadySeconds: Int) -> Int64? {
        guard podIsReady else { return nil }
        if minReadySeconds == 0 { return 0 }
        guard let since = condition("Ready")?["lastTransitionTime"]?.stringValue.flatMap(Timestamp.parse) else { return nil }
        return since + Int64(minReadySeconds)
    }

    var podRestarts: Int { (self[path: "status", "containerStatuses"]?.arrayValue ?? []).reduce(0) { $0 + $1.count("restartCount") } }
}
