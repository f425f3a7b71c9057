import ResourceModel

/// What makes a pod's volumes valid.
enum VolumeValidation {
    /// The kinds of volume sources, as fields of a volume.
    private static let sources = [
        "emptyDir", "hostPath", "gitRepo", "secret", "nfs", "iscsi", "glusterfs", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "flocker",
        "downwardAPI", "fc", "configMap", "azureFile", "azureDisk", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "quobyte",
        "scaleIO", "storageos", "projected", "csi", "ephemeral", "image", "awsElasticBlockStore", "gcePersistentDisk", "flexVolume",
    ]

    /// - Returns: the names that containers may mount.
    static func volumes(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) -> Set<String> {
        var names = Set<String>()
        for (index, volume) in spec.items("volumes").enumerated() {
            let item = path[index]
            let name = volume.text("name")
            let problems = name.isEmpty ? [] : Names.dnsLabel(name)
            if name.isEmpty { validator.required(item["name"]) } else { validator.format(item["name"], .string(name), problems) }
            if problems.isEmpty, !name.isEmpty, !names.insert(name).inserted { validator.duplicate(item["name"], .string(name)) }
            let present = sources.filter { volume[$0] != nil }
            if present.isEmpty { validator.required(item, "must specify a volume type") }
            for extra in present.dropFirst() { validator.forbidden(item[extra], "may not specify more than 1 volume type") }
            if let first = present.first { source(volume[first] ?? [:], first, item[first], &validator) }
        }
        return names
    }

    private static func source(_ source: JSONValue, _ kind: String, _ path: FieldPath, _ validator: inout Validator) {
        switch kind {
        case "emptyDir":
            if let size = source["sizeLimit"], let quantity = Quantity(size), quantity.isNegative {
                validator.forbidden(path["sizeLimit"], "SizeLimit field must be a valid resource quantity")
            }
        case "hostPath":
            let text = source.text("path")
            if text.isEmpty { validator.required(path["path"]) } else if text.split(separator: "/").contains("..") {
                validator.invalid(path["path"], .string(text), "must not contain '..'")
            }
            validator.oneOf(
                path["type"], source["type"],
                ["BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"], isRequired: false)
        case "secret":
            if source.text("secretName").isEmpty { validator.required(path["secretName"]) }
            items(source, path, &validator)
        case "configMap":
            if source.text("name").isEmpty { validator.required(path["name"]) }
            items(source, path, &validator)
        case "persistentVolumeClaim":
            if source.text("claimName").isEmpty { validator.required(path["claimName"]) }
        case "nfs":
            if source.text("server").isEmpty { validator.required(path["server"]) }
            let text = source.text("path")
            if text.isEmpty { validator.required(path["path"]) } else if !text.hasPrefix("/") {
                validator.invalid(path["path"], .string(text), "must be an absolute path")
            }
        case "csi":
            if source.text("driver").isEmpty { validator.required(path["driver"]) }
        case "ephemeral":
            if source["volumeClaimTemplate"] == nil { validator.required(path["volumeClaimTemplate"]) }
        case "projected": mode(source, path, &validator)
        default: break
        }
    }

    private static func items(_ source: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        mode(source, path, &validator)
        for (index, item) in source.items("items").enumerated() {
            let place = path["items"][index]
            if item.text("key").isEmpty { validator.required(place["key"]) }
            if item.text("path").isEmpty { validator.required(place["path"]) } else {
                ContainerValidation.relativePath(item.text("path"), place["path"], &validator)
            }
            if let mode = item["mode"]?.integerValue, mode < 0 || mode > 511 {
                validator.invalid(place["mode"], .integer(mode), "must be a number between 0 and 0777 (octal), both inclusive")
            }
        }
    }

    private static func mode(_ source: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        if let mode = source["defaultMode"]?.integerValue, mode < 0 || mode > 511 {
            validator.invalid(path["defaultMode"], .integer(mode), "must be a number between 0 and 0777 (octal), both inclusive")
        }
    }
}
