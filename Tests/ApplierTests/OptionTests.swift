import KubernetesClient
import ResourceModel
import Testing

@testable import Applier

private func options(_ texts: [String]) -> SyncOptions {
    var unreadable: [String] = []
    return SyncOptions(parsing: texts, unreadable: &unreadable)
}

/// Sync options at application and resource level, as rows of tables.
@Suite struct OptionTests {
    private func planned(_ change: Change, policy: PlanPolicy) -> Plan {
        plan([change], desired: desiredState([manifest("ConfigMap", "other")]), inventory: Inventory(members: [change.id]), policy: policy)
    }

    // MARK: Reading

    @Test(arguments: [
        ("Validate=false", \SyncOptions.validate, false), ("CreateNamespace=true", \.createNamespace, true), ("PruneLast=true", \.pruneLast, true),
        ("ApplyOutOfSyncOnly=true", \.applyOutOfSyncOnly, true), ("Replace=true", \.replace, true), ("Force=true", \.force, true),
        ("ServerSideApply=false", \.serverSideApply, false), ("ClientSideApplyMigration=false", \.clientSideApplyMigration, false),
        ("RespectIgnoreDifferences=true", \.respectIgnoreDifferences, true), ("FailOnSharedResource=true", \.failOnSharedResource, true),
        ("SkipDryRunOnMissingResource=true", \.skipDryRunOnMissingResource, true),
    ] as [(String, KeyPath<SyncOptions, Bool?> & Sendable, Bool)])
    func readsSwitchesAndAResourcesOwnWins(_ text: String, _ field: KeyPath<SyncOptions, Bool?> & Sendable, _ expected: Bool) {
        #expect(options([text])[keyPath: field] == expected)
        #expect(SyncOptions(annotation: "Prune=false, \(text)")[keyPath: field] == expected)
        #expect(SyncOptions()[keyPath: field] == nil)
        let name = text.prefix { $0 != "=" }
        let opposite = options(["\(name)=\(!expected)"])
        #expect(opposite.overridden(by: options([text]))[keyPath: field] == expected)
        #expect(opposite.overridden(by: SyncOptions())[keyPath: field] == !expected)
    }

    @Test(arguments: ["Prune=maybe", "Delete=", "PrunePropagationPolicy=sideways", "Replace=yes", "Unheard=true", "Validate", ""])
    func saysWhatItCannotRead(_ text: String) {
        var unreadable: [String] = []
        #expect(SyncOptions(parsing: [text], unreadable: &unreadable) == SyncOptions() && unreadable.count == 1)
    }

    // MARK: PrunePropagationPolicy

    @Test(arguments: [
        (nil, nil, "Deployment", "apps", .foreground), (nil, nil, "ConfigMap", "", .background), ("foreground", nil, "ConfigMap", "", .foreground),
        ("background", nil, "Deployment", "apps", .background), ("orphan", nil, "Deployment", "apps", .orphan),
        (nil, "background", "Deployment", "apps", .background), ("background", "orphan", "Deployment", "apps", .orphan),
        ("sideways", nil, "Deployment", "apps", .foreground), ("background", "sideways", "Deployment", "apps", .background),
    ] as [(String?, String?, String, String, PropagationPolicy)])
    func prunesAsThePropagationPolicySays(_ application: String?, _ resource: String?, _ kind: String, _ group: String, _ expected: PropagationPolicy) {
        func text(_ value: String) -> String { "PrunePropagationPolicy=\(value)" }
        let execution = ExecutionOptions(syncOptions: options(application.map { [text($0)] } ?? []))
        #expect(execution.propagation(for: live(kind, "x", group: group, annotations: resource.map { [SyncOptions.annotation: text($0)] } ?? [:])) == expected)
    }

    @Test(arguments: [(Cascade.foreground, PropagationPolicy.foreground), (.background, .background)])
    func aDeletedApplicationsCascadeOutweighsThePolicyOfSyncs(_ cascade: Cascade, _ expected: PropagationPolicy) {
        let object = live("Deployment", "x", group: "apps", annotations: [SyncOptions.annotation: "PrunePropagationPolicy=orphan"])
        let execution = ExecutionOptions(syncOptions: options(["PrunePropagationPolicy=orphan"]), cascade: cascade)
        #expect(execution.propagation(for: object) == expected)
    }

    // MARK: FailOnSharedResource

    @Test(arguments: [
        (nil, nil, false, true), (nil, nil, true, false), ("true", nil, true, true), (nil, "true", true, true), ("true", "false", true, false),
        ("false", "true", true, true), ("false", nil, false, true),
    ] as [(String?, String?, Bool, Bool)])
    func anotherApplicationsObjectIsTakenOnlyWhereThatIsPermitted(_ application: String?, _ resource: String?, _ adopt: Bool, _ isRefused: Bool) {
        let declared = manifest("ConfigMap", "x", annotations: resource.map { [SyncOptions.annotation: "FailOnSharedResource=\($0)"] } ?? [:])
        let change = Change(id: declared.id, action: .configure, manifest: declared, live: live("ConfigMap", "x", owner: "payments"))
        let policy = PlanPolicy(prune: true, adopt: adopt, syncOptions: options(application.map { ["FailOnSharedResource=\($0)"] } ?? []))
        let plan = planned(change, policy: policy)
        #expect(plan.refusals.map(\.code) == (isRefused ? ["shared-object"] : []) && plan.steps.isEmpty == isRefused)
        if isRefused, adopt { #expect(plan.refusals[0].description.contains("FailOnSharedResource=true")) }
    }

    // MARK: Confirmation of a prune

    @Test(arguments: [("Prune=confirm", nil), (nil, "Prune=confirm"), ("Prune=confirm", "Prune=true")] as [(String?, String?)])
    func aPruneThatAsksForItWaitsForItsConfirmation(_ resource: String?, _ application: String?) {
        let object = live("ConfigMap", "x", annotations: resource.map { [SyncOptions.annotation: $0] } ?? [:])
        let change = Change(id: object.id, action: .prune, live: object)
        for isConfirmed in [false, true] {
            let policy = PlanPolicy(prune: true, isConfirmed: isConfirmed, syncOptions: options(application.map { [$0] } ?? []))
            let plan = planned(change, policy: policy)
            #expect(plan.skipped.map(\.action) == (isConfirmed ? [] : [.skip(.pruneUnconfirmed)]))
            #expect(plan.steps.map(\.verb) == (isConfirmed ? [.delete] : []))
        }
    }

    @Test(arguments: [("Delete=false", nil), (nil, "Delete=false"), ("Delete=confirm", nil)] as [(String?, String?)])
    func deleteIsAboutTheApplicationsEndAndHoldsNoPruneBack(_ resource: String?, _ application: String?) {
        let object = live("ConfigMap", "x", annotations: resource.map { [SyncOptions.annotation: $0] } ?? [:])
        let policy = PlanPolicy(prune: true, syncOptions: options(application.map { [$0] } ?? []))
        #expect(planned(Change(id: object.id, action: .prune, live: object), policy: policy).steps.map(\.verb) == [.delete])
    }

    // MARK: On a server

    private func definition(_ group: String, scope: String = "Namespaced") throws -> JSONValue {
        try object(
            """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: widgets.\(group)}
            spec:
              group: \(group)
              scope: \(scope)
              names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
              versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
            """)
    }

    private func widget(_ group: String, _ option: String? = nil) throws -> JSONValue {
        var body = try object("{apiVersion: \(group)/v1, kind: Widget, metadata: {name: w}}")
        body[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = "1"
        if let option { body[path: "metadata", "annotations", SyncOptions.annotation] = .string(option) }
        return body
    }

    private let skips = "SkipDryRunOnMissingResource=true"

    @Test func anUnknownKindFailsTheWholeSyncBeforeAnyWrite() async throws {
        try await withSession { session in
            let bodies = [configMap("a"), try widget("\(session.namespace).io")]
            let error = await #expect(throws: Problems.self) { try await session.sync(bodies) }
            #expect(error?.problems.map(\.code) == ["kind.unknown"])
            #expect(try await session.live("ConfigMap", "a") == nil)
        }
    }

    @Test(arguments: [true, false]) func aMissingKindThatMayComeLaterFailsOnlyItsOwnStep(_ isOfTheResource: Bool) async throws {
        try await withSession { session in
            let body = try widget("\(session.namespace).io", isOfTheResource ? skips : nil)
            let execution = ExecutionOptions(syncOptions: isOfTheResource ? SyncOptions() : options([skips]))
            let result = try await session.sync([configMap("a"), body], options: execution)
            #expect(result.results.map(\.id.name) == ["a", "w"])
            #expect(result.results[0].actuation == .created)
            #expect(result.results[1].hasFailed && "\(result.results[1].actuation)".contains("has no kind Widget"), "\(result.results)")
            // It is tried again as soon as the kind is there.
            let definitions = try await session.client.resource(for: .definition)
            let made = try await session.client.create(try definition("\(session.namespace).io"), as: definitions).object
            let id = id("CustomResourceDefinition", made[path: "metadata", "name"]?.stringValue ?? "", group: "apiextensions.k8s.io", namespace: nil)
            _ = try await session.applier.waitForHealth(of: [id], versions: [:], timeout: .seconds(20)) { _ in }
            await session.client.forgetDiscovery()
            let again = try await session.sync([configMap("a"), body], options: execution)
            #expect(again.results.map(\.actuation) == [.created])
        }
    }

    @Test func aKindThatComesWhileTheSyncGoesOnIsUsed() async throws {
        try await withSession { session in
            let group = "\(session.namespace).io"
            // Not healthy before it has an address: it stands for an operator that brings its kinds along.
            let operatorBody = try object("{apiVersion: v1, kind: Service, metadata: {name: operator}, spec: {type: LoadBalancer, ports: [{port: 80}]}}")
            let (client, namespace) = (session.client, session.namespace)
            let applier = session.applier
            let definition = try definition(group)
            let brings = Task {
                let services = try await client.resource(for: GroupKind(group: "", kind: "Service"))
                for try await event in client.listAndWatch(services, namespace: namespace, fieldSelector: "metadata.name=operator") {
                    if case .listed(let items, _) = event, items.isEmpty { continue }
                    if case .bookmark = event { continue }
                    break
                }
                _ = try await client.create(definition, as: try await client.resource(for: .definition))
                let id = id("CustomResourceDefinition", "widgets.\(group)", group: "apiextensions.k8s.io", namespace: nil)
                _ = try await applier.waitForHealth(of: [id], versions: [:], timeout: .seconds(20)) { _ in }
                _ = try await client.patch(
                    services, namespace: namespace, name: "operator", type: .merge, patch: ["status": ["loadBalancer": ["ingress": [["ip": "192.0.2.1"]]]]],
                    options: WriteOptions(subresource: "status"))
            }
            let result = try await session.sync([operatorBody, try widget(group, skips)])
            try await brings.value
            #expect(result.results.map { "\($0.id.name) \($0.actuation)" } == ["operator created", "w created"], "\(result.results)")
            #expect(try await session.live("Widget", "w", group: group) != nil)
        }
    }

    @Test func aKindThatTurnsOutToHaveNoNamespacesIsNotWrittenUnasked() async throws {
        try await withSession(controllers: true) { session in
            let group = "\(session.namespace).io"
            let desired = try await session.applier.resolved(desiredState([manifest(try widget(group, skips))], application: session.application), namespace: session.namespace)
            #expect(desired.manifests[0].namespaceIfNamespaced == session.namespace && desired.manifests[0].id.namespace == session.namespace)
            _ = try await session.client.create(try definition(group, scope: "Cluster"), as: try await session.client.resource(for: .definition))
            let id = id("CustomResourceDefinition", "widgets.\(group)", group: "apiextensions.k8s.io", namespace: nil)
            _ = try await session.applier.waitForHealth(of: [id], versions: [:], timeout: .seconds(20)) { _ in }
            await session.client.forgetDiscovery()
            let intent = Intent(manifest: desired.manifests[0], application: session.application, applySet: session.applySet)
            let step = PlanStep(verb: .apply, change: Change(id: intent.manifest.id, action: .create, manifest: intent.sent))
            let result = await session.applier.perform(step, options: ExecutionOptions())
            #expect(result.failure?.contains("turns out to have no namespaces") == true, "\(result)")
            #expect(try await session.live("Widget", "w", group: group, inNamespace: false) == nil)
            // The next sync knows it.
            #expect(try await session.sync([try widget(group, skips)]).results.map(\.actuation) == [.created])
            _ = try await session.sync([configMap("a")])
        }
    }

    @Test func aKnownKindIsTriedAsADryRunWhateverTheAnnotationSays() async throws {
        try await withSession { session in
            var bad = try object("{apiVersion: v1, kind: Secret, metadata: {name: bad}, data: {k: not-base64!}}")
            bad[path: "metadata", "annotations"] = ["argocd.argoproj.io/sync-wave": "1", SyncOptions.annotation: .string(skips)]
            let result = try await session.sync([configMap("a"), bad])
            #expect(result.results.map { $0.failure?.hasPrefix("dry run, nothing was written") ?? false } == [false, true])
        }
    }

    @Test func whatIsInSyncIsNotAppliedAgain() async throws {
        try await withSession { session in
            let role = try object("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: \(session.namespace)}, rules: []}")
            let execution = ExecutionOptions(syncOptions: options(["ApplyOutOfSyncOnly=true"]))
            let policy = PlanPolicy(prune: true, syncOptions: execution.syncOptions)
            #expect(try await session.sync([configMap("a"), role], policy: policy, options: execution).results.count == 2)
            let second = try await session.sync([configMap("a"), role, configMap("b")], policy: policy, options: execution)
            #expect(second.results.map(\.id.name) == ["b"] && second.plan.unchanged.count == 2)
            _ = try await session.sync([configMap("a")])
        }
    }

    @Test func managedNamespaceMetadataFollowsGit() async throws {
        try await withSession(createNamespace: false) { session in
            func sync(_ request: NamespaceRequest) async throws -> [String] {
                try await session.sync([configMap("a")], creating: request).results.map { "\($0.id.kind) \($0.actuation)" }
            }
            let name = session.namespace
            #expect(try await sync(NamespaceRequest(name: name, labels: ["team": "a", "tier": "1"], annotations: ["owner": "ada"])) == ["Namespace created", "ConfigMap created"])
            let namespaces = try await session.client.resource(for: .namespace)
            _ = try await session.client.patch(
                namespaces, namespace: nil, name: name, type: .merge, patch: ["metadata": ["labels": ["theirs": "x"]]], options: WriteOptions(fieldManager: "them"))
            #expect(try await sync(NamespaceRequest(name: name, labels: ["team": "b"], annotations: ["owner": "ada"])) == ["Namespace configured"])
            let labels = try await session.live("Namespace", name, inNamespace: false)?[path: "metadata", "labels"]
            #expect(labels?["team"] == "b" && labels?["tier"] == nil && labels?["theirs"] == "x", "\(labels ?? .null)")
            #expect(try await sync(NamespaceRequest(name: name, labels: ["team": "b"], annotations: ["owner": "ada"])).isEmpty)
        }
    }
}
