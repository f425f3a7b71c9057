import ResourceModel

extension KindRules {
    /// Job and CronJob.
    static let batchKinds: [KindRules] = [
        KindRules("batch/v1", "Job") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.initialStatus = [:]
            rules.setDefaults = { object in
                object.updateOrMake("spec", JobForms.setDefaults)
                let labels = object[path: "spec", "template", "metadata", "labels"]
                if object[path: "metadata", "labels"] == nil, let labels { object[path: "metadata", "labels"] = labels }
            }
            rules.beforeCreate = JobForms.generateSelector
            rules.check = { object, validator in
                JobForms.validate(object["spec"] ?? [:], FieldPath("spec"), isTemplate: false, &validator)
            }
            rules.checkChange = JobForms.validateChange
            rules.findWarnings = { object in
                let template = object[path: "spec", "template"] ?? [:]
                let path = FieldPath("spec.template")
                return PodWarnings.warnings(template["spec"] ?? [:], template["metadata"] ?? [:], path["spec"], path["metadata"])
            }
            rules.columns = JobTable.columns
            rules.cells = JobTable.cells
        },
        KindRules("batch/v1", "CronJob") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.initialStatus = [:]
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    spec.setDefault("concurrencyPolicy", "Allow")
                    if spec["suspend"] == nil { spec["suspend"] = false }
                    if spec["successfulJobsHistoryLimit"] == nil { spec["successfulJobsHistoryLimit"] = 3 }
                    if spec["failedJobsHistoryLimit"] == nil { spec["failedJobsHistoryLimit"] = 1 }
                    spec.updateOrMake("jobTemplate") { template in
                        if template["metadata"] == nil { template["metadata"] = [:] }
                        template.updateOrMake("spec") { $0.updateOrMake("template", PodDefaults.template) }
                    }
                }
            }
            rules.check = JobForms.validateCronJob
            rules.checkNew = { object, validator in
                if object.name.utf8.count > 52 {
                    validator.invalid(FieldPath("metadata.name"), .string(object.name), "must be no more than 52 characters")
                }
            }
            rules.findWarnings = { object in
                let template = object[path: "spec", "jobTemplate", "spec", "template"] ?? [:]
                let path = FieldPath("spec.jobTemplate.spec.template")
                var warnings = PodWarnings.warnings(template["spec"] ?? [:], template["metadata"] ?? [:], path["spec"], path["metadata"])
                if object[path: "spec", "schedule"]?.stringValue?.contains("TZ") ?? false {
                    warnings.append("CRON_TZ or TZ used in spec.schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details")
                }
                return warnings
            }
            rules.columns = JobTable.cronColumns
            rules.cells = JobTable.cronCells
        },
    ]
}

private enum JobForms {
    static func setDefaults(_ spec: inout JSONValue) {
        if spec["completions"] == nil, spec["parallelism"] == nil {
            spec["completions"] = 1
            spec["parallelism"] = 1
        }
        if spec["parallelism"] == nil { spec["parallelism"] = 1 }
        if spec["backoffLimit"] == nil { spec["backoffLimit"] = spec["backoffLimitPerIndex"] == nil ? 6 : .integer(Int64(Int32.max)) }
        spec.setDefault("completionMode", "NonIndexed")
        if spec["suspend"] == nil { spec["suspend"] = false }
        if spec["manualSelector"] == nil { spec["manualSelector"] = false }
        spec.updateOrMake("template", PodDefaults.template)
        spec.setDefault("podReplacementPolicy", spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed")
        spec.update("podFailurePolicy") { policy in
            policy.updateItems("rules") { rule in
                rule.updateItems("onPodConditions") { $0.setDefault("status", "True") }
            }
        }
    }

    /// The selector and labels that tie pods to one Job, unless the user manages them.
    static func generateSelector(_ job: inout JSONValue) {
        if job[path: "spec", "manualSelector"] == true { return }
        let uid = job[path: "metadata", "uid"] ?? ""
        let name = JSONValue.string(job.name)
        let labels: [(String, JSONValue)] = [
            ("batch.kubernetes.io/controller-uid", uid), ("batch.kubernetes.io/job-name", name), ("controller-uid", uid), ("job-name", name),
        ]
        // Labels that the Job has from its template (or none) follow the template's; its own stay as they are.
        let hasOwnLabels = job[path: "metadata", "labels"] != job[path: "spec", "template", "metadata", "labels"]
        for (key, value) in labels where job[path: "spec", "template", "metadata", "labels", key] == nil {
            job[path: "spec", "template", "metadata", "labels", key] = value
        }
        if !hasOwnLabels { job[path: "metadata", "labels"] = job[path: "spec", "template", "metadata", "labels"] }
        if job[path: "spec", "selector"] == nil {
            job[path: "spec", "selector"] = ["matchLabels": [:]]
        }
        if job[path: "spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"] == nil {
            job[path: "spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"] = uid
        }
    }

    static func validate(_ spec: JSONValue, _ path: FieldPath, isTemplate: Bool, _ validator: inout Validator) {
        if !isTemplate {
            if let selector = spec["selector"] { SelectorRules.validate(selector, path["selector"], &validator) } else {
                validator.required(path["selector"])
            }
            let labels = spec[path: "template", "metadata", "labels"]
            if spec["selector"] != nil, !SelectorRules.matches(spec["selector"], labels) {
                validator.invalid(path["template"]["metadata"]["labels"], labels, "`selector` does not match template `labels`")
            }
        }
        for name in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"] {
            validator.nonNegative(path[name], spec[name])
        }
        if let mode = spec["completionMode"]?.stringValue {
            if !["NonIndexed", "Indexed"].contains(mode) {
                validator.notSupported(path["completionMode"], .string(mode), ["Indexed", "NonIndexed"])
            } else if mode == "Indexed", spec["completions"] == nil {
                validator.required(path["completions"], "when completion mode is Indexed")
            }
        }
        PodValidation.template(spec["template"] ?? [:], path["template"], &validator)
        let policy = spec[path: "template", "spec", "restartPolicy"]
        if policy == "Always" || policy == nil {
            validator.required(path["template"]["spec"]["restartPolicy"], "valid values: \"OnFailure\", \"Never\"")
        }
    }

    static func validateChange(_ new: JSONValue, _ old: JSONValue, _ validator: inout Validator) {
        let path = FieldPath("spec"), spec = new["spec"] ?? [:], before = old["spec"] ?? [:]
        for name in ["selector", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy"] {
            validator.immutable(path[name], spec[name], before[name])
        }
        if spec["completionMode"] != "Indexed" || spec["completions"] != spec["parallelism"] {
            validator.immutable(path["completions"], spec["completions"], before["completions"])
        }
        // A suspended job that never started may still be moved to other nodes.
        var template = spec["template"] ?? [:]
        if before["suspend"] == true, old[path: "status", "startTime"] == nil {
            for name in ["nodeSelector", "tolerations", "schedulingGates", "affinity"] {
                template[path: "spec", name] = before[path: "template", "spec", name]
            }
            for name in ["labels", "annotations"] { template[path: "metadata", name] = before[path: "template", "metadata", name] }
            if template["metadata"] == nil { template["metadata"] = before[path: "template", "metadata"] }
        }
        if template != (before["template"] ?? [:]) {
            validator.invalid(path["template"], spec["template"], "field is immutable")
        }
    }

    static func validateCronJob(_ object: JSONValue, _ validator: inout Validator) {
        let spec = object["spec"] ?? [:], path = FieldPath("spec")
        let schedule = spec.text("schedule")
        if schedule.isEmpty { validator.required(path["schedule"]) } else if let problem = CronSchedule.problem(schedule) {
            validator.invalid(path["schedule"], .string(schedule), problem)
        }
        if let zone = spec["timeZone"]?.stringValue {
            if zone.isEmpty { validator.invalid(path["timeZone"], "", "timeZone must be nil or non-empty string") } else if zone.lowercased() == "local" {
                validator.invalid(path["timeZone"], .string(zone), "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
            }
        }
        validator.nonNegative(path["startingDeadlineSeconds"], spec["startingDeadlineSeconds"])
        validator.oneOf(path["concurrencyPolicy"], spec["concurrencyPolicy"], ["Allow", "Forbid", "Replace"])
        let job = path["jobTemplate"]["spec"]
        if spec[path: "jobTemplate", "spec", "manualSelector"] == true {
            validator.notSupported(job["manualSelector"], true, ["nil", "false"])
        }
        validate(spec[path: "jobTemplate", "spec"] ?? [:], job, isTemplate: true, &validator)
        for name in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] { validator.nonNegative(path[name], spec[name]) }
    }
}

/// The schedules that a CronJob accepts.
enum CronSchedule {
    private static let fields: [(name: String, low: Int, high: Int, names: [String])] = [
        ("minute", 0, 59, []), ("hour", 0, 23, []), ("day of month", 1, 31, []),
        ("month", 1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        ("day of week", 0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    /// What is wrong with a schedule; `nil` when it is fine.
    static func problem(_ text: String) -> String? {
        var rest = text[...]
        if rest.hasPrefix("TZ=") || rest.hasPrefix("CRON_TZ=") {
            guard let space = rest.firstIndex(of: " ") else { return "expected exactly 5 fields, found 0: []" }
            rest = rest[space...]
        }
        let words = rest.split { $0 == " " || $0 == "\t" }.map(String.init)
        if let first = words.first, first.hasPrefix("@") {
            if ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"].contains(first) { return nil }
            if first == "@every" { return words.count == 2 ? nil : "failed to parse duration @every" }
            return "unrecognized descriptor: \(first)"
        }
        if words.count != 5 { return "expected exactly 5 fields, found \(words.count): [\(words.joined(separator: " "))]" }
        for (word, field) in zip(words, fields) {
            for part in word.split(separator: ",", omittingEmptySubsequences: false) {
                if let problem = problem(String(part), field) { return problem }
            }
        }
        return nil
    }

    private static func problem(_ part: String, _ field: (name: String, low: Int, high: Int, names: [String])) -> String? {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if pieces.count > 2 { return "too many slashes: \(part)" }
        func number(_ text: String) -> Int? {
            Int(text) ?? field.names.firstIndex(of: text.lowercased()).map { $0 + (field.low == 1 ? 1 : 0) }
        }
        let bounds = pieces[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        if bounds.count > 2 { return "too many hyphens: \(part)" }
        if pieces.count == 2 {
            guard let step = Int(pieces[1]) else { return "failed to parse int from \(pieces[1]): strconv.Atoi: parsing \"\(pieces[1])\": invalid syntax" }
            if step == 0 { return "step of range should be a positive number: \(part)" }
        }
        if pieces[0] == "*" || pieces[0] == "?" { return nil }
        var values: [Int] = []
        for bound in bounds {
            guard let value = number(bound) else { return "failed to parse int from \(bound): strconv.Atoi: parsing \"\(bound)\": invalid syntax" }
            values.append(value)
        }
        let low = values[0], high = values.last ?? low
        if low < field.low { return "beginning of range (\(low)) below minimum (\(field.low)): \(part)" }
        if high > field.high { return "end of range (\(high)) above maximum (\(field.high)): \(part)" }
        if low > high { return "beginning of range (\(low)) beyond end of range (\(high)): \(part)" }
        return nil
    }
}

private enum JobTable {
    static let columns: [KindRules.Column] = [
        TableText.nameColumn, .init("Status", description: "Status of the job."),
        .init("Completions", description: "The number of pods which reached phase Succeeded. The value increases monotonically for a "
                + "given spec. However, it may decrease in reaction to scale down of elastic indexed jobs."),
        .init("Duration", description: "Time required to complete the job."), TableText.ageColumn, TableText.containersColumn, TableText.imagesColumn,
        .init(
            "Selector",
            description: "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: "
                + "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", priority: 1),
    ]

    static func cells(_ object: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
        let completions: String
        if let wanted = spec["completions"]?.integerValue { completions = "\(status.number("succeeded"))/\(wanted)" } else {
            let parallelism = spec.number("parallelism")
            completions = parallelism > 1 ? "\(status.number("succeeded"))/1 of \(parallelism)" : "\(status.number("succeeded"))/1"
        }
        var duration = ""
        if let start = status["startTime"]?.stringValue.flatMap(KubernetesTime.seconds) {
            let end = status["completionTime"]?.stringValue.flatMap(KubernetesTime.seconds) ?? now
            duration = TableText.duration(end - start)
        }
        func holds(_ type: String) -> Bool {
            status.items("conditions").contains { $0["type"] == .string(type) && $0["status"] == "True" }
        }
        var state = "Running"
        if holds("Complete") { state = "Complete" } else if holds("Failed") { state = "Failed" } else if object[path: "metadata", "deletionTimestamp"] != nil {
            state = "Terminating"
        } else if holds("Suspended") { state = "Suspended" } else if holds("FailureTarget") { state = "FailureTarget" } else if holds("SuccessCriteriaMet") {
            state = "SuccessCriteriaMet"
        }
        return [TableText.name(object), .string(state), .string(completions), .string(duration), TableText.ageCell(object, now)]
            + TableText.containers(spec[path: "template", "spec"]) + [TableText.selector(spec["selector"])]
    }

    static let cronColumns: [KindRules.Column] = [
        TableText.nameColumn, .init("Schedule", description: "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
        .init(
            "Timezone",
            description: "The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, "
                + "this will default to the time zone of the kube-controller-manager process. The set of valid time zone names and the time zone "
                + "offset is loaded from the system-wide time zone database by the API server during CronJob validation and the controller manager "
                + "during execution. If no system-wide time zone database can be found a bundled version of the database is used instead. If the "
                + "time zone name becomes invalid during the lifetime of a CronJob or due to a change in host configuration, the controller will "
                + "stop creating new new Jobs and will create a system event with the reason UnknownTimeZone. More information can be found in "
                + "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones"),
        .init(
            "Suspend", "boolean",
            description: "This flag tells the controller to suspend subsequent executions, it does not apply to already started executions.  Defaults to false."),
        .init("Active", "integer", description: "A list of pointers to currently running jobs."),
        .init("Last Schedule", description: "Information when was the last time the job was successfully scheduled."), TableText.ageColumn,
        TableText.containersColumn, TableText.imagesColumn,
        .init(
            "Selector",
            description: "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: "
                + "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", priority: 1),
    ]

    static func cronCells(_ object: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
        let suspend = spec["suspend"]?.boolValue.map { $0 ? "True" : "False" } ?? "<unset>"
        let last = status["lastScheduleTime"] == nil ? "<none>" : TableText.since(status["lastScheduleTime"], now)
        return [
            TableText.name(object), .string(spec.text("schedule")), .string(spec["timeZone"]?.stringValue ?? "<none>"), .string(suspend),
            .integer(Int64(status.items("active").count)), .string(last), TableText.ageCell(object, now),
        ] + TableText.containers(spec[path: "jobTemplate", "spec", "template", "spec"])
            + [TableText.selector(spec[path: "jobTemplate", "spec", "selector"])]
    }
}
