import Applier
import ArgumentParser
import Reconciler
import ResourceModel

/// `reconciler plan`: the exact ordered steps that a sync would take, and what they bring about. Exit 2 when there are any, 3 when a
/// guard refuses.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the ordered steps of a sync, and what they bring about; exit 2 if there are any.",
        discussion: "With --target and --live it plans from files, without a repository and a cluster (docs/diff.md).")

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var scope: ScopeOptions
    @Flag(inversion: .prefixedNo, help: "As for `sync`.")
    var prune: Bool?
    @OptionGroup var permits: PermitOptions
    @Option(name: .customLong("target"), help: "Plan from files: what is declared (a file, or a directory as a source).")
    var declared: String?
    @Option(help: "Plan from files: what is there (a file or a directory, as `kubectl get -o yaml` writes it).")
    var live: String?
    @Option(help: "Namespace of declared objects that name none, with --live (default: the live objects', else default).")
    var namespace: String?
    @Option(name: .customLong("sync-option"), help: "A sync option of the application, as NAME=VALUE, with --live; repeatable.")
    var syncOptions: [String] = []
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func validate() throws {
        if (declared == nil) != (live == nil) { throw ValidationError("--target and --live go together") }
        if live == nil, !syncOptions.isEmpty { throw ValidationError("--sync-option goes with --live: else the application says its options") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let plans: [(plan: Plan, consequences: [Consequence])]
            if let declared, let live {
                plans = [try await offlinePlan(declared, live)]
            } else {
                try selection.check()
                plans = try await livePlans()
            }
            if output == .table { for (plan, consequences) in plans { print(Self.text(plan, consequences)) } }
            if output != .table { Printing.print(.array(plans.map { Self.json($0.plan, $0.consequences) }), as: output) }
            return plans.map { plan, _ in plan.refusals.isEmpty ? (plan.steps.isEmpty ? 0 : 2) : 3 }.max() ?? 0
        }
    }

    private func livePlans() async throws -> [(Plan, [Consequence])] {
        try await Target.with(target, local: scope.source.local) { target in
            if let first = selection.applications.first { target.page.observeAhead(application: first) }
            let catalog = try await target.catalog()
            var plans: [(Plan, [Consequence])] = []
            for application in try selection.applications(in: catalog) {
                var request = SyncRequest(extent: .plan, prune: prune)
                permits.apply(to: &request)
                try await scope.narrow(&request, application, target)
                let result = try await target.page.run(application, project: try target.project(of: application, in: catalog), request: request)
                guard let plan = result.plan else { continue }
                plans.append((plan, try await target.page.applier.consequences(of: plan, live: result.live)))
            }
            return plans
        }
    }

    private func offlinePlan(_ declared: String, _ live: String) async throws -> (Plan, [Consequence]) {
        var unreadable: [String] = []
        var policy = PlanPolicy(prune: prune ?? false, syncOptions: SyncOptions(parsing: syncOptions, unreadable: &unreadable))
        if let problem = unreadable.first { throw UsageError(problem) }
        permits.apply(to: &policy)
        let comparison = try await OfflineInput(declared: declared, live: live, namespace: namespace).comparison()
        let plan = comparison.steps(under: policy)
        return (plan, foreseeableConsequences(of: plan, live: comparison.live))
    }

    static func text(_ plan: Plan, _ consequences: [Consequence] = []) -> String {
        var rows: [[String]] = []
        for (index, step) in plan.steps.enumerated() {
            rows.append(["\(index + 1)", step.phase.rawValue, "\(step.wave)", word(step.change.action), "\(step.change.id)"])
        }
        let place = plan.revision.commit.isEmpty ? "" : " at \(plan.revision.shortCommit)"
        var lines = ["\(plan.application)\(place), plan \(plan.id): \(plan.steps.count) \(plan.steps.count == 1 ? "step" : "steps"), \(plan.unchanged.count) unchanged"]
        if !rows.isEmpty { lines.append(table(["STEP", "PHASE", "WAVE", "ACTION", "OBJECT"], rows)) }
        for change in plan.skipped {
            if case .skip(let reason) = change.action { lines.append("skipped \(change.id): \(sentence(reason))") }
        }
        lines += consequences.map { "\($0.isWarning ? "warning" : "note"): \($0.message)" }
        lines += plan.refusals.map { "refused: \($0)" }
        return lines.joined(separator: "\n")
    }

    static func json(_ plan: Plan, _ consequences: [Consequence] = []) -> JSONValue {
        [
            "id": .string(plan.id), "desired": .string(plan.desired), "application": .string(plan.application), "revision": ReconcilerCLI.json(plan.revision),
            "steps": .array(
                plan.steps.map { step in
                    var item: JSONValue = [
                        "phase": .string(step.phase.rawValue), "wave": .integer(Int64(step.wave)), "verb": .string(step.verb.rawValue),
                        "change": ReconcilerCLI.json(step.change),
                    ]
                    if step.hook != nil { item["hook"] = true }
                    if step.force { item["force"] = true }
                    return item
                }),
            "preconditions": .array(
                plan.preconditions.sorted { $0.key < $1.key }.map { id, precondition in
                    ["object": ReconcilerCLI.json(id), "uid": .string(precondition.uid), "resourceVersion": .string(precondition.resourceVersion)]
                }),
            "unchanged": .integer(Int64(plan.unchanged.count)), "skipped": .array(plan.skipped.map(ReconcilerCLI.json)),
            "refusals": .array(plan.refusals.map { .string($0.description) }),
            "refused": .array(plan.refusals.map(ReconcilerCLI.json)),
            "consequences": .array(consequences.map(ReconcilerCLI.json)),
        ]
    }
}

/// What a person permits that a guard would refuse.
struct PermitOptions: ParsableArguments {
    @Flag(help: "As for `sync`.")
    var allowEmpty = false
    @Option(help: "As for `sync`.")
    var pruneBudget: Int?
    @Option(help: "As for `sync`.")
    var recreateBudget: Int?
    @Flag(help: "As for `sync`.")
    var adopt = false
    @Flag(help: "As for `sync`.")
    var confirmPrune = false

    func apply(to request: inout SyncRequest) {
        request.allowEmpty = allowEmpty
        request.pruneBudget = pruneBudget
        request.recreateBudget = recreateBudget
        request.adopt = adopt
        request.isConfirmed = confirmPrune
    }

    func apply(to policy: inout PlanPolicy) {
        policy.allowEmpty = allowEmpty
        if let pruneBudget { policy.budgetCount = pruneBudget }
        if let recreateBudget { policy.recreateCount = recreateBudget }
        policy.adopt = adopt
        policy.isConfirmed = confirmPrune
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
