import Glibc
import Processes
import ResourceModel
import Synchronization

/// Gives each pod a loopback address of its own: 127.A.B.N.
///
/// Linux answers on all of 127.0.0.0/8 without any set-up. Each cluster directory draws its A and B once, so that clusters on one machine
/// rarely meet; addresses are given in turn, so that one is not used again at once.
final class AddressPool: Sendable {
    private struct State {
        var network: (Int, Int)
        var next = 1
        var used: Set<String> = []
    }

    private let state: Mutex<State>

    /// - Parameter file: where the drawn range is kept.
    init(file: String) throws(SmallFile.Failure) {
        let stored = (SmallFile.text(file) ?? "").split(separator: ".").compactMap { Int($0.filter(\.isNumber)) }
        if stored.count == 2, (1...254).contains(stored[0]), (0...255).contains(stored[1]) {
            state = Mutex(State(network: (stored[0], stored[1])))
            return
        }
        let network = (Int.random(in: 1...254), Int.random(in: 0...255))
        try SmallFile.write(Array("\(network.0).\(network.1)\n".utf8), to: file)
        state = Mutex(State(network: network))
    }

    /// A free address; after 254 pods at once the next range is used too.
    func take() -> String {
        state.withLock { state in
            for _ in 0..<(254 * 256) {
                let index = state.next
                state.next = (state.next + 1) % (254 * 256)
                let address = "127.\(state.network.0).\((state.network.1 + index / 254) % 256).\(index % 254 + 1)"
                if state.used.insert(address).inserted { return address }
            }
            return "127.0.0.1"  // 65,024 pods at once: more than a machine runs
        }
    }

    /// Takes an address that a pod had before a restart.
    func claim(_ address: String) { state.withLock { _ = $0.used.insert(address) } }

    func release(_ address: String) { state.withLock { _ = $0.used.remove(address) } }
}
