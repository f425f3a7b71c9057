import ResourceModel

/// What a cluster was asked about a plan, for `foreseeableConsequences(of:live:facts:)`. Empty where nothing was asked.
package struct ConsequenceFacts: Sendable, Hashable {
    /// One thing that the plan needs to be allowed to do.
    package struct Access: Sendable, Hashable, Comparable, CustomStringConvertible {
        package var verb: String
        package var group: String
        /// The plural name, with a subresource behind a slash.
        package var resource: String
        /// Empty for cluster-scoped resources.
        package var namespace: String

        package init(verb: String, group: String, resource: String, namespace: String) {
            self.verb = verb
            self.group = group
            self.resource = resource
            self.namespace = namespace
        }

        package static func < (left: Access, right: Access) -> Bool {
            (left.namespace, left.group, left.resource, left.verb) < (right.namespace, right.group, right.resource, right.verb)
        }

        /// `patch deployments.apps in shop`
        package var description: String {
            "\(verb) \(resource)\(group.isEmpty ? "" : ".\(group)")" + (namespace.isEmpty ? "" : " in \(namespace)")
        }
    }

    /// Accesses that the server denies, with the reason where it gives one.
    package var denied: [Access: String] = [:]
    /// The reclaim policy of the volume that a claim is bound to.
    package var reclaimPolicies: [ResourceID: String] = [:]
    /// How many objects there are of the kinds whose definitions are deleted.
    package var customResources: [ResourceID: Int] = [:]
    /// ResourceQuotas of the namespaces that the plan writes to.
    package var quotas: [LiveObject] = []
    /// PodDisruptionBudgets of the namespaces in which the plan changes pods.
    package var disruptionBudgets: [LiveObject] = []
    /// What could not be read, a sentence each: what it would have told is not known.
    package var unread: [String] = []

    package init() {}
}
