import Glibc
import Processes

extension TaskChecks {
    // MARK: terraform

    func terraform(_ words: ArraySlice<String>, _ check: inout TaskCheck) {
        let arguments = CommandArguments(words, valued: [])
        let verb = arguments.operands.first ?? ""
        let second = arguments.operands.dropFirst().first ?? ""
        let directory = arguments.value("-chdir").map { absolute($0) } ?? workingDirectory
        switch verb {
        case "apply", "destroy", "import", "taint", "untaint", "force-unlock": check.writes = true
        case "state": check.writes = !["list", "show", "pull"].contains(second)
        case "workspace": check.writes = !["list", "show"].contains(second)
        case "init", "get", "fmt": check.writes = true
        default: check.writes = false
        }
        let workspace =
            environment["TF_WORKSPACE"] ?? SmallFile.text("\(directory)/.terraform/environment")?.split(separator: "\n").first.map(String.init) ?? "default"
        check.touches.append("\(verb): \(check.writes == true ? "writes" : "reads"), directory \(directory), workspace \(workspace)")
        if !SmallFile.isDirectory(directory) {
            check.problems.append("\(directory) does not exist")
        } else if !["version", "fmt", "providers", ""].contains(verb) {
            let names = SmallFile.names(in: directory)
            if !names.contains(where: { $0.hasSuffix(".tf") || $0.hasSuffix(".tf.json") || $0.hasSuffix(".tofu") }) { check.problems.append("\(directory) has no .tf file") }
            if !["init", "validate", "get"].contains(verb), !names.contains(".terraform") { check.problems.append("\(directory) is not initialised: run `terraform init` before") }
        }
        let usesPlan = verb == "apply" && !second.isEmpty
        if verb == "apply" || verb == "destroy", !arguments.has("-auto-approve", "--auto-approve"), !usesPlan {
            check.problems.append("`terraform \(verb)` without -auto-approve waits for an answer; a task has nobody to give it, so it fails")
        }
        if usesPlan, !SmallFile.exists(absolute(second, in: directory)) { check.problems.append("the plan \(absolute(second, in: directory)) does not exist") }
        for file in arguments.values("-var-file", "--var-file") where !SmallFile.exists(absolute(file, in: directory)) {
            check.problems.append("\(absolute(file, in: directory)) does not exist")
        }
    }

    // MARK: docker

    func docker(_ name: String, _ words: ArraySlice<String>, _ check: inout TaskCheck) async {
        let isLog = words.first == "logs"
        let arguments = CommandArguments(
            words, valued: ["-H", "--host", "-c", "--context", isLog ? "--file" : "-f", "--file", "-t", "--tag", "-p", "--project-name", "--name", "-v", "--volume", "-e", "--env", "--network", "--platform", "--build-arg"])
        var operands = arguments.operands
        if ["image", "container"].contains(operands.first ?? "") { operands.removeFirst() }
        let verb = operands.first ?? ""
        let subject = operands.dropFirst().first ?? ""
        let reads: Set<String> = ["ps", "ls", "images", "inspect", "logs", "version", "info", "history", "search", "stats", "top", "port", "diff", "events"]
        check.writes = !reads.contains(verb)
        switch verb {
        case "push":
            check.touches.append("push: writes \(subject) to the registry \(Self.registry(subject))")
            if subject.isEmpty { check.problems.append("`\(name) push` needs an image") }
        case "pull": check.touches.append("pull: reads \(subject) from the registry \(Self.registry(subject))")
        case "build":
            let tags = arguments.values("-t", "--tag").joined(separator: ", ")
            check.touches.append("build: makes \(tags.isEmpty ? "an image without a name" : tags) from \(subject)")
            let file = arguments.value("-f", "--file") ?? (subject.isEmpty ? "Dockerfile" : "\(subject)/Dockerfile")
            if !subject.contains("://"), !exists(file) { check.problems.append("\(absolute(file)) does not exist") }
        case "compose":
            let files = arguments.values("-f", "--file")
            let known = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]
            check.writes = !["ps", "logs", "config", "images", "ls", "top", "version"].contains(subject)
            check.touches.append("compose \(subject): \(check.writes == true ? "changes" : "reads") the services of \(files.isEmpty ? "this directory" : files.joined(separator: ", "))")
            for file in files where !exists(file) { check.problems.append("\(absolute(file)) does not exist") }
            if files.isEmpty, !known.contains(where: { exists($0) }) { check.problems.append("\(workingDirectory) has no compose.yaml") }
        default: check.touches.append("\(verb)\(subject.isEmpty ? "" : " \(subject)"): \(check.writes == true ? "changes" : "reads") this machine's containers")
        }
        if verb == "logs" && arguments.has("-f", "--follow") || (verb == "compose" && subject == "up" && !arguments.has("-d", "--detach", "--wait")) {
            check.problems.append("`\(name) \(verb)` does not end by itself here: it would be stopped when the task's time is up")
        }
        if arguments.has("-it", "-ti", "--interactive", "--tty") { check.problems.append("`\(name) \(verb)` with a terminal; a task has none") }
        guard let path = check.path else { return }
        do {
            let answer = try await output([path, "version", "--format", "{{.Server.Version}}"])
            guard !answer.isSuccess else { return }
            check.problems.append("the \(name) daemon does not answer: \(answer.text.split(separator: "\n").last ?? "\(name) failed without a word")")
        } catch {
            check.problems.append("the \(name) daemon does not answer: \(error)")
        }
    }

    private static func registry(_ image: String) -> String {
        let first = image.split(separator: "/", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        return image.contains("/") && (first.contains(".") || first.contains(":") || first == "localhost") ? first : "docker.io"
    }

    // MARK: make

    /// The makefile's own rules are read as text. `make -n` and `make -qp` would run every `$(shell ...)` in it, and `+` recipes.
    func make(_ words: ArraySlice<String>, _ check: inout TaskCheck) {
        let arguments = CommandArguments(words, valued: ["-C", "--directory", "-f", "--file", "--makefile", "-I", "-o", "-W", "-l", "-j"])
        let directory = arguments.value("-C", "--directory").map { absolute($0) } ?? workingDirectory
        check.writes = arguments.has("-n", "--dry-run", "--just-print", "-q", "--question") ? false : nil
        let named = arguments.value("-f", "--file", "--makefile").map { absolute($0, in: directory) }
        let file = named ?? ["GNUmakefile", "makefile", "Makefile"].map { "\(directory)/\($0)" }.first { SmallFile.exists($0) }
        guard let file, let text = SmallFile.text(file) else {
            check.problems.append(named.map { "\($0) does not exist" } ?? "\(directory) has no Makefile")
            return
        }
        let rules = Self.targets(text)
        let wanted = arguments.operands.filter { !$0.contains("=") && Int($0) == nil }
        check.touches.append("runs the recipes of \(wanted.isEmpty ? "the first target" : wanted.joined(separator: ", ")) in \(file)")
        for target in wanted where !rules.targets.contains(target) {
            if rules.isComplete, !SmallFile.exists(absolute(target, in: directory)) {
                let near = rules.targets.sorted().prefix(12).joined(separator: ", ")
                check.problems.append("\(file) has no target \(target); it has \(near.isEmpty ? "none" : near)")
            } else {
                check.touches.append("whether \(target) is a target cannot be seen without running make")
            }
        }
    }

    /// Targets that are written out. Not complete with includes, pattern rules, or targets that are variables.
    static func targets(_ text: String) -> (targets: Set<String>, isComplete: Bool) {
        var targets: Set<String> = []
        var isComplete = true
        var continues = false
        var inDefinition = false
        for line in text.split(whereSeparator: \.isNewline) {
            let follows = continues
            continues = line.hasSuffix("\\")
            if follows || line.hasPrefix("\t") || line.hasPrefix("#") { continue }
            let trimmed = line.drop { $0 == " " }
            if trimmed.hasPrefix("define ") { inDefinition = true }
            if trimmed.hasPrefix("endef") { inDefinition = false }
            if inDefinition { continue }
            if ["include ", "-include ", "sinclude ", "$(eval", "$(call", "load "].contains(where: trimmed.hasPrefix) { isComplete = false }
            guard let colon = trimmed.firstIndex(of: ":") else { continue }
            if let equals = trimmed.firstIndex(of: "="), equals < colon || trimmed.index(after: colon) == equals || trimmed[colon...].hasPrefix("::=") { continue }
            for name in trimmed[..<colon].split(separator: " ") {
                if name.contains("$") || name.contains("%") { isComplete = false } else { targets.insert(String(name)) }
            }
        }
        return (targets.filter { !$0.hasPrefix(".") || $0.contains("/") }, isComplete)
    }

    // MARK: Scripts

    /// - Parameter isRunDirectly: not through `sh FILE`, so it must be executable.
    func script(_ file: String, isRunDirectly: Bool, _ check: inout TaskCheck) async {
        let path = absolute(file)
        guard SmallFile.exists(path), !SmallFile.isDirectory(path) else { return check.problems.append("\(path) does not exist") }
        if isRunDirectly, access(path, X_OK) != 0 { check.problems.append("\(path) is not executable: chmod +x it, or run it by `sh \(file)`") }
        guard let bytes = SmallFile.bytes(path) else { return check.problems.append("\(path) cannot be read") }
        var shell = "sh"
        if isRunDirectly {
            guard bytes.starts(with: Array("#!".utf8)) else { return }  // a program, or a script that the shell runs itself
            let first = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
            let words = first.dropFirst(2).split { $0 == " " || $0 == "/" || $0 == "\r" }
            guard let name = words.last(where: { ["sh", "bash", "dash", "ksh", "zsh"].contains($0) }) else { return }
            shell = String(name)
            if first.hasSuffix("\r") { check.problems.append("\(path) has Windows line ends: no system finds its interpreter") }
        } else if let own = check.path?.split(separator: "/").last {
            shell = String(own)
        }
        check.touches.append("runs \(path)")
        guard let program = self.path(of: shell) else { return check.problems.append("\(path) needs \(shell), which is not installed") }
        do {
            let answer = try await output([program, "-n", path])
            guard !answer.isSuccess else { return }
            check.problems.append("`\(shell) -n \(path)`: \(answer.text.split(separator: "\n").first ?? "it is no correct script")")
        } catch {
            check.problems.append("`\(shell) -n \(path)` gave no answer: \(error)")
        }
    }
}
