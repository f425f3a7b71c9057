import ResourceModel

/// Compares what we want to apply with what is there, guided by the fields that we own (FieldsV1,
/// https://kubernetes.io/docs/reference/using-api/server-side-apply/): no schema is needed, because the server wrote down how it
/// takes each list apart. A field that others own and that we do not declare is no difference.
struct OwnedFieldsComparison {
    /// What was found.
    struct Result {
        var fields: [FieldChange] = []
        /// A difference that may be only the server's own spelling (quantities, defaults): its dry run must decide.
        var needsDryRun = false
        /// A difference that no spelling explains.
        var isCertain = false

        var isSame: Bool { !needsDryRun && !isCertain }
    }

    private var result = Result()
    private let isSecret: Bool
    /// Go's `omitempty`, which all lists of the built-in kinds have that may be left out: an empty one is not kept.
    private let dropsEmptyLists: Bool
    /// Where the comparison stands. Most fields are the same, so places are put into words only for a difference.
    private var place: [Step] = []

    private enum Step {
        case member(String)
        case keys(JSONObject)
        case value(JSONValue)
        case item(Int, JSONValue)

        var text: String {
            switch self {
            case .member(let key): "." + OwnedFieldsComparison.escaped(key)
            case .keys(let keys): "[" + keys.map { "\($0.key)=\($0.value.jsonString)" }.joined(separator: ",") + "]"
            case .value(let value): "[\(value.jsonString)]"
            case .item(let index, let item): item["name"]?.stringValue.map { "[name=\"\($0)\"]" } ?? "[\(index)]"
            }
        }
    }

    private var path: String { place.map(\.text).joined() }

    /// Carries something out one step further in.
    private mutating func at(_ step: Step, _ body: (inout Self) -> Void) {
        place.append(step)
        body(&self)
        place.removeLast()
    }

    static func result(intent: JSONValue, live: LiveObject, manager: String) -> Result {
        var comparison = OwnedFieldsComparison(
            isSecret: live.id.kind == "Secret" && live.id.group.isEmpty, dropsEmptyLists: live.id.groupKind.isTheServersOwn)
        let entry = live.ownership.entries.first { $0.manager == manager && $0.operation == "Apply" && $0.subresource.isEmpty }
        let fields = entry?.apiVersion == live.apiVersion ? entry?.fields : nil
        comparison.compareObject(intent, live.body, fields ?? [:])
        return comparison.result
    }

    private init(isSecret: Bool, dropsEmptyLists: Bool) {
        self.isSecret = isSecret
        self.dropsEmptyLists = dropsEmptyLists
    }

    private static let identity: Set<String> = ["apiVersion", "kind"]
    private static let identityMetadata: Set<String> = ["name", "namespace", "generateName"]

    private mutating func compareObject(_ intent: JSONValue, _ live: JSONValue, _ owned: JSONValue) {
        guard let members = intent.objectValue, let liveMembers = live.objectValue else {
            note(live, intent, certain: true)
            return
        }
        let ownedMembers = owned.objectValue ?? [:]
        let isTop = place.isEmpty
        var isMetadata = false
        if place.count == 1, case .member("metadata") = place[0] { isMetadata = true }
        for member in members where !(isTop && Self.identity.contains(member.key)) && !member.value.isNull {
            if isMetadata, Self.identityMetadata.contains(member.key) { continue }
            at(.member(member.key)) {
                $0.compare(member.value, liveMembers[member.key], Self.field(member.key, of: ownedMembers))
            }
        }
        for member in ownedMembers where !Self.isDeclared(fieldKey: member.key, in: members) {
            let name = String(member.key.dropFirst(2))
            guard let left = liveMembers[name] else { continue }
            at(.member(name)) { $0.note(left, nil, certain: true) }  // ours, and no longer declared
        }
    }

    /// The member `f:NAME`. Made without new strings: this is asked for every field of every object.
    private static func field(_ name: String, of owned: JSONObject) -> JSONValue? {
        owned.members.first { isField($0.key, named: name) }?.value
    }

    /// Whether the field that `f:NAME` speaks of is among the members; also `true` for a key that speaks of no field.
    private static func isDeclared(fieldKey key: String, in members: JSONObject) -> Bool {
        guard key.utf8.first == UInt8(ascii: "f"), key.utf8.dropFirst().first == UInt8(ascii: ":") else { return true }
        return members.members.contains { isField(key, named: $0.key) && !$0.value.isNull }
    }

    private static func isField(_ key: String, named name: String) -> Bool {
        guard key.utf8.count == name.utf8.count + 2 else { return false }
        let isSame = key.utf8.withContiguousStorageIfAvailable { key in
            name.utf8.withContiguousStorageIfAvailable { name in
                guard key[0] == UInt8(ascii: "f"), key[1] == UInt8(ascii: ":") else { return false }
                return (0..<name.count).allSatisfy { key[$0 + 2] == name[$0] }
            }
        }
        return (isSame ?? nil) ?? (key == "f:" + name)
    }

    private mutating func compare(_ intent: JSONValue, _ live: JSONValue?, _ owned: JSONValue?) {
        guard let live else {
            // A zero value that is still ours was dropped by the server; had someone removed it, it would not be ours any more.
            if owned != nil, intent.isZero { return }
            if dropsEmptyLists, intent.arrayValue?.isEmpty == true { return }
            // The server may have dropped it (a field of a newer version), or someone removed it.
            note(nil, intent, certain: owned != nil)
            return
        }
        guard let owned, !(owned.objectValue?.isEmpty ?? true) else {
            compareWhole(intent, live, isOwned: owned != nil)
            return
        }
        switch (intent, live) {
        case (.object, .object): compareObject(intent, live, owned)
        case (.array(let items), .array(let liveItems)): compareList(items, liveItems, owned)
        default: compareWhole(intent, live, isOwned: true)
        }
    }

    /// A scalar, an atomic list or map, or something that we do not own yet.
    private mutating func compareWhole(_ intent: JSONValue, _ live: JSONValue, isOwned: Bool) {
        if intent == live {
            // Equal, but not ours: applying takes it over. An empty map or list holds nothing to take over, and servers before 1.21 do not
            // say who owns one.
            if !isOwned, intent.isScalar || !intent.isZero { result.needsDryRun = true }
            return
        }
        if !isOwned, intent.objectValue != nil, live.objectValue != nil {
            compareObject(intent, live, [:])
            return
        }
        if case .string(let a) = intent, case .string(let b) = live, let left = Quantity(a), let right = Quantity(b), left == right {
            // The same amount in other words, where the field is one; a plain string that looks like one is told by the path.
            if Self.holdsQuantities(path) { return }
        }
        let isSpelling = intent.isScalar && live.isScalar && Self.mayBeRespelt(intent, live)
        note(live, intent, certain: intent.isScalar && live.isScalar && !isSpelling)
    }

    private static func holdsQuantities(_ path: String) -> Bool {
        [".limits.", ".requests.", ".capacity.", ".hard.", ".sizeLimit", ".divisor", ".averageValue"].contains { path.contains($0) }
    }

    /// Whether a server might write `b` for `a`: quantities, times, addresses, numbers as strings, and a default for what is empty or zero
    /// (`apiGroup: ""` of a role's subject, `timeoutSeconds: 0` of a probe, `nodePort: 0`).
    private static func mayBeRespelt(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.bool, .bool): false
        case (.integer, .integer): a.isZero
        case (.string(let x), .string(let y)): x.isEmpty || (x.first?.isNumber ?? false) && (y.first?.isNumber ?? false)
        default: true
        }
    }

    private mutating func compareList(_ intent: [JSONValue], _ live: [JSONValue], _ owned: JSONValue) {
        let elements = owned.objectValue ?? [:]
        var matched = Set<Int>()
        for element in elements {
            if element.key.hasPrefix("k:") {
                guard let keys = try? JSONValue(parsing: String(element.key.dropFirst(2))).objectValue else {
                    result.needsDryRun = true  // a key in a form we do not know: the server knows it
                    continue
                }
                let liveItem = live.first { item in keys.allSatisfy { item[$0.key] == $0.value } }
                let index = intent.firstIndex { item in
                    keys.contains { item[$0.key] == $0.value } && keys.allSatisfy { item[$0.key] == nil || item[$0.key] == $0.value }
                }
                if let index { matched.insert(index) }
                at(.keys(keys)) {
                    switch (index, liveItem) {
                    case (nil, nil): break
                    case (nil, let left?): $0.note(left, nil, certain: true)
                    case (let index?, let left?): $0.compareObject(intent[index], left, element.value)
                    case (let index?, nil): $0.note(nil, intent[index], certain: true)
                    }
                }
            } else if element.key.hasPrefix("v:") {
                guard let value = try? JSONValue(parsing: String(element.key.dropFirst(2))) else {
                    result.needsDryRun = true
                    continue
                }
                if let index = intent.firstIndex(of: value) {
                    matched.insert(index)
                    if !live.contains(value) { at(.value(value)) { $0.note(nil, value, certain: true) } }
                } else if live.contains(value) {
                    at(.value(value)) { $0.note(value, nil, certain: true) }
                }
            }
        }
        for (index, item) in intent.enumerated() where !matched.contains(index) {
            at(.item(index, item)) { $0.note(nil, item, certain: false) }
        }
    }

    private mutating func note(_ before: JSONValue?, _ after: JSONValue?, certain: Bool) {
        if certain { result.isCertain = true } else { result.needsDryRun = true }
        let path = path
        result.fields.append(
            FieldChange(
                path: path, before: before, after: after,
                // A Secret that kubectl applied carries its values in an annotation too.
                isSecret: isSecret
                    && (path.hasPrefix(".data") || path.hasPrefix(".stringData") || path.hasPrefix(".metadata.annotations"))))
    }

    static func escaped(_ key: String) -> String { key.contains(".") || key.contains("/") ? "\"\(key)\"" : key }
}

extension JSONValue {
    var isScalar: Bool {
        switch self {
        case .object, .array: false
        default: true
        }
    }

    /// What Go's `omitempty` leaves out.
    var isZero: Bool {
        switch self {
        case .object(let object): object.isEmpty
        case .array(let items): items.isEmpty
        case .string(let text): text.isEmpty
        case .bool(let flag): !flag
        case .integer(let number): number == 0
        case .number(let literal): Double(literal) == 0
        case .null: true
        }
    }
}
