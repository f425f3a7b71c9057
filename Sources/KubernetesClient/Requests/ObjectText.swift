import ResourceModel

/// The text of an object, taken apart as far as it takes to know whether anything but its controllers' reports changed.
///
/// Two texts with one digest are the same but for `status`, `resourceVersion`, what other managers own, and the number that the
/// Deployment controller writes beside the declared annotations: a comparison with what one manager declares comes to the same.
package struct ObjectText: Sendable {
    package let uid: String
    /// 64 hexadecimal digits.
    package let digest: String
    private let place: Range<Int>
    private let managedFields: Range<Int>
    /// The page of a list that it stands in.
    private(set) var page = 0

    /// - Parameter manager: whose declarations count.
    /// - Returns: `nil` when the manager never applied the object, or the text is not as expected.
    package init?(_ text: [UInt8], manager: String) {
        let read = text.withUnsafeBufferPointer { bytes in
            var walk = JSONWalk(bytes, from: 0)
            return ObjectText(&walk, manager: manager)
        }
        guard let read else { return nil }
        self = read
    }

    private init?(_ walk: inout JSONWalk, manager: String) {
        var reading = Reading(manager: manager)
        let start = walk.position
        guard reading.read(&walk), let uid = reading.uid, let kept = reading.complete() else { return nil }
        self.uid = uid
        var digest = PartsDigest()
        digest.add(kept)
        self.digest = digest.hexadecimal
        place = start..<walk.position
        managedFields = reading.managedFields
    }

    /// The objects of a list's page.
    /// - Parameter start: where the items' array begins.
    /// - Returns: `nil` when one of them cannot be told.
    static func list(_ text: [UInt8], from start: Int, page: Int, manager: String) -> [ObjectText]? {
        text.withUnsafeBufferPointer { bytes in
            var walk = JSONWalk(bytes, from: start)
            if walk.takeNull() { return [] }
            var found: [ObjectText] = []
            let isWhole = walk.elements { walk in
                guard var object = ObjectText(&walk, manager: manager) else { return false }
                object.page = page
                found.append(object)
                return true
            }
            return isWhole ? found : nil
        }
    }

    /// The object's own text, with an empty `managedFields`.
    func withoutOwnership(in text: [UInt8]) -> [UInt8] {
        Array(text[place.lowerBound..<managedFields.lowerBound]) + Array("[]".utf8) + Array(text[managedFields.upperBound..<place.upperBound])
    }
}

extension ObjectText {
    /// What was read of one object. The parts that count are put one after the other, each ended by a byte that no JSON text holds.
    private struct Reading {
        let manager: String
        var uid: String?
        var managedFields = 0..<0
        private var kept: [UInt8] = []
        /// The manager's entry of `managedFields`, of which there is one. A server may write these first or last.
        private var entry: [UInt8]?
        /// The Deployment controller's annotation, which belongs to what is declared only where the manager owns it.
        private var revision: [UInt8] = []
        private var ownsRevision = false

        private static let revisionAnnotation = "deployment.kubernetes.io/revision"
        private static let revisionField = "f:" + revisionAnnotation

        init(manager: String) {
            self.manager = manager
            kept.reserveCapacity(1024)
        }

        /// What the digest is made of; `nil` when the manager never applied the object.
        func complete() -> [UInt8]? {
            guard let entry else { return nil }
            return kept + entry + (ownsRevision ? revision : [])
        }

        mutating func read(_ walk: inout JSONWalk) -> Bool {
            walk.members { walk, key in
                if key.elementsEqual("metadata".utf8) { return readMetadata(&walk) }
                // Items of a list come without kind and apiVersion.
                let isLeftOut = key.elementsEqual("status".utf8) || key.elementsEqual("kind".utf8) || key.elementsEqual("apiVersion".utf8)
                return isLeftOut ? walk.skipValue() : keep(key, of: UInt8(ascii: "o"), &walk)
            }
        }

        private mutating func readMetadata(_ walk: inout JSONWalk) -> Bool {
            walk.members { walk, key in
                if key.elementsEqual("resourceVersion".utf8) { return walk.skipValue() }
                if key.elementsEqual("managedFields".utf8) { return readOwnership(&walk) }
                if key.elementsEqual("annotations".utf8) { return readAnnotations(&walk) }
                if key.elementsEqual("uid".utf8) {
                    uid = walk.text()
                    return uid != nil
                }
                return keep(key, of: UInt8(ascii: "m"), &walk)
            }
        }

        private mutating func readAnnotations(_ walk: inout JSONWalk) -> Bool {
            walk.members { walk, key in
                guard key.elementsEqual(Self.revisionAnnotation.utf8) else { return keep(key, of: UInt8(ascii: "a"), &walk) }
                let start = walk.position
                guard walk.skipValue() else { return false }
                revision = Array(walk.bytes[start..<walk.position])
                return true
            }
        }

        private mutating func readOwnership(_ walk: inout JSONWalk) -> Bool {
            let start = walk.position
            let isWhole = walk.elements { walk in readEntry(&walk) }
            managedFields = start..<walk.position
            return isWhole
        }

        private mutating func readEntry(_ walk: inout JSONWalk) -> Bool {
            let start = walk.position
            var (isManagers, isApply, isOfSubresource, holdsRevision) = (false, false, false, false)
            let isWhole = walk.members { walk, key in
                if key.elementsEqual("manager".utf8) {
                    guard let name = walk.string() else { return false }
                    isManagers = name.elementsEqual(manager.utf8)
                    return true
                }
                if key.elementsEqual("operation".utf8) {
                    guard let name = walk.string() else { return false }
                    isApply = name.elementsEqual("Apply".utf8)
                    return true
                }
                if key.elementsEqual("subresource".utf8) { isOfSubresource = true }
                guard key.elementsEqual("fieldsV1".utf8) else { return walk.skipValue() }
                return walk.members(at: ["f:metadata", "f:annotations"]) { walk, key in
                    if key.elementsEqual(Self.revisionField.utf8) { holdsRevision = true }
                    return walk.skipValue()
                }
            }
            guard isWhole else { return false }
            if isManagers, isApply, !isOfSubresource {
                entry = (entry ?? []) + walk.bytes[start..<walk.position]
                ownsRevision = ownsRevision || holdsRevision
            }
            return true
        }

        private mutating func keep(_ key: Slice<UnsafeBufferPointer<UInt8>>, of level: UInt8, _ walk: inout JSONWalk) -> Bool {
            kept.append(level)
            keep(key)
            let start = walk.position
            guard walk.skipValue() else { return false }
            keep(walk.bytes[start..<walk.position])
            return true
        }

        private mutating func keep(_ text: Slice<UnsafeBufferPointer<UInt8>>) {
            kept.append(contentsOf: text)
            kept.append(0)
        }
    }
}
