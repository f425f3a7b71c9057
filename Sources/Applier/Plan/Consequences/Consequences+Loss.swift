import ResourceModel

/// Volumes and claims that go, with what is on them.
func storageConsequences(_ reader: PlanReader, _ facts: ConsequenceFacts) -> [Consequence] {
    var found: [Consequence] = []
    for step in reader.removals {
        let id = step.change.id
        guard let live = step.change.live?.body else { continue }
        switch id.groupKind.description {
        case "PersistentVolumeClaim":
            let volume = live[path: "spec", "volumeName"]?.stringValue ?? ""
            guard !volume.isEmpty else { continue }
            switch facts.reclaimPolicies[id] {
            case "Delete"?: found.append(Consequence(code: "volume-lost", message: "\(id) is deleted, and its volume \(volume) with the data on it (reclaim policy Delete)", objects: [id]))
            case "Retain"?: found.append(Consequence(code: "volume-released", message: "\(id) is deleted; its volume \(volume) keeps the data and is bound to nothing (reclaim policy Retain)", objects: [id]))
            case let policy: found.append(Consequence(code: "volume-lost", message: "\(id) is deleted; what becomes of its volume \(volume) is not known (reclaim policy \(policy ?? "not readable"))", objects: [id]))
            }
        case "PersistentVolume":
            let policy = live[path: "spec", "persistentVolumeReclaimPolicy"]?.stringValue ?? "Retain"
            let claim = live[path: "spec", "claimRef", "name"]?.stringValue.map { ", which claim \(live[path: "spec", "claimRef", "namespace"]?.stringValue ?? "")/\($0) uses," } ?? ""
            found.append(
                Consequence(code: "volume-lost", message: "\(id)\(claim) is deleted\(policy == "Delete" ? ", and the data on it where its driver deletes it" : "; the storage behind it stays")", objects: [id]))
        case "StatefulSet.apps":
            let templates = live[path: "spec", "volumeClaimTemplates"]?.arrayValue ?? []
            guard !templates.isEmpty else { continue }
            let replicas = Int(live[path: "spec", "replicas"]?.integerValue ?? 1)
            let claims = templates.count * replicas
            if live[path: "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"] == "Delete" {
                found.append(Consequence(code: "volume-lost", message: "\(id) is deleted, and its \(claims) volume claims with it (persistentVolumeClaimRetentionPolicy)", objects: [id]))
            } else if step.isPrune {
                found.append(Consequence(code: "volumes-left", message: "the \(claims) volume claims of \(id) stay when it is deleted, and cost what they cost", objects: [id], isWarning: false))
            }
        default: continue
        }
    }
    return found
}

/// Addresses and host names that go.
func networkConsequences(_ reader: PlanReader) -> [Consequence] {
    var found: [Consequence] = []
    for step in reader.steps where step.change.id.groupKind.description == "Service" {
        guard let live = step.change.live?.body, live[path: "spec", "type"] == "LoadBalancer" else { continue }
        let id = step.change.id
        let addresses = (live[path: "status", "loadBalancer", "ingress"]?.arrayValue ?? []).compactMap { ($0["ip"] ?? $0["hostname"])?.stringValue }
        let which = addresses.isEmpty ? "" : " (\(addresses.joined(separator: ", ")))"
        let after = step.change.manifest?.body
        if step.isPrune {
            found.append(Consequence(code: "load-balancer-lost", message: "\(id) is deleted, and its load balancer with its address\(which)", objects: [id]))
        } else if step.isRecreation {
            found.append(Consequence(code: "load-balancer-lost", message: "\(id) is made anew: its load balancer\(which) goes, and the new one may have another address", objects: [id]))
        } else if let after, after[path: "spec", "type"] != "LoadBalancer" {
            let type = after[path: "spec", "type"]?.stringValue ?? "ClusterIP"
            // Without a type in Git the field may be another manager's, and stays.
            guard after[path: "spec", "type"] != nil || step.change.fields.contains(where: { $0.path == ".spec.type" }) else { continue }
            found.append(Consequence(code: "load-balancer-lost", message: "\(id) becomes a \(type) and loses its load balancer\(which)", objects: [id]))
        } else if let field = step.change.fields.first(where: { [".spec.loadBalancerIP", ".spec.loadBalancerClass"].contains($0.path) }) {
            found.append(Consequence(code: "load-balancer-changed", message: "the load balancer of \(id)\(which) changes (\(field.path)) and may get another address", objects: [id]))
        }
    }
    return found + removedHosts(reader)
}

private func removedHosts(_ reader: PlanReader) -> [Consequence] {
    let kind = GroupKind(group: "networking.k8s.io", kind: "Ingress")
    func hosts(_ body: JSONValue?) -> Set<String> {
        Set((body?[path: "spec", "rules"]?.arrayValue ?? []).compactMap { $0["host"]?.stringValue })
    }
    let served = reader.objectsAfter.filter { $0.id.groupKind == kind }.reduce(into: Set<String>()) { $0.formUnion(hosts($1.body)) }
    return reader.steps.filter { $0.change.id.groupKind == kind && $0.change.live != nil }.compactMap { step in
        let gone = hosts(step.change.live?.body).subtracting(served).sorted()
        guard !gone.isEmpty else { return nil }
        return Consequence(code: "hosts-removed", message: "\(gone.joined(separator: ", ")) \(gone.count == 1 ? "is" : "are") served no more by \(step.change.id)", objects: [step.change.id])
    }
}

/// Deletions that take other things along.
func deletionConsequences(_ reader: PlanReader, _ facts: ConsequenceFacts) -> [Consequence] {
    reader.removals.compactMap { step in
        let id = step.change.id
        switch id.groupKind.description {
        case "CustomResourceDefinition.apiextensions.k8s.io":
            let kind = step.change.live?.body[path: "spec", "names", "kind"]?.stringValue ?? "its kind"
            switch facts.customResources[id] {
            case 0?: return nil
            case let count?: return Consequence(code: "custom-resources-deleted", message: "\(id) is deleted, and all \(count) \(kind) objects of the cluster with it", objects: [id])
            case nil: return Consequence(code: "custom-resources-deleted", message: "\(id) is deleted, and every \(kind) of the cluster with it (how many there are was not counted)", objects: [id])
            }
        case "Namespace":
            let inside = reader.prunes.filter { $0.change.id.namespace == id.name }.count
            return Consequence(
                code: "namespace-deleted",
                message: "\(id) is deleted with everything in it: \(inside) object\(inside == 1 ? "" : "s") of this plan, and what controllers made there", objects: [id])
        default: return nil
        }
    }
}
