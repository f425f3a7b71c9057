import ResourceModel
import Testing

@testable import EmbeddedCluster

/// What kubectl does with objects alone.
@Suite struct KubectlObjectTests {
    private static let apiOnly: EmbeddedCluster.Controllers = [.garbageCollection, .rootCertificates]

    /// kubectl sends these as protobuf. The same object in JSON, as `--dry-run=client` prints it, must make the same of it.
    @Test func createCommandsMakeWhatTheirJSONMakes() async throws {
        let commands: [[String]] = [
            ["deployment", "d", "--image=x", "--replicas=0", "--port=80", "--", "sleep", "1"],
            ["job", "j", "--image=x", "--", "true"],
            ["cronjob", "c", "--image=x", "--schedule=*/5 * * * *"],
            ["role", "r", "--verb=get,list", "--resource=pods,deployments.apps"],
            ["rolebinding", "rb", "--role=r", "--user=me", "--serviceaccount=default:default"],
            ["clusterrole", "cr", "--verb=get", "--non-resource-url=/healthz"],
            ["clusterrolebinding", "crb", "--clusterrole=cr", "--group=g"],
            ["ingress", "i", "--rule=host.example/foo*=web:80,tls=cert"], ["quota", "q", "--hard=pods=100,cpu=500m"],
            ["poddisruptionbudget", "p", "--selector=app=web", "--min-available=50%"], ["priorityclass", "pc", "--value=-10"],
            ["service", "clusterip", "s1", "--tcp=80:8080"], ["service", "externalname", "s2", "--external-name=x.example"],
            ["configmap", "cm", "--from-literal=a=b"], ["secret", "generic", "se", "--from-literal=p=q"],
            ["serviceaccount", "sa"],
            ["namespace", "n"],
        ]
        try await KubectlSession.with(controllers: Self.apiOnly) { session in
            for command in commands {
                let tool = try session.tool("kubectl")
                let made = try await tool.run(["create"] + Self.options(command, ["-o", "json"]))
                try #require(made.status == 0, "create \(command): \(made.errors)")
                let plain = try await tool.run(["create"] + Self.options(command, ["-o", "json", "--dry-run=client"]))
                let printed = try JSONValue(parsing: Array(made.text.utf8))
                let version = printed["apiVersion"]?.stringValue ?? ""
                let kind = try session.client.resource(version, printed["kind"]?.stringValue ?? "")
                let name = printed[path: "metadata", "name"]?.stringValue ?? ""
                var object = try session.object(version, kind.kind, name)
                if kind.kind == "Namespace" { continue }
                try await session.client.delete(kind, namespace: kind.isNamespaced ? "default" : nil, name: name)
                let again = try await tool.run(["create", "-f", "-"], input: plain.text)
                try #require(again.status == 0, "create -f -: \(again.errors)")
                var other = try session.object(version, kind.kind, name)
                for path in [
                    ["metadata", "uid"], ["metadata", "resourceVersion"], ["metadata", "creationTimestamp"],
                    ["metadata", "managedFields"], ["spec", "clusterIP"], ["spec", "clusterIPs"],
                ] {
                    if object[path: path] != nil { object[path: path] = "" }
                    if other[path: path] != nil { other[path: path] = "" }
                }
                // A job's selector and labels hold its uid.
                if kind.kind == "Job" {
                    object["spec"] = object[path: "spec", "template", "spec"]
                    other["spec"] = other[path: "spec", "template", "spec"]
                    object["metadata"] = nil
                    other["metadata"] = nil
                }
                #expect(object == other, "\(command): \(object.jsonString) \(other.jsonString)")
            }
            let token = try await session.kubectl("create", "token", "default")
            #expect(token.count > 20)
            try await session.kubectl("create", "-f", "-", input: KubectlSession.deployment("web", replicas: 0))
            try await session.kubectl("autoscale", "deployment", "web", "--max=3", "--cpu-percent=80")
            #expect(
                try session.object("autoscaling/v2", "HorizontalPodAutoscaler", "web")[path: "spec", "metrics"]?[0]?["type"]
                    == "Resource")
            try await session.kubectl("expose", "deployment", "web", "--port=80")
            #expect(try session.object("v1", "Service", "web")[path: "spec", "selector", "app"] == "web")
        }
    }

    /// Options go before the command that a container runs.
    private static func options(_ command: [String], _ options: [String]) -> [String] {
        let end = command.firstIndex(of: "--") ?? command.endIndex
        return Array(command[..<end]) + options + Array(command[end...])
    }

    @Test func appliesTwiceDiffsAndChangesToServerSide() async throws {
        try await KubectlSession.with(controllers: Self.apiOnly) { session in
            let path = try session.file("web.yaml", KubectlSession.deployment("web", replicas: 2))
            #expect(try await session.kubectl("apply", "-f", path) == "deployment.apps/web created\n")
            #expect(try await session.kubectl("apply", "-f", path) == "deployment.apps/web unchanged\n")
            try await session.kubectl("diff", "-f", path)
            try session.file("web.yaml", KubectlSession.deployment("web", replicas: 3, version: "2"))
            let diff = try await session.tool("kubectl").run(["diff", "-f", path])
            #expect(diff.status == 1)
            #expect(diff.text.contains("-  replicas: 2") && diff.text.contains("+  replicas: 3"))
            // What client-side apply owned is no conflict for kubectl's server-side apply; what somebody else took is.
            #expect(try await session.kubectl("apply", "--server-side", "-f", path) == "deployment.apps/web serverside-applied\n")
            try await session.kubectl("scale", "deployment", "web", "--replicas=5")
            let conflict = try await session.refused("apply", "--server-side", "-f", path)
            #expect(conflict.contains("conflict with \"kubectl\"") && conflict.contains(".spec.replicas"))
            try await session.kubectl("apply", "--server-side", "--force-conflicts", "-f", path)
            #expect(try session.object("apps/v1", "Deployment", "web")[path: "spec", "replicas"] == 3)
            let owners = try session.object("apps/v1", "Deployment", "web")[path: "metadata", "managedFields"]?.arrayValue ?? []
            #expect(owners.contains { $0["manager"] == "kubectl" && $0["operation"] == "Apply" })
            #expect(!owners.contains { $0["manager"] == "kubectl-client-side-apply" })
        }
    }

    @Test func prunesByApplySetAndBuildsKustomizations() async throws {
        try await KubectlSession.with(controllers: Self.apiOnly) { session in
            func map(_ name: String) -> String { "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name)}\n" }
            try session.file("dir/1.yaml", map("one"))
            let two = try session.file("dir/2.yaml", map("two"))
            let apply = ["apply", "--prune", "--applyset=shop", "-n", "default", "-f"]
            let first = try await session.tool("kubectl").run(apply + [session.directory + "/dir"])
            #expect(first.status == 0, "\(first.errors)")
            let second = try await session.tool("kubectl").run(apply + [two])
            #expect(second.text.contains("configmap/one pruned"), "\(second.text) \(second.errors)")
            #expect(try session.exists("v1", "ConfigMap", "two") && !session.exists("v1", "ConfigMap", "one"))
            try session.file("dir/kustomization.yaml", "resources: [1.yaml]\nnamePrefix: k-\n")
            #expect(try await session.kubectl("apply", "-k", session.directory + "/dir") == "configmap/k-one created\n")
            try await session.kubectl("delete", "-k", session.directory + "/dir")
            #expect(try !session.exists("v1", "ConfigMap", "k-one"))
        }
    }

    @Test func showsAndExplainsBuiltInAndCustomKinds() async throws {
        try await KubectlSession.with(controllers: Self.apiOnly) { session in
            try await session.kubectl("apply", "-f", "-", input: Self.definition)
            try await session.kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=10s")
            try await session.kubectl(
                "apply", "-f", "-", input: "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n")
            let table = try await session.kubectl("get", "wd")
            #expect(
                table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) } == [
                    ["NAME", "SIZE"], ["w", "3"],
                ])
            #expect(try await session.kubectl("explain", "widget.spec").contains("How big."))
            #expect(
                try await session.kubectl("explain", "deployment.spec.strategy").contains(
                    "rollingUpdate\t<RollingUpdateDeployment>"))
            #expect(try await session.kubectl("describe", "widget", "w").contains("Colour:  red"))
            try await session.kubectl("scale", "widget", "w", "--replicas=5")
            try await session.kubectl(
                "patch", "widget", "w", "--type=merge", "--subresource=status", "-p", #"{"status":{"size":5}}"#)
            #expect(try await session.kubectl("get", "widget", "w", "-o", "jsonpath={.spec.size}{.status.size}") == "55")
            let invalid = try await session.refused("patch", "widget", "w", "--type=merge", "-p", #"{"spec":{"size":0}}"#)
            #expect(invalid.contains("spec.size in body should be greater than or equal to 1"))
            let names = try await session.kubectl("api-resources", "-o", "name")
            #expect(names.contains("widgets.example.com\n") && names.contains("deployments.apps\n"))
            #expect(try await session.kubectl("api-versions").contains("rbac.authorization.k8s.io/v1\n"))
            #expect(try await session.kubectl("get", "all", "-o", "name").contains("widget.example.com/w\n"))
            #expect(try await session.kubectl("auth", "can-i", "create", "pods") == "yes\n")
            #expect(try await session.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == "admin")
            #expect(try await session.refused("top", "node").contains("Metrics API not available"))
        }
    }

    @Test func editsLabelsPatchesAndReplaces() async throws {
        try await KubectlSession.with(controllers: Self.apiOnly) { session in
            try await session.kubectl("apply", "-f", "-", input: KubectlSession.deployment("web", replicas: 0))
            try session.file("editor", "#!/bin/sh\nsed -i 's/replicas: 0/replicas: 4/' \"$1\"\n", executable: true)
            try await session.kubectl("edit", "deployment", "web")
            #expect(try session.object("apps/v1", "Deployment", "web")[path: "spec", "replicas"] == 4)
            try await session.kubectl("label", "deployment", "web", "tier=front", "app-")
            try await session.kubectl("annotate", "deployment", "web", "note=x")
            try await session.kubectl("set", "image", "deployment/web", "main=other:2")
            try await session.kubectl("set", "env", "deployment/web", "A=b")
            try await session.kubectl(
                "patch", "deployment", "web", "--type=json", "-p", #"[{"op":"replace","path":"/spec/replicas","value":1}]"#)
            try await session.kubectl(
                "patch", "deployment", "web", "-p",
                #"{"spec":{"template":{"spec":{"containers":[{"name":"main","workingDir":"/tmp"}]}}}}"#)
            let object = try session.object("apps/v1", "Deployment", "web")
            let container = object[path: "spec", "template", "spec", "containers"]?[0]
            #expect(object[path: "metadata", "labels"] == ["tier": "front"])
            #expect(object[path: "metadata", "annotations", "note"] == "x")
            #expect(object[path: "spec", "replicas"] == 1)
            #expect(container?["image"] == "other:2" && container?["workingDir"] == "/tmp")
            #expect(container?["env"] == [["name": "A", "value": "b"]])
            let refusal = try await session.refused("label", "deployment", "web", "tier=back")
            #expect(refusal.contains("--overwrite is false"))
            let text = try await session.kubectl("get", "deployment", "web", "-o", "json")
            try await session.kubectl("replace", "--force", "-f", "-", input: text)
            #expect(
                try session.object("apps/v1", "Deployment", "web")[path: "metadata", "uid"] != object[path: "metadata", "uid"])
            #expect(try await session.refused("create", "-f", "-", input: text).contains("AlreadyExists"))
        }
    }

    private static let definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    properties:
                      size: {type: integer, description: How big., minimum: 1}
                      colour: {type: string, default: red}
                  status: {type: object, x-kubernetes-preserve-unknown-fields: true}
            subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
            additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
        """
}
