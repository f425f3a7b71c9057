import ResourceModel
import Testing

@testable import Desired

@Suite struct ApplicationDecodingTests {
    @Test func decodesEveryField() throws {
        let application = try decoded(
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Application
            metadata:
              name: shop
              namespace: argocd
              labels: {team: web}
              annotations: {argocd.argoproj.io/refresh: normal}
              finalizers: [resources-finalizer.argocd.argoproj.io]
            spec:
              project: web
              sources:
                - repoURL: https://git.example.com/shop.git
                  path: ./chart/
                  targetRevision: v1.x
                  name: chart
                  helm:
                    releaseName: shop
                    namespace: other
                    valueFiles: [values.yaml, $config/shop/*.yaml]
                    ignoreMissingValueFiles: true
                    parameters: [{name: image.tag, value: "1", forceString: true}]
                    fileParameters: [{name: config, path: files/config.json}]
                    values: "a: 1"
                    valuesObject: {a: 2}
                    skipCrds: true
                    skipTests: true
                    skipSchemaValidation: true
                    kubeVersion: 1.31.0
                    apiVersions: [v1/Foo]
                    version: v3
                - repoURL: https://git.example.com/config.git
                  ref: config
                - repoURL: .
                  path: overlays/x
                  kustomize:
                    namePrefix: a-
                    nameSuffix: -z
                    namespace: own
                    images: ["web=other/web:2"]
                    replicas: [{name: web, count: "3"}]
                    commonLabels: {l: "1"}
                    commonAnnotations: {a: "1"}
                    commonAnnotationsEnvsubst: true
                    forceCommonLabels: true
                    forceCommonAnnotations: true
                    labelWithoutSelector: true
                    labelIncludeTemplates: true
                    patches: [{target: {kind: Deployment}, patch: "[]"}]
                    components: [../c]
                    ignoreMissingComponents: true
              destination: {name: in-cluster, namespace: shop}
              syncPolicy:
                automated: {prune: true, selfHeal: true, allowEmpty: true, enabled: false}
                syncOptions: [CreateNamespace=true, PrunePropagationPolicy=background, Delete=confirm]
                retry: {limit: -1, refresh: true, backoff: {duration: 10s, factor: 3, maxDuration: 1h30m}}
                managedNamespaceMetadata: {labels: {a: b}, annotations: {c: d}}
              ignoreDifferences:
                - {group: apps, kind: Deployment, name: web, namespace: shop, jsonPointers: [/spec/replicas], jqPathExpressions: [.spec], managedFieldsManagers: [hpa]}
              info: [{name: url, value: https://example.com}]
              revisionHistoryLimit: 3
            status: {anything: true}
            """)
        #expect(application.namespace == "argocd")
        #expect(application.finalizers == ["resources-finalizer.argocd.argoproj.io"])
        #expect(application.sources.map(\.path) == ["chart", nil, "overlays/x"])
        #expect(application.sources.map(\.rendersNothing) == [false, true, false])
        let helm = try #require(application.sources[0].helm)
        #expect(helm.parameters == [.init(name: "image.tag", value: "1", forceString: true)])
        #expect(helm.valuesObject == ["a": 2])
        #expect(application.sources[2].kustomize?.replicas == [.init(name: "web", count: 3)])
        #expect(application.destination.isDefaultCluster)
        #expect(application.syncPolicy.isAutomated == false)
        #expect(application.syncPolicy.syncOptions.createNamespace == true)
        #expect(application.syncPolicy.syncOptions.delete == .confirm)
        #expect(application.syncPolicy.syncOptions.prunePropagationPolicy == .background)
        #expect(application.syncPolicy.retry?.limit == -1)
        #expect(application.syncPolicy.retry?.backoff.maxDuration == .seconds(5400))
        #expect(application.ignoreDifferences[0].jsonPointers.map(\.description) == ["/spec/replicas"])
        #expect(application.revisionHistoryLimit == 3)
    }

    @Test func fillsInArgoCDsDefaults() throws {
        let application = try decoded(applicationYAML())
        #expect(application.project == "default")
        #expect(application.revisionHistoryLimit == 10)
        #expect(application.syncPolicy == SyncPolicy())
        #expect(application.syncPolicy.isAutomated == false)
        #expect(try decoded(applicationYAML(spec: "syncPolicy:\n  automated: {}")).syncPolicy.isAutomated)
    }

    /// Text to put into the specification, the code of the problem, its line and a word of its message.
    @Test(arguments: [
        ("syncPolicy:\n  automted: {}", "application.unknown-field", 13, "did you mean `automated`?"),
        ("sourcePolicy: {}", "application.unknown-field", 12, "spec.sourcePolicy"),
        (
            "syncPolicy:\n  syncOptions:\n    - CreateNamespaces=true", "application.unknown-sync-option", 14,
            "did you mean `CreateNamespace`?"
        ),
        ("syncPolicy:\n  syncOptions: [Prune=maybe]", "application.unknown-sync-option", 13, "true, false or confirm"),
        ("ignoreDifferences:\n  - {group: apps, jsonPointers: [/spec/replicas]}", "application.missing-field", 13, "`kind: \"*\"` is every kind"),
        (
            "ignoreDifferences:\n  - kind: Deployment\n    jsonPointers:\n      - /spec/replicas\n      - spec/paused", "application.invalid-value", 16,
            "write `/spec/paused`"
        ),
        ("ignoreDifferences:\n  - kind: A\n    jsonPointers: [.spec.paused]", "application.invalid-value", 14, "write `/spec/paused`"),
        ("ignoreDifferences:\n  - kind: A\n    jsonPointers: [/metadata/annotations/a~b]", "application.invalid-value", 14, "`~0`"),
        ("ignoreDifferences:\n  - kind: \"[\"\n    jsonPointers: [/spec]", "application.invalid-pattern", 13, "without"),
        (
            "ignoreDifferences:\n  - kind: A\n    jqPathExpressions:\n      - .spec\n      - .spec.containers[", "application.invalid-jq", 16,
            "jq expression `.spec.containers[`: syntax error"
        ),
        ("syncPolicy:\n  syncOptions: [CreateNamespace]", "application.unknown-sync-option", 13, "CreateNamespace=true"),
        ("syncPolicy:\n  syncOptions: [Force=true]", "application.unknown-sync-option", 13, "single resources"),
        ("syncPolicy:\n  retry:\n    backoff: {duration: soon}", "application.invalid-value", 14, "soon"),
        ("syncPolicy:\n  automated: {prune: 'yes'}", "application.wrong-type", 13, "must be a boolean"),
        ("revisionHistoryLimit: -1", "application.invalid-value", 12, "negative"),
        ("project: 7", "application.wrong-type", 12, "put it in quotes"),
        ("sourceHydrator: {}", "application.unsupported-field", 12, "spec.sourceHydrator"),
        ("sources: [{repoURL: ., path: x}]", "application.invalid-value", 12, "both"),
    ])
    func reportsWhatIsWrongWithItsLine(_ spec: String, code: String, line: Int, word: String) throws {
        let (application, problems) = Application.decode(try document(applicationYAML(spec: spec)))
        #expect(application == nil)
        #expect(problems.map(\.code) == [code])
        #expect(problems.first?.location == SourceLocation(path: "app.yaml", line: line))
        #expect(problems.first?.description.contains(word) == true, "\(problems)")
    }

    @Test(arguments: [
        ("plugin: {name: x}", "spec.source.plugin"), ("chart: redis", "spec.source.chart"),
        ("directory:\n  jsonnet: {libs: [x]}", "spec.source.directory.jsonnet"), ("tagPrefix: v", "spec.source.tagPrefix"),
        ("kustomize: {version: v4}", "spec.source.kustomize.version"),
        ("helm: {passCredentials: true}", "spec.source.helm.passCredentials"),
    ])
    func refusesWhatIsNotSupportedByName(_ source: String, field: String) throws {
        let (application, problems) = Application.decode(try document(applicationYAML(source: source)))
        #expect(application == nil)
        #expect(problems.map(\.code) == ["application.unsupported-field"])
        #expect(problems.first?.message.contains("`\(field)`") == true)
    }

    @Test func reportsAllProblemsNotOnlyTheFirst() throws {
        let (_, problems) = Application.decode(
            try document(
                """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: Not_A_Name}
                operation: {sync: {}}
                spec:
                  source: {repoURL: ., path: ../x, helm: {relaseName: x}}
                  destination: {server: a, name: b, namespace: UPPER}
                """))
        #expect(
            Set(problems.map(\.code)) == [
                "application.invalid-name", "application.unsupported-field", "application.invalid-value",
                "application.unknown-field",
            ])
        #expect(problems.count == 6)
    }

    @Test func refusesAValueFileWhoseReferenceNoSourceHas() throws {
        let (_, problems) = Application.decode(
            try document(
                """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: x}
                spec:
                  sources:
                    - {repoURL: ., path: chart, helm: {valueFiles: [$values/x.yaml]}}
                  destination: {name: in-cluster}
                """))
        #expect(problems.count == 1)
        #expect(problems[0].message.contains("ref: values"))
    }

    @Test func warnsOfNamespaceMetadataWithoutCreateNamespace() throws {
        let (application, problems) = Application.decode(
            try document(applicationYAML(spec: "syncPolicy:\n  managedNamespaceMetadata: {labels: {a: b}}")))
        #expect(application != nil)
        #expect(problems.map(\.severity) == [.warning])
    }

    @Test(
        arguments: [
            ("30s", Duration.seconds(30)), ("1h30m", .seconds(5400)), ("250ms", .milliseconds(250)), ("1.5h", .seconds(5400)),
            ("90", .seconds(90)),
            ("", nil), ("5x", nil), ("s", nil),
        ] as [(String, Duration?)])
    func readsDurationsAsGoWritesThem(_ text: String, duration: Duration?) {
        #expect(Duration(goNotation: text) == duration)
    }

    @Test func aResourcesOwnSyncOptionsWin() {
        let application = SyncOptions(annotation: "Prune=true,Replace=true,Validate=false")
        let result = application.overridden(by: SyncOptions(annotation: " Prune=false , ServerSideApply=true"))
        #expect(result.prune == .no)
        #expect(result.replace == true)
        #expect(result.validate == false)
        #expect(result.serverSideApply == true)
        #expect(result.force == nil)
    }
}
