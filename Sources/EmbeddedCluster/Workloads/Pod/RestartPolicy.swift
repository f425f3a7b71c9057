/// Whether, and after how long, a container is started again.
struct RestartPolicy: Sendable, Hashable {
    /// The wait before the second restart; the first comes at once. Doubles each time.
    var initial: Duration = .seconds(10)
    var maximum: Duration = .seconds(300)
    /// A container that ran for so long begins anew.
    var resetAfter: Duration = .seconds(600)

    /// - Parameter policy: the pod's `restartPolicy`.
    static func restarts(_ role: ContainerRole, policy: String, exitCode: Int) -> Bool {
        switch role {
        case .sidecar: true
        case .initial: exitCode != 0 && policy != "Never"
        case .main: policy == "Always" || (policy == "OnFailure" && exitCode != 0)
        }
    }

    /// - Parameter restarts: how often it was restarted since it last ran for long.
    func delay(afterRestarts restarts: Int) -> Duration {
        if restarts <= 0 { return .zero }
        let doubled = initial * (1 << min(restarts - 1, 20))
        return min(doubled, maximum)
    }
}
