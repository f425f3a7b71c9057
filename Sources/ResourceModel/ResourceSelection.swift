/// Which of an application's objects a sync writes. The others keep their differences.
///
/// An object is chosen when a resource pattern names it (or none is given), the label selector matches it, and its wave is among the
/// given ones. As in Argo CD, hooks never run for chosen objects.
package struct ResourceSelection: Sendable, Hashable {
    package var resources: [ResourcePattern]
    package var labels: LabelSelector
    /// Empty: every wave.
    package var waves: Set<Int>

    package init(resources: [ResourcePattern] = [], labels: LabelSelector = LabelSelector(), waves: Set<Int> = []) {
        self.resources = resources
        self.labels = labels
        self.waves = waves
    }

    /// Whether nothing was chosen, which means everything.
    package var isWhole: Bool { resources.isEmpty && labels.isEmpty && waves.isEmpty }

    package func selects(_ change: Change) -> Bool {
        if isWhole { return true }
        let annotations = change.manifest?.annotations ?? change.live?.annotations ?? [:]
        if !waves.isEmpty, !waves.contains(syncWave(of: annotations)) { return false }
        if !labels.isEmpty, !labels.matches(.object(change.manifest?.labels ?? change.live?.labels ?? [:])) { return false }
        if resources.contains(where: { $0.isExclusion && $0.matches(change.id) }) { return false }
        let wanted = resources.filter { !$0.isExclusion }
        return wanted.isEmpty || wanted.contains { $0.matches(change.id) }
    }

    /// How the history names it: `apps:Deployment:web, label app=web, wave 1`.
    package var description: String {
        var parts = resources.map(\.text)
        if !labels.isEmpty { parts.append("label \(labels.text)") }
        parts += waves.sorted().map { "wave \($0)" }
        return parts.joined(separator: ", ")
    }
}

/// Names objects on a command line: `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME` as `argocd app sync --resource` takes it (with `*`,
/// and `!` before it for all others), or `KIND/NAME` and `KIND.GROUP/NAME` as `kubectl` does.
package struct ResourcePattern: Sendable, Hashable {
    package let text: String
    package let isExclusion: Bool
    private let group: Glob?
    private let kind: Glob
    /// `kubectl`'s form takes kinds in any case, and their plural.
    private let isLoose: Bool
    private let namespace: Glob?
    private let name: Glob

    /// - Throws: a `Problem` for a text in none of these forms.
    package init(_ text: String) throws(Problem) {
        self.text = text
        isExclusion = text.hasPrefix("!")
        let body = isExclusion ? text.dropFirst() : text[...]
        do {
            let parts = body.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 3 {
                isLoose = false
                group = try Glob(parts[0])
                kind = try Glob(parts[1])
                (namespace, name) = try Self.place(parts[2])
            } else if parts.count == 1, let slash = body.firstIndex(of: "/") {
                isLoose = true
                let type = body[..<slash]
                let dot = type.firstIndex(of: ".")
                group = try dot.map { try Glob(String(type[type.index(after: $0)...])) }
                kind = try Glob(type[..<(dot ?? type.endIndex)].lowercased())
                (namespace, name) = try Self.place(String(body[body.index(after: slash)...]))
            } else {
                throw Glob.Failure(message: "no resource is named so")
            }
        } catch {
            throw Problem(
                code: "resource.unreadable", message: "`\(text)`: \((error as? Glob.Failure)?.message ?? "\(error)")",
                hint: "write `GROUP:KIND:NAME` (`:ConfigMap:settings`, `apps:Deployment:shop/web`), or `deployment/web`")
        }
    }

    /// Names one object.
    package init(exactly id: ResourceID) throws(Problem) {
        try self.init("\(id.group):\(id.kind):\(id.namespace.map { $0 + "/" } ?? "")\(id.name)")
    }

    private static func place(_ text: String) throws(Glob.Failure) -> (namespace: Glob?, name: Glob) {
        guard let slash = text.firstIndex(of: "/") else { return (nil, try Glob(text)) }
        return (try Glob(String(text[..<slash])), try Glob(String(text[text.index(after: slash)...])))
    }

    package func matches(_ id: ResourceID) -> Bool {
        if let group, !group.matches(id.group) { return false }
        if let namespace, !namespace.matches(id.namespace ?? "") { return false }
        guard name.matches(id.name) else { return false }
        guard isLoose else { return kind.matches(id.kind) }
        let singular = id.kind.lowercased()
        return kind.matches(singular) || Self.plurals(of: singular).contains(where: kind.matches)
    }

    /// The regular plurals of English.
    private static func plurals(of word: String) -> [String] {
        word.hasSuffix("y") ? [word + "s", word.dropLast() + "ies"] : word.hasSuffix("s") ? [word, word + "es"] : [word + "s"]
    }
}
