import ResourceModel

extension TaskDocumentResolver {
    /// Makes ids of phase (else section) and place for tasks without one, and tells tasks of one number in several phases apart.
    func giveIdentifiers() {
        // The phases in which each bare number is used.
        var numbers: [String: Set<Int?>] = [:]
        for (index, draft) in drafts.enumerated() {
            if let id = draft.id, id.utf8.allSatisfy(\.isDigit) { numbers[id, default: []].insert(phases[index]) }
        }
        var places: [String: Int] = [:]
        var owners: [String: Int] = [:]
        for index in drafts.indices {
            guard let id = drafts[index].id else { continue }
            if let uses = numbers[id], uses.count > 1, let phase = phases[index] {
                drafts[index].task.id = "\(document.phases[phase].id)-\(id)"
            } else {
                drafts[index].task.id = id
            }
        }
        var taken = Set(drafts.map { $0.task.id.lowercased() })
        for index in drafts.indices where drafts[index].id == nil {
            let group = group(of: index, &owners)
            var place = places[group, default: 0]
            var id: String
            repeat {
                place += 1
                id = "\(group)-\(place)"
            } while taken.contains(id)
            places[group] = place
            taken.insert(id)
            drafts[index].task.id = id
        }
    }

    /// The name before a made id's number: of the phase, else of the section, with its parent's where two sections are named alike.
    private func group(of index: Int, _ owners: inout [String: Int]) -> String {
        if let phase = phases[index] { return document.phases[phase].id }
        guard let heading = drafts[index].heading else { return "task" }
        var slug = HeadingWording.withoutNumber(headings[heading].title).slug
        if slug.isEmpty { slug = "task" }
        if let owner = owners[slug], owner != heading, let parent = headings[heading].parent {
            slug = headings[parent].title.slug + "-" + slug
        }
        if owners[slug] == nil { owners[slug] = heading }
        return slug
    }

    /// Joins drafts of one id that mean the same task; others are an error with both places.
    func joinSameIdentifiers() {
        var first: [String: Int] = [:]
        for index in drafts.indices {
            let id = drafts[index].task.id.lowercased()
            guard let owner = first[id] else {
                first[id] = index
                continue
            }
            drafts[index].isDropped = true
            let (one, other) = (drafts[owner], drafts[index])
            if !isSame(one, other) {
                // A bullet that begins with an id speaks of the task that has it.
                if other.form == .bullet, one.form != .bullet { continue }
                fail(
                    "tasks.duplicate-id",
                    "\(other.task.id) is used for two tasks: \u{201C}\(one.task.title.shortened)\u{201D} at \(one.task.source) and \u{201C}\(other.task.title.shortened)\u{201D} at \(other.task.source)",
                    other.task.source.line, hint: "give one of them another id")
                continue
            }
            drafts[owner].task.alsoAt.append(other.task.source)
            if phases[owner] == nil { phases[owner] = phases[index] }
            merge(index, into: owner)
        }
        let kept = drafts.indices.filter { !drafts[$0].isDropped }
        phases = kept.map { phases[$0] }
        drafts = kept.map { drafts[$0] }
    }

    /// Whether two places of one id say the same: word for word, or one in fewer words, or, in different forms, mostly.
    private func isSame(_ one: TaskDraft, _ other: TaskDraft) -> Bool {
        if one.key == other.key || one.key.isEmpty || other.key.isEmpty { return true }
        if one.key.hasPrefix(other.key + " ") || other.key.hasPrefix(one.key + " ") { return true }
        let (left, right) = (one.task.title.matchKey, other.task.title.matchKey)
        if left == right || left.isEmpty || right.isEmpty { return true }
        guard one.form != other.form else { return false }
        if other.form == .bullet || one.form == .bullet { return left.hasPrefix(right) || right.hasPrefix(left) }
        let (a, b) = (Set(left.split(separator: " ")), Set(right.split(separator: " ")))
        return a.intersection(b).count * 2 >= min(a.count, b.count)
    }
}

extension String {
    /// At most 60 characters.
    var shortened: String { count > 60 ? String(prefix(59)) + "…" : self }
}
