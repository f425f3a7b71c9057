import HTTPTransport
import KubernetesClient
import ResourceModel

/// Plays one scenario against a server and compares every answer.
struct Replay {
    let client: KubernetesClient
    let scenario: Scenario

    struct Outcome {
        var step: Step
        var comparison: Comparison
        /// As it was sent.
        var request: JSONValue

        /// `file:line`, scenario, request, then a line for each difference.
        func text(_ scenario: String) -> String {
            let method = request["method"]?.stringValue ?? ""
            let path = request["path"]?.stringValue ?? ""
            let type = request["contentType"]?.stringValue.map { " [\($0)]" } ?? ""
            let note = step.note.isEmpty ? "" : "  # \(step.note)"
            let shown = comparison.differences.prefix(20)
            let more = comparison.differences.count > shown.count ? ["… and \(comparison.differences.count - shown.count) more"] : []
            return (["\(step.place) \(scenario): \(method) \(path)\(type)\(note)"] + (shown + more).map { "    \($0)" })
                .joined(separator: "\n")
        }
    }

    /// Each step with its comparison, in order.
    func run() async throws -> [Outcome] {
        var values = ["ns": "rec-" + String((0..<8).map { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() ?? "x" })]
        try await createNamespace(values["ns"] ?? "")
        if scenario.wasRecordedOverLeftovers {
            for step in scenario.steps { _ = try await send(substitute(step.request, values)) }
            try await deleteNamespace(values["ns"] ?? "")
        }
        var outcomes: [Outcome] = []
        for step in scenario.steps { outcomes.append(try await play(step, &values)) }
        try await deleteNamespace(values["ns"] ?? "")
        return outcomes
    }

    private func play(_ step: Step, _ values: inout [String: String]) async throws -> Outcome {
        let end = ContinuousClock.now + .seconds(step.mayTakeAMoment ? 5 : 0)
        while true {
            let outcome: Outcome
            do {
                outcome = try await (step.events == nil ? exchange(step, &values) : watch(step, values))
            } catch let error as HTTPError {
                var comparison = Comparison()
                comparison.report("no answer: \(error)")
                return Outcome(step: step, comparison: comparison, request: substitute(step.request, values))
            }
            if outcome.comparison.matches || ContinuousClock.now >= end { return outcome }
            // There is nothing to wait for but the answer itself.
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func exchange(_ step: Step, _ values: inout [String: String]) async throws -> Outcome {
        let request = substitute(step.request, values)
        let answer = try await send(request)
        let want = substitute(step.response ?? .null, values)
        var comparison = Comparison()
        if let status = want["status"]?.integerValue, status != answer.status {
            let message = answer.body["message"]?.stringValue.map { " (\($0))" } ?? ""
            comparison.report("status: want \(status), got \(answer.status)\(message)")
        }
        comparison.compare(
            .string(want["contentType"]?.stringValue ?? ""), with: .string(answer.headers["Content-Type"] ?? ""), at: "content type")
        comparison.compare(
            .array(want["warnings"]?.arrayValue ?? []), with: .array(answer.headers.values("Warning").map { .string($0) }), at: "warnings")
        comparison.compare(want["body"], with: answer.body)
        for capture in step.captures {
            let path = (capture.value.stringValue ?? "").split(separator: ".").map(String.init)
            if let value = answer.body[path: path]?.stringValue { values[capture.key] = value }
        }
        return Outcome(step: step, comparison: comparison, request: request)
    }

    private func watch(_ step: Step, _ values: [String: String]) async throws -> Outcome {
        let request = substitute(step.request, values)
        let want = (step.events ?? []).map { substitute($0, values) }
        var comparison = Comparison()
        let path = request["path"]?.stringValue ?? ""
        let stream = try await client.rawStream(path: path, deadline: .seconds(10))
        var got: [JSONValue] = []
        if stream.status != 200 {
            let body = try await stream.rest()
            got.append(["httpStatus": .integer(Int64(stream.status)), "body": parsed(body)])
        } else {
            for entry in step.during {
                let status = try await send(substitute(entry["request"] ?? .null, values)).status
                comparison.compare(entry["status"], with: .integer(Int64(status)), at: "status while watching")
            }
            do {
                // With timeoutSeconds the server ends the watch: then there must be nothing more.
                for try await line in stream.lines {
                    if !line.isEmpty { got.append(parsed(line)) }
                    if got.count >= want.count, !path.contains("timeoutSeconds") { break }
                }
            } catch let error as HTTPError where error.code == .deadline {
                comparison.report("events: none for 10 s after \(got.count) of \(want.count)")
            }
        }
        comparison.compare(.array(want), with: .array(got), at: "events")
        return Outcome(step: step, comparison: comparison, request: request)
    }

    // MARK: requests

    private func send(_ request: JSONValue) async throws -> (status: Int, headers: HTTPHeaders, body: JSONValue) {
        var headers = HTTPHeaders()
        for member in request["headers"]?.objectValue ?? [:] { headers[member.key] = member.value.stringValue }
        var body: [UInt8]?
        var type: String?
        if let value = request["body"], !value.isNull {
            body = value.stringValue.map { Array($0.utf8) } ?? value.serialized()
            // What the recorder's HTTP library sends where no type was given.
            type = (request["contentType"] ?? request["ctype"])?.stringValue ?? "application/x-www-form-urlencoded"
        }
        let answer = try await client.raw(
            method: request["method"]?.stringValue ?? "GET", path: request["path"]?.stringValue ?? "/", contentType: type, body: body,
            headers: headers)
        return (answer.status, answer.headers, parsed(answer.body))
    }

    /// A body that is not JSON is recorded as a string.
    private func parsed(_ body: [UInt8]) -> JSONValue {
        (try? JSONValue(parsing: body)) ?? .string(String(decoding: body, as: UTF8.self))  // see above
    }

    private func substitute(_ value: JSONValue, _ values: [String: String]) -> JSONValue {
        switch value {
        case .string(var text):
            for (name, replacement) in values where text.contains("${") { text = text.replacing("${\(name)}", with: replacement) }
            return .string(text)
        case .array(let items): return .array(items.map { substitute($0, values) })
        case .object(let object):
            return .object(JSONObject(object.members.map { .init(key: $0.key, value: substitute($0.value, values)) }))
        default: return value
        }
    }

    private func createNamespace(_ name: String) async throws {
        let body: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        let answer = try await send([
            "method": "POST", "path": "/api/v1/namespaces", "contentType": "application/json", "body": body,
        ])
        guard answer.status == 201 else { throw ReplayError(message: "cannot create namespace \(name): \(answer.body.jsonString)") }
        // Pods need the namespace's service account; a server without its controller never makes one.
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end {
            let path = "/api/v1/namespaces/\(name)/serviceaccounts/default"
            if try await send(["method": "GET", "path": .string(path)]).status == 200 { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func deleteNamespace(_ name: String) async throws {
        _ = try await send(["method": "DELETE", "path": .string("/api/v1/namespaces/\(name)")])
    }
}

struct ReplayError: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
