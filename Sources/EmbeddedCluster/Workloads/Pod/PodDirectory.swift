import ResourceModel

/// The files of one pod: `pods/NAMESPACE_NAME_UID/`.
///
/// ```
/// state.json                what runs, so that it is found again after a restart
/// volumes/NAME/             the content of each volume
/// CONTAINER/root/PATH       a link to the volume for each mountPath: the container sees it as $POD_ROOT/PATH
/// CONTAINER/N.log           the log of the N-th start, each line with its time
/// ```
struct PodDirectory: Sendable, Hashable {
    let path: String

    /// - Parameter root: the directory of all pods.
    init(root: String, namespace: String, name: String, uid: String) { path = "\(root)/\(namespace)_\(name)_\(uid)" }

    init(root: String, pod: JSONValue) { self.init(root: root, namespace: pod.objectNamespace, name: pod.objectName, uid: pod.objectUID) }

    /// A directory that was found.
    init(path: String) { self.path = path }

    var state: String { path + "/state.json" }
    func volume(_ name: String) -> String { "\(path)/volumes/\(name)" }
    func container(_ name: String) -> String { "\(path)/\(name)" }
    func root(_ container: String) -> String { "\(path)/\(container)/root" }
    /// Without the suffix: `.out`, `.log`, `.offset`.
    func log(_ container: String, _ restart: Int) -> String { "\(path)/\(container)/\(restart)" }
}
