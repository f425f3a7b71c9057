import ResourceModel

/// A container's probe as it is declared, with Kubernetes' defaults.
struct ProbeSpecification: Sendable, Hashable {
    enum Action: Sendable, Hashable {
        case http(scheme: String, host: String?, port: Int, path: String, headers: [String])
        case tcp(host: String?, port: Int)
        case exec([String])
        case unsupported(String)
    }

    var action: Action
    var initialDelay: Duration
    var period: Duration
    var timeout: Duration
    var successThreshold: Int
    var failureThreshold: Int

    /// - Parameter probe: `livenessProbe`, `readinessProbe` or `startupProbe` of the container; `nil` when it has none.
    init?(_ probe: JSONValue?, container: JSONValue) {
        guard let probe, probe.objectValue?.isEmpty == false else { return nil }
        func seconds(_ key: String, _ fallback: Int) -> Duration { .seconds(max(probe.count(key, fallback: fallback), 0)) }
        action = Self.action(probe, container)
        initialDelay = seconds("initialDelaySeconds", 0)
        period = max(seconds("periodSeconds", 10), .seconds(1))
        timeout = max(seconds("timeoutSeconds", 1), .seconds(1))
        successThreshold = max(probe.count("successThreshold", fallback: 1), 1)
        failureThreshold = max(probe.count("failureThreshold", fallback: 3), 1)
    }

    /// What a probe or a lifecycle hook does.
    static func action(_ handler: JSONValue, _ container: JSONValue) -> Action {
        func port(_ value: JSONValue?) -> Int? {
            if let number = value?.integerValue { return Int(number) }
            guard let name = value?.stringValue else { return nil }
            return (container["ports"]?.arrayValue ?? []).first { $0["name"]?.stringValue == name }?["containerPort"]?.integerValue
                .map(Int.init) ?? Int(name)
        }
        func host(_ value: JSONValue) -> String? { value["host"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        if let http = handler["httpGet"] {
            guard let number = port(http["port"]) else { return .unsupported("the container has no port \(http["port"]?.jsonString ?? "")") }
            let headers = (http["httpHeaders"]?.arrayValue ?? []).map { "\($0["name"]?.stringValue ?? ""): \($0["value"]?.stringValue ?? "")" }
            let path = http["path"]?.stringValue ?? "/"
            return .http(
                scheme: http["scheme"]?.stringValue ?? "HTTP", host: host(http), port: number,
                path: path.hasPrefix("/") ? path : "/" + path, headers: headers)
        }
        if let tcp = handler["tcpSocket"] {
            guard let number = port(tcp["port"]) else { return .unsupported("the container has no port \(tcp["port"]?.jsonString ?? "")") }
            return .tcp(host: host(tcp), port: number)
        }
        if let exec = handler["exec"] { return .exec((exec["command"]?.arrayValue ?? []).compactMap(\.stringValue)) }
        if handler["grpc"] != nil { return .unsupported("grpc probes are not supported by the embedded cluster; use httpGet, tcpSocket or exec") }
        return .unsupported("the probe names no handler")
    }
}

/// Counts a probe's results until a threshold is reached.
struct ProbeCounter: Sendable, Hashable {
    private var successes = 0
    private var failures = 0
    let successThreshold: Int
    let failureThreshold: Int

    init(_ specification: ProbeSpecification) {
        successThreshold = specification.successThreshold
        failureThreshold = specification.failureThreshold
    }

    /// - Returns: `true` when it now counts as healthy, `false` when as failed, `nil` when nothing is decided by this result.
    mutating func record(_ isSuccess: Bool) -> Bool? {
        if isSuccess {
            successes += 1
            failures = 0
            return successes >= successThreshold ? true : nil
        }
        failures += 1
        successes = 0
        return failures >= failureThreshold ? false : nil
    }
}
