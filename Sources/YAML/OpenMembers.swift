import ResourceModel

/// The members of the mappings that are being read, innermost last: each mapping's array is made once, of its size.
///
/// Not shared with the JSON parser, which has a stack like it: the release build does not specialise a generic type across modules.
final class OpenMembers {
    struct Facts {
        /// The lines of the member's value within the composer's `lines`.
        var span: Range<Int>
        /// Of its own key; 0 when only a merge brought it.
        var keyLine: Int32
    }

    private var members = UnsafeMutablePointer<JSONObject.Member>.allocate(capacity: 64)
    private var known = UnsafeMutablePointer<Facts>.allocate(capacity: 64)
    private var capacity = 64
    private(set) var count = 0

    func append(_ member: JSONObject.Member, _ facts: Facts) {
        if count == capacity { grow() }
        (members + count).initialize(to: member)
        (known + count).initialize(to: facts)
        count += 1
    }

    private func grow() {
        let (more, moreKnown) = (UnsafeMutablePointer<JSONObject.Member>.allocate(capacity: capacity * 2), UnsafeMutablePointer<Facts>.allocate(capacity: capacity * 2))
        more.moveInitialize(from: members, count: count)
        moreKnown.moveInitialize(from: known, count: count)
        members.deallocate()
        known.deallocate()
        (members, known, capacity) = (more, moreKnown, capacity * 2)
    }

    func key(_ place: Int) -> String { members[place].key }
    func facts(_ place: Int) -> Facts { known[place] }

    func firstPlace(of key: String, from start: Int) -> Int? { (start..<count).first { members[$0].key == key } }

    func replace(_ place: Int, _ value: JSONValue, _ facts: Facts) {
        members[place].value = value
        known[place] = facts
    }

    /// Moves the members from that one on into an array.
    func take(from start: Int) -> [JSONObject.Member] {
        let length = count - start
        count = start
        return Array(unsafeUninitializedCapacity: length) { buffer, initialized in
            buffer.baseAddress?.moveInitialize(from: members + start, count: length)
            initialized = length
        }
    }

    deinit {
        members.deinitialize(count: count)
        members.deallocate()
        known.deallocate()
    }
}
