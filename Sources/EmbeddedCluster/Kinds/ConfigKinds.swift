import ResourceModel

extension KindRules {
    /// ConfigMap and Secret.
    static let configKinds: [KindRules] = [
        KindRules("v1", "ConfigMap") { rules in
            rules.check = { object, validator in
                var size = 0
                for name in ["data", "binaryData"] {
                    for member in object.sortedMembers(name) {
                        validator.format(FieldPath(name).key(member.key), .string(member.key), Names.configKey(member.key))
                        if name == "binaryData", object["data"]?[member.key] != nil {
                            validator.invalid(FieldPath("data").key(member.key), .string(member.key), "duplicate of key present in binaryData")
                        }
                        let text = member.value.stringValue ?? ""
                        size += name == "data" ? text.utf8.count : (SecretData.decode(text)?.count ?? 0)
                    }
                }
                if size > SecretForms.limit { validator.tooLong(FieldPath(), SecretForms.limit) }
            }
            rules.checkChange = { new, old, validator in
                SecretForms.immutability(new, old, ["data", "binaryData"], &validator)
            }
            rules.columns = [
                TableText.nameColumn,
                Column(
                    "Data",
                    description: "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values "
                        + "with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys "
                        + "in the BinaryData field, this is enforced during validation process."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                let count = (object["data"]?.objectValue?.count ?? 0) + (object["binaryData"]?.objectValue?.count ?? 0)
                return [TableText.name(object), .integer(Int64(count)), TableText.ageCell(object, now)]
            }
        },
        KindRules("v1", "Secret") { rules in
            rules.setDefaults = { secret in
                secret.setDefault("type", "Opaque")
                if let texts = secret["stringData"]?.objectValue?.members {
                    for text in texts {
                        secret[path: "data", text.key] = .string(SecretData.encode(Array((text.value.stringValue ?? "").utf8)))
                    }
                    secret["stringData"] = nil
                }
            }
            rules.check = { object, validator in SecretForms.validate(object, &validator) }
            rules.checkChange = { new, old, validator in
                validator.immutable(FieldPath("type"), new["type"], old["type"])
                SecretForms.immutability(new, old, ["data"], &validator)
            }
            rules.columns = [
                TableText.nameColumn,
                Column("Type", description: "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types"),
                Column(
                    "Data",
                    description: "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the "
                        + "secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in "
                        + "https://tools.ietf.org/html/rfc4648#section-4"), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                [
                    TableText.name(object), object["type"] ?? "", .integer(Int64(object["data"]?.objectValue?.count ?? 0)),
                    TableText.ageCell(object, now),
                ]
            }
        },
    ]
}

/// What a Secret of each type must hold.
private enum SecretForms {
    static let limit = 1024 * 1024

    static func immutability(_ new: JSONValue, _ old: JSONValue, _ fields: [String], _ validator: inout Validator) {
        guard old["immutable"] == true else { return }
        if new["immutable"] != true { validator.forbidden(FieldPath("immutable"), "field is immutable when `immutable` is set") }
        for name in fields where (new[name] ?? [:]) != (old[name] ?? [:]) {
            validator.forbidden(FieldPath(name), "field is immutable when `immutable` is set")
        }
    }

    static func validate(_ object: JSONValue, _ validator: inout Validator) {
        let data = FieldPath("data")
        var size = 0
        for member in object.sortedMembers("data") {
            validator.format(data.key(member.key), .string(member.key), Names.configKey(member.key))
            size += SecretData.decode(member.value.stringValue ?? "")?.count ?? 0
        }
        if size > limit { validator.tooLong(data, limit) }
        func need(_ key: String) {
            if object["data"]?[key] == nil { validator.required(data.key(key)) }
        }
        switch object.text("type") {
        case "kubernetes.io/service-account-token":
            let name = "kubernetes.io/service-account.name"
            if (object[path: "metadata", "annotations"]?.text(name) ?? "").isEmpty {
                validator.required(FieldPath("metadata")["annotations"].key(name))
            }
        case "kubernetes.io/dockercfg": need(".dockercfg")
        case "kubernetes.io/dockerconfigjson":
            need(".dockerconfigjson")
            if let text = object["data"]?[".dockerconfigjson"]?.stringValue, let bytes = SecretData.decode(text) {
                do { _ = try JSONValue(parsing: bytes) } catch {
                    validator.invalid(data.key(".dockerconfigjson"), "<secret contents redacted>", "invalid character in the JSON text")
                }
            }
        case "kubernetes.io/basic-auth":
            if object["data"]?["username"] == nil, object["data"]?["password"] == nil {
                validator.required(data.key("username"))
                validator.required(data.key("password"))
            }
        case "kubernetes.io/ssh-auth": need("ssh-privatekey")
        case "kubernetes.io/tls":
            need("tls.crt")
            need("tls.key")
        default: break
        }
    }
}
