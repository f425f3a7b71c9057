import KubernetesClient
import ResourceModel

extension Applier {
    /// What a plan brings about, with what the cluster says about it. Asked only for a plan that somebody looks at: a sync sends none
    /// of these requests. What cannot be read is one of the consequences (`not-checked`); only cancellation and a server that is gone
    /// are thrown.
    package func consequences(of plan: Plan, live: LiveState) async throws -> [Consequence] {
        guard !plan.steps.isEmpty else { return [] }
        return foreseeableConsequences(of: plan, live: live, facts: try await facts(of: plan, live: live))
    }

    private func facts(of plan: Plan, live: LiveState) async throws -> ConsequenceFacts {
        let reader = PlanReader(plan: plan, live: live)
        var facts = ConsequenceFacts()
        let made = Set(plan.steps.filter { $0.change.id.groupKind.description == "Namespace" && $0.change.live == nil }.map(\.change.id.name))
        let namespaces = Set(reader.steps.compactMap(\.change.id.namespace)).subtracting(made).sorted()
        async let quotas = objects(GroupKind(group: "", kind: "ResourceQuota"), in: namespaces, for: "whether quotas suffice")
        let workloads = Set(reader.steps.filter { $0.change.id.groupKind.description == "PodDisruptionBudget.policy" || Workload($0.change.id, .null) != nil }.compactMap(\.change.id.namespace)).subtracting(made).sorted()
        async let budgets = objects(GroupKind(group: "policy", kind: "PodDisruptionBudget"), in: workloads, for: "whether pods can be disrupted")
        async let denied = self.denied(to: plan)
        async let volumes = reclaimPolicies(of: reader.removals)
        async let counts = customResources(of: reader.removals)
        let answers = try await (quotas, budgets, denied, volumes, counts)
        facts.quotas = answers.0.found
        facts.disruptionBudgets = answers.1.found
        facts.denied = answers.2.found
        facts.reclaimPolicies = answers.3.found
        facts.customResources = answers.4.found
        facts.unread = answers.0.unread + answers.1.unread + answers.2.unread + answers.3.unread + answers.4.unread
        return facts
    }

    /// What was found, and what could not be read.
    private struct Found<Value: Sendable>: Sendable {
        var found: Value
        var unread: [String] = []
    }

    private func objects(_ kind: GroupKind, in namespaces: [String], for purpose: String) async throws -> Found<[LiveObject]> {
        var result = Found<[LiveObject]>(found: [])
        guard !namespaces.isEmpty else { return result }
        do {
            let resource = try await client.resource(for: kind)
            for items in try await concurrently(namespaces, { try await client.list(resource, namespace: $0).items }) {
                result.found += try items.map { try LiveObject($0, as: resource) }
            }
        } catch let error as APIError {
            result.unread.append("\(purpose) is not known: \(error.message)")
        } catch let error as DiscoveryError where error.code == "unknown-kind" {
            return result  // a server without that kind has none of them
        }
        return result
    }

    private func reclaimPolicies(of removals: [PlanStep]) async throws -> Found<[ResourceID: String]> {
        let claims = removals.filter { $0.change.id.groupKind.description == "PersistentVolumeClaim" }
        var result = Found<[ResourceID: String]>(found: [:])
        guard !claims.isEmpty else { return result }
        do {
            let resource = try await client.resource(for: GroupKind(group: "", kind: "PersistentVolume"), preferring: "v1")
            for step in claims {
                guard let name = step.change.live?.body[path: "spec", "volumeName"]?.stringValue, !name.isEmpty else { continue }
                let volume = try await client.get(resource, namespace: nil, name: name)
                result.found[step.change.id] = volume?[path: "spec", "persistentVolumeReclaimPolicy"]?.stringValue
            }
        } catch let error as APIError {
            result.unread.append("what becomes of deleted volumes is not known: \(error.message)")
        }
        return result
    }

    private func customResources(of removals: [PlanStep]) async throws -> Found<[ResourceID: Int]> {
        var result = Found<[ResourceID: Int]>(found: [:])
        for step in removals where step.change.id.groupKind.description == "CustomResourceDefinition.apiextensions.k8s.io" {
            guard let group = step.change.live?.body[path: "spec", "group"]?.stringValue, let kind = step.change.live?.body[path: "spec", "names", "kind"]?.stringValue else { continue }
            do {
                let resource = try await client.resource(for: GroupKind(group: group, kind: kind))
                result.found[step.change.id] = try await client.list(resource, namespace: nil, options: ListOptions(metadataOnly: true)).items.count
            } catch let error as APIError {
                result.unread.append("how many objects go with \(step.change.id) is not known: \(error.message)")
            } catch let error as DiscoveryError where error.code == "unknown-kind" {
                result.found[step.change.id] = 0  // not served, so there can be none to lose
            }
        }
        return result
    }

    // MARK: Permissions

    /// What the steps need to be allowed to do, each thing once.
    package func accesses(of plan: Plan) async throws -> Set<ConsequenceFacts.Access> {
        var found: Set<ConsequenceFacts.Access> = []
        for step in plan.steps {
            let resource: APIResource
            do {
                resource = try await client.resource(for: step.change.id.groupKind)
            } catch let error as DiscoveryError where error.code == "unknown-kind" {
                continue  // its definition is in the plan
            }
            for verb in step.verbs {
                found.insert(
                    .init(verb: verb, group: resource.group, resource: resource.plural, namespace: step.change.id.namespace ?? ""))
            }
        }
        return found
    }

    private func denied(to plan: Plan) async throws -> Found<[ConsequenceFacts.Access: String]> {
        var result = Found<[ConsequenceFacts.Access: String]>(found: [:])
        do {
            let review = try await client.resource(for: GroupKind(group: "authorization.k8s.io", kind: "SelfSubjectAccessReview"), preferring: "v1")
            let accesses = try await accesses(of: plan).sorted()
            let answers = try await concurrently(accesses) { access in
                try await client.create(
                    [
                        "apiVersion": .string(review.apiVersion), "kind": "SelfSubjectAccessReview",
                        "spec": [
                            "resourceAttributes": [
                                "verb": .string(access.verb), "group": .string(access.group), "resource": .string(access.resource),
                                "namespace": .string(access.namespace),
                            ]
                        ],
                    ], as: review
                ).object["status"]
            }
            for (access, status) in zip(accesses, answers) where status?["allowed"] != true {
                result.found[access] = status?["reason"]?.stringValue ?? ""
            }
        } catch let error as APIError {
            result.unread.append("whether all of this is permitted is not known: \(error.message)")
        } catch let error as DiscoveryError where error.code == "unknown-kind" {
            result.unread.append("whether all of this is permitted is not known: \(error.message)")
        }
        return result
    }
}

extension PlanStep {
    /// The verbs of the API that carrying it out needs.
    var verbs: [String] {
        switch verb {
        // An apply that makes an object needs both: https://kubernetes.io/docs/reference/using-api/server-side-apply/
        case .apply: change.live == nil ? ["create", "patch"] : force ? ["patch", "delete", "create"] : ["patch"]
        case .create: ["create"]
        case .replace: [change.live == nil ? "create" : "update"]
        case .recreate: ["delete", "create", "patch"]
        case .delete: ["delete"]
        case .release: ["patch"]
        }
    }
}
