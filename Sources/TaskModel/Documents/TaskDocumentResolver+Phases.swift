import ResourceModel

extension TaskDocumentResolver {
    /// Finds each task's phase: the nearest heading worded as one; without any such, the headings of the level that parts the tasks.
    func findPhases() {
        phases = Array(repeating: nil, count: drafts.count)
        if !drafts.contains(where: { $0.heading.map { phaseHeading($0) } ?? nil != nil }) { markSections() }
        var ids: [String: Int] = [:]
        for index in drafts.indices {
            if let name = drafts[index].phaseName {
                phases[index] = phase(named: name, line: drafts[index].task.source.line, &ids)
            } else if let heading = drafts[index].heading, let at = phaseHeading(heading) {
                phases[index] = phase(at, &ids)
            }
        }
        sortPhases()
    }

    /// The nearest heading that is a phase, itself included.
    func phaseHeading(_ heading: Int) -> Int? {
        var index: Int? = heading
        while let at = index {
            if headings[at].isPhase { return at }
            index = headings[at].parent
        }
        return nil
    }

    /// Headings of the first level at which the tasks stand under two or more become phases.
    private func markSections() {
        for level in 1...6 {
            var found = Set<Int>()
            for draft in drafts {
                var index = draft.heading
                while let at = index {
                    if headings[at].level == level, headings[at].label == nil { found.insert(at) }
                    index = headings[at].parent
                }
            }
            guard found.count > 1 else { continue }
            for heading in found {
                headings[heading].isPhase = true
                let wording = HeadingWording(headings[heading].title)
                headings[heading].title = wording.title
            }
            return
        }
    }

    private func phase(_ heading: Int, _ ids: inout [String: Int]) -> Int {
        if let known = phaseOfHeading[heading] { return known }
        let from = headings[heading]
        var id = Self.phaseID(from.title)
        if let same = ids[id] {
            // The same heading again goes on with its phase.
            if document.phases[same].title.matchKey == from.title.matchKey {
                phaseOfHeading[heading] = same
                fill(same, from)
                return same
            }
            id = from.title.slug
            var number = 2
            while ids[id] != nil {
                id = "\(from.title.slug)-\(number)"
                number += 1
            }
        }
        var phase = TaskPhase(id: id, title: from.title, source: location(from.line))
        phase.priority = from.priority
        phase.story = from.story
        phase.estimate = from.estimate
        document.phases.append(phase)
        let index = document.phases.count - 1
        ids[id] = index
        phaseOfHeading[heading] = index
        fill(index, from)
        return index
    }

    private func fill(_ index: Int, _ heading: HeadingDraft) {
        document.phases[index].purpose = document.phases[index].purpose ?? heading.purpose
        document.phases[index].goal = document.phases[index].goal ?? heading.goal
        document.phases[index].independentTest = document.phases[index].independentTest ?? heading.independentTest
        document.phases[index].checkpoint = document.phases[index].checkpoint ?? heading.checkpoint
        document.phases[index].priority = document.phases[index].priority ?? heading.priority
        document.phases[index].estimate = document.phases[index].estimate ?? heading.estimate
    }

    private func phase(named name: String, line: Int, _ ids: inout [String: Int]) -> Int {
        let plain = HeadingWording(name.utf8.allSatisfy(\.isDigit) ? "Phase \(name)" : name).title
        let id = Self.phaseID(plain)
        if let same = ids[id] { return same }
        for (heading, draft) in headings.enumerated() where draft.isPhase && (Self.phaseID(draft.title) == id || draft.title.matchKey == plain.matchKey) { return phase(heading, &ids) }
        document.phases.append(TaskPhase(id: id, title: plain, source: location(line)))
        ids[id] = document.phases.count - 1
        return document.phases.count - 1
    }

    /// `phase-3` of `Phase 3: Setup`, `setup` of `Setup`, `implementation` of `1. Implementation`.
    private static func phaseID(_ title: String) -> String {
        let plain = HeadingWording.withoutNumber(title)
        let words = plain.words
        if words.count >= 2, HeadingWording(plain).isPhase, words[1].utf8.first?.isDigit == true || words[1].utf8.count <= 2 {
            // `Phase 2.1` and `Week 1-2` are not `Phase 2` and `Week 1`.
            let tail = plain.utf8.dropFirst(words[0].utf8.count).drop { $0 == 0x20 || $0 == 0x23 }
            let number = tail.prefix { $0.isWordByte || $0 == 0x2E || $0 == 0x2D }
            let slug = (String(Substring(number))).slug
            return "\(words[0])-\(slug.isEmpty ? words[1] : slug)"
        }
        let slug = plain.slug
        return slug.isEmpty ? "phase" : slug
    }

    /// Phases in the order of their headings.
    private func sortPhases() {
        let order = document.phases.indices.sorted { document.phases[$0].source.line < document.phases[$1].source.line }
        var places = Array(repeating: 0, count: order.count)
        for (place, old) in order.enumerated() { places[old] = place }
        document.phases = order.map { document.phases[$0] }
        phases = phases.map { $0.map { places[$0] } }
        phaseOfHeading = phaseOfHeading.mapValues { places[$0] }
    }
}
