import Testing

@testable import Git

@Suite struct OperationTests {
    private struct Broken: Error {}

    /// Work that is stopped fails of it in some way of its own, and may do so before the caller was told: the caller hears why it was stopped.
    @Test(arguments: [Operation.Stop.cancelled, .deadline]) func whatFailsOfBeingStoppedIsTheStop(stop: Operation.Stop) async {
        let late = GitError(code: .deadline, message: "too late", repository: "r", cause: nil)
        let error = await #expect(throws: (any Error).self) {
            try await BlockingQueue(label: "test").run(expired: { _ in late }) { operation in
                operation.finish()  // nobody tells the caller
                operation.stop(stop)
                throw Broken()
            }
        }
        #expect(stop == .deadline ? (error as? GitError)?.code == .deadline : error is CancellationError, "\(String(describing: error))")
    }

    @Test func anotherFailureStaysWhatItIs() async {
        await #expect(throws: Broken.self) { try await BlockingQueue(label: "test").run { _ in throw Broken() } }
    }
}
