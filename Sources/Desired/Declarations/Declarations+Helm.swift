import ResourceModel

/// A Helm chart's templates are texts: the line that writes the field is found by its key and indentation, and where it takes in
/// one value, that value's own place is told.
extension Declarations {
    func helmPlace(of path: FieldPath, in manifest: Manifest) async throws -> DeclaredPlace? {
        let file = manifest.source.path
        guard RepositoryPath.name(of: file) != "Chart.yaml", let bytes = try await contents(of: file) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let index = Self.line(of: path.names, in: lines) else { return nil }
        let template = SourceLocation(path: file, line: index + 1)
        if let value = Self.value(in: lines[index]), let place = try await valuePlace(value, templateFile: file) {
            return DeclaredPlace(location: place, precision: .field, means: "values", through: template)
        }
        return DeclaredPlace(location: template, precision: .field, means: "template")
    }

    /// The one line that writes the field; `nil` when none or several may.
    static func line(of names: [String], in lines: [String]) -> Int? {
        guard let leaf = names.last else { return nil }
        var open: [(indentation: Int, name: String)] = []
        var scored: [(score: Int, line: Int)] = []
        for (index, line) in lines.enumerated() {
            let text = line.drop { $0 == " " || $0 == "-" }
            guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("{{"), !text.hasPrefix("#") else { continue }
            let name = String(text[..<colon]).filter { $0 != "\"" && $0 != "'" }
            guard !name.contains("{"), !name.contains(" ") else { continue }
            let indentation = line.count - text.count
            open.removeAll { $0.indentation >= indentation }
            open.append((indentation, name))
            guard name == leaf else { continue }
            // How much of the way to the field the lines above say too.
            let score = zip(open.map(\.name).reversed(), names.reversed()).prefix { $0 == $1 }.count
            scored.append((score, index))
        }
        guard let best = scored.map(\.score).max() else { return nil }
        let candidates = scored.filter { $0.score == best }
        return candidates.count == 1 ? candidates[0].line : nil
    }

    /// The path of the one value that a line takes in: `.Values.image.tag` gives `image`, `tag`.
    static func value(in line: String) -> [String]? {
        let parts = line.components(between: ".Values.")
        guard parts.count == 1 else { return nil }
        let path = parts[0].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        return path.split(separator: ".").map(String.init)
    }

    /// Where a value is set, in Helm's order: parameters, values in the application, value files from the last to the first, the chart's.
    private func valuePlace(_ value: [String], templateFile: String) async throws -> SourceLocation? {
        guard let templates = templateFile.range(of: "/templates/") else { return nil }
        let chart = String(templateFile[..<templates.lowerBound])
        let source = application.sources.first { ($0.path ?? "") == chart }
        if let source, let options = source.helm {
            let name = value.joined(separator: ".")
            let inline = options.valuesObject?[path: value] != nil
            if inline || options.parameters.contains(where: { $0.name == name }) { return source.location }
            // Values that are a text in the application are read like a file, for what they hold and not for their lines.
            if let text = options.values, try await Self.holds(value, text) { return source.location }
            for file in options.valueFiles.reversed() {
                guard let path = RepositoryPath.resolved(file, from: chart), let place = try await place(of: value, in: path) else { continue }
                return place
            }
        }
        return try await place(of: value, in: RepositoryPath.joined(chart, "values.yaml"))
    }

    private static func holds(_ value: [String], _ text: String) async throws -> Bool {
        // Text that is no YAML was refused when it was rendered.
        ((try? DocumentReader.documents(in: Array(text.utf8), path: "values.yaml")) ?? []).contains { $0.value[path: value] != nil }
    }

    private func place(of value: [String], in file: String) async throws -> SourceLocation? {
        for document in try await objects(in: file) where document.value[path: value] != nil {
            return document.location(of: JSONPointer(tokens: value).description)
        }
        return nil
    }
}

extension String {
    /// What follows each occurrence of a text.
    fileprivate func components(between text: String) -> [Substring] {
        var found: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            rest = rest[range.upperBound...]
            found.append(rest)
        }
        return found
    }

    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
