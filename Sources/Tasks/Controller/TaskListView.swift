import KubernetesClient
import ResourceModel
import TaskModel

/// What is known of one list and its tasks: kept by watching.
struct TaskListView {
    let name: String
    /// The `TaskList` object; `nil` when there is none, as for tasks that were written by hand.
    private(set) var list: JSONValue?
    private(set) var records: [String: TaskRecord] = [:]
    /// What is wrong with tasks that cannot be read, by object name; nothing is begun while there is any.
    private(set) var problems: [String: Problem] = [:]
    private(set) var hasTasks = false
    private(set) var hasList = false
    /// Names of tasks that are gone, since the last look.
    private(set) var gone: Set<String> = []

    init(name: String) { self.name = name }

    /// Whether everything has been seen once.
    var isLoaded: Bool { hasTasks && hasList }

    func spec() throws(Problem) -> TaskListSpec {
        guard let list else { return TaskListSpec(name: name, title: name) }
        return try TaskListSpec(object: list)
    }

    mutating func take(_ event: ObservedEvent, ofTasks: Bool) {
        switch event {
        case .listed(let objects, _):
            if ofTasks {
                hasTasks = true
                gone.formUnion(Set(records.keys).subtracting(objects.map(Self.name)))
                for name in gone { forget(name) }
            } else {
                hasList = true
                list = nil
            }
            for object in objects { put(object, ofTasks: ofTasks) }
        case .added(let object), .modified(let object): put(object, ofTasks: ofTasks)
        case .deleted(let object):
            if ofTasks {
                if records[Self.name(object)] != nil { gone.insert(Self.name(object)) }
                forget(Self.name(object))
            } else if Self.name(object) == name {
                list = nil
            }
        case .bookmark, .interrupted: break
        }
    }

    /// Takes an object over unless a newer one is known: answers to writes and events of a watch may overtake each other.
    mutating func put(_ object: JSONValue, ofTasks: Bool) {
        guard ofTasks else {
            if Self.name(object) == name { list = object }
            return
        }
        let objectName = Self.name(object)
        guard object[path: "metadata", "deletionTimestamp"] == nil else {
            // Nobody wants it any more, whatever still keeps the object.
            if records[objectName] != nil { gone.insert(objectName) }
            return forget(objectName)
        }
        do {
            let record = try TaskRecord(object: object)
            guard record.spec.list == name else { return forget(objectName) }
            if let known = records[objectName], known.uid == record.uid, let old = Int(known.resourceVersion), let new = Int(record.resourceVersion), new < old {
                return
            }
            records[objectName] = record
            problems[objectName] = nil
        } catch {
            guard records[objectName] != nil || object[path: "metadata", "labels", TaskKinds.listLabel]?.stringValue == name else { return }
            records[objectName] = nil
            problems[objectName] = error
        }
    }

    mutating func takeGone() -> Set<String> {
        defer { gone = [] }
        return gone
    }

    private mutating func forget(_ name: String) {
        records[name] = nil
        problems[name] = nil
    }

    private static func name(_ object: JSONValue) -> String { object[path: "metadata", "name"]?.stringValue ?? "" }
}
