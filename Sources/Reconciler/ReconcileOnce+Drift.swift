import Applier
import Logging
import ResourceModel
import Store

/// What others changed of what Git declares, for the timeline of `history --drift`.
extension ReconcileOnce {
    /// Finds and records the drift among a comparison's changes; one that is recorded already is not recorded again.
    ///
    /// Drift is a field (or a whole object) of the application's inventory that Git declares as it did at the last successful sync, and
    /// that is different now. Where no such sync is on record, it is a field that another manager owns.
    /// A history that cannot be read or written keeps nobody from seeing or healing the drift: it is logged.
    func recordedDrift(in run: Reconciliation) async -> [DriftEvent] {
        let candidates = run.changes.filter { change in
            switch change.action {
            case .configure, .recreate: run.live.inventory.members.contains(change.id)
            case .create: run.live.inventory.groupKinds.contains(change.id.groupKind) && !isHook(change)
            case .prune, .release, .unchanged, .skip: false
            }
        }
        guard !candidates.isEmpty else { return [] }
        do {
            let application = run.desired.application
            let last = try await history.lastSuccess(of: application, as: run.desired)
            let applySet = ApplySet(application: application)
            let declared = Dictionary(
                last?.changed?.map { ($0.id, Intent(manifest: $0, application: application, applySet: applySet).body) } ?? [],
                uniquingKeysWith: { _, last in last })
            let time = now()
            let events = candidates.flatMap { change in
                let before = last.map { $0.changed == nil ? change.manifest?.body : declared[change.id] }
                return drift(of: change, declaredBefore: before, since: last?.attempt, application: application, at: time)
            }
            try await history.record(events)
            return events
        } catch {
            Logger(label: "reconciler").warning("\(run.desired.application): drift could not be recorded: \(error)")
            return []
        }
    }

    /// Notes that an attempt's writes made good what had drifted.
    func noteHealed(_ drift: [DriftEvent], by attempt: Int64, _ report: SyncReport) async {
        let written = Set(
            report.steps.filter { [.created, .configured, .recreated, .unchanged].contains($0.actuation) }.map(\.id))
        do {
            let healed = drift.filter { written.contains($0.object) }
            // Also when the run was cancelled meanwhile: what was written is no less written.
            try await Task { try await history.note(healed, healedBy: attempt, at: report.finishedAt) }.value
        } catch {
            Logger(label: "reconciler").warning("\(report.application): healed drift could not be noted: \(error)")
        }
    }

    /// - Parameter declaredBefore: what the last successful sync applied; `.some(nil)` when the object was not declared then, `nil` when
    ///   there is no such sync.
    private func drift(
        of change: Change, declaredBefore: JSONValue??, since attempt: Int64?, application: String, at time: Double
    ) -> [DriftEvent] {
        let occasion = attempt.map { "attempt \($0)" } ?? ""
        guard let live = change.live else {
            guard let before = declaredBefore, before != nil else { return [] }
            let whole = FieldChange(path: "", before: nil, after: nil)
            return [
                DriftEvent(
                    application: application, object: change.id, field: whole, owner: nil, ownerWroteAt: nil, seenAt: time, occasion: occasion)
            ]
        }
        return change.fields.compactMap { field in
            let owner = live.ownership.owner(of: field.path, otherThan: Applier.fieldManager)
            if let before = declaredBefore {
                // Declared anew, or otherwise than before: then the difference is Git's.
                guard let before, let place = FieldPath(field.path), let declared = change.manifest?.body,
                    place.value(in: before) == place.value(in: declared), place.value(in: before) != nil || owner != nil
                else { return nil }
                // Still ours: nobody else changed it (an older version of this program may have written it otherwise).
                if owner == nil, field.before != nil, live.ownership.isOwned(field.path, by: Applier.fieldManager) { return nil }
            } else if owner == nil {
                return nil
            }
            return DriftEvent(
                application: application, object: change.id, field: field, owner: owner?.manager, ownerWroteAt: owner?.time, seenAt: time,
                // A Secret's values are not kept, so the object's version tells one from the next.
                occasion: field.isSecret ? live.resourceVersion : owner == nil ? occasion : "")
        }
    }

    /// Hooks come and go as their policies say.
    private func isHook(_ change: Change) -> Bool {
        let annotations = change.manifest?.annotations ?? [:]
        return annotations["argocd.argoproj.io/hook"] != nil || annotations["helm.sh/hook"] != nil
    }
}
