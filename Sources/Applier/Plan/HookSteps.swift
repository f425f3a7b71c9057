import ResourceModel

/// A step for each phase of each hook: those of a sync, where `phases` does not say otherwise.
///
/// A hook without a name gets Argo CD's: `<generateName><first seven digits of the commit>-<phase>-<seconds since 1970>`.
package func hookSteps(
    _ manifests: [Manifest], application: String, applySet: ApplySet, revision: Revision, startedAt: Double,
    phases: (Hook) -> [SyncPhase] = { $0.phases }
) -> [PlanStep] {
    var steps: [PlanStep] = []
    var names: Set<ResourceID> = []
    for manifest in manifests {
        guard let hook = manifest.hook else { continue }
        for phase in phases(hook) {
            var manifest = manifest
            if let prefix = manifest.generatedName {
                let base = "\(prefix)\(revision.shortCommit)-\(phase.rawValue.lowercased())-\(Int64(startedAt))"
                var count = 1
                repeat {
                    manifest.id.name = count == 1 ? base : "\(base)-\(count)"
                    count += 1
                } while !names.insert(manifest.id).inserted
                manifest.body[path: "metadata", "name"] = .string(manifest.id.name)
                manifest.body[path: "metadata", "generateName"] = nil
            }
            let intent = Intent(manifest: manifest, application: application, applySet: applySet)
            steps.append(
                PlanStep(
                    verb: .apply, change: Change(id: manifest.id, action: .create, manifest: intent.sent), phase: phase,
                    wave: manifest.wave, hook: hook))
        }
    }
    return steps
}

extension Manifest {
    /// `metadata.generateName` where there is no name.
    var generatedName: String? {
        guard body[path: "metadata", "name"]?.stringValue?.isEmpty ?? true else { return nil }
        return body[path: "metadata", "generateName"]?.stringValue
    }
}
