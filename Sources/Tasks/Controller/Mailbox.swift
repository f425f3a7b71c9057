import Synchronization

/// Messages for one reader, who takes all that have come at once.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var reader: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    func put(_ message: Message) {
        let reader = state.withLock { state in
            state.messages.append(message)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Everything since the last call, at least one message.
    /// - Throws: `CancellationError` when the calling task is cancelled and nothing has come.
    func take() async throws -> [Message] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.messages.isEmpty || state.isClosed { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            close()
        }
        let messages = state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
        if messages.isEmpty { throw CancellationError() }
        return messages
    }

    private func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
