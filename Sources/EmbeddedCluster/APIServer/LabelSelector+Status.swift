import ResourceModel

extension LabelSelector {
    /// The selector of a request's query.
    /// - Throws: `APIStatus` 400 for text that is no selector, or names what no label can be.
    init(ofQuery text: String) throws(APIStatus) {
        do throws(Failure) { self = try LabelSelector(parsing: text) } catch { throw .badRequest(error.description) }
        for requirement in requirements {
            let problems = requirement.problems
            guard !problems.isEmpty else { continue }
            throw .badRequest("unable to parse requirement: \(problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]")")
        }
    }
}

extension LabelSelector.Requirement {
    /// In the words of a Kubernetes API server (apimachinery, `labels.NewRequirement`).
    fileprivate var problems: [String] {
        var found: [String] = []
        func note(_ place: String, _ value: String, _ problems: [String]) {
            if !problems.isEmpty { found.append("\(place): Invalid value: \(JSONValue.string(value).jsonString): \(problems.joined(separator: "; "))") }
        }
        note("key", key, Names.qualifiedName(key))
        for (index, value) in values.enumerated() where isOrder && Int64(value) == nil {
            note("values[\(index)]", value, ["for 'Gt', 'Lt' operators, the value must be an integer"])
        }
        for (index, value) in values.enumerated() { note("values[\(index)][\(key)]", value, Names.labelValue(value)) }
        return found
    }
}
