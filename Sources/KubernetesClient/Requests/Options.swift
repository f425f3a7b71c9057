import ResourceModel

/// What a list returns.
package struct ListOptions: Sendable {
    package var labelSelector: String?
    package var fieldSelector: String?
    /// Items a request; the pages are put together.
    package var pageSize: Int
    /// `nil` reads the latest state; `"0"` whatever the server has at hand, faster and possibly old.
    package var resourceVersion: String?
    /// Asks for metadata only (`PartialObjectMetadata`).
    package var metadataOnly: Bool

    package init(
        labelSelector: String? = nil, fieldSelector: String? = nil, pageSize: Int = 500, resourceVersion: String? = nil,
        metadataOnly: Bool = false
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.pageSize = pageSize
        self.resourceVersion = resourceVersion
        self.metadataOnly = metadataOnly
    }
}

/// All objects of a list, each with its apiVersion and kind.
package struct ObjectList: Sendable {
    package var items: [JSONValue]
    /// Where a watch continues from.
    package var resourceVersion: String

    package init(items: [JSONValue], resourceVersion: String) {
        self.items = items
        self.resourceVersion = resourceVersion
    }
}

/// What a watch reports.
package struct WatchOptions: Sendable {
    package var labelSelector: String?
    package var fieldSelector: String?
    /// Where to start: a list's. `nil` starts with an `added` for each object there is.
    package var resourceVersion: String?
    /// How long the server keeps one connection; the watch goes on over the next one.
    package var timeout: Duration

    package init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil, timeout: Duration = .seconds(290)
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.timeout = timeout
    }
}

/// What the server does with fields that it does not know, or that are given twice.
package enum FieldValidation: String, Sendable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// How an object is applied (server-side apply).
package struct ApplyOptions: Sendable {
    package var fieldManager: String
    /// Takes fields over that others own.
    package var force: Bool
    /// Everything but the writing.
    package var dryRun: Bool
    package var fieldValidation: FieldValidation?
    /// `status`, …; `nil` for the object itself.
    package var subresource: String?

    package init(
        fieldManager: String = "reconciler", force: Bool = true, dryRun: Bool = false, fieldValidation: FieldValidation? = nil,
        subresource: String? = nil
    ) {
        self.fieldManager = fieldManager
        self.force = force
        self.dryRun = dryRun
        self.fieldValidation = fieldValidation
        self.subresource = subresource
    }
}

/// How an object is created, replaced or patched.
package struct WriteOptions: Sendable {
    package var fieldManager: String
    package var dryRun: Bool
    package var fieldValidation: FieldValidation?
    package var subresource: String?

    package init(
        fieldManager: String = "reconciler", dryRun: Bool = false, fieldValidation: FieldValidation? = nil, subresource: String? = nil
    ) {
        self.fieldManager = fieldManager
        self.dryRun = dryRun
        self.fieldValidation = fieldValidation
        self.subresource = subresource
    }
}

/// What the server made of a write.
package struct WriteResult: Sendable {
    package var object: JSONValue
    /// The texts of the server's `Warning` headers.
    package var warnings: [String]
    /// Whether there was no object before.
    package var created: Bool
    /// The object as the server sent it.
    package var text: [UInt8]

    package init(object: JSONValue, warnings: [String], created: Bool, text: [UInt8]) {
        self.object = object
        self.text = text
        self.warnings = warnings
        self.created = created
    }
}

/// The forms of a patch, by media type.
package enum PatchType: String, Sendable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategicMerge = "application/strategic-merge-patch+json"
}

/// What happens to the objects that a deleted one owns.
package enum PropagationPolicy: String, Sendable, Codable {
    case foreground = "Foreground"
    case background = "Background"
    case orphan = "Orphan"
}

/// How an object is deleted. With `uid` or `resourceVersion` the server refuses (409) when the object is another one, or has changed.
package struct DeleteOptions: Sendable {
    package var propagationPolicy: PropagationPolicy?
    package var uid: String?
    package var resourceVersion: String?
    package var gracePeriodSeconds: Int?
    package var dryRun: Bool

    package init(
        propagationPolicy: PropagationPolicy? = nil, uid: String? = nil, resourceVersion: String? = nil,
        gracePeriodSeconds: Int? = nil, dryRun: Bool = false
    ) {
        self.propagationPolicy = propagationPolicy
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.gracePeriodSeconds = gracePeriodSeconds
        self.dryRun = dryRun
    }
}

/// What the server answered to a delete.
package struct DeleteResult: Sendable {
    /// The object when it is still there (finalizers, foreground deletion); `nil` when it is gone.
    package var object: JSONValue?
    package var warnings: [String]
}
