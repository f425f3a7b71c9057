import ResourceModel

/// Which of the names that a CustomResourceDefinition asks for it gets: those that no other definition of its group has.
/// The rules of apiextensions-apiserver's naming controller (pkg/controller/status/naming_controller.go).
struct AcceptedNames {
    /// `status.acceptedNames`.
    private(set) var value: JSONValue
    /// Why not all were accepted; of several the last of plural, singular, short names, kind, list kind.
    private(set) var conflict: (reason: String, message: String)?

    /// - Parameter others: all other definitions.
    init(of definition: JSONValue, among others: [JSONValue]) {
        let wanted = Self.requested(definition)
        let group = definition[path: "spec", "group"]?.stringValue
        var resources: Set<String> = []
        var kinds: Set<String> = []
        for other in others where other[path: "spec", "group"]?.stringValue == group {
            let names = other[path: "status", "acceptedNames"]
            resources.formUnion(["plural", "singular"].compactMap { names?[$0]?.stringValue } + (names?["shortNames"]?.arrayValue ?? []).compactMap(\.stringValue))
            kinds.formUnion(["kind", "listKind"].compactMap { names?[$0]?.stringValue })
        }
        resources.remove("")
        kinds.remove("")
        let accepted = definition[path: "status", "acceptedNames"] ?? [:]
        value = ["plural": accepted["plural"] ?? "", "kind": accepted["kind"] ?? ""]
        for (field, taken, reason) in [
            ("plural", resources, "PluralConflict"), ("singular", resources, "SingularConflict"), ("shortNames", resources, "ShortNamesConflict"),
            ("kind", kinds, "KindConflict"), ("listKind", kinds, "ListKindConflict"),
        ] {
            guard let asked = wanted[field] else { continue }
            let clashes = (asked.arrayValue ?? [asked]).compactMap(\.stringValue).filter(taken.contains)
            if clashes.isEmpty {
                value[field] = asked
            } else {
                if let kept = accepted[field] { value[field] = kept }
                conflict = (reason, clashes.map { "\"\($0)\" is already in use" }.joined(separator: ", "))
            }
        }
        value["categories"] = wanted["categories"]
    }

    /// The names asked for, with the defaults of those that are not.
    static func requested(_ definition: JSONValue) -> JSONValue {
        var names = definition[path: "spec", "names"] ?? [:]
        let kind = names["kind"]?.stringValue ?? ""
        if names["listKind"] == nil { names["listKind"] = .string(kind + "List") }
        if names["singular"] == nil { names["singular"] = .string(kind.lowercased()) }
        return names
    }
}
