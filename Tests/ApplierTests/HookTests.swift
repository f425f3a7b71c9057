import ResourceModel
import Testing

@testable import Applier

/// Which annotations make a hook, and of which phases (Argo CD's sync_phase_test.go and its hook and helm tables).
@Suite struct HookTests {
    private static let argo = "argocd.argoproj.io/hook"

    private func hook(_ annotations: [String: String]) -> Hook? {
        Hook(annotations: JSONObject(annotations.map { .init(key: $0.key, value: .string($0.value)) }))
    }

    @Test(arguments: [
        ([:], nil), ([argo: "PreSync"], [.preSync]), ([argo: "Sync"], [.sync]), ([argo: "PostSync"], [.postSync]), ([argo: "SyncFail"], [.syncFail]),
        ([argo: "PreSync,PostSync"], [.preSync, .postSync]), ([argo: " PostSync , PreSync "], [.preSync, .postSync]),
        ([argo: "PreSync,PreSync"], [.preSync]), ([argo: "Skip"], []), ([argo: "Skip,PreSync"], [.preSync]), ([argo: "Garbage"], nil), ([argo: ""], nil),
        ([argo: "Garbage,Sync"], [.sync]), ([argo: "PreDelete"], []), ([argo: "PostDelete"], []),
        (["helm.sh/hook": "pre-install"], [.preSync]), (["helm.sh/hook": "pre-upgrade"], [.preSync]),
        (["helm.sh/hook": "pre-install,pre-upgrade"], [.preSync]), (["helm.sh/hook": "post-install"], [.postSync]),
        (["helm.sh/hook": "post-upgrade, post-install"], [.postSync]), (["helm.sh/hook": "pre-install,post-upgrade"], [.preSync, .postSync]),
        (["helm.sh/hook": "crd-install"], nil), (["helm.sh/hook": "test"], []), (["helm.sh/hook": "test-success"], []),
        (["helm.sh/hook": "pre-rollback"], []), (["helm.sh/hook": "pre-delete"], []), (["helm.sh/hook": "post-delete"], []),
        ([argo: "Sync", "helm.sh/hook": "pre-install"], [.sync]), ([argo: "Garbage", "helm.sh/hook": "pre-install"], [.preSync]),
    ] as [([String: String], [SyncPhase]?)])
    func phases(_ annotations: [String: String], _ expected: [SyncPhase]?) {
        #expect(hook(annotations)?.phases == expected)
    }

    @Test(arguments: [
        ([argo: "PreDelete"], [.preDelete]), ([argo: "PostDelete,Sync"], [.postDelete]), (["helm.sh/hook": "pre-delete"], [.preDelete]),
        (["helm.sh/hook": "post-delete,post-install"], [.postDelete]), ([argo: "Sync"], []),
    ] as [([String: String], [Hook.Deletion])])
    func deletions(_ annotations: [String: String], _ expected: [Hook.Deletion]) { #expect(hook(annotations)?.deletions == expected) }

    @Test(arguments: [
        (nil, nil, [.beforeHookCreation]), ("HookSucceeded", nil, [.hookSucceeded]), ("HookFailed", nil, [.hookFailed]),
        ("HookSucceeded,HookFailed", nil, [.hookSucceeded, .hookFailed]), ("HookSucceeded, BeforeHookCreation", nil, [.hookSucceeded, .beforeHookCreation]),
        ("Garbage", nil, [.beforeHookCreation]), (nil, "hook-succeeded", [.hookSucceeded]), (nil, "before-hook-creation", [.beforeHookCreation]),
        (nil, "hook-failed,hook-succeeded", [.hookSucceeded, .hookFailed]), ("HookFailed", "hook-succeeded", [.hookFailed, .hookSucceeded]),
    ] as [(String?, String?, Set<Hook.DeletePolicy>)])
    func deletePolicies(_ argo: String?, _ helm: String?, _ expected: Set<Hook.DeletePolicy>) {
        var annotations = [Self.argo: "Sync"]
        annotations[Hook.deletePolicyAnnotation] = argo
        annotations["helm.sh/hook-delete-policy"] = helm
        #expect(hook(annotations)?.deletePolicies == expected)
    }

    @Test(arguments: [
        ([:], 0), (["argocd.argoproj.io/sync-wave": "3"], 3), (["argocd.argoproj.io/sync-wave": "-3"], -3), (["argocd.argoproj.io/sync-wave": "x"], 0),
        (["helm.sh/hook-weight": "5"], 5), (["helm.sh/hook-weight": "-5", "argocd.argoproj.io/sync-wave": "1"], 1), (["helm.sh/hook-weight": "x"], 0),
    ])
    func waves(_ annotations: [String: String], _ expected: Int) {
        #expect(syncWave(of: JSONObject(annotations.map { .init(key: $0.key, value: .string($0.value)) })) == expected)
    }
}
