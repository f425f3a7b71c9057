import KubernetesClient
import Processes

extension TaskChecks {
    // MARK: kubectl

    private static let kubectlReads: Set<String> = [
        "get", "describe", "logs", "diff", "proxy", "explain", "wait", "top", "version", "api-resources", "api-versions", "cluster-info", "kustomize", "events", "options",
        "completion", "port-forward",
    ]

    func kubectl(_ words: ArraySlice<String>, _ check: inout TaskCheck) {
        var valued: Set<String> = [
            "-n", "--namespace", "--context", "--kubeconfig", "--cluster", "--server", "-s", "--user", "-f", "--filename", "-k", "--kustomize", "-l", "--selector", "-o",
            "--output", "-c", "--container", "--as", "--token", "-p", "--patch", "--type", "--field-manager", "--for", "--timeout", "--replicas", "--image",
        ]
        if CommandArguments(words, valued: valued).operands.first == "logs" { valued.subtract(["-f", "-p"]) }
        let arguments = CommandArguments(words, valued: valued)
        let verb = arguments.operands.first ?? ""
        let second = arguments.operands.dropFirst().first ?? ""
        check.writes = kubectlWrites(verb, second, arguments)
        let verbs = ["rollout", "config", "auth", "set", "create"].contains(verb) && !second.isEmpty ? "\(verb) \(second)" : verb
        let dryRun = arguments.value("--dry-run")
        check.touches.append(cluster(verb: verbs.isEmpty ? "no verb" : verbs, writes: check.writes, isDryRun: dryRun != nil && dryRun != "none", arguments, &check))
        let files = verb == "logs" ? [] : arguments.values("-f", "--filename")
        for file in files + arguments.values("-k", "--kustomize") {
            let isKustomize = arguments.values("-k", "--kustomize").contains(file)
            if file == "-" {
                check.touches.append("reads objects from its standard input")
                if !check.command.contains("|") { check.touches.append("without a pipe before it, that is empty") }
            } else if file.contains("://") {
                check.touches.append("reads \(file) over the network")
            } else if !exists(file) {
                check.problems.append("\(absolute(file)) does not exist")
            } else if isKustomize, !["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(where: { exists("\(absolute(file))/\($0)") }) {
                check.problems.append("\(absolute(file)) has no kustomization.yaml")
            } else {
                check.touches.append("reads \(file)")
            }
        }
        if verb == "apply", arguments.values("-f", "--filename", "-k", "--kustomize").isEmpty { check.problems.append("`kubectl apply` needs -f or -k") }
        kubectlSubject(verb, second, arguments, &check)
        if (verb == "get" && arguments.has("-w", "--watch", "--watch-only")) || (verb == "logs" && arguments.has("-f", "--follow")) || ["port-forward", "proxy"].contains(verb) {
            check.problems.append("`kubectl \(verb)` does not end by itself here: it would be stopped when the task's time is up")
        }
        if verb == "edit" || (verb == "exec" && arguments.has("-it", "-i", "--stdin", "-t", "--tty")) { check.problems.append("`kubectl \(verb)` needs a terminal; a task has none") }
    }

    /// A verb of a work plan that stands without what it is about, as in "watch `kubectl rollout status`".
    private func kubectlSubject(_ verb: String, _ second: String, _ arguments: CommandArguments, _ check: inout TaskCheck) {
        let isNested = ["rollout", "set"].contains(verb)
        guard isNested || ["get", "delete", "describe", "scale", "logs", "exec", "label", "annotate", "patch", "expose", "autoscale", "wait", "port-forward"].contains(verb) else { return }
        if arguments.value("-k", "--kustomize", "-l", "--selector", "--raw", "--filename") != nil || (verb != "logs" && arguments.value("-f") != nil) { return }
        if arguments.operands.count < (isNested ? 3 : 2) { check.problems.append("`kubectl \(verb)\(isNested && !second.isEmpty ? " \(second)" : "")` names no object") }
    }

    private func kubectlWrites(_ verb: String, _ second: String, _ arguments: CommandArguments) -> Bool? {
        if let dryRun = arguments.value("--dry-run"), dryRun != "none" { return false }
        switch verb {
        case "": return nil
        case "rollout": return !["status", "history"].contains(second)
        case "config": return !["view", "current-context", "get-contexts", "get-clusters", "get-users"].contains(second)
        case "auth": return second == "reconcile"
        case "exec", "cp", "attach", "debug": return nil
        default: return !Self.kubectlReads.contains(verb)
        }
    }

    /// The sentence about context, server and namespace.
    private func cluster(verb: String, writes: Bool?, isDryRun: Bool, _ arguments: CommandArguments, _ check: inout TaskCheck) -> String {
        let kind = isDryRun ? "tries" : writes == true ? "writes" : writes == false ? "reads" : "may write"
        let declared = arguments.value("-n", "--namespace")
        let all = arguments.has("-A", "--all-namespaces")
        if let server = arguments.value("--server", "-s") { return "\(verb): \(kind) in \(server), namespace \(all ? "all" : declared ?? "default")" }
        do {
            let file = arguments.value("--kubeconfig").map { absolute($0) }
            guard let config = try Kubeconfig.load(path: file, environment: environment) else {
                check.problems.append("there is no kubeconfig: set KUBECONFIG or --kubeconfig")
                return "\(verb): \(kind), namespace \(all ? "all" : declared ?? "default")"
            }
            let context = arguments.value("--context", "--kube-context") ?? config.currentContext
            let access = try config.access(context: context)
            return "\(verb): \(kind) in context \(context) (\(access.server)), namespace \(all ? "all" : declared ?? access.namespace ?? "default")"
        } catch {
            check.problems.append("\(error)")
            return "\(verb): \(kind), namespace \(all ? "all" : declared ?? "default")"
        }
    }

    // MARK: helm

    func helm(_ words: ArraySlice<String>, _ check: inout TaskCheck) {
        let arguments = CommandArguments(
            words,
            valued: [
                "-n", "--namespace", "--kube-context", "--kubeconfig", "-f", "--values", "--set", "--set-string", "--set-file", "--version", "--timeout", "--repo",
                "--post-renderer", "-o", "--output", "--description", "--history-max",
            ])
        let verb = arguments.operands.first ?? ""
        let rest = Array(arguments.operands.dropFirst())
        let writing: Set<String> = ["install", "upgrade", "uninstall", "delete", "del", "un", "rollback", "test"]
        let reading: Set<String> = ["list", "ls", "status", "get", "history", "diff"]
        check.writes = arguments.has("--dry-run") ? false : writing.contains(verb)
        if writing.contains(verb) || reading.contains(verb) {
            let release = rest.first.map { "release \($0)" } ?? "releases"
            check.touches.append(cluster(verb: "\(verb) \(release)", writes: check.writes, isDryRun: arguments.has("--dry-run"), arguments, &check))
        }
        let generated = arguments.has("--generate-name", "-g")
        let chart: String? =
            switch verb {
            case "install", "upgrade", "template": generated ? rest.first : rest.dropFirst().first ?? (verb == "template" ? rest.first : nil)
            case "lint": rest.first ?? "."
            case "package": rest.first
            default: nil
            }
        if ["history", "hist", "rollback", "status", "uninstall", "delete", "test"].contains(verb), rest.isEmpty { check.problems.append("`helm \(verb)` names no release") }
        if ["install", "upgrade"].contains(verb), chart == nil { check.problems.append("`helm \(verb)` needs a release and a chart") }
        if let chart { helmChart(chart, arguments, &check) }
        for file in arguments.values("-f", "--values") where !file.contains("://") {
            if exists(file) { check.touches.append("reads \(file)") } else { check.problems.append("\(absolute(file)) does not exist") }
        }
    }

    private func helmChart(_ chart: String, _ arguments: CommandArguments, _ check: inout TaskCheck) {
        let isPath = chart.hasPrefix(".") || chart.hasPrefix("/") || exists(chart)
        if chart.hasPrefix("oci://") || chart.contains("://") || arguments.value("--repo") != nil {
            check.touches.append("reads chart \(chart) over the network")
        } else if chart.hasSuffix(".tgz"), isPath {
            if exists(chart) { check.touches.append("reads chart \(chart)") } else { check.problems.append("\(absolute(chart)) does not exist") }
        } else if isPath {
            if exists(absolute(chart) + "/Chart.yaml") { check.touches.append("reads chart \(chart)") } else { check.problems.append("\(absolute(chart)) is no chart: it has no Chart.yaml") }
        } else {
            check.touches.append("reads chart \(chart) of a repository")
        }
    }

    // MARK: argocd

    func argocd(_ words: ArraySlice<String>, _ check: inout TaskCheck) {
        let arguments = CommandArguments(words, valued: ["--server", "--auth-token", "--grpc-web-root-path", "-l", "--selector", "--timeout", "--revision", "-o", "--output", "--config"])
        let (group, verb) = (arguments.operands.first ?? "", arguments.operands.dropFirst().first ?? "")
        let reads: Set<String> = ["get", "list", "wait", "diff", "history", "manifests", "logs", "resources"]
        check.writes = ["version", "account", "completion"].contains(group) ? false : group == "login" ? nil : !reads.contains(verb)
        let server = arguments.value("--server") ?? environment["ARGOCD_SERVER"] ?? argocdContext(arguments)
        if server == nil, !arguments.has("--core") { check.problems.append("no Argo CD server is named: --server, ARGOCD_SERVER or `argocd login`") }
        let names = arguments.operands.dropFirst(2).joined(separator: ", ")
        let subject = group == "app" ? "application \(names.isEmpty ? arguments.value("-l", "--selector").map { "with \($0)" } ?? "(none named)" : names)" : names
        check.touches.append("\(group) \(verb): \(check.writes == true ? "writes" : "reads") \(subject) on \(server ?? "no server")")
        if group == "app", verb == "delete", !arguments.has("-y", "--yes") { check.problems.append("`argocd app delete` asks for an answer; a task has nobody to give it: add --yes") }
    }

    private func argocdContext(_ arguments: CommandArguments) -> String? {
        let path = arguments.value("--config").map { absolute($0) } ?? "\(environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? "")/.config")/argocd/config"
        return SmallFile.text(path)?.split(separator: "\n").first { $0.hasPrefix("current-context:") }
            .map { $0.dropFirst("current-context:".count).drop { $0 == " " } }.map(String.init)
    }
}
