import ResourceModel

/// One list of several documents: phases and tasks in the order of the documents, each document as it would be alone.
///
/// A task that two documents declare alike, by id and title, is held once. Where documents use one id for different tasks, all ids of
/// the later one are written with its name (`006-cloud-deployment.T001`), its dependencies with them, and a warning says so.
/// - Throws: `Problems` when there is no document.
package func merged(_ documents: [TaskDocument]) throws -> TaskDocument {
    guard var merged = documents.first else {
        throw Problems([Problem(code: "tasks.none", message: "no task document was named", hint: "name at least one Markdown file")])
    }
    guard documents.count > 1 else { return merged }
    let names = documentNames(documents)
    for (place, document) in documents.enumerated().dropFirst() {
        merged.add(document, named: names[place])
    }
    merged.title = documents.map(\.title).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }.joined(separator: " + ")
    return merged
}

/// A short name for each: the file's without its extension, with as many folders as it takes to tell them apart.
private func documentNames(_ documents: [TaskDocument]) -> [String] {
    let paths = documents.map { document in
        var parts = (document.paths.first ?? document.title).split(separator: "/").map(String.init)
        if let last = parts.last, let dot = last.lastIndex(of: "."), dot > last.startIndex { parts[parts.count - 1] = String(last[..<dot]) }
        return parts
    }
    var names = paths.map { nameable($0.last ?? "document") }
    for depth in 1..<8 where Set(names).count < names.count {
        // `specs/006-cloud/tasks.md` beside `specs/001-setup/tasks.md`: the folder says more than the file.
        names = paths.map { path in nameable(path.count > depth ? path[path.count - 1 - depth] : path.joined(separator: "-")) }
    }
    var seen: [String: Int] = [:]
    return names.map { name in
        seen[name, default: 0] += 1
        return seen[name] == 1 ? name : "\(name)-\(seen[name] ?? 0)"
    }
}

/// With `-` for all that no label of an object may hold.
private func nameable(_ name: String) -> String {
    let scalars = name.unicodeScalars.map { $0.isLetter || $0.isDigit || $0 == "-" || $0 == "_" ? Character($0) : "-" }
    let plain = String(scalars).trimming(["-", "_"])
    return plain.isEmpty ? "document" : plain
}

extension TaskDocument {
    fileprivate mutating func add(_ other: TaskDocument, named name: String) {
        var other = other
        var places: [String: Int] = [:]
        for (index, task) in tasks.enumerated() { places[task.id.lowercased()] = index }
        let clashes = other.tasks.filter { task in
            places[task.id.lowercased()].map { tasks[$0].title.matchKey != task.title.matchKey } ?? false
        }
        if let first = clashes.first, let place = places[first.id.lowercased()] {
            other.qualify(name)
            let more = clashes.count > 1 ? " and \(clashes.count - 1) more ids are" : " is"
            warnings.append(
                Problem(
                    code: "tasks.qualified", severity: .warning,
                    message: "\(first.id)\(more) used in \(tasks[place].source.path) too; the ids of this document are written \(name).\(first.id)",
                    location: first.source, hint: "tasks done under an id without the name stay with \(tasks[place].source.path)"))
            places = [:]
            for (index, task) in tasks.enumerated() { places[task.id.lowercased()] = index }
        }
        other.qualifyPhases(name, taken: Set(phases.map(\.id)))
        // What was first in its own document waits for nothing here either.
        if !other.phases.isEmpty, other.phases[0].dependencies == nil { other.phases[0].dependencies = [] }
        for task in other.tasks {
            if let place = places[task.id.lowercased()] {
                tasks[place].join(task)
            } else {
                tasks.append(task)
            }
        }
        let used = Set(tasks.compactMap(\.phase))
        let kept = other.phases.filter { used.contains($0.id) }
        phases += kept
        let known = Set(phases.map(\.id))
        for index in phases.indices { phases[index].dependencies?.removeAll { !known.contains($0) } }
        for path in other.paths where !paths.contains(path) { paths.append(path) }
        counts += other.counts
        warnings += other.warnings
    }

    /// Writes every id of the document with its name.
    private mutating func qualify(_ name: String) {
        for index in tasks.indices {
            tasks[index].id = "\(name).\(tasks[index].id)"
            tasks[index].dependencies = tasks[index].dependencies.map { "\(name).\($0)" }
        }
    }

    /// Writes the ids of phases that another document has too with the document's name.
    private mutating func qualifyPhases(_ name: String, taken: Set<String>) {
        guard phases.contains(where: { taken.contains($0.id) }) else { return }
        for index in phases.indices {
            phases[index].id = "\(name).\(phases[index].id)"
            phases[index].dependencies = phases[index].dependencies.map { $0.map { "\(name).\($0)" } }
        }
        for index in tasks.indices { tasks[index].phase = tasks[index].phase.map { "\(name).\($0)" } }
        for index in counts.indices where counts[index].subject.contains("-") && !counts[index].subject.contains(" ") {
            counts[index].subject = "\(name).\(counts[index].subject)"
        }
    }
}

extension DeclaredTask {
    /// Adds what another document says of the same task.
    fileprivate mutating func join(_ other: DeclaredTask) {
        alsoAt += [other.source] + other.alsoAt
        isDone = isDone || other.isDone
        priority = priority ?? other.priority
        story = story ?? other.story
        estimate = estimate ?? other.estimate
        if details.isEmpty { details = other.details }
        dependencies += other.dependencies.filter { !dependencies.contains($0) }
        commands += other.commands.filter { !commands.contains($0) }
        deliverables += other.deliverables.filter { !deliverables.contains($0) }
        acceptance += other.acceptance.filter { !acceptance.contains($0) }
        risks += other.risks.filter { !risks.contains($0) }
    }
}
