import ArgumentParser
import ResourceModel

/// `-o` of `diff`.
enum DiffFormat: String, ExpressibleByArgument, CaseIterable { case table, unified, json, yaml, markdown }

/// Prints differences in the form that was asked for.
struct DifferenceOutput {
    let format: DiffFormat
    let color: ColorChoice

    func print(_ differences: [ApplicationDifference]) {
        switch format {
        case .json: Printing.print(.array(differences.map(json)), as: .json)
        case .yaml: Printing.print(.array(differences.map(json)), as: .yaml)
        case .markdown: Swift.print(DifferenceMarkdown.text(differences))
        case .table:
            let text = DifferenceText(paint: color.paint)
            for difference in differences {
                if differences.count > 1, !difference.objects.isEmpty { Swift.print("# \(difference.application)") }
                for object in difference.objects { for line in text.lines(object) { Swift.print(line) } }
            }
        case .unified:
            let text = DifferenceText(paint: color.paint)
            for difference in differences {
                let unified = DifferenceUnified(old: difference.old, new: difference.new)
                for object in difference.objects { for line in unified.lines(object) { Swift.print(text.painted(line)) } }
            }
        }
    }
}

private func json(_ difference: ApplicationDifference) -> JSONValue {
    var object: JSONValue = ["application": .string(difference.application), "changes": .array(difference.objects.map(json))]
    object["unchanged"] = .integer(Int64(difference.unchanged))
    if difference.old != "live" { object["from"] = .string(difference.old) }
    if let revision = difference.revision { object["revision"] = json(revision) }
    return object
}

private func json(_ object: ObjectDifference) -> JSONValue {
    var result = json(object.change)
    guard !object.fields.isEmpty else { return result }
    result["fields"] = .array(
        object.fields.map { field in
            var item = json(field.change)
            item["manager"] = (field.owner?.manager).map { .string($0) }
            item["since"] = (field.owner?.time).map { .string($0) }
            item["source"] = (field.place?.description).map { .string($0) }
            return item
        })
    return result
}
