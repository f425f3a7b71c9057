import ResourceModel

/// The CustomResourceDefinitions of tasks. Whoever syncs an application that declares tasks installs them.
package enum TaskDefinitions {
    /// Tells one version of these definitions from the next.
    package static let digestAnnotation = "reconciler.dev/definition-digest"

    package static let all: [JSONValue] = [task, list].map { definition in
        var marked = definition
        marked[path: "metadata", "annotations", digestAnnotation] = .string(definition.digest)
        return marked
    }

    private static let text: JSONValue = ["type": "string"]
    private static let flag: JSONValue = ["type": "boolean"]
    private static let integer: JSONValue = ["type": "integer"]
    private static let number: JSONValue = ["type": "number"]
    private static let time: JSONValue = ["type": "string", "format": "date-time"]
    private static let texts: JSONValue = ["type": "array", "items": text]
    private static let map: JSONValue = ["type": "object", "additionalProperties": text]
    private static let location = object(["path": text, "line": integer])

    private static func object(_ properties: JSONValue, required: [String] = []) -> JSONValue {
        var schema: JSONValue = ["type": "object", "properties": properties]
        if !required.isEmpty { schema["required"] = .array(required.map(JSONValue.string)) }
        return schema
    }

    private static func described(_ schema: JSONValue, _ description: String) -> JSONValue {
        var schema = schema
        schema["description"] = .string(description)
        return schema
    }

    private static func choice(_ values: [String]) -> JSONValue { ["type": "string", "enum": .array(values.map(JSONValue.string))] }

    private static func column(_ name: String, _ path: String, type: String = "string", wide: Bool = false) -> JSONValue {
        var column: JSONValue = ["name": .string(name), "type": .string(type), "jsonPath": .string(path)]
        if wide { column["priority"] = 1 }
        return column
    }

    private static func definition(
        kind: String, listKind: String, plural: String, singular: String, shortNames: [String], columns: [JSONValue], spec: JSONValue, status: JSONValue
    ) -> JSONValue {
        // What nobody has looked at yet reads as pending.
        var status = status
        status["default"] = ["state": "Pending"]
        let schema = object(["apiVersion": text, "kind": text, "metadata": ["type": "object"], "spec": spec, "status": status])
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(plural).\(TaskKinds.group)")],
            "spec": [
                "group": .string(TaskKinds.group), "scope": "Namespaced",
                "names": [
                    "kind": .string(kind), "listKind": .string(listKind), "plural": .string(plural), "singular": .string(singular),
                    "shortNames": .array(shortNames.map(JSONValue.string)), "categories": ["reconciler"],
                ],
                "versions": [
                    [
                        "name": .string(TaskKinds.version), "served": true, "storage": true, "subresources": ["status": [:]],
                        "additionalPrinterColumns": .array(columns), "schema": ["openAPIV3Schema": schema],
                    ]
                ],
            ],
        ]
    }

    private static let states = TaskStatus.State.allCases.map(\.rawValue)

    private static let run = object([
        "runner": described(choice(["Process", "Job"]), "a process beside the reconciler, or a Kubernetes Job"),
        "image": described(text, "the Job's image"),
        "workingDirectory": described(text, "absolute, or relative to the checked-out repository"),
        "environment": map,
        "variables": described(map, "put into commands for ${NAME}, {{NAME}} and <NAME>"),
        "timeout": described(text, "of one attempt: 90s, 5m; 10m when absent"),
        "retry": object([
            "limit": described(integer, "attempts beyond the first"),
            "backoff": object(["duration": text, "factor": number, "maxDuration": text, "jitter": number]),
        ]),
        "idempotent": described(flag, "run again after a crash even if it may have run"),
        "approval": described(flag, "somebody must approve it before it runs"),
    ])

    private static let task = definition(
        // `TaskList` is a kind of its own, so a list of tasks must be called otherwise.
        kind: "Task", listKind: "TaskCollection", plural: "tasks", singular: "task", shortNames: [],
        columns: [
            column("ID", ".spec.id"), column("State", ".status.state"), column("Phase", ".spec.phase"), column("Title", ".spec.summary"),
            column("Reason", ".status.reason", wide: true), column("Priority", ".spec.priority", wide: true),
            column("Attempts", ".status.attempts", type: "integer", wide: true), column("Exit", ".status.exitCode", type: "integer", wide: true),
            column("Source", ".spec.source.path", wide: true), column("Line", ".spec.source.line", type: "integer", wide: true),
            column("Age", ".metadata.creationTimestamp", type: "date"),
        ],
        spec: object([
            "list": text, "index": integer, "id": text, "title": text, "summary": text, "details": text, "phase": text, "section": text,
            "priority": text, "story": text, "order": choice(["Sequential", "Parallel", "Declared"]),
            // An estimate by hand is a text.
            "estimate": ["x-kubernetes-preserve-unknown-fields": true],
            "dependencies": described(texts, "ids of tasks of the same list that must have ended before"),
            "done": described(flag, "ticked in the document: it counts as succeeded and is never run"),
            "commands": texts, "deliverables": texts, "acceptance": texts, "risks": texts, "source": location,
            "alsoAt": ["type": "array", "items": location], "run": run,
        ]),
        status: object([
            "state": choice(states), "reason": text, "message": text, "attempts": integer, "failures": integer, "startedBy": text, "startedAt": time, "finishedAt": time,
            "nextAttemptAt": time, "exitCode": integer, "log": text, "commandsDigest": text, "approvedBy": text, "observedGeneration": integer,
        ]))

    private static let list = definition(
        kind: "TaskList", listKind: "TaskListCollection", plural: "tasklists", singular: "tasklist", shortNames: ["tl"],
        columns: [
            column("State", ".status.state"), column("Progress", ".status.progress"), column("Phase", ".status.phase"),
            column("Running", ".status.running", type: "integer"), column("Failed", ".status.failed", type: "integer"),
            column("Message", ".status.message", wide: true), column("Age", ".metadata.creationTimestamp", type: "date"),
        ],
        spec: object([
            "title": text, "documents": texts, "parallelism": described(integer, "attempts at a time"),
            "suspended": described(flag, "nothing of the list is begun"),
            "total": described(integer, "how many tasks the list has: nothing is begun while there are more or fewer"),
            "phases": [
                "type": "array",
                "items": object(
                    [
                        "id": text, "title": text, "priority": text, "story": text, "purpose": text, "goal": text, "independentTest": text,
                        "checkpoint": text, "estimate": text, "risks": texts, "deliverables": texts, "acceptance": texts, "source": location,
                        "dependencies": described(texts, "phases that must have ended before; when absent, the one before this"),
                    ], required: ["id"]),
            ],
        ]),
        status: object([
            "state": choice(states), "progress": text, "phase": text, "message": text, "total": integer, "pending": integer, "blocked": integer,
            "running": integer, "succeeded": integer, "failed": integer, "skipped": integer, "observedGeneration": integer,
        ]))
}
