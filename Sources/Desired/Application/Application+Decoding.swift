import ResourceModel

extension Application {
    /// The API version of the three kinds that a catalog reads.
    static let apiVersion = "argoproj.io/v1alpha1"

    /// Decodes an `Application` whole. Whatever is wrong with it is in `problems`, each with its line; the value is `nil` when any
    /// of that is an error.
    static func decode(_ document: SourceDocument) -> (application: Application?, problems: [Problem]) {
        let name = document.value[path: "metadata", "name"]?.stringValue
        let report = DecodingReport(subject: name.map { "Application \($0)" } ?? "Application without a name", document: document)
        let root = FieldReader(value: document.value, pointer: "", path: "", report: report)
        let application = root.object { decode(root: $0) } ?? nil
        let failed = report.problems.contains { $0.severity == .error }
        return (failed ? nil : application, report.problems)
    }

    private static func decode(root: MembersReader) -> Application? {
        root.ignore("apiVersion", "kind", "status")
        root.refuse(
            "operation", hint: "start a sync with `reconciler sync`; an operation in Git would be started again by every push")
        let metadata = ObjectMetadata.decode(root)
        var application = Application(
            name: metadata.name, namespace: metadata.namespace, location: root.report.location, sources: [],
            hasMultipleSources: false,
            destination: Destination())
        application.labels = metadata.labels
        application.annotations = metadata.annotations
        application.finalizers = metadata.finalizers
        guard let spec = root["spec"] else {
            root.report.add("application.missing-field", "`spec` is missing", at: "")
            return nil
        }
        _ = spec.object { application.readSpec($0) }
        return application
    }

    private mutating func readSpec(_ spec: MembersReader) {
        project = spec.string("project") ?? "default"
        readSources(spec)
        spec.refuse("sourceHydrator", hint: "point `spec.source` at the branch that holds the hydrated manifests")
        if let reader = spec["destination"] {
            destination = reader.object { Destination.decode($0) } ?? destination
        } else {
            spec.report.add(
                "application.missing-field", "`spec.destination` is missing", at: spec.field.pointer,
                hint: "add `destination: {server: \(Destination.defaultClusterServer), namespace: …}`")
        }
        syncPolicy = spec.object("syncPolicy") { SyncPolicy.decode($0) } ?? syncPolicy
        ignoreDifferences = spec.objects("ignoreDifferences") { IgnoreDifferences.decode($0) }
        info = spec.objects("info") { Info(name: $0.required("name"), value: $0.string("value") ?? "") }
        if let limit = spec.integer("revisionHistoryLimit") {
            revisionHistoryLimit = limit
            if limit < 0 {
                spec.report.add(
                    "application.invalid-value", "`spec.revisionHistoryLimit` must not be negative",
                    at: "\(spec.field.pointer)/revisionHistoryLimit")
            }
        }
    }

    private mutating func readSources(_ spec: MembersReader) {
        let single = spec["source"]
        let several = spec["sources"]
        if let several {
            hasMultipleSources = true
            let items = several.items()
            sources = items.compactMap { $0.object { ApplicationSource.decode($0, amongSeveral: true) } }
            if items.isEmpty {
                spec.report.add("application.missing-field", "`spec.sources` is empty", at: several.pointer)
            }
            checkReferences(spec.report, at: several.pointer)
            if single != nil {
                spec.report.add(
                    "application.invalid-value", "has both `spec.source` and `spec.sources`", at: several.pointer,
                    hint: "keep one of them")
            }
        } else if let single {
            sources = single.object { [ApplicationSource.decode($0, amongSeveral: false)] } ?? []
        } else {
            spec.report.add("application.missing-field", "`spec.source` is missing", at: spec.field.pointer)
        }
    }

    /// Each `ref` once, and each `$ref/…` value file with a source behind it.
    private func checkReferences(_ report: DecodingReport, at pointer: String) {
        var seen: Set<String> = []
        for (index, source) in sources.enumerated() {
            if let ref = source.ref, !seen.insert(ref).inserted {
                report.add("application.invalid-value", "two sources have `ref: \(ref)`", at: "\(pointer)/\(index)/ref")
            }
        }
        for (index, source) in sources.enumerated() {
            for (position, file) in (source.helm?.valueFiles ?? []).enumerated() {
                guard let ref = ReferencedPath(file)?.ref, !seen.contains(ref) else { continue }
                report.add(
                    "application.invalid-value", "value file `\(file)`: no source has `ref: \(ref)`",
                    at: "\(pointer)/\(index)/helm/valueFiles/\(position)")
            }
        }
    }
}

extension Application.Destination {
    fileprivate static func decode(_ members: MembersReader) -> Self {
        let destination = Self(
            server: members.string("server"), name: members.string("name"), namespace: members.string("namespace"))
        let server = destination.server ?? ""
        let name = destination.name ?? ""
        if !server.isEmpty, !name.isEmpty {
            members.report.add(
                "application.invalid-value", "`spec.destination` has both `server` and `name`", at: members.field.pointer,
                hint: "keep one of them")
        } else if server.isEmpty, name.isEmpty {
            members.report.add(
                "application.missing-field", "`spec.destination` has neither `server` nor `name`", at: members.field.pointer,
                hint: "`server: \(Self.defaultClusterServer)` is the default cluster")
        }
        if let namespace = destination.namespace, !namespace.isEmpty, !ObjectName.isLabel(namespace) {
            members.report.add(
                "application.invalid-value", "`spec.destination.namespace`: `\(namespace)` is not a namespace name",
                at: "\(members.field.pointer)/namespace", hint: ObjectName.labelRule)
        }
        return destination
    }
}

/// The parts of `metadata` that say something when they stand in Git.
struct ObjectMetadata {
    var name = ""
    var namespace: String?
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var finalizers: [String] = []

    /// Reads `metadata` of a document's root and checks the name.
    static func decode(_ root: MembersReader) -> ObjectMetadata {
        guard let reader = root["metadata"] else {
            root.report.add("application.missing-field", "`metadata.name` is missing", at: "")
            return ObjectMetadata()
        }
        let decoded = reader.object { members in
            // What an exported object carries beside these means nothing here.
            members.ignore(
                "creationTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid",
                "deletionTimestamp", "deletionGracePeriodSeconds", "generateName")
            return ObjectMetadata(
                name: members.required("name"), namespace: members.string("namespace"), labels: members.stringMap("labels"),
                annotations: members.stringMap("annotations"), finalizers: members.strings("finalizers"))
        }
        let metadata = decoded ?? ObjectMetadata()
        if !metadata.name.isEmpty, !ObjectName.isSubdomain(metadata.name) {
            root.report.add(
                "application.invalid-name", "`\(metadata.name)` is not an object name", at: "/metadata/name",
                hint: ObjectName.subdomainRule)
        }
        return metadata
    }
}

/// Kubernetes' rules for names.
/// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
enum ObjectName {
    static let subdomainRule = "lower-case letters, digits, `-` and `.`, at most 253, starting and ending with a letter or digit"
    static let labelRule = "lower-case letters, digits and `-`, at most 63, starting and ending with a letter or digit"

    /// RFC 1123 subdomain.
    static func isSubdomain(_ name: String) -> Bool {
        name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isPart($0.utf8) }
    }

    /// RFC 1123 label.
    static func isLabel(_ name: String) -> Bool { name.utf8.count <= 63 && isPart(name[...].utf8) }

    private static func isPart(_ part: Substring.UTF8View) -> Bool {
        guard let first = part.first, let last = part.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
        return part.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
