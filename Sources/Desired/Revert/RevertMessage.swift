import Git
import ResourceModel

/// The message of a revert commit, with the trailers by which later ones know it.
struct RevertMessage {
    /// The most commits to name.
    static let limit = 30

    var application: String
    var head: Revision
    var request: RevertRequest
    /// Newest first; one more than `limit` when there are more.
    var undone: [Revision]

    var text: String {
        var paragraphs = ["Revert \(application) to \(request.target.shortCommit)"]
        if let reason = request.reason, !reason.isEmpty { paragraphs.append(reason) }
        var origin = "Restores the inputs of \(application) to what they were at \(request.target.shortCommit) (\(request.target.subject))"
        if let id = request.historyID { origin += ", attempt \(id) of the history" }
        paragraphs.append(origin + ".")
        if !undone.isEmpty {
            var lines = ["Undoes:"] + undone.prefix(Self.limit).map { "- \($0.shortCommit) \($0.subject) (\(name(of: $0.author)))" }
            if undone.count > Self.limit { lines.append("- and earlier ones") }
            paragraphs.append(lines.joined(separator: "\n"))
        }
        var trailers = ["\(RevertTrailer.application): \(application)", "\(RevertTrailer.target): \(request.target.commit)"]
        trailers.append("\(RevertTrailer.reverted): \(head.commit)")
        if let id = request.historyID { trailers.append("\(RevertTrailer.history): \(id)") }
        paragraphs.append(trailers.joined(separator: "\n"))
        return paragraphs.joined(separator: "\n\n") + "\n"
    }

    private func name(of author: String) -> String {
        let name = author.prefix { $0 != "<" }
        return name.isEmpty ? author : String(name).trimmed
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}

/// The keys of a revert commit's trailers.
package enum RevertTrailer {
    package static let application = "Reconciler-Application"
    /// The commit whose inputs were restored.
    package static let target = "Reconciler-Reverts-To"
    /// The head of the branch that was gone back from: its inputs are bad.
    package static let reverted = "Reconciler-Reverted"
    package static let history = "Reconciler-History"
}
