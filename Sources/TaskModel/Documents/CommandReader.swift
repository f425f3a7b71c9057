/// Finds command lines in code spans and code blocks.
enum CommandReader {
    /// The command that a code span holds, `nil` for a path, a name or a value.
    /// - Parameter before: The text before the span: after `run` a script needs no argument.
    static func command(span: String, after before: String) -> String? {
        let text = span.oneLine.trimmed
        guard isCommand(text, isAlone: before) else { return nil }
        return withoutPrompt(text)
    }

    /// The commands of a code block; lines that need one shell (`cd`, variables, loops) are one command.
    /// - Parameter info: The word after the fence.
    static func commands(block: String, info: String) -> [String] {
        let language = info.split(whereSeparator: { $0 == " " || $0 == "{" || $0 == "," }).first.map { $0.lowercased() } ?? ""
        let isShell = ["sh", "bash", "shell", "zsh", "shellscript"].contains(language)
        let isConsole = ["console", "terminal", "shell-session", "shellsession", "sh-session"].contains(language)
        guard isShell || isConsole || language.isEmpty || language == "text" else { return [] }
        var lines = joined(block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        if lines.contains(where: { $0.trimmed.hasPrefix("$ ") }) {
            // A session: what follows a prompt was typed, the rest was printed.
            lines = lines.filter { $0.trimmed.hasPrefix("$ ") }.map { withoutPrompt($0.trimmed) }
        } else if isConsole {
            return []
        }
        let first = lines.map(\.trimmed).first { !$0.isEmpty && !$0.hasPrefix("#") } ?? ""
        if !isShell, !isConsole, !isCommand(first, isAlone: "run") { return [] }
        if needsOneShell(lines) {
            let body = lines.drop { $0.trimmed.isEmpty }.joined(separator: "\n").trimmed
            return body.isEmpty ? [] : ["set -e\n" + body]
        }
        return lines.map { withoutComment($0.trimmed) }.filter { !$0.isEmpty }
    }

    /// Lines with `\` at the end are one line.
    private static func joined(_ lines: [String]) -> [String] {
        var joined = [String]()
        var open = ""
        for line in lines {
            if line.hasSuffix("\\") {
                open += (open.isEmpty ? String(line.dropLast()) : String(line.dropLast()).trimmed) + " "
            } else {
                joined.append(open.isEmpty ? line : open.split(separator: " ").joined(separator: " ") + " " + line.trimmed)
                open = ""
            }
        }
        if !open.isEmpty { joined.append(open.trimmed) }
        return joined
    }

    private static func needsOneShell(_ lines: [String]) -> Bool {
        guard lines.filter({ !$0.trimmed.isEmpty && !$0.trimmed.hasPrefix("#") }).count > 1 else { return false }
        return lines.contains { line in
            let words = line.trimmed.split(separator: " ").map(String.init)
            guard let first = words.first else { return false }
            if ["cd", "export", "source", ".", "set", "if", "for", "while", "case", "function", "alias", "trap", "pushd", "unset", "{", "("].contains(first) {
                return true
            }
            if line.contains("<<") { return true }
            return words.count == 1 && isAssignment(first)
        }
    }

    private static func withoutPrompt(_ text: String) -> String { text.hasPrefix("$ ") ? String(text.dropFirst(2)).trimmed : text }

    private static func withoutComment(_ line: String) -> String { line.hasPrefix("#") ? "" : line }

    private static func isAssignment(_ word: String) -> Bool {
        guard let equals = word.utf8.firstIndex(of: 0x3D), equals > word.startIndex else { return false }
        return word.utf8[..<equals].allSatisfy(\.isWordByte)
    }

    private static func isCommand(_ text: String, isAlone before: String) -> Bool {
        guard text.utf8.count >= 4, text.utf8.count <= 4096 else { return false }
        var words = withoutPrompt(text).split(separator: " ").map(String.init)
        while let first = words.first, first == "sudo" || first == "time" || isAssignment(first) { words.removeFirst() }
        guard let tool = words.first else { return false }
        let follows = before.words.last.map { ["run", "execute", "running", "executing", "with", "via", "using"].contains($0) } ?? false
        if tool.hasPrefix("./") || tool.hasPrefix("../") {
            return words.count > 1 || follows || tool.hasSuffix(".sh")
        }
        guard tools.contains(tool) || utilities.contains(tool) && looksLikeShell(words) else {
            // `Run `backup --all``: the sentence says that it is a command.
            return follows && words.count > 1 && words[1].hasPrefix("-") && tool.utf8.allSatisfy { $0.isWordByte || $0 == 0x2D || $0 == 0x2E }
        }
        if words.count == 1 { return tool == "make" || (follows && standalone.contains(tool)) }
        // `node 20`, `python 3.11` are versions.
        if words.count == 2, let byte = words[1].utf8.first, byte.isDigit, versioned.contains(tool) { return false }
        return words[1] != "=" && words[1] != ":" && !words[1].hasPrefix("=")
    }

    /// What is run without an argument.
    private static let standalone: Set<String> = ["make", "pytest", "tox", "jest", "vitest", "tsc", "eslint", "prettier", "bandit", "ruff", "mypy", "true", "false"]
    /// Whether the words after a utility's name, which may be a plain word too (`test job`, `sort order`), are what a shell is given.
    private static func looksLikeShell(_ words: [String]) -> Bool {
        words.count == 1 || words.dropFirst().contains { word in
            guard let first = word.utf8.first else { return false }
            return "-/.$~\"'<>|&*0123456789".utf8.contains(first) || word.utf8.contains { $0 == 0x2F || $0 == 0x3D || $0 == 0x3B }
        }
    }
    private static let utilities: Set<String> = Set(
        """
        test find sort date id head tail diff kill pkill env source export exit cd pushd cut join split tr watch which type set unset eval exec wait read time timeout nohup \
        true false install patch comm paste shuf seq uniq file stat sync who w host hostname uname ps top free [ [[ . : if for while
        """.split(separator: " ").map(String.init))
    private static let versioned: Set<String> = ["node", "python", "python3", "go", "java", "ruby", "php", "swift", "npm", "docker", "helm", "terraform", "kubectl", "bun", "deno"]
    private static let tools: Set<String> = Set(
        """
        kubectl helm terraform tofu terragrunt argocd argo docker docker-compose podman nerdctl buildah skopeo crane make doctl kind k3d minikube kustomize skaffold tilt \
        istioctl linkerd cilium kubeseal kubectx kubens stern eksctl flux velero calicoctl git gh glab npm npx pnpm yarn bun bunx node deno cargo rustup rustc go \
        python python3 pip pip3 pipx pipenv poetry pytest uv uvx tox ruff black mypy bandit safety coverage locust alembic flask uvicorn gunicorn django-admin celery \
        curl wget dig nslookup ping nc openssl ssh scp rsync psql pg_dump pg_restore mysql mysqldump mongosh redis-cli sqlite3 aws gcloud gsutil az bq fly flyctl vercel netlify \
        heroku firebase wrangler supabase serverless sam cdk pulumi ansible ansible-playbook ansible-galaxy vault consul nomad packer sops age trivy grype syft cosign checkov \
        tflint gitleaks snyk sh bash zsh turbo nx lerna vite next tsc eslint prettier jest vitest playwright cypress gradle ./gradlew mvn dotnet swift xcodebuild java javac \
        ruby bundle rake rails php composer mix elixir sbt cmake ctest ninja bazel just task k6 hey wrk vegeta ab grpcurl jq yq systemctl journalctl apt apt-get brew dnf yum apk \
        mkdir rmdir chmod chown echo printf sleep touch cp mv rm ls cat ln tar unzip zip gzip gunzip grep egrep sed awk wc tee mktemp dd df du readlink realpath basename \
        dirname xargs base64 sha256sum md5sum pgrep envsubst rclone s3cmd pre-commit promtool amtool logcli etcdctl kubeadm kubelet nginx certbot rpk kafka-topics kafka-topics.sh dapr kubeconform kubeval conftest opa task-master \
        reconciler
        """.split(separator: " ").map(String.init))
}
