import ArgumentParser
import Reconciler
import ResourceModel

/// `reconciler why`: who declares a field, who owns it, and whether the two agree.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say which file, line and commit sets a field, who owns it live, and since when.",
        discussion: "For example: reconciler why --app shop deployment/web .spec.replicas")

    @OptionGroup var target: TargetOptions
    @Option(name: .customLong("app"), help: "The application.")
    var application: String
    @Option(name: .shortAndLong, help: "The object's namespace, where the name alone is not enough.")
    var namespace: String?
    @Argument(help: "The object, as KIND/NAME: deployment/web, cm/settings, widgets.example.org/first.")
    var object: String
    @Argument(help: "The field, as `.spec.template.spec.containers[name=\"web\"].image`; without it the object as a whole.")
    var field: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            guard let query = ObjectQuery(object, namespace: namespace) else { throw UsageError("name the object as KIND/NAME, not `\(object)`") }
            let path = try field.map(Self.path)
            return try await Target.with(target) { target in
                target.page.observeAhead(application: application)
                let catalog = try await target.catalog()
                let application = try catalog.application(named: application)
                let explanation = try await target.page.explanation(
                    of: query, field: path, in: application, project: try target.project(of: application, in: catalog))
                let text = ExplanationOutput(explanation: explanation, rules: application.ignoreDifferences)
                if output == .table { print(text.text) } else { Printing.print(text.json, as: output) }
                return 0
            }
        }
    }

    /// The leading dot may be left out.
    private static func path(_ text: String) throws -> FieldPath {
        let complete = text.hasPrefix(".") || text.hasPrefix("[") ? text : "." + text
        guard let path = FieldPath(complete), !path.steps.isEmpty else {
            throw UsageError("`\(text)` is no field: write for example .spec.replicas, .metadata.labels.\"example.org/team\" or .spec.template.spec.containers[name=\"web\"].image (in a shell in single quotes)")
        }
        return path
    }
}

/// An explanation as text and as JSON.
struct ExplanationOutput {
    let explanation: Explanation
    let rules: [IgnoreDifferences]

    var text: String {
        var rows: [[String]] = []
        let e = explanation
        if e.path != nil { rows.append(["declared", e.declared == nil ? "not declared" : shown(e.declared, secret: e.isSecret)]) }
        if let place = e.place {
            let means = place.means.map { " (\($0))" } ?? ""
            let through = place.through.map { ", taken in at \($0)" } ?? ""
            let vague = place.precision == .field || e.path == nil ? "" : place.precision == .part ? ", the part that holds it" : ", the exact line is not known"
            rows.append(["in", "\(place.location)\(means)\(through)\(vague)"])
        }
        if let commit = e.commit {
            rows.append(["commit", "\(commit.shortCommit) \(commit.subject) (\(commit.author), \(Clocks.text(Double(commit.committedAt))) UTC)"])
        }
        if e.path != nil { rows.append(["live", e.live == nil ? "not there" : shown(e.live, secret: e.isSecret)]) }
        for owner in e.owners { rows.append(["owner", Self.text(owner)]) }
        rows.append(["state", state])
        for index in e.ignoring { rows.append(["ignored by", rule(index)]) }
        if e.path == nil {
            for field in e.differences {
                rows.append(["differs", "\(field.path): \(shown(field.before, secret: field.isSecret)) -> \(shown(field.after, secret: field.isSecret))"])
            }
        }
        if let write = e.lastWrite {
            rows.append(["written", "\(word(write.step.actuation)) by attempt \(write.attempt) (\(write.report.trigger)) at \(write.report.revision.shortCommit), \(Clocks.text(write.report.finishedAt)) UTC"])
        }
        let width = rows.map { $0[0].count }.max() ?? 0
        let title = "\(e.id)" + (e.path.map { "  \($0)" } ?? "")
        return ([title] + rows.map { "  " + $0[0] + String(repeating: " ", count: width - $0[0].count + 3) + $0[1] }).joined(separator: "\n")
    }

    private static func text(_ owner: FieldOwnership.Entry) -> String {
        let kind = owner.subresource.isEmpty ? owner.operation : "\(owner.operation), \(owner.subresource)"
        guard let time = owner.time else { return "\(owner.manager) (\(kind))" }
        let ago = age(time).map { " (\($0))" } ?? ""
        return "\(owner.manager) (\(kind)) since \(time)\(ago)"
    }

    private var stateName: String {
        switch explanation.state {
        case .inSync: "in-sync"
        case .drift: "drift"
        case .pending: "pending"
        case .ignored: "ignored"
        case .missing: "missing"
        case .undeclared: "undeclared"
        case .orphaned: "orphaned"
        }
    }

    private var state: String {
        switch explanation.state {
        case .inSync: "in sync"
        case .drift(let manager): "drift: \(manager) changed it"
        case .pending: "pending: Git declares something else than what was applied"
        case .ignored: "differs, and the difference is ignored"
        case .missing: "missing: the object is not there"
        case .undeclared: "not declared: Git says nothing about it"
        case .orphaned: "Git does not declare the object any more"
        }
    }

    private func rule(_ index: Int) -> String {
        let rule = rules[index]
        let parts = rule.jsonPointers.map { "jsonPointer \($0)" } + rule.jqPathExpressions.map { "jq \($0)" } + rule.managedFieldsManagers.map { "manager \($0)" }
        return "spec.ignoreDifferences[\(index)]: \(parts.joined(separator: ", "))"
    }

    var json: JSONValue {
        let e = explanation
        var result: JSONValue = [
            "application": .string(e.application), "revision": ReconcilerCLI.json(e.revision), "object": ReconcilerCLI.json(e.id), "state": .string(stateName),
        ]
        result["field"] = (e.path?.description).map { .string($0) }
        if e.path != nil {
            result["declared"] = e.isSecret && e.declared != nil ? .string(shown(e.declared, secret: true)) : e.declared
            result["live"] = e.isSecret && e.live != nil ? .string(shown(e.live, secret: true)) : e.live
        }
        if let place = e.place {
            var value: JSONValue = ["path": .string(place.location.path), "precision": .string(place.precision.rawValue)]
            if place.location.line > 0 { value["line"] = .integer(Int64(place.location.line)) }
            value["means"] = place.means.map { .string($0) }
            value["through"] = (place.through?.description).map { .string($0) }
            result["source"] = value
        }
        if let commit = e.commit { result["commit"] = ReconcilerCLI.json(commit) }
        result["owners"] = .array(
            e.owners.map { owner in
                var value: JSONValue = ["manager": .string(owner.manager), "operation": .string(owner.operation)]
                if !owner.subresource.isEmpty { value["subresource"] = .string(owner.subresource) }
                value["since"] = owner.time.map { .string($0) }
                return value
            })
        result["ignoredBy"] = .array(e.ignoring.map { ["rule": .integer(Int64($0)), "text": .string(rule($0))] })
        result["differences"] = .array(e.differences.map(ReconcilerCLI.json))
        if let write = e.lastWrite {
            result["lastWrite"] = [
                "attempt": .integer(write.attempt), "trigger": .string(write.report.trigger), "commit": .string(write.report.revision.commit),
                "finishedAt": .string(Clocks.timestamp(write.report.finishedAt)), "result": .string(ReconcilerCLI.word(write.step.actuation)),
            ]
        }
        return result
    }
}
