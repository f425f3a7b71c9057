import ResourceModel

/// The built-in kinds' protobuf messages, by group and version and name. Parsed once, on first use.
struct ProtobufMessages: Sendable {
    static let builtIn = ProtobufMessages(ProtobufFacts.lines)

    /// One field of a message.
    struct Field: Sendable {
        /// The field's name in JSON; empty when its fields are its owner's; `-` when it is its message's value.
        var name: String
        var type: FieldType
        /// Whether Go's type tells a zero from an absent value, so that JSON has the zero.
        var keepsZero: Bool
    }

    indirect enum FieldType: Sendable, Equatable {
        case string, bytes, integer, boolean, double, time, preciseTime, duration, quantity, integerOrString, raw
        case list(FieldType)
        case map(FieldType)
        /// By its key in the table: `apps/v1/DeploymentSpec`.
        case message(String)
    }

    private let fields: [String: [Int: Field]]

    /// The fields of a message by number; `nil` when there is no such message.
    func message(_ name: String) -> [Int: Field]? { fields[name] }

    /// The message of a kind: `apps/v1`, `Deployment`. Delete options are the same in every group.
    func message(apiVersion: String, kind: String) -> String? {
        let name = kind == "DeleteOptions" ? "meta/v1/DeleteOptions" : "\(apiVersion)/\(kind)"
        return fields[name] == nil ? nil : name
    }

    private init(_ lines: StaticString) {
        var result: [String: [Int: Field]] = [:]
        var section = ""
        let text = lines.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "#" {
                section = String(words[1])
                continue
            }
            var message: [Int: Field] = [:]
            for word in words.dropFirst() {
                guard let colon = word.firstIndex(of: ":") else { continue }
                let digits = word[word.index(after: colon)...].prefix { $0.isNumber }
                var code = word[digits.endIndex...]
                let keepsZero = code.first == "!"
                if keepsZero { code.removeFirst() }
                guard let number = Int(digits), let type = Self.type(code, section) else { continue }
                message[number] = Field(name: String(word[..<colon]), type: type, keepsZero: keepsZero)
            }
            result["\(section)/\(words[0])"] = message
        }
        fields = result
    }

    private static func type(_ code: Substring, _ section: String) -> FieldType? {
        let rest = code.dropFirst()
        switch code.first {
        case "s": return .string
        case "y": return .bytes
        case "i": return .integer
        case "b": return .boolean
        case "d": return .double
        case "T": return .time
        case "M": return .preciseTime
        case "D": return .duration
        case "Q": return .quantity
        case "I": return .integerOrString
        case "R": return .raw
        case "[": return type(rest, section).map { .list($0) }
        case "<": return type(rest, section).map { .map($0) }
        case "=": return .message(rest.contains("/") ? String(rest) : "\(section)/\(rest)")
        default: return nil
        }
    }
}
