import ResourceModel

/// The names under which tasks live behind the API.
package enum TaskKinds {
    package static let group = "reconciler.dev"
    package static let version = "v1alpha1"
    package static let apiVersion = "\(group)/\(version)"
    package static let task = GroupKind(group: group, kind: "Task")
    package static let list = GroupKind(group: group, kind: "TaskList")
    /// Carries the list's name on every task of it.
    package static let listLabel = "reconciler.dev/task-list"
    /// The list of a task that names none.
    package static let defaultList = "tasks"

    /// The name of the object of a task: list and id, in lower case, everything else than letters and digits as one hyphen. A name
    /// that would be too long for a label (63 characters, of which an attempt's number needs some) keeps its start and gets a digest.
    package static func objectName(list: String, id: String) -> String {
        var name = ""
        for character in "\(list)-\(id)".lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                name.append(character)
            } else if name.last != "-" {
                name.append("-")
            }
        }
        while name.last == "-" { name.removeLast() }
        while name.first == "-" { name.removeFirst() }
        guard name.count > 52 || name.isEmpty else { return name }
        let start = name.isEmpty ? "task" : name.prefix(43)
        return "\(start)-\(JSONValue.string("\(list)/\(id)").digest.prefix(8))"
    }
}
