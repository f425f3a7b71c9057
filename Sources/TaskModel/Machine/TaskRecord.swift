import ResourceModel

/// A `Task` object: what it says and where it stands.
package struct TaskRecord: Sendable, Hashable {
    package var spec: TaskSpec
    package var status: TaskStatus
    /// The object's name, namespace, uid, version and generation.
    package var name: String
    package var namespace: String
    package var uid: String
    package var resourceVersion: String
    package var generation: Int64?

    /// A task that no cluster holds.
    package init(spec: TaskSpec, name: String, namespace: String) {
        self.spec = spec
        self.name = name
        self.namespace = namespace
        status = TaskStatus()
        (uid, resourceVersion, generation) = ("", "", nil)
    }

    /// - Throws: a `Problem` that names the object and the field that cannot be read.
    package init(object: JSONValue) throws(Problem) {
        spec = try TaskSpec(object: object)
        status = TaskStatus(object["status"])
        let metadata = object["metadata"]
        name = metadata?["name"]?.stringValue ?? ""
        namespace = metadata?["namespace"]?.stringValue ?? ""
        uid = metadata?["uid"]?.stringValue ?? ""
        resourceVersion = metadata?["resourceVersion"]?.stringValue ?? ""
        generation = metadata?["generation"]?.integerValue
    }

    /// What tells the commands of one attempt from those of another; `nil` for a task without any.
    package var commandsDigest: String? {
        spec.task.commands.isEmpty ? nil : JSONValue.array(spec.task.commands.map(JSONValue.string)).digest
    }
}

/// Why a task that could begin must not: a word and a sentence.
package struct TaskRefusal: Error, Sendable, Hashable {
    /// `NeedsApproval`, `Placeholder`, `Policy`, … Open.
    package var reason: String
    package var message: String

    package init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }
}
