import Desired
import Git
import Glibc
import ResourceModel
import Store
import SystemPackage
import Tasks
import YAML

/// Flags, else `RECONCILER_*` variables, else `reconciler.yaml`.
struct Settings {
    var repository: String?
    var branch: String
    var path: String
    var kubeconfig: String?
    var stateDirectory: String?
    var retention = Retention()
    var leaseWait = Duration.seconds(60)
    var leaseDuration = Duration.seconds(15)
    var requestTimeout = Duration.seconds(60)
    /// `NAME <EMAIL>`: who makes revert commits.
    var author: String?
    /// A `TaskPolicy` file: which commands of tasks may run.
    var taskPolicy: String?
    private var credentials: [RepositoryCredential] = []

    private static let keys = ["repository", "branch", "path", "kubeconfig", "stateDirectory", "credentials", "history", "lease", "author", "tasks"]

    /// `stateDirectory:` of a `reconciler.yaml` in the current directory, for commands that take no `--config`.
    static func configuredStateDirectory() throws -> String? {
        let file = "reconciler.yaml"
        return access(file, R_OK) == 0 ? try read(file)["stateDirectory"]?.stringValue : nil
    }

    init(_ options: TargetOptions, _ writer: WriterOptions? = nil) throws { try self.init(options.cluster, options, writer) }

    /// - Parameter target: which repository; `nil` where none is asked.
    init(_ options: ClusterOptions, _ target: TargetOptions? = nil, _ writer: WriterOptions? = nil) throws {
        let file = options.config ?? (access("reconciler.yaml", R_OK) == 0 ? "reconciler.yaml" : nil)
        let values: JSONObject
        do {
            values = try file.map(Self.read) ?? [:]
        } catch {
            throw UsageError("the configuration cannot be used: \(error)")
        }
        repository = target?.repo ?? Environment.value("RECONCILER_REPO") ?? values["repository"]?.stringValue
        branch = target?.branch ?? Environment.value("RECONCILER_BRANCH") ?? values["branch"]?.stringValue ?? "main"
        path = target?.path ?? Environment.value("RECONCILER_PATH") ?? values["path"]?.stringValue ?? "environments"
        kubeconfig = values["kubeconfig"]?.stringValue
        stateDirectory = values["stateDirectory"]?.stringValue
        let numbers = SettingNumbers(values: values, file: file ?? "")
        retention = try numbers.retention(writer)
        (leaseWait, leaseDuration) = try numbers.lease(writer)
        let timeout = try options.requestTimeout ?? Environment.value("RECONCILER_REQUEST_TIMEOUT").map { text in
            guard let seconds = Int(text) else { throw UsageError("$RECONCILER_REQUEST_TIMEOUT is `\(text)`: write seconds") }
            return seconds
        }
        if let timeout {
            guard timeout > 0 else { throw UsageError("the request timeout is \(timeout) s: it must be at least 1") }
            requestTimeout = .seconds(timeout)
        }
        author = values["author"]?.stringValue
        if let tasks = values["tasks"], tasks.objectValue?.keys.allSatisfy({ $0 == "policy" }) != true {
            throw UsageError("the configuration cannot be used: \(file ?? ""): `tasks` takes policy")
        }
        taskPolicy = Environment.value("RECONCILER_TASK_POLICY") ?? values["tasks"]?["policy"]?.stringValue
        for entry in values["credentials"]?.arrayValue ?? [] { credentials.append(try Self.credential(entry, file ?? "")) }
        if let credential = environmentCredential() { credentials.append(credential) }
    }

    private static func read(_ file: String) throws -> JSONObject {
        let bytes = try Files.read(file)
        guard let document = try YAML.documents(in: bytes, path: file).first else { return [:] }
        guard let object = document.value.objectValue else {
            throw Problem(code: "config.invalid", message: "\(file) is not a mapping", location: document.location)
        }
        for key in object.keys where !keys.contains(key) {
            throw Problem(
                code: "config.unknown-field", message: "unknown field `\(key)`",
                location: SourceLocation(path: file, line: document.positions["/" + key] ?? 1), hint: "known are: \(keys.joined(separator: ", "))")
        }
        return object
    }

    /// `credentials: [{url, username, passwordEnv | tokenEnv | sshKeyFile, caFile, knownHostsFile}]`: values come from variables or
    /// files, never from the configuration itself.
    private static func credential(_ entry: JSONValue, _ file: String) throws -> RepositoryCredential {
        guard let url = entry["url"]?.stringValue else {
            throw Problem(code: "config.invalid", message: "\(file): an entry of `credentials` has no `url`")
        }
        func secret(_ key: String) -> Redacted<String>? {
            entry[key]?.stringValue.flatMap { Environment.value($0) }.map { Redacted($0) }
        }
        var credentials: GitCredentials?
        if let token = secret("tokenEnv") {
            credentials = .token(token)
        } else if let password = secret("passwordEnv") {
            credentials = .basic(username: entry["username"]?.stringValue ?? "git", password: password)
        } else if let key = entry["sshKeyFile"]?.stringValue {
            credentials = .sshKey(path: key)
        }
        return RepositoryCredential(
            url: url, credentials: credentials, caFile: entry["caFile"]?.stringValue, knownHostsFile: entry["knownHostsFile"]?.stringValue)
    }

    /// `$RECONCILER_GIT_TOKEN`, or `$RECONCILER_GIT_USERNAME` and `$RECONCILER_GIT_PASSWORD`, or `$RECONCILER_GIT_SSH_KEY` (a file):
    /// for the configured repository.
    private func environmentCredential() -> RepositoryCredential? {
        guard let repository else { return nil }
        var credentials: GitCredentials?
        if let token = Environment.value("RECONCILER_GIT_TOKEN") {
            credentials = .token(Redacted(token))
        } else if let password = Environment.value("RECONCILER_GIT_PASSWORD") {
            credentials = .basic(username: Environment.value("RECONCILER_GIT_USERNAME") ?? "git", password: Redacted(password))
        } else if let key = Environment.value("RECONCILER_GIT_SSH_KEY") {
            credentials = .sshKey(path: key)
        }
        let authority = Environment.value("RECONCILER_GIT_CA_FILE")
        let hosts = Environment.value("RECONCILER_GIT_KNOWN_HOSTS")
        guard credentials != nil || authority != nil || hosts != nil else { return nil }
        return RepositoryCredential(url: repository, credentials: credentials, caFile: authority, knownHostsFile: hosts)
    }

    /// The configured policy; without one no command may run.
    func policyOfTasks() throws -> TaskPolicy { try taskPolicy.map { try TaskPolicy(parsing: try Files.read($0), path: $0) } ?? TaskPolicy() }

    func desired(mirrors: FilePath) throws -> DesiredConfiguration {
        guard let repository else {
            throw UsageError("no repository is given: use --repo URL, $RECONCILER_REPO, or `repository:` in reconciler.yaml")
        }
        return DesiredConfiguration(
            repository: repository, branch: branch, path: path, mirrors: mirrors, credentials: credentials)
    }
}

/// Exit 64.
struct UsageError: ClassifiedError, CustomStringConvertible {
    var description: String
    var failureKind: FailureKind { .usage }
    init(_ description: String) { self.description = description }
}
