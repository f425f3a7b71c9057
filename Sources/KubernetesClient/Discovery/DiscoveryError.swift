import ResourceModel

/// Why a kind cannot be looked up.
package struct DiscoveryError: ClassifiedError, Sendable, CustomStringConvertible {
    /// `unknown-kind`, or `group-unavailable` when the server itself cannot say what a group holds. Open.
    package var code: String
    package var message: String
    package var groupKind: GroupKind
    package var hint: String?

    package var failureKind: FailureKind { code == "group-unavailable" ? .unreachable : .failed }
    package var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
