import ArgumentParser
import Reconciler
import ResourceModel

/// `reconciler plan`: the exact ordered steps that a sync would take. Exit 2 when there are any, 3 when a guard refuses.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plan", abstract: "Show the ordered steps of a sync; exit 2 if there are any.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var scope: ScopeOptions
    @Flag(inversion: .prefixedNo, help: "As for `sync`.")
    var prune: Bool?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try selection.check()
            return try await Target.with(target, local: scope.source.local) { target in
                if let first = selection.applications.first { target.page.observeAhead(application: first) }
                let catalog = try await target.catalog()
                var code: Int32 = 0
                var plans: [JSONValue] = []
                for application in try selection.applications(in: catalog) {
                    var request = SyncRequest(extent: .plan, prune: prune)
                    try await scope.narrow(&request, application, target)
                    let result = try await target.page.run(
                        application, project: try target.project(of: application, in: catalog), request: request)
                    guard let plan = result.plan else { continue }
                    if output == .table { print(Self.text(plan)) }
                    plans.append(Self.json(plan))
                    code = max(code, plan.refusals.isEmpty ? (plan.steps.isEmpty ? 0 : 2) : 3)
                }
                if output != .table { Printing.print(.array(plans), as: output) }
                return code
            }
        }
    }

    static func text(_ plan: Plan) -> String {
        var rows: [[String]] = []
        for (index, step) in plan.steps.enumerated() {
            rows.append(["\(index + 1)", step.phase.rawValue, "\(step.wave)", word(step.change.action), "\(step.change.id)"])
        }
        var lines = ["\(plan.application) at \(plan.revision.shortCommit), plan \(plan.id): \(plan.steps.count) \(plan.steps.count == 1 ? "step" : "steps"), \(plan.unchanged.count) unchanged"]
        if !rows.isEmpty { lines.append(table(["STEP", "PHASE", "WAVE", "ACTION", "OBJECT"], rows)) }
        for change in plan.skipped {
            if case .skip(let reason) = change.action { lines.append("skipped \(change.id): \(sentence(reason))") }
        }
        lines += plan.refusals.map { "refused: \($0)" }
        return lines.joined(separator: "\n")
    }

    static func json(_ plan: Plan) -> JSONValue {
        [
            "id": .string(plan.id), "desired": .string(plan.desired), "application": .string(plan.application), "revision": ReconcilerCLI.json(plan.revision),
            "steps": .array(
                plan.steps.map { step in
                    [
                        "phase": .string(step.phase.rawValue), "wave": .integer(Int64(step.wave)), "verb": .string(step.verb.rawValue),
                        "change": ReconcilerCLI.json(step.change),
                    ]
                }),
            "preconditions": .array(
                plan.preconditions.sorted { $0.key < $1.key }.map { id, precondition in
                    ["object": ReconcilerCLI.json(id), "uid": .string(precondition.uid), "resourceVersion": .string(precondition.resourceVersion)]
                }),
            "unchanged": .integer(Int64(plan.unchanged.count)), "skipped": .array(plan.skipped.map(ReconcilerCLI.json)),
            "refusals": .array(plan.refusals.map { .string($0.description) }),
        ]
    }
}

extension PlanBinding {
    /// The plan of an application out of what `reconciler plan -o json` printed.
    /// - Throws: a `Problem` when the file holds none.
    static func read(_ path: String, application: String) throws -> PlanBinding {
        let value = try JSONValue(parsing: try Files.read(path == "-" ? "/dev/stdin" : path))
        let plans = value.arrayValue ?? [value]
        guard let plan = plans.first(where: { $0["application"]?.stringValue == application }), let id = plan["id"]?.stringValue,
            let desired = plan["desired"]?.stringValue, let commit = plan[path: "revision", "commit"]?.stringValue,
            let conditions = plan["preconditions"]?.arrayValue
        else {
            throw Problem(
                code: "plan.unreadable", message: "\(path) holds no plan of application \(application)",
                hint: "make one: reconciler plan --app \(application) -o json > \(path)")
        }
        var preconditions: [ResourceID: Plan.Precondition] = [:]
        for condition in conditions {
            let object = condition["object"]
            let id = ResourceID(
                group: object?["group"]?.stringValue ?? "", kind: object?["kind"]?.stringValue ?? "", namespace: object?["namespace"]?.stringValue,
                name: object?["name"]?.stringValue ?? "")
            preconditions[id] = .init(uid: condition["uid"]?.stringValue ?? "", resourceVersion: condition["resourceVersion"]?.stringValue ?? "")
        }
        return PlanBinding(id: id, application: application, commit: commit, desired: desired, preconditions: preconditions)
    }
}
