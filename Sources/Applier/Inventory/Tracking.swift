import ResourceModel

/// Argo CD's tracking annotation: which application an object belongs to, and that the object itself is meant.
///
/// `argocd.argoproj.io/tracking-id: <application>:<group>/<kind>:<namespace>/<name>`
package struct TrackingID: Sendable, Hashable, CustomStringConvertible {
    package static let annotation = "argocd.argoproj.io/tracking-id"

    package var application: String
    package var id: ResourceID

    package init(application: String, id: ResourceID) {
        self.application = application
        self.id = id
    }

    /// `nil` when the text is not a tracking id.
    package init?(parsing text: String) {
        // The application's own name has no colon; kinds and names of objects may (RBAC), so only the first two count.
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let slash = parts[1].lastIndex(of: "/"),
            let nameSlash = parts[2].firstIndex(of: "/")
        else { return nil }
        let namespace = parts[2][..<nameSlash]
        application = String(parts[0])
        id = ResourceID(
            group: String(parts[1][..<slash]), kind: String(parts[1][parts[1].index(after: slash)...]),
            namespace: namespace.isEmpty ? nil : String(namespace), name: String(parts[2][parts[2].index(after: nameSlash)...]))
    }

    package var description: String {
        "\(application):\(id.group)/\(id.kind):\(id.namespace ?? "")/\(id.name)"
    }

    /// Whether the annotation on that object speaks of the object itself. Controllers copy annotations to what they make; such a
    /// copy belongs to nobody. Cluster-scoped objects may carry the destination's namespace, as Argo CD writes them.
    package func refersTo(_ object: ResourceID) -> Bool {
        id.group == object.group && id.kind == object.kind && id.name == object.name
            && (object.namespace == nil || id.namespace == object.namespace)
    }
}

/// Which application an object says it belongs to.
package func owningApplication(of object: LiveObject) -> String? {
    guard let text = object.annotations[TrackingID.annotation]?.stringValue, let tracking = TrackingID(parsing: text),
        tracking.refersTo(object.id)
    else { return nil }
    return tracking.application
}
