import Glibc
import Processes
import TestSupport
import Testing

@testable import Tasks

/// Looks at commands before they run. The tools are scripts with the tools' names: what is tested is what is said of the words.
@Suite(.timeLimit(.minutes(1)))
struct TaskChecksTests {
    private struct Place {
        var directory: String
        var environment: [String: String]

        func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
            if let slash = name.lastIndex(of: "/") { try SmallFile.makeDirectory("\(directory)/\(name[..<slash])") }
            try SmallFile.write(Array(text.utf8), to: "\(directory)/\(name)", mode: mode)
        }

        func check(_ command: String, deadline: Duration = .seconds(5)) async throws -> TaskCheck {
            let checks = await TaskChecks(environment: environment, workingDirectory: directory, deadline: deadline).checks(of: [command])
            return try #require(checks.last)
        }
    }

    private func withPlace(_ body: (Place) async throws -> Void) async throws {
        try await withClusterDirectory { directory in
            let place = Place(directory: directory, environment: ["PATH": "\(directory)/bin:/usr/bin:/bin", "HOME": directory, "KUBECONFIG": "\(directory)/kubeconfig"])
            for tool in ["kubectl", "helm", "terraform", "argocd"] { try place.write("bin/\(tool)", "#!/bin/sh\necho \(tool) v1.2.3\n", mode: 0o755) }
            try place.write(
                "kubeconfig",
                """
                current-context: prod
                contexts: [{name: prod, context: {cluster: c, namespace: shop, user: u}}, {name: dev, context: {cluster: d, user: u}}]
                clusters: [{name: c, cluster: {server: "https://prod.example:6443"}}, {name: d, cluster: {server: "https://dev.example:6443"}}]
                users: [{name: u, user: {token: secret}}]
                """)
            try await body(place)
        }
    }

    @Test func kubectlSaysWhereItWrites() async throws {
        try await withPlace { place in
            try place.write("k8s/app.yaml", "kind: x")
            var check = try await place.check("kubectl apply -f k8s/app.yaml")
            #expect(check.path == place.directory + "/bin/kubectl" && check.version == "kubectl v1.2.3")
            #expect(check.touches == ["apply: writes in context prod (https://prod.example:6443), namespace shop", "reads k8s/app.yaml"])
            #expect(check.writes == true && check.problems == [])
            check = try await place.check("kubectl apply -f k8s/app.yaml -n logs")
            #expect(check.problems == [] && check.touches.count == 2)
            check = try await place.check("timeout 5 kubectl --context=dev get pods -n x")
            #expect(check.touches == ["get: reads in context dev (https://dev.example:6443), namespace x"] && check.writes == false)
            check = try await place.check("kubectl apply -f gone.yaml -k k8s --context nowhere")
            #expect(check.problems.count == 3 && check.problems[0].contains("no context \"nowhere\"") && check.problems[1].contains("gone.yaml does not exist"))
            check = try await place.check("kubectl delete pod x --dry-run=client")
            #expect(check.writes == false)
            #expect(!"\(check)".contains("secret"))
            #expect(try await place.check("kubectl rollout status deploy/x").writes == false)
            #expect(try await place.check("kubectl rollout restart deploy/x").writes == true)
        }
    }

    @Test(arguments: [
        ("kubectl get certificate -n staging --watch", "does not end by itself"), ("kubectl port-forward svc/x 1:1", "does not end"), ("kubectl logs -f deploy/x", "does not end"),
        ("kubectl rollout status", "names no object"), ("kubectl set image", "names no object"), ("kubectl apply", "needs -f or -k"), ("kubectl exec -it x -- sh", "needs a terminal"),
        ("helm rollback", "names no release"), ("helm history", "names no release"), ("helm upgrade x", "needs a release and a chart"), ("helm lint", "no Chart.yaml"),
    ] as [(String, String)])
    func whatCannotWorkIsTold(command: String, problem: String) async throws {
        try await withPlace { place in
            let check = try await place.check(command)
            #expect(check.problems.count == 1 && check.problems[0].contains(problem), "\(check.problems)")
        }
    }

    @Test(arguments: [
        "kubectl rollout status deploy/x", "kubectl get hpa -n production", "kubectl scale deployment --all -n staging --replicas=0", "kubectl delete pod -l app=x", "kubectl logs deploy/x",
        "kubectl logs -p x", "helm list", "helm rollback web 3", "kubectl wait --for=condition=Ready pod/x",
    ])
    func whatCanWorkIsNot(command: String) async throws {
        try await withPlace { place in
            let check = try await place.check(command)
            #expect(check.problems == [])
        }
    }

    @Test func helmLooksAtTheChart() async throws {
        try await withPlace { place in
            try place.write("charts/web/Chart.yaml", "name: web")
            var check = try await place.check("helm upgrade --install web ./charts/web -n shop -f gone.yaml")
            #expect(check.touches.contains("reads chart ./charts/web") && check.touches[0].hasPrefix("upgrade release web: writes in context prod"))
            #expect(check.problems == ["\(place.directory)/gone.yaml does not exist"])
            check = try await place.check("helm install web ./charts/none")
            #expect(check.problems.contains { $0.contains("has no Chart.yaml") })
            check = try await place.check("helm list")
            #expect(check.writes == false)
        }
    }

    @Test func terraformWithoutAnAnswerIsTold() async throws {
        try await withPlace { place in
            try place.write("infra/main.tf", "")
            try place.write("infra/.terraform/environment", "prod\n")
            var check = try await place.check("terraform -chdir=infra apply")
            #expect(check.touches == ["apply: writes, directory \(place.directory)/infra, workspace prod"])
            #expect(check.problems.count == 1 && check.problems[0].contains("-auto-approve"))
            check = try await place.check("terraform -chdir=infra destroy -auto-approve")
            #expect(check.problems == [] && check.writes == true)
            check = try await place.check("terraform plan")
            #expect(check.problems.contains { $0.contains("no .tf file") } && check.writes == false)
        }
    }

    @Test func argocdNamesServerAndApplication() async throws {
        try await withPlace { place in
            var check = try await place.check("argocd app sync web --server cd.example")
            #expect(check.touches == ["app sync: writes application web on cd.example"] && check.problems == [])
            check = try await place.check("argocd app delete web")
            #expect(check.problems.count == 2)
        }
    }

    @Test func makeTargetsAreReadFromTheFile() async throws {
        try await withPlace { place in
            try place.write("Makefile", "X := $(shell touch \(place.directory)/ran)\nBIN = a:b\nall: build test\nbuild test:\n\techo: x\n.PHONY: all\n")
            var check = try await place.check("make build")
            #expect(check.problems == [] && check.touches == ["runs the recipes of build in \(place.directory)/Makefile"])
            check = try await place.check("make bild X=1")
            #expect(check.problems == ["\(place.directory)/Makefile has no target bild; it has all, build, test"])
            #expect(!SmallFile.exists(place.directory + "/ran"), "nothing of the makefile is run")
            check = try await place.check("make -C gone build")
            #expect(check.problems.count == 1)
            try place.write("Makefile", "include other.mk\n")
            check = try await place.check("make bild")
            #expect(check.problems == [] && check.touches.count == 2)
        }
    }

    @Test func scriptsAreReadByTheirShell() async throws {
        try await withPlace { place in
            try place.write("good.sh", "#!/bin/sh\necho hi\n", mode: 0o755)
            try place.write("bad.sh", "#!/bin/sh\nif true\n", mode: 0o755)
            try place.write("plain.sh", "#!/bin/sh\n")
            #expect(try await place.check("./good.sh x").problems == [])
            let bad = try await place.check("./bad.sh")
            #expect(bad.problems.count == 1 && bad.problems[0].contains("sh -n"))
            let plain = try await place.check("./plain.sh")
            #expect(plain.problems == ["\(place.directory)/./plain.sh is not executable: chmod +x it, or run it by `sh ./plain.sh`"] || plain.problems[0].contains("not executable"))
            #expect(try await place.check("sh plain.sh").problems == [])
            #expect(try await place.check("sh gone.sh").problems == ["\(place.directory)/gone.sh does not exist"])
        }
    }

    @Test func aMissingToolAndOneThatHangsAreTold() async throws {
        try await withPlace { place in
            let missing = try await place.check("no-such-tool-here x")
            #expect(missing.path == nil && missing.problems.count == 1 && missing.problems[0].contains("not installed"))
            try place.write("bin/kubectl", "#!/bin/sh\nsleep 1000\n", mode: 0o755)
            let start = ContinuousClock.now
            let hanging = try await place.check("kubectl get pods", deadline: .milliseconds(200))
            #expect(hanging.version == nil && hanging.problems == ["`kubectl version --client` gave no answer: it was stopped after 0.2 seconds"])
            #expect(ContinuousClock.now - start < .seconds(10))
            try place.write("bin/kubectl", "#!/no/such/shell\n", mode: 0o755)
            #expect(try await place.check("kubectl get pods").problems[0].contains("No such file"))
            try place.write("bin/kubectl", "#!/bin/sh\necho cannot read my settings >&2\nexit 1\n", mode: 0o755)
            #expect(try await place.check("kubectl get pods").problems == ["`kubectl version --client` gave no answer: cannot read my settings"])
            let checks = await TaskChecks(environment: place.environment, workingDirectory: place.directory).checks(of: ["cd x && echo y", "make 'x", "sh -c 'helm list'"])
            #expect(checks.map(\.tool) == ["sh", "helm"])
        }
    }
}
