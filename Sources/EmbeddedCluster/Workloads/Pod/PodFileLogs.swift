import Processes

/// Finds the log files of pods' containers.
struct PodFileLogs: PodLogSource {
    let root: String

    func logFile(namespace: String, pod: String, uid: String, container: String, previous: Bool) -> String? {
        let directory = PodDirectory(root: root, namespace: namespace, name: pod, uid: uid).container(container)
        let starts = SmallFile.names(in: directory).compactMap { name in
            name.hasSuffix(".log") ? Int(name.dropLast(4)) : nil
        }.sorted()
        if previous { return starts.count > 1 ? "\(directory)/\(starts[starts.count - 2]).log" : nil }
        return starts.last.map { "\(directory)/\($0).log" }
    }
}
