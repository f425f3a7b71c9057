/// A stack of elements whose arrays are still being read: each array is allocated once, of its size.
package final class Gathering<Element> {
    package private(set) var count = 0
    private var capacity = 64
    private var elements = UnsafeMutablePointer<Element>.allocate(capacity: 64)

    package init() {}

    package func append(_ element: consuming Element) {
        if count == capacity { grow() }
        (elements + count).initialize(to: element)
        count &+= 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }

    /// One that was appended and not taken.
    package subscript(index: Int) -> Element {
        get {
            precondition(index < count)
            return elements[index]
        }
        set {
            precondition(index < count)
            elements[index] = newValue
        }
    }

    /// The first from `start` on of which that is so.
    package func firstIndex(from start: Int, where isMeant: (borrowing Element) -> Bool) -> Int? {
        for index in start..<count where isMeant(elements[index]) { return index }
        return nil
    }

    /// Moves the elements from that one on into an array.
    package func take(from start: Int) -> [Element] {
        let length = count - start
        count = start
        return Array(unsafeUninitializedCapacity: length) { buffer, initialized in
            buffer.baseAddress?.moveInitialize(from: elements + start, count: length)
            initialized = length
        }
    }

    package func removeAll(from start: Int) {
        (elements + start).deinitialize(count: count - start)
        count = start
    }

    deinit {
        elements.deinitialize(count: count)
        elements.deallocate()
    }
}
