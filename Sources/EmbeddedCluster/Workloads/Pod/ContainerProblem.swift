/// Why a container can't be started as it is declared: what stands in its waiting state.
struct ContainerProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// `CreateContainerConfigError`, `ErrImageNeverPull`, ...
    var reason: String
    var message: String
    var description: String { "\(reason): \(message)" }

    static func configuration(_ message: String) -> ContainerProblem {
        ContainerProblem(reason: "CreateContainerConfigError", message: message)
    }
}

/// Why a volume can't be filled: what a `FailedMount` event says.
struct VolumeProblem: Error, Sendable, Hashable, CustomStringConvertible {
    var volume: String
    var message: String
    var description: String { "MountVolume.SetUp failed for volume \"\(volume)\" : \(message)" }
}
