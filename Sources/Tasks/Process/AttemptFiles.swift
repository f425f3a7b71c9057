import Glibc
import Processes
import TaskModel

/// The directory of one attempt: `ROOT/<namespace>/<list>/<task name>.<uid>/<attempt>/`. What is in it is all that is known of the attempt.
struct AttemptFiles: Sendable {
    /// What the directory says.
    enum State: Sendable, Hashable {
        /// No process of this boot began it. `intendedBefore` a restart of the machine somebody was about to.
        case unclaimed(intendedBefore: Bool)
        /// Somebody took it back before it began; with the reason, if one was given.
        case withdrawn(String)
        /// Claimed by a process; `command` from 1, 0 before the first. `nil` where the claim is of another boot or cannot be read.
        case running(ProcessIdentity?, command: Int)
        case finished(command: Int, code: Int)
    }

    /// Why a running attempt was stopped; written before the first signal.
    enum Stop: Sendable, Hashable {
        case canceled, timedOut
        case excessive(processes: Int)
    }

    let path: String
    /// The base of the output's files, as `LogFollower` names them.
    var output: String { path + "/output" }

    /// - Throws: `NameProblem` for a name that is no file name.
    init(root: String, namespace: String, list: String, name: String, number: Int) throws(NameProblem) {
        for part in [namespace, list, name] where part.isEmpty || part.hasPrefix(".") || part.contains("/") || part.utf8.contains(0) || part.utf8.count > 253 {
            throw NameProblem(description: "\"\(part)\" cannot be part of a task's directory below \(root)")
        }
        path = "\(root)/\(namespace)/\(list)/\(name)/\(number)"
    }

    struct NameProblem: Error, CustomStringConvertible { var description: String }

    static let bootID = (SmallFile.text("/proc/sys/kernel/random/boot_id") ?? "").split(separator: "\n").first.map(String.init) ?? ""

    /// - Throws: when the directory is there and cannot be read: that is not "unclaimed".
    func state() throws(SmallFile.Failure) -> State {
        guard let names = try SmallFile.entries(of: path) else { return .unclaimed(intendedBefore: false) }
        var running = 0
        for name in names {
            let parts = name.split(separator: ".")
            if parts.count == 3, parts[0] == "result", let command = Int(parts[1]), let code = Int(parts[2]) {
                return .finished(command: command, code: code)
            }
            if parts.count == 2, parts[0] == "running", let command = Int(parts[1]) { running = max(running, command) }
        }
        guard names.contains("claim") else {
            guard names.contains("intent") else { return .unclaimed(intendedBefore: false) }
            return .unclaimed(intendedBefore: SmallFile.text(path + "/intent") != Self.bootID)
        }
        let lines = claim
        if lines.first == "withdrawn" { return .withdrawn(lines.count > 1 ? String(lines[1]) : "") }
        return .running(owner, command: running)
    }

    private var claim: [Substring] { (SmallFile.text(path + "/claim") ?? "").split(separator: "\n", maxSplits: 1) }

    /// The shell that claimed the attempt, in this boot.
    var owner: ProcessIdentity? {
        let lines = claim
        return lines.count == 2 && lines[0] == Self.bootID ? ProcessIdentity(statLine: String(lines[1])) : nil
    }

    /// Makes the directory and says, so that it survives a power cut, that somebody is about to begin the attempt.
    func intend() throws(SmallFile.Failure) {
        try SmallFile.makeDirectory(path, mode: 0o700)
        if isIntact { return }
        // A name of its own: several may be about to begin it.
        let own = ownName
        try SmallFile.writeDurably(Array(Self.bootID.utf8), to: own)
        guard rename(own, path + "/intent") == 0 else { throw SmallFile.Failure(operation: "write", path: path + "/intent", code: errno) }
        try SmallFile.sync(path)
    }

    /// Removes the output of attempts of the task that are long over, but for the last few. How they ended is kept: that an attempt was
    /// claimed must never be forgotten.
    func removeOldOutput(keeping count: Int) {
        guard let slash = path.lastIndex(of: "/"), let number = Int(path[path.index(after: slash)...]) else { return }
        for name in SmallFile.names(in: String(path[..<slash])) {
            guard let other = Int(name), other <= number - count else { continue }
            let old = AttemptFiles(path: "\(path[..<slash])/\(name)")
            guard case .finished? = try? old.state() else { continue }  // Unreadable: it is left alone.
            for file in SmallFile.names(in: old.path) where file.hasPrefix("output.") { unlink("\(old.path)/\(file)") }
        }
    }

    private init(path: String) { self.path = path }

    /// Nobody has removed the directory since `intend`.
    var isIntact: Bool { SmallFile.exists(path + "/intent") }

    private var ownName: String { "\(path)/own.\(getpid()).\(UInt64.random(in: 0 ... .max))" }

    /// Claims the attempt so that nobody can begin it.
    /// - Returns: `false` when somebody has claimed it before.
    func withdraw(reason: String = "") throws(SmallFile.Failure) -> Bool {
        try SmallFile.makeDirectory(path, mode: 0o700)
        let own = ownName
        try SmallFile.writeDurably(Array("withdrawn\n\(reason)".utf8), to: own)
        defer { unlink(own) }
        if link(own, path + "/claim") == 0 { return true }
        guard errno == EEXIST else { throw SmallFile.Failure(operation: "claim", path: path + "/claim", code: errno) }
        return false
    }

    func record(_ stop: Stop) throws(SmallFile.Failure) {
        let text =
            switch stop {
            case .canceled: "canceled"
            case .timedOut: "timedOut"
            case .excessive(let count): "excessive \(count)"
            }
        try SmallFile.write(Array(text.utf8), to: path + "/stop")
    }

    var stop: Stop? {
        let words = (SmallFile.text(path + "/stop") ?? "").split(separator: " ")
        switch words.first {
        case "canceled": return .canceled
        case "timedOut": return .timedOut
        case "excessive": return .excessive(processes: words.count > 1 ? Int(words[1]) ?? 0 : 0)
        default: return nil
        }
    }
}
