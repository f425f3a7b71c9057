import ResourceModel

/// One thing that happened to the objects that a watch looks at.
package enum WatchEvent: Sendable {
    case added(JSONValue)
    case modified(JSONValue)
    /// With the object's last state.
    case deleted(JSONValue)
    /// Everything up to here has been reported.
    case bookmark(resourceVersion: String)
    /// The server no longer knows what happened since: list again. The watch ends here.
    case expired

    /// The object of an added, modified or deleted event.
    package var object: JSONValue? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object
        case .bookmark, .expired: nil
        }
    }
}

/// What `listAndWatch` reports.
package enum ObservedEvent: Sendable {
    /// Everything there is: an object that is not in it is gone, whatever was known before. Comes first, and again whenever
    /// the server lost the thread.
    case listed([JSONValue], resourceVersion: String)
    case added(JSONValue)
    case modified(JSONValue)
    case deleted(JSONValue)
    /// Everything up to here has been reported.
    case bookmark(resourceVersion: String)
    /// The server cannot be reached, or refuses: what is known may be old. It is tried again by itself.
    case interrupted(reason: String)
}
