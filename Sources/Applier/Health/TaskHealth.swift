import ResourceModel

/// A task that nobody has begun is suspended: it keeps nothing from being healthy, its list says how far all are.
func taskHealth(_ object: JSONValue) -> HealthAssessment {
    let message = object[path: "status", "message"]?.stringValue ?? ""
    switch object[path: "status", "state"]?.stringValue {
    case "Succeeded", "Skipped": return HealthAssessment(.healthy, message)
    case "Failed": return HealthAssessment(.degraded, message)
    case "Running": return HealthAssessment(.progressing, message.isEmpty ? "running" : message)
    case "Blocked": return HealthAssessment(.suspended, message)
    default: return HealthAssessment(.suspended, message.isEmpty ? "not begun" : message)
    }
}

/// `12/51` while tasks are left, `at T019: …` once one failed.
func taskListHealth(_ object: JSONValue) -> HealthAssessment {
    let status = object["status"]
    let progress = status?["progress"]?.stringValue ?? "0/\(integer(object, "spec", "total"))"
    if isUnobserved(object) { return HealthAssessment(.progressing, progress) }
    let message = status?["message"]?.stringValue.map { $0.isEmpty ? progress : "\(progress), \($0)" } ?? progress
    switch status?["state"]?.stringValue {
    case "Succeeded": return HealthAssessment(.healthy, progress)
    case "Failed": return HealthAssessment(.degraded, message)
    default: return HealthAssessment(.progressing, message)
    }
}
