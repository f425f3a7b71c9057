import ResourceModel

/// Changes to a `conditions` list by the rules that controllers share.
enum Conditions {
    /// The list with that condition set. Nothing changes when status and reason stay (`lastUpdateTime` neither, and the message neither);
    /// `lastTransitionTime` moves only with the status.
    ///
    /// - Parameter hasUpdateTime: Deployments carry `lastUpdateTime`, Jobs `lastProbeTime`, others nothing more.
    static func setting(
        _ type: String, _ status: String, reason: String, message: String, in list: [JSONValue], now: String, extraTime: String? = nil,
        refreshing: Bool = false
    ) -> [JSONValue] {
        let old = list.first { $0["type"]?.stringValue == type }
        let sameStatus = old?["status"]?.stringValue == status
        if sameStatus, old?["reason"]?.stringValue == reason, !refreshing { return list }
        var condition: JSONValue = ["type": .string(type), "status": .string(status)]
        if let extraTime { condition[extraTime] = .string(now) }
        condition["lastTransitionTime"] = sameStatus ? old?["lastTransitionTime"] ?? .string(now) : .string(now)
        if !reason.isEmpty { condition["reason"] = .string(reason) }
        if !message.isEmpty { condition["message"] = .string(message) }
        return list.filter { $0["type"]?.stringValue != type } + [condition]
    }

    static func removing(_ type: String, from list: [JSONValue]) -> [JSONValue] { list.filter { $0["type"]?.stringValue != type } }
}
