import Glibc
import Processes

/// Who holds a lease: a process, told from every other one that there is or was.
package struct HolderIdentity: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var process: Int32
    /// When the process began, in clock ticks since the machine's start.
    package var started: UInt64
    /// The kernel's run and the process namespace: a process's number means nothing elsewhere.
    package var place: String

    package init(host: String, process: Int32, started: UInt64, place: String) {
        self.host = host
        self.process = process
        self.started = started
        self.place = place
    }

    /// This process.
    package static let current: HolderIdentity = {
        var name = [CChar](repeating: 0, count: 256)
        let host = gethostname(&name, name.count - 1) == 0 ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        return HolderIdentity(
            host: host.isEmpty ? "localhost" : host, process: getpid(), started: ProcessIdentity(pid: getpid())?.startTicks ?? 0, place: currentPlace())
    }()

    private static func currentPlace() -> String {
        let boot = (SmallFile.text("/proc/sys/kernel/random/boot_id") ?? "").prefix { $0 != "\n" }
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/ns/pid", &target, target.count)
        let namespace = String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self).filter(\.isNumber)
        return "\(boot)/\(namespace)"
    }

    /// As it stands in `spec.holderIdentity`: `HOST process=PID started=TICKS place=BOOT/NAMESPACE`.
    package var description: String { "\(host) process=\(process) started=\(started) place=\(place)" }

    /// `nil` when another kind of program wrote it.
    package init?(_ text: String) {
        let parts = text.split(separator: " ")
        func value(_ index: Int, _ name: String) -> Substring? {
            parts.count == 4 && parts[index].hasPrefix(name + "=") ? parts[index].dropFirst(name.count + 1) : nil
        }
        guard let process = value(1, "process").flatMap({ Int32($0) }), let started = value(2, "started").flatMap({ UInt64($0) }),
            let place = value(3, "place")
        else { return nil }
        self.init(host: String(parts[0]), process: process, started: started, place: String(place))
    }

    /// Whether it is certain that the process has ended. Only a process of the same kernel and process namespace can be looked at;
    /// of any other it is not known.
    package var isGone: Bool {
        guard place == Self.current.place, place.contains("/"), place.count > 20 else { return false }
        if kill(process, 0) != 0, errno == ESRCH { return true }
        // Of one that may not be looked at it is not known. A zombie, which an init may leave for long, has ended.
        guard SmallFile.text("/proc/\(process)/stat") != nil else { return false }
        return ProcessIdentity(pid: process)?.startTicks != started
    }

    /// For people.
    package var summary: String { "process \(process) on \(host)" }
}
