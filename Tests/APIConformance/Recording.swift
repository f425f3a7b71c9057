import Foundation
import ResourceModel
import Testing

/// One recorded step: a request with its answer, or a watch with its events. The format: Recorded/README.md.
struct Step: Sendable {
    /// `apply.jsonl:12`, as `Differences.swift` names it.
    var place: String
    var request: JSONValue
    var note: String
    /// Status, content type, warnings and body; `nil` for a watch.
    var response: JSONValue?
    /// A watch's events, and the requests sent while it is open.
    var events: [JSONValue]?
    var during: [JSONValue]
    /// Name → path in the answer.
    var captures: JSONObject

    init(_ line: JSONValue, place: String) {
        self.place = place
        request = line["request"] ?? .null
        note = line["note"]?.stringValue ?? ""
        response = line["response"]
        events = line["events"]?.arrayValue
        during = line["during"]?.arrayValue ?? []
        captures = line["capture"]?.objectValue ?? [:]
    }

    /// The recording looked again after a while: what it saw is not there at once. The group of a deleted definition leaves `/apis` when
    /// its last object is gone.
    var mayTakeAMoment: Bool {
        ["a moment later", "after deletion"].contains { note.contains($0) } || request["path"]?.stringValue == "/apis"
    }
}

/// Steps that belong together, in a namespace of their own.
struct Scenario: Sendable, CustomTestStringConvertible {
    var name: String
    var steps: [Step]

    var testDescription: String { name }

    /// Recorded over what an earlier run had left behind: objects that a finalizer kept, in a namespace being deleted.
    var wasRecordedOverLeftovers: Bool {
        ["kinds/persistentvolumeclaims", "kinds/persistentvolumeclaims-apply", "kinds/persistentvolumes"].contains(name)
    }
}

enum Recording {
    /// All scenarios, or those that `RECONCILER_CONFORMANCE` names: file names or parts of scenario names, separated by commas.
    static let scenarios: [Scenario] = {
        let wanted = (ProcessInfo.processInfo.environment["RECONCILER_CONFORMANCE"] ?? "").split(separator: ",").map(String.init)
        return all.filter { scenario in
            wanted.isEmpty || wanted.contains { name in
                scenario.name.contains(name) || scenario.steps.contains { $0.place.hasPrefix("\(name):") || $0.place.hasPrefix("\(name).") }
                    || (scenario.name == "crd/0-create" && name.hasPrefix("crd"))
            }
        }
    }()

    static let all: [Scenario] = {
        guard let folder = Bundle.module.url(forResource: "Recorded", withExtension: nil),
            let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)  // an empty list fails a test
        else { return [] }
        return files.filter { $0.hasSuffix(".jsonl") }.sorted().flatMap { scenarios(in: folder.appendingPathComponent($0)) }
    }()

    private static func scenarios(in file: URL) -> [Scenario] {
        guard let data = try? Data(contentsOf: file) else { return [] }  // as above
        var scenarios: [Scenario] = []
        for (index, bytes) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            let place = "\(file.lastPathComponent):\(index + 1)"
            guard let line = try? JSONValue(parsing: Array(bytes)), let name = line["scenario"]?.stringValue else {
                preconditionFailure("\(place): not a recorded step")
            }
            if scenarios.last?.name != name { scenarios.append(Scenario(name: name, steps: [])) }
            scenarios[scenarios.count - 1].steps.append(Step(line, place: place))
        }
        return scenarios
    }
}
