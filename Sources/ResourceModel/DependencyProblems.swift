/// What is wrong with the dependencies that manifests declare: references that cannot be read, to hooks or to objects that are not
/// declared beside them, and cycles (each printed once, from its first object round to it).
package func dependencyProblems(in manifests: [Manifest]) -> [Problem] {
    guard manifests.contains(where: { $0.annotations[Dependency.annotation] != nil }) else { return [] }
    var declared: [ResourceID: Manifest] = [:]
    for manifest in manifests where manifest.hook == nil {
        declared[manifest.id] = manifest
        // Where only a cluster knows whether the kind has namespaces, either name will do.
        if let namespace = manifest.namespaceIfNamespaced { declared[manifest.id.inside(namespace)] = manifest }
    }
    var problems: [Problem] = []
    var graph: [ResourceID: [ResourceID]] = [:]
    for manifest in manifests.filter({ $0.hook == nil }).sorted(by: { $0.id < $1.id }) {
        do throws(Problem) {
            for id in try Dependency.references(in: manifest.annotations) {
                if let named = declared[id] {
                    graph[manifest.id, default: []].append(named.id)
                } else {
                    problems.append(
                        Problem(
                            code: "dependency.not-declared", message: "depends on \(id), which this application does not declare",
                            location: manifest.source, resource: manifest.id,
                            hint: "declare it in the same application, correct the annotation \(Dependency.annotation), or order applications instead"))
                }
            }
        } catch {
            problems.append(
                Problem(code: error.code, message: error.message, location: manifest.source, resource: manifest.id, hint: error.hint))
        }
    }
    for cycle in cycles(in: graph) {
        let first = declared[cycle[0]]
        problems.append(
            Problem(
                code: "dependency.cycle", message: "dependency cycle: \((cycle + [cycle[0]]).map(\.description).joined(separator: " → "))",
                location: first?.source, hint: "remove one of these annotations \(Dependency.annotation)"))
    }
    return problems
}

extension ResourceID {
    fileprivate func inside(_ namespace: String) -> ResourceID {
        ResourceID(group: group, kind: kind, namespace: namespace, name: name)
    }
}

/// The cycles that a walk in depth meets, each from its least object on.
private func cycles(in graph: [ResourceID: [ResourceID]]) -> [[ResourceID]] {
    var found: [[ResourceID]] = []
    var done: Set<ResourceID> = []
    var path: [ResourceID] = []
    func walk(_ id: ResourceID) {
        if let start = path.firstIndex(of: id) {
            let cycle = Array(path[start...])
            let least = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
            found.append(Array(cycle[least...] + cycle[..<least]))
            return
        }
        guard !done.contains(id) else { return }
        path.append(id)
        for next in graph[id] ?? [] { walk(next) }
        path.removeLast()
        done.insert(id)
    }
    for id in graph.keys.sorted() { walk(id) }
    return found
}
