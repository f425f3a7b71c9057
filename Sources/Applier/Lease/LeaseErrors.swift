import ResourceModel

/// Another run writes to the application: exit 3.
package struct LeaseHeld: ClassifiedError, Sendable, CustomStringConvertible {
    package var application: String
    /// Who, in words.
    package var holder: String
    /// Since when, RFC 3339; empty where it is not known.
    package var since: String
    package var waited: Duration

    package var failureKind: FailureKind { .refused }

    package var description: String {
        let time = since.isEmpty ? "" : " since \(since)"
        return "application \(application) is being synced by \(holder)\(time); waited \(waited.components.seconds) s "
            + "(wait longer with --lease-wait; a holder that died is replaced once its lease ran out)"
    }
}

/// The run is no longer the application's only writer: it stopped before its next write.
package struct LeaseLost: ClassifiedError, Sendable, CustomStringConvertible {
    package var application: String
    package var reason: String
    /// The number under which it had written.
    package var token: Int64

    package var failureKind: FailureKind { .failed }

    package var description: String {
        "application \(application): the lease was lost (\(reason)), so nothing more was written; sync again when the other run has ended"
    }
}
