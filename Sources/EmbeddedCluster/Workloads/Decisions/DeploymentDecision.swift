import ResourceModel

/// What to do about a Deployment: a pure function of what is seen. One call makes one step; the changes that it causes lead to the next.
struct DeploymentDecision {
    private var state: DeploymentState
    /// Names of ReplicaSets that have pods which are neither finished nor gone.
    private let running: Set<String>
    private var actions: [DeploymentAction] = []
    private var conditions: [JSONValue]

    private init(_ state: DeploymentState, running: Set<String>) {
        self.state = state
        self.running = running
        conditions = state.deployment[path: "status", "conditions"]?.arrayValue ?? []
    }

    /// - Parameters:
    ///   - replicaSets: those that the Deployment controls.
    ///   - running: names of the ReplicaSets with pods that still run, be it on their way out; Recreate waits for those.
    ///   - now: seconds since 1970.
    static func decide(_ deployment: JSONValue, replicaSets: [JSONValue], running: Set<String>, now: Int64) -> [DeploymentAction] {
        var decision = DeploymentDecision(DeploymentState(deployment: deployment, replicaSets: replicaSets, now: now), running: running)
        decision.run()
        return decision.actions
    }

    private mutating func run() {
        if state.deployment.objectIsBeingDeleted { return finish() }
        notePause()
        if state.isPaused || isScaled {
            adoptRevision(creating: false)
            scale()
            if state.isPaused { cleanUp() }
            return finish()
        }
        if state.isRolling { roll() } else { recreate() }
    }

    /// Whether the Deployment's size was changed since its ReplicaSets were last sized.
    private var isScaled: Bool {
        state.replicaSets.contains { set in
            guard DeploymentState.size(set) > 0, let wanted = set.objectAnnotations[DeploymentAnnotation.desiredReplicas]?.stringValue
            else { return false }
            return Int(wanted) != state.replicas
        }
    }

    // MARK: Strategies

    private mutating func roll() {
        guard adoptRevision(creating: true) else { return finish() }
        if let current = state.current {
            let size = DeploymentState.size(current)
            let wanted = sizeOfNew(current: size)
            if wanted != size {
                resize(current, to: wanted)
                return finish()
            }
            if scaleDownOld(current) { return finish() }
        }
        if isComplete { cleanUp() }
        finish()
    }

    private mutating func recreate() {
        adoptRevision(creating: false)
        let active = state.old.filter { DeploymentState.size($0) > 0 }
        if !active.isEmpty {
            for set in active { resize(set, to: 0) }
            return finish()
        }
        if state.old.contains(where: { running.contains($0.objectName) }) { return finish() }
        guard adoptRevision(creating: true) else { return finish() }
        if let current = state.current, DeploymentState.size(current) != state.replicas { resize(current, to: state.replicas) }
        if isComplete { cleanUp() }
        finish()
    }

    /// How large the new ReplicaSet may be now.
    private func sizeOfNew(current size: Int) -> Int {
        guard state.isRolling else { return state.replicas }
        if size >= state.replicas { return state.replicas }
        let room = state.replicas + state.maxSurge - DeploymentState.total(state.replicaSets)
        return room <= 0 ? size : size + min(room, state.replicas - size)
    }

    /// First the old pods that are not available, then as many of the others as availability allows.
    private mutating func scaleDownOld(_ current: JSONValue) -> Bool {
        let all = DeploymentState.total(state.replicaSets)
        if DeploymentState.total(state.old) == 0 { return false }
        let minimum = state.replicas - state.maxUnavailable
        let missing = DeploymentState.size(current) - DeploymentState.available(current)
        let spare = all - minimum - missing
        if spare <= 0 { return false }
        var removed: [String: Int] = [:]
        var count = 0
        for set in state.old where count < spare {
            let amount = min(spare - count, DeploymentState.size(set) - DeploymentState.available(set))
            guard amount > 0 else { continue }
            removed[set.objectName] = amount
            count += amount
        }
        var surplus = DeploymentState.totalAvailable(state.replicaSets) - minimum
        for set in state.old where surplus > 0 {
            let left = DeploymentState.size(set) - removed[set.objectName, default: 0]
            let amount = min(left, surplus)
            guard amount > 0 else { continue }
            removed[set.objectName, default: 0] += amount
            surplus -= amount
        }
        for set in state.old {
            guard let amount = removed[set.objectName] else { continue }
            resize(set, to: DeploymentState.size(set) - amount)
        }
        return !removed.isEmpty
    }

    // MARK: Scaling

    /// Brings the ReplicaSets to the Deployment's size: one that is alone gets all of it, several share the change by their sizes.
    private mutating func scale() {
        let active = state.replicaSets.filter { DeploymentState.size($0) > 0 }
        if active.count <= 1 {
            guard let target = active.first ?? state.current ?? state.old.last else { return }
            if DeploymentState.size(target) != state.replicas || isScaled { resize(target, to: state.replicas) }
            return
        }
        if let current = state.current, isSaturated(current) {
            for set in active where set.objectName != current.objectName { resize(set, to: 0) }
            return
        }
        guard state.isRolling else { return }
        let allowed = state.replicas > 0 ? state.replicas + state.maxSurge : 0
        let change = allowed - DeploymentState.total(active)
        let ordered = active.sorted { left, right in
            let sizes = (DeploymentState.size(left), DeploymentState.size(right))
            if sizes.0 != sizes.1 { return sizes.0 > sizes.1 }
            return change > 0 ? left.objectCreation > right.objectCreation : left.objectCreation < right.objectCreation
        }
        var done = 0
        var sizes: [Int] = []
        for set in ordered {
            let part = change == 0 ? 0 : share(of: set, change: change, done: done)
            done += part
            sizes.append(DeploymentState.size(set) + part)
        }
        if change != 0 { sizes[0] = max(0, sizes[0] + change - done) }
        for (set, size) in zip(ordered, sizes) { resize(set, to: size) }
    }

    private func share(of set: JSONValue, change: Int, done: Int) -> Int {
        let size = DeploymentState.size(set)
        if size == 0 || change == done { return 0 }
        let before = Int(set.objectAnnotations[DeploymentAnnotation.maxReplicas]?.stringValue ?? "")
            ?? state.deployment.count("status", "replicas")
        let fraction =
            state.replicas == 0 || before == 0
            ? -size : Int((Double(size * (state.replicas + state.maxSurge)) / Double(before)).rounded()) - size
        return change > 0 ? min(fraction, change - done) : max(fraction, change - done)
    }

    private func isSaturated(_ set: JSONValue) -> Bool {
        DeploymentState.size(set) == state.replicas && DeploymentState.available(set) == state.replicas
            && set.objectAnnotations[DeploymentAnnotation.desiredReplicas]?.stringValue == String(state.replicas)
    }

    private mutating func resize(_ set: JSONValue, to size: Int) {
        var changed = set
        let before = DeploymentState.size(set)
        changed[path: "spec", "replicas"] = .count(size)
        changed.setAnnotation(DeploymentAnnotation.desiredReplicas, String(state.replicas))
        changed.setAnnotation(DeploymentAnnotation.maxReplicas, String(state.replicas + state.maxSurge))
        if changed == set { return }
        let note =
            before == size
            ? nil : "Scaled \(size > before ? "up" : "down") replica set \(set.objectName) from \(before) to \(size)"
        replace(changed)
        actions.append(.updateReplicaSet(changed, note: note))
    }

    private mutating func replace(_ set: JSONValue) {
        guard let index = state.replicaSets.firstIndex(where: { $0.objectName == set.objectName }) else { return }
        state.replicaSets[index] = set
    }

    // MARK: Revisions

    /// Gives the current ReplicaSet the newest revision, or makes it.
    ///
    /// - Returns: `false` when a ReplicaSet was asked for: the rest follows when it is there.
    @discardableResult
    private mutating func adoptRevision(creating: Bool) -> Bool {
        let highest = state.old.map(DeploymentState.revision).max() ?? 0
        let revision = String(highest + 1)
        guard let current = state.current else {
            if !creating { return true }
            actions.append(.createReplicaSet(newReplicaSet(revision: revision)))
            return false
        }
        var changed = current
        copyAnnotations(to: &changed)
        let own = DeploymentState.revision(current)
        if own < highest + 1 {
            if own > 0 {
                let history = current.objectAnnotations[DeploymentAnnotation.revisionHistory]?.stringValue
                changed.setAnnotation(DeploymentAnnotation.revisionHistory, history.map { "\($0),\(own)" } ?? String(own))
            }
            changed.setAnnotation(DeploymentAnnotation.revision, revision)
        }
        if changed.count("spec", "minReadySeconds") != state.minReadySeconds {
            changed[path: "spec", "minReadySeconds"] = .count(state.minReadySeconds)
        }
        if changed != current {
            replace(changed)
            actions.append(.updateReplicaSet(changed, note: nil))
        }
        let final = changed.objectAnnotations[DeploymentAnnotation.revision]?.stringValue ?? revision
        if state.deployment.objectAnnotations[DeploymentAnnotation.revision]?.stringValue != final {
            var deployment = state.deployment
            deployment.setAnnotation(DeploymentAnnotation.revision, final)
            actions.append(.updateDeployment(deployment))
        }
        if state.progressDeadline != nil, state.deployment.condition("Progressing") == nil {
            setProgress("True", "FoundNewReplicaSet", "Found new replica set \"\(current.objectName)\"")
        }
        return true
    }

    private func copyAnnotations(to set: inout JSONValue) {
        for annotation in state.deployment.objectAnnotations where !DeploymentAnnotation.own.contains(annotation.key) {
            set[path: "metadata", "annotations", annotation.key] = annotation.value
        }
    }

    private mutating func newReplicaSet(revision: String) -> JSONValue {
        let hash = state.hash
        let name = "\(state.deployment.objectName)-\(hash)"
        var template = state.template
        template[path: "metadata", "labels", "pod-template-hash"] = .string(hash)
        var selector = state.deployment[path: "spec", "selector"] ?? [:]
        selector[path: "matchLabels", "pod-template-hash"] = .string(hash)
        let size = sizeOfNew(current: 0)
        var set: JSONValue = [
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": [
                "name": .string(name), "namespace": .string(state.deployment.objectNamespace),
                "labels": template[path: "metadata", "labels"] ?? [:],
                "ownerReferences": [state.deployment.objectControllerReference],
            ],
            "spec": ["replicas": .count(size), "selector": selector, "template": template],
        ]
        if state.minReadySeconds > 0 { set[path: "spec", "minReadySeconds"] = .count(state.minReadySeconds) }
        copyAnnotations(to: &set)
        set.setAnnotation(DeploymentAnnotation.revision, revision)
        set.setAnnotation(DeploymentAnnotation.desiredReplicas, String(state.replicas))
        set.setAnnotation(DeploymentAnnotation.maxReplicas, String(state.replicas + state.maxSurge))
        if state.progressDeadline != nil {
            setProgress("True", "NewReplicaSetCreated", "Created new replica set \"\(name)\"")
        }
        return set
    }

    /// Deletes old empty ReplicaSets beyond `revisionHistoryLimit`, lowest revision first.
    private mutating func cleanUp() {
        let limit = state.deployment.count("spec", "revisionHistoryLimit", fallback: 10)
        let alive = state.old.filter { !$0.objectIsBeingDeleted }
        let surplus = alive.count - limit
        if limit == Int(Int32.max) || surplus <= 0 { return }
        for set in alive.sorted(by: { DeploymentState.revision($0) < DeploymentState.revision($1) }).prefix(surplus) {
            if set.count("status", "replicas") != 0 || DeploymentState.size(set) != 0
                || set.objectGeneration > Int64(set.count("status", "observedGeneration"))
            {
                continue
            }
            actions.append(.deleteReplicaSet(name: set.objectName, uid: set.objectUID))
        }
    }

    // MARK: Status

    private mutating func notePause() {
        guard state.progressDeadline != nil else { return }
        let reason = state.deployment.condition("Progressing")?["reason"]?.stringValue
        if reason == "ProgressDeadlineExceeded" { return }
        if state.isPaused, reason != "DeploymentPaused" {
            setProgress("Unknown", "DeploymentPaused", "Deployment is paused")
        } else if !state.isPaused, reason == "DeploymentPaused" {
            setProgress("Unknown", "DeploymentResumed", "Deployment is resumed")
        }
    }

    private mutating func setProgress(_ status: String, _ reason: String, _ message: String, refreshing: Bool = false) {
        conditions = Conditions.setting(
            "Progressing", status, reason: reason, message: message, in: conditions, now: Timestamp.string(state.now),
            extraTime: "lastUpdateTime", refreshing: refreshing)
    }

    private var counts: DeploymentCounts { DeploymentCounts(state) }

    private var isComplete: Bool {
        let counts = counts
        return counts.updated == state.replicas && counts.replicas == state.replicas && counts.available == state.replicas
            && state.deployment.count("status", "observedGeneration") >= Int(state.deployment.objectGeneration)
    }

    /// Writes the status if it differs.
    private mutating func finish() {
        let counts = counts
        let minimum = state.replicas - state.maxUnavailable
        let isAvailable = counts.available >= minimum
        conditions = Conditions.setting(
            "Available", isAvailable ? "True" : "False",
            reason: isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            message: isAvailable ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
            in: conditions, now: Timestamp.string(state.now), extraTime: "lastUpdateTime")
        if !state.isPaused, !state.deployment.objectIsBeingDeleted { noteProgress(counts) }
        let status = counts.status(
            generation: state.deployment.objectGeneration, collisionCount: state.collisionCount, conditions: conditions)
        if status != state.deployment["status"] { actions.append(.updateStatus(status)) }
    }

    private mutating func noteProgress(_ counts: DeploymentCounts) {
        guard let deadline = state.progressDeadline else {
            conditions = Conditions.removing("Progressing", from: conditions)
            return
        }
        let present = conditions.first { $0["type"]?.stringValue == "Progressing" }
        let reason = present?["reason"]?.stringValue
        let subject = state.current.map { "ReplicaSet \"\($0.objectName)\"" } ?? "Deployment \"\(state.deployment.objectName)\""
        let isStable = counts.replicas == counts.updated && reason == "NewReplicaSetAvailable"
        if isStable { return }
        let old = DeploymentCounts(status: state.deployment["status"] ?? [:])
        if isComplete {
            setProgress("True", "NewReplicaSetAvailable", "\(subject) has successfully progressed.")
        } else if counts.isProgress(since: old) {
            setProgress("True", "ReplicaSetUpdated", "\(subject) is progressing.", refreshing: true)
        } else if reason != "ProgressDeadlineExceeded", reason != "NewReplicaSetAvailable",
            let since = present?["lastUpdateTime"]?.stringValue.flatMap(Timestamp.parse)
        {
            let end = since + Int64(deadline)
            if state.now >= end {
                setProgress("False", "ProgressDeadlineExceeded", "\(subject) has timed out progressing.")
            } else {
                actions.append(.wakeUp(at: end))
            }
        }
    }
}
