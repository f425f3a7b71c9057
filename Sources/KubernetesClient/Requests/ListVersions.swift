/// Finds uid and resourceVersion of each object in the text of a list's items.
enum ListVersions {
    /// - Parameter start: where the items' array begins.
    /// - Returns: `uid resourceVersion` of each object; `nil` when the text is not as expected.
    static func read(_ text: [UInt8], from start: Int) -> [String]? {
        text.withUnsafeBufferPointer { bytes in
            var walk = JSONWalk(bytes, from: start)
            if walk.takeNull() { return [] }
            var found: [String] = []
            let isWhole = walk.elements { walk in
                guard let version = version(&walk) else { return false }
                found.append(version)
                return true
            }
            return isWhole ? found : nil
        }
    }

    private static func version(_ walk: inout JSONWalk) -> String? {
        var (uid, version): (String?, String?)
        let isWhole = walk.members { walk, key in
            guard key.elementsEqual("metadata".utf8) else { return walk.skipValue() }
            return walk.members { walk, key in
                if key.elementsEqual("uid".utf8) {
                    uid = walk.text()
                    return uid != nil
                }
                if key.elementsEqual("resourceVersion".utf8) {
                    version = walk.text()
                    return version != nil
                }
                return walk.skipValue()
            }
        }
        guard isWhole, let uid, let version else { return nil }
        return "\(uid) \(version)"
    }
}
