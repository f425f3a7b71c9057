import ResourceModel
import YAML

/// Reads the object in a request's body.
enum RequestBody {
    /// The media type of the body, without parameters.
    static func mediaType(_ request: APIRequest) -> String {
        let type = (request.headers["content-type"] ?? "").split(separator: ";").first ?? ""
        return type.filter { $0 != " " }.lowercased()
    }

    /// - Throws: `APIStatus` 400 for what is no JSON or YAML, 415 for another media type.
    static func object(_ request: APIRequest, of kind: String) throws(APIStatus) -> JSONValue {
        switch mediaType(request) {
        case "application/json", "", "*/*": return try json(request.body, of: kind)
        case "application/yaml": return try yaml(request.body, of: kind)
        case ProtobufBody.mediaType:
            if let object = ProtobufBody.object(request.body) { return object }
            fallthrough
        default:
            throw .unsupportedMediaType(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])
        }
    }

    static func json(_ bytes: [UInt8], of kind: String) throws(APIStatus) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind; json parse error: \(error)")
        }
        guard value.objectValue != nil else {
            throw .badRequest("the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind")
        }
        return value
    }

    static func yaml(_ bytes: [UInt8], of kind: String) throws(APIStatus) -> JSONValue {
        // JSON is YAML, and much faster to read.
        if let value = try? JSONValue(parsing: bytes) { return value }  // otherwise the YAML reader says what is wrong
        let documents: [YAMLDocument]
        do throws(YAMLError) { documents = try YAML.documents(in: bytes, path: "body") } catch {
            throw .badRequest("error decoding YAML: \(error.message)")
        }
        guard documents.count == 1, documents[0].value.objectValue != nil else {
            throw .badRequest("error decoding YAML: the body must be one object")
        }
        return documents[0].value
    }

    /// Options of a delete: from the body, or from the query.
    static func deleteOptions(_ request: APIRequest) throws(APIStatus) -> DeleteOptions {
        var options = DeleteOptions()
        if !request.body.isEmpty {
            let value = try object(request, of: "DeleteOptions")
            options.propagationPolicy = value["propagationPolicy"]?.stringValue
            options.orphanDependents = value["orphanDependents"]?.boolValue
            options.gracePeriodSeconds = value["gracePeriodSeconds"]?.integerValue
            options.uid = value[path: "preconditions", "uid"]?.stringValue
            options.resourceVersion = value[path: "preconditions", "resourceVersion"]?.stringValue
            options.isDryRun = value["dryRun"]?.arrayValue?.contains("All") ?? false
        }
        if let policy = request.parameter("propagationPolicy") { options.propagationPolicy = policy }
        if let seconds = request.parameter("gracePeriodSeconds").flatMap(Int64.init) { options.gracePeriodSeconds = seconds }
        if request.query.contains(where: { $0.name == "dryRun" }) { options.isDryRun = request.parameter("dryRun") == "All" }
        if let policy = options.propagationPolicy, !["Foreground", "Background", "Orphan"].contains(policy) {
            throw .invalid(
                group: "meta.k8s.io", kind: "DeleteOptions", name: "",
                [
                    FieldCause(
                        reason: "FieldValueNotSupported",
                        message: "Unsupported value: \"\(policy)\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
                        field: "propagationPolicy")
                ])
        }
        return options
    }
}

/// What a delete asks for.
struct DeleteOptions: Sendable {
    var propagationPolicy: String?
    var orphanDependents: Bool?
    var gracePeriodSeconds: Int64?
    var uid: String?
    var resourceVersion: String?
    var isDryRun = false
}

/// Options that every write has.
struct WriteOptions: Sendable {
    var manager: String
    var isDryRun: Bool
    /// `Strict`, `Warn` or `Ignore`.
    var fieldValidation: String
    var force: Bool
    var now: String
    /// The whole object is sent (PUT): a uid in it is a precondition, where in a patch it is a change.
    var isReplacement: Bool

    init(_ request: APIRequest) throws(APIStatus) {
        isReplacement = request.method == "PUT"
        if let value = request.parameter("dryRun"), value != "All" {
            throw .invalid(
                group: "meta.k8s.io", kind: "PatchOptions", name: "",
                [
                    FieldCause(
                        reason: "FieldValueNotSupported", message: "Unsupported value: \"\(value)\": supported values: \"All\"",
                        field: "dryRun")
                ])
        }
        isDryRun = request.parameter("dryRun") == "All"
        fieldValidation = request.parameter("fieldValidation") ?? "Warn"
        guard ["Strict", "Warn", "Ignore"].contains(fieldValidation) else {
            throw .invalid(
                group: "meta.k8s.io", kind: request.method == "POST" ? "CreateOptions" : request.method == "PUT" ? "UpdateOptions" : "PatchOptions",
                name: "",
                [
                    FieldCause(
                        reason: "FieldValueNotSupported",
                        message: "Unsupported value: \"\(fieldValidation)\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                        field: "fieldValidation")
                ])
        }
        force = request.parameter("force") == "true"
        let agent = request.headers["user-agent"] ?? ""
        manager = request.parameter("fieldManager") ?? String(agent.prefix { $0 != "/" })
        if manager.isEmpty { manager = "unknown" }
        now = Timestamp.now()
    }
}
