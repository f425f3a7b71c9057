import CLibJQ
import Dispatch
import ResourceModel
import Synchronization

/// A compiled jq expression that selects paths of a document, as the argument of jq's `del(…)` does.
///
/// libjq keeps one evaluation's state in the program, so evaluations run one after another, on a queue of their own: the caller's
/// thread is never blocked.
package final class JQPaths: Sendable {
    package let expression: String
    private let program: Program
    private let queue: DispatchQueue
    private let run = Mutex(Run())

    private struct Run {
        var number = 0
        var isRunning = false
        /// An evaluation did not stop when it was told to: nothing can be evaluated after it.
        var isLost = false
    }

    /// The state of libjq. Used by one evaluation at a time (`queue`); only `jq_halt` is called beside it, under `run`'s lock.
    private final class Program: @unchecked Sendable {
        let state: OpaquePointer
        /// What the error callback heard.
        var errors: [String] = []

        init?() {
            guard let state = jq_init() else { return nil }
            self.state = state
        }

        deinit {
            var state: OpaquePointer? = state
            jq_teardown(&state)
        }
    }

    /// The expression, compiled once in this process: libjq takes tens of milliseconds to compile anything.
    /// - Throws: `syntax`, in jq's words.
    package static func compiled(_ expression: String) throws(JQError) -> JQPaths {
        if let known = cache.withLock({ $0[expression] }) { return known }
        let paths = try JQPaths(expression)
        cache.withLock { known in
            if known.count >= 256 { known.removeAll() }
            known[expression] = paths
        }
        return paths
    }

    private static let cache = Mutex<[String: JQPaths]>([:])

    /// - Throws: `syntax`, in jq's words.
    package init(_ expression: String) throws(JQError) {
        guard let program = Program() else { throw JQError(code: "evaluation", expression: expression, message: "libjq has no memory") }
        self.program = program
        self.expression = expression
        queue = DispatchQueue(label: "jq")
        jq_set_error_cb(
            program.state,
            { data, message in
                guard let data else { return jv_free(message) }
                let text = jq_format_error(message)
                let program = Unmanaged<Program>.fromOpaque(data).takeUnretainedValue()
                program.errors.append(text.kind == JV_KIND_STRING ? String(cString: jv_string_value(text)) : "unknown error")
                jv_free(text)
            }, Unmanaged.passUnretained(program).toOpaque())
        // On a line of its own, so that a comment in the expression ends before the parenthesis.
        guard jq_compile(program.state, "path(\(expression)\n)") != 0 else {
            let text = program.errors.first { !$0.contains("compile error") } ?? "cannot be compiled"
            throw JQError(code: "syntax", expression: expression, message: Self.cause(text))
        }
    }

    /// jq's message without its own name, and without the program that it repeats.
    private static func cause(_ message: String) -> String {
        var text = message[...]
        if let prefix = text.firstRange(of: "jq: error: ") { text = text[prefix.upperBound...] }
        for end in [" (Unix shell quoting issues?)", " at <top-level>", "\n"] {
            if let range = text.firstRange(of: end) { text = text[..<range.lowerBound] }
        }
        return String(text)
    }

    /// The paths that the expression selects in a document, each an array of names and indices.
    ///
    /// - Throws: `evaluation` where jq fails on this document (iterating over null, for one); `timeout` after the limit.
    package func paths(in document: JSONValue, limit: Duration = .seconds(1)) async throws(JQError) -> [[JSONValue]] {
        let bytes = document.serialized()
        let outcome = await withCheckedContinuation { continuation in
            let answer = Answer(continuation)
            queue.async { self.evaluate(bytes, limit: limit, answer) }
        }
        return try outcome.get()
    }

    /// Resumes once: with the outcome, or when the wait for it is given up.
    private final class Answer: Sendable {
        private let continuation: Mutex<CheckedContinuation<Result<[[JSONValue]], JQError>, Never>?>
        init(_ continuation: CheckedContinuation<Result<[[JSONValue]], JQError>, Never>) { self.continuation = Mutex(continuation) }
        func give(_ outcome: Result<[[JSONValue]], JQError>) { continuation.withLock { $0.take() }?.resume(returning: outcome) }
    }

    private func evaluate(_ document: [UInt8], limit: Duration, _ answer: Answer) {
        let number = run.withLock { run -> Int? in
            if run.isLost { return nil }
            run.number += 1
            run.isRunning = true
            return run.number
        }
        let timeout = JQError(code: "timeout", expression: expression, message: "took longer than \(limit.components.seconds) s")
        guard let number else { return answer.give(.failure(timeout)) }
        let nanoseconds = Int(limit.components.seconds) * 1_000_000_000 + Int(limit.components.attoseconds / 1_000_000_000)
        let halt = DispatchWorkItem { [self] in
            // libjq looks at the flag that this sets before each of its instructions.
            run.withLock { if $0.isRunning, $0.number == number { jq_halt(program.state, jv_null(), jv_invalid()) } }
        }
        let giveUp = DispatchWorkItem { [self] in
            let isLost = run.withLock { run in
                if run.isRunning, run.number == number { run.isLost = true }
                return run.isLost
            }
            if isLost { answer.give(.failure(timeout)) }
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds), execute: halt)
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds) + .seconds(1), execute: giveUp)
        program.errors = []
        var paths: [[JSONValue]] = []
        var failure: JQError?
        let input = document.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { jv_parse_sized($0.baseAddress, Int32($0.count)) }
        }
        jq_start(program.state, input, 0)
        while true {
            let value = jq_next(program.state)
            guard value.kind != JV_KIND_INVALID else {
                if jv_invalid_has_msg(jv_copy(value)) != 0 {
                    let message = jv_invalid_get_msg(value)
                    let text = message.kind == JV_KIND_STRING ? String(cString: jv_string_value(message)) : "failed"
                    failure = JQError(code: "evaluation", expression: expression, message: text)
                    jv_free(message)
                } else {
                    jv_free(value)
                }
                break
            }
            let text = jv_dump_string(value, 0)
            if let path = try? JSONValue(parsing: String(cString: jv_string_value(text))).arrayValue { paths.append(path) }  // jq writes JSON
            jv_free(text)
        }
        let isHalted = run.withLock { run in
            run.isRunning = false
            return jq_halted(program.state) != 0
        }
        halt.cancel()
        giveUp.cancel()
        if isHalted { failure = timeout }
        answer.give(failure.map { .failure($0) } ?? .success(paths))
    }
}

extension jv {
    fileprivate var kind: jv_kind { jv_get_kind(self) }
}
