import Crypto
import ResourceModel
import TaskModel

/// The Job of one attempt: its name, which is the attempt's claim, and what it declares.
struct JobManifest {
    let attempt: TaskAttempt

    /// `<task name>-<attempt>`; a longer one than a label's 63 characters ends in a digest of the whole.
    var name: String {
        let whole = "\(attempt.name)-\(attempt.number)"
        if whole.utf8.count <= 63 { return whole }
        let digest = SHA256.hash(data: Array(whole.utf8)).prefix(5).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let tail = "-\(digest)-\(attempt.number)"
        return String(whole.prefix(63 - tail.utf8.count)) + tail
    }

    /// Tells an attempt's Job from somebody's of the same name.
    static let attemptKey = "reconciler.dev/attempt"
    /// Why the Job was suspended for good: `withdrawn`, `canceled`, `timedOut`, `notStarted: SENTENCE`.
    static let endKey = "reconciler.dev/ended"

    /// With the Task's uid: one that was made again has other attempts of the same numbers.
    var attemptValue: String { attempt.uid.isEmpty ? attemptName : "\(attemptName)/\(attempt.uid)" }
    var attemptName: String { "\(attempt.list)/\(attempt.name)/\(attempt.number)" }

    /// Runs the commands as `AttemptScript` does, and says on the last line which one failed.
    static let script = #"""
        reconciler_child=
        trap '[ -z "$reconciler_child" ] || kill -TERM "$reconciler_child" 2> /dev/null; exit 143' TERM
        reconciler_n=0
        for reconciler_command in "$@"; do
            reconciler_n=$((reconciler_n + 1))
            /bin/sh -c "$reconciler_command" < /dev/null &
            reconciler_child=$!
            wait "$reconciler_child"
            reconciler_code=$?
            if [ "$reconciler_code" -ne 0 ]; then
                echo "reconciler: command $reconciler_n of $# ended with exit code $reconciler_code" >&2
                exit "$reconciler_code"
            fi
        done
        """#

    /// The number of the command that a log's last line names.
    static func failedCommand(_ line: String) -> Int? {
        guard let range = line.firstRange(of: "reconciler: command ") else { return nil }
        let words = line[range.upperBound...].split(separator: " ")
        return words.count > 3 && words[1] == "of" && words[3] == "ended" ? Int(words[0]) : nil
    }

    /// - Parameter seconds: until the cluster ends it.
    func object(image: String, seconds: Int64) -> JSONValue {
        let labels: JSONValue = [
            "reconciler.dev/task": .string(Self.label(attempt.task)), "reconciler.dev/task-list": .string(Self.label(attempt.list)),
            "app.kubernetes.io/managed-by": "reconciler",
        ]
        var environment = attempt.environment
        environment["RECONCILER_TASK_LIST"] = attempt.list
        environment["RECONCILER_TASK_ID"] = attempt.task
        environment["RECONCILER_TASK_ATTEMPT"] = "\(attempt.number)"
        var container: JSONValue = [
            "name": "task", "image": .string(image), "command": .array((["/bin/sh", "-c", Self.script, "reconciler-task"] + attempt.commands).map(Self.literal)),
            "env": .array(environment.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "value": Self.literal($0.value)] }),
        ]
        if !attempt.workingDirectory.isEmpty { container["workingDir"] = .string(attempt.workingDirectory) }
        var metadata: JSONValue = [
            "name": .string(name), "namespace": .string(attempt.namespace), "labels": labels,
            "annotations": [Self.attemptKey: .string(attemptValue)],
        ]
        if !attempt.uid.isEmpty {
            metadata["ownerReferences"] = [
                ["apiVersion": "reconciler.dev/v1alpha1", "kind": "Task", "name": .string(attempt.name), "uid": .string(attempt.uid), "controller": true]
            ]
        }
        return [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
            "spec": [
                "backoffLimit": 0, "completions": 1, "parallelism": 1, "activeDeadlineSeconds": .integer(max(1, seconds)),
                "template": [
                    "metadata": ["labels": labels],
                    "spec": ["restartPolicy": "Never", "terminationGracePeriodSeconds": 10, "containers": [container]],
                ],
            ],
        ]
    }

    /// A Job that never runs: it takes the name.
    func tombstone(end: String) -> JSONValue {
        var value = object(image: attempt.image ?? "none", seconds: 1)
        value[path: "spec", "suspend"] = true
        value[path: "metadata", "annotations", Self.endKey] = .string(end)
        return value
    }

    /// `$(NAME)` is Kubernetes' own expansion, and `$$` a dollar.
    private static func literal(_ text: String) -> JSONValue {
        .string(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
    }

    /// What a label's value may be: 63 letters, digits, `-`, `_` and `.`, between letters or digits.
    static func label(_ text: String) -> String {
        let kept = text.prefix(63).map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }
        let trimmed = kept.drop { !$0.isLetter && !$0.isNumber }
        return String(trimmed.reversed().drop { !$0.isLetter && !$0.isNumber }.reversed())
    }
}
