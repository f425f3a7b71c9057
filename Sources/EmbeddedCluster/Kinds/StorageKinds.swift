import ResourceModel

extension KindRules {
    /// PersistentVolume, PersistentVolumeClaim, StorageClass and CSIDriver.
    static let storageKinds: [KindRules] = [
        KindRules("v1", "PersistentVolume") { rules in
            rules.isNamespaced = false
            rules.hasStatus = true
            rules.initialStatus = ["phase": "Pending"]
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    spec.setDefault("persistentVolumeReclaimPolicy", "Retain")
                    if spec["volumeMode"] == nil { spec["volumeMode"] = "Filesystem" }
                    if spec["storageClassName"] == "" { spec["storageClassName"] = nil }
                    spec.update("hostPath") { if $0["type"] == nil { $0["type"] = "" } }
                }
                object.updateOrMake("status") { $0.setDefault("phase", "Pending") }
            }
            rules.beforeCreate = { object in
                let finalizers = object["metadata"]?.items("finalizers") ?? []
                if !finalizers.contains("kubernetes.io/pv-protection") {
                    object[path: "metadata", "finalizers"] = .array(finalizers + ["kubernetes.io/pv-protection"])
                }
                if let time = object[path: "metadata", "creationTimestamp"] { object[path: "status", "lastPhaseTransitionTime"] = time }
            }
            rules.check = StorageForms.validateVolume
            rules.checkChange = { new, old, validator in StorageForms.validateVolumeChange(new, old, &validator) }
            rules.columns = StorageForms.volumeColumns
            rules.cells = StorageForms.volumeCells
        },
        KindRules("v1", "PersistentVolumeClaim") { rules in
            rules.hasStatus = true
            rules.initialStatus = ["phase": "Pending"]
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    if spec["volumeMode"] == nil { spec["volumeMode"] = "Filesystem" }
                    if let source = spec["dataSource"], spec["dataSourceRef"] == nil { spec["dataSourceRef"] = source }
                }
                object.updateOrMake("status") { $0.setDefault("phase", "Pending") }
            }
            rules.beforeCreate = { object in
                let finalizers = object["metadata"]?.items("finalizers") ?? []
                if !finalizers.contains("kubernetes.io/pvc-protection") {
                    object[path: "metadata", "finalizers"] = .array(finalizers + ["kubernetes.io/pvc-protection"])
                }
            }
            rules.check = { object, validator in StorageForms.validateClaim(object["spec"] ?? [:], FieldPath("spec"), &validator) }
            rules.checkChange = StorageForms.validateClaimChange
            rules.columns = StorageForms.claimColumns
            rules.cells = StorageForms.claimCells
        },
        KindRules("storage.k8s.io/v1", "StorageClass") { rules in
            rules.isNamespaced = false
            rules.setDefaults = { object in
                object.setDefault("reclaimPolicy", "Delete")
                object.setDefault("volumeBindingMode", "Immediate")
            }
            rules.check = { object, validator in
                let provisioner = object.text("provisioner")
                if provisioner.isEmpty { validator.required(FieldPath("provisioner")) } else {
                    validator.format(FieldPath("provisioner"), .string(provisioner), Names.qualifiedName(provisioner.lowercased()))
                }
                validator.oneOf(FieldPath("reclaimPolicy"), object["reclaimPolicy"], ["Delete", "Retain"])
                validator.oneOf(FieldPath("volumeBindingMode"), object["volumeBindingMode"], ["Immediate", "WaitForFirstConsumer"])
            }
            rules.checkChange = { new, old, validator in
                if (new["parameters"] ?? [:]) != (old["parameters"] ?? [:]) {
                    validator.forbidden(FieldPath("parameters"), "updates to parameters are forbidden.")
                }
                if new["provisioner"] != old["provisioner"] {
                    validator.forbidden(FieldPath("provisioner"), "updates to provisioner are forbidden.")
                }
                if new["reclaimPolicy"] != old["reclaimPolicy"] {
                    validator.forbidden(FieldPath("reclaimPolicy"), "updates to reclaimPolicy are forbidden.")
                }
                validator.immutable(FieldPath("volumeBindingMode"), new["volumeBindingMode"], old["volumeBindingMode"])
            }
            rules.columns = [
                TableText.nameColumn, Column("Provisioner", description: "provisioner indicates the type of the provisioner."),
                Column("ReclaimPolicy", description: "reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete."),
                Column(
                    "VolumeBindingMode",
                    description: "volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate "
                        + "is used. This field is only honored by servers that enable the VolumeScheduling feature."),
                Column("AllowVolumeExpansion", description: "allowVolumeExpansion shows whether the storage class allow volume expand."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                let isDefault = object[path: "metadata", "annotations", "storageclass.kubernetes.io/is-default-class"] == "true"
                return [
                    .string(object.name + (isDefault ? " (default)" : "")), object["provisioner"] ?? "", object["reclaimPolicy"] ?? "Delete",
                    object["volumeBindingMode"] ?? "Immediate", .bool(object["allowVolumeExpansion"] == true), TableText.ageCell(object, now),
                ]
            }
        },
    ]
}

private enum StorageForms {
    private static let modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

    private static func accessModes(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator, detail: String) {
        let list = spec.items("accessModes")
        if list.isEmpty { validator.required(path["accessModes"], detail) }
        for mode in list where !modes.contains(mode.stringValue ?? "") { validator.notSupported(path["accessModes"], mode, modes) }
        if list.contains("ReadWriteOncePod"), list.count > 1 {
            validator.forbidden(path["accessModes"], "may not use ReadWriteOncePod with other access modes")
        }
    }

    private static let sources = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc",
        "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
    ]

    static func validateVolume(_ object: JSONValue, _ validator: inout Validator) {
        let spec = object["spec"] ?? [:], path = FieldPath("spec")
        accessModes(spec, path, &validator, detail: "")
        let capacity = spec.sortedMembers("capacity")
        if capacity.isEmpty { validator.required(path["capacity"]) }
        if spec[path: "capacity", "storage"] == nil || capacity.count > 1 {
            validator.notSupported(path["capacity"], spec["capacity"] ?? [:], ["storage"])
        }
        for member in capacity {
            let item = path["capacity"].key(member.key)
            if let quantity = Quantity(member.value) {
                if quantity <= .zero { validator.invalid(item, .string(quantity.canonical), "must be greater than zero") }
            } else {
                validator.invalid(item, member.value, ResourceValidation.quantityForm)
            }
        }
        validator.oneOf(path["persistentVolumeReclaimPolicy"], spec["persistentVolumeReclaimPolicy"], ["Delete", "Recycle", "Retain"], isRequired: false)
        let present = sources.filter { spec[$0] != nil }
        for extra in present.dropFirst() { validator.forbidden(path[extra], "may not specify more than 1 volume type") }
        if present.isEmpty { validator.required(path, "must specify a volume type") }
        if spec["local"] != nil, spec["nodeAffinity"] == nil { validator.required(path["nodeAffinity"], "Local volume requires node affinity") }
        if !spec.text("storageClassName").isEmpty {
            validator.format(path["storageClassName"], spec["storageClassName"], Names.dnsSubdomain(spec.text("storageClassName")))
        }
        validator.oneOf(path["volumeMode"], spec["volumeMode"], ["Block", "Filesystem"], isRequired: false)
    }

    static func validateVolumeChange(_ new: JSONValue, _ old: JSONValue, _ validator: inout Validator) {
        let spec = new["spec"] ?? [:], before = old["spec"] ?? [:]
        for name in sources where spec[name] != before[name] {
            validator.forbidden(FieldPath("spec.persistentvolumesource"), "spec.persistentvolumesource is immutable after creation")
            break
        }
        validator.immutable(FieldPath("spec.volumeMode"), spec["volumeMode"], before["volumeMode"])
        if before["nodeAffinity"] != nil { validator.immutable(FieldPath("spec.nodeAffinity"), spec["nodeAffinity"], before["nodeAffinity"]) }
    }

    static func validateClaim(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        accessModes(spec, path, &validator, detail: "at least 1 access mode is required")
        if let selector = spec["selector"] { SelectorRules.validate(selector, path["selector"], &validator) }
        let storage = path["resources"].key("storage")
        if let value = spec[path: "resources", "requests", "storage"] {
            if let quantity = Quantity(value) {
                if quantity <= .zero { validator.invalid(storage, .string(quantity.canonical), "must be greater than zero") }
            } else {
                validator.invalid(storage, value, ResourceValidation.quantityForm)
            }
        } else {
            validator.required(storage)
        }
        if let name = spec["storageClassName"]?.stringValue, !name.isEmpty {
            validator.format(path["storageClassName"], .string(name), Names.dnsSubdomain(name))
        }
        validator.oneOf(path["volumeMode"], spec["volumeMode"], ["Block", "Filesystem"], isRequired: false)
    }

    static func validateClaimChange(_ new: JSONValue, _ old: JSONValue, _ validator: inout Validator) {
        let spec = new["spec"] ?? [:], before = old["spec"] ?? [:]
        var restored = spec
        if before.text("volumeName").isEmpty { restored["volumeName"] = before["volumeName"] }
        if before["storageClassName"] == nil { restored["storageClassName"] = nil }
        restored["volumeAttributesClassName"] = before["volumeAttributesClassName"]
        let isBound = old[path: "status", "phase"] == "Bound"
        if isBound { restored[path: "resources", "requests"] = before[path: "resources", "requests"] }
        if restored != before {
            validator.forbidden(
                FieldPath("spec"),
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")
        }
        if isBound, let size = spec[path: "resources", "requests", "storage"].flatMap(Quantity.init),
            let known = old[path: "status", "capacity", "storage"].flatMap(Quantity.init), size < known
        {
            validator.forbidden(FieldPath("spec.resources.requests.storage"), "field can not be less than status.capacity")
        }
    }

    static let volumeColumns: [KindRules.Column] = [
        TableText.nameColumn, .init("Capacity", description: "capacity is the description of the persistent volume's resources and capacity."),
        .init("Access Modes", description: "accessModes contains all ways the volume can be mounted."),
        .init("Reclaim Policy", description: "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim."),
        .init("Status", description: "phase indicates if a volume is available, bound to a claim, or released by a claim."),
        .init("Claim", description: "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim."),
        .init("StorageClass", description: "StorageClass of the pv"), .init("VolumeAttributesClass", description: "VolumeAttributesClass of the pv"),
        .init("Reason", description: "reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI."),
        TableText.ageColumn, .init("VolumeMode", description: "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state.", priority: 1),
    ]

    static func volumeCells(_ object: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = object["spec"] ?? [:]
        let phase = object[path: "metadata", "deletionTimestamp"] == nil ? object["status"]?.text("phase") ?? "" : "Terminating"
        let claim = spec["claimRef"].map { "\($0.text("namespace"))/\($0.text("name"))" } ?? ""
        return [
            TableText.name(object), .string(spec["capacity"]?.text("storage") ?? ""), .string(TableText.accessModes(spec["accessModes"])),
            .string(spec.text("persistentVolumeReclaimPolicy")), .string(phase), .string(claim), .string(className(object)),
            .string(spec["volumeAttributesClassName"]?.stringValue ?? "<unset>"), .string(object["status"]?.text("reason") ?? ""),
            TableText.ageCell(object, now), .string(spec["volumeMode"]?.stringValue ?? "<unset>"),
        ]
    }

    private static func className(_ object: JSONValue) -> String {
        object[path: "metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]?.stringValue
            ?? object[path: "spec", "storageClassName"]?.stringValue ?? ""
    }

    static let claimColumns: [KindRules.Column] = [
        TableText.nameColumn, .init("Status", description: "phase represents the current phase of PersistentVolumeClaim."),
        .init("Volume", description: "volumeName is the binding reference to the PersistentVolume backing this claim."),
        .init("Capacity", description: "capacity represents the actual resources of the underlying volume."),
        .init(
            "Access Modes",
            description: "accessModes contains the actual access modes the volume backing the PVC has. More info: "
                + "https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1"),
        .init("StorageClass", description: "StorageClass of the pvc"), .init("VolumeAttributesClass", description: "VolumeAttributesClass of the pvc"),
        TableText.ageColumn,
        .init(
            "VolumeMode",
            description: "volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.",
            priority: 1),
    ]

    static func claimCells(_ object: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
        let phase = object[path: "metadata", "deletionTimestamp"] == nil ? status.text("phase") : "Terminating"
        let isBound = !spec.text("volumeName").isEmpty
        return [
            TableText.name(object), .string(phase), .string(spec.text("volumeName")),
            .string(isBound ? status["capacity"]?.text("storage") ?? "" : ""),
            .string(isBound ? TableText.accessModes(status["accessModes"]) : ""), .string(className(object)),
            .string(spec["volumeAttributesClassName"]?.stringValue ?? "<unset>"), TableText.ageCell(object, now),
            .string(spec["volumeMode"]?.stringValue ?? "<unset>"),
        ]
    }
}
