import ResourceModel

/// Reads the protobuf bodies that kubectl and client-go send for built-in kinds: what `kubectl create` writes, for one.
///
/// The envelope is `k8s\0`, then a message of the type (1: apiVersion, kind) and the object's bytes (2), as the API concepts page's
/// "Protobuf encoding" says. Answers are always JSON, which every client accepts beside it.
struct ProtobufBody: Sendable {
    static let mediaType = "application/vnd.kubernetes.protobuf"

    /// - Returns: `nil` for a kind that the table does not have, and for bytes that are no such message.
    static func object(_ bytes: [UInt8]) -> JSONValue? {
        guard bytes.starts(with: [0x6B, 0x38, 0x73, 0]) else { return nil }
        var envelope = ProtobufWire(bytes[4...])
        var type = ProtobufWire([])
        var raw: ArraySlice<UInt8> = []
        while let field = envelope.next() {
            switch field.number {
            case 1: type = ProtobufWire(field.bytes)
            case 2: raw = field.bytes
            default: break
            }
        }
        var names = ["", ""]
        while let field = type.next() {
            if field.number <= 2 { names[field.number - 1] = field.text }
        }
        guard !envelope.isBroken, !type.isBroken,
            let message = ProtobufMessages.builtIn.message(apiVersion: names[0], kind: names[1]),
            var object = Self(depth: 0).message(raw, message)
        else { return nil }
        object["apiVersion"] = .string(names[0])
        object["kind"] = .string(names[1])
        return .object(object)
    }

    /// How many messages are around the one being read: schemas refer to themselves, and a hostile body must not exhaust the stack.
    private let depth: Int

    private func message(_ bytes: ArraySlice<UInt8>, _ name: String) -> JSONObject? {
        guard depth < 64, let fields = ProtobufMessages.builtIn.message(name) else { return nil }
        var result = JSONObject()
        var wire = ProtobufWire(bytes)
        while let read = wire.next() {
            guard let field = fields[read.number] else { continue }
            guard add(read, field, &result) else { return nil }
        }
        return wire.isBroken ? nil : result
    }

    private func add(_ read: ProtobufWire.Field, _ field: ProtobufMessages.Field, _ result: inout JSONObject) -> Bool {
        switch field.type {
        case .list(let element):
            guard let item = value(read, element) else { return false }
            result[field.name] = .array((result[field.name]?.arrayValue ?? []) + [item])
        case .map(let element):
            var entry = ProtobufWire(read.bytes)
            var key = ""
            // An absent value is the type's zero: an empty message, for the scalars an empty string.
            var item = value(ProtobufWire.Field(number: 2, integer: 0, bytes: []), element)
            while let part = entry.next() {
                if part.number == 1 { key = part.text } else if part.number == 2 { item = value(part, element) }
            }
            guard let item, !entry.isBroken else { return false }
            var map = result[field.name]?.objectValue ?? JSONObject()
            map[key] = item
            result[field.name] = .object(map)
        default:
            guard let item = value(read, field.type) else { return false }
            if item == .null { return true }
            if !field.keepsZero, item == "" || item == 0 || item == false { return true }
            if field.name.isEmpty {
                for member in item.objectValue?.members ?? [] { result[member.key] = member.value }
            } else {
                result[field.name] = item
            }
        }
        return true
    }

    /// - Returns: `.null` for a time that is not set; `nil` for what is no value of that type.
    private func value(_ read: ProtobufWire.Field, _ type: ProtobufMessages.FieldType) -> JSONValue? {
        switch type {
        case .string: return .string(read.text)
        case .bytes: return .string(Base64.encode(Array(read.bytes)))
        case .integer: return .integer(read.integer)
        case .boolean: return .bool(read.integer != 0)
        case .double: return .number("\(Double(bitPattern: UInt64(bitPattern: read.integer)))")
        case .list, .map: return nil  // lists of lists and maps of maps are not in protobuf
        case .message(let name):
            guard let message = Self(depth: depth + 1).message(read.bytes, name) else { return nil }
            return message["-"] ?? .object(message)
        case .time, .preciseTime: return time(read.bytes, isPrecise: type == .preciseTime)
        case .duration: return ProtobufWire.first(read.bytes).map { .string("\($0.integer)ns") } ?? "0s"
        case .quantity: return .string(ProtobufWire.first(read.bytes)?.text ?? "0")
        case .raw:
            let content = ProtobufWire.first(read.bytes)?.bytes ?? []
            if content.isEmpty { return .null }
            return try? JSONValue(parsing: Array(content))  // nil: what holds no JSON is no such value
        case .integerOrString:
            var wire = ProtobufWire(read.bytes)
            var (isText, number, text) = (false, Int64(0), "")
            while let part = wire.next() {
                switch part.number {
                case 1: isText = part.integer == 1
                case 2: number = part.integer
                default: text = part.text
                }
            }
            return wire.isBroken ? nil : isText ? .string(text) : .integer(number)
        }
    }

    /// Seconds (1) and nanoseconds (2); an empty message is a time that is not set.
    private func time(_ bytes: ArraySlice<UInt8>, isPrecise: Bool) -> JSONValue? {
        var wire = ProtobufWire(bytes)
        var parts: [Int: Int64] = [:]
        while let part = wire.next() { parts[part.number] = part.integer }
        if wire.isBroken { return nil }
        guard let seconds = parts[1] else { return .null }
        let whole = Timestamp.string(seconds)
        guard isPrecise else { return .string(whole) }
        let micro = String((parts[2] ?? 0) / 1000)
        return .string(whole.dropLast() + "." + String(repeating: "0", count: max(0, 6 - micro.count)) + micro + "Z")
    }
}
