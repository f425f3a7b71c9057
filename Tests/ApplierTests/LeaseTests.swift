import Foundation
import Glibc
import KubernetesClient
import Logging
import Processes
import ResourceModel
import TestSupport
import Testing

@testable import Applier

/// One writer for each application, on a real API server.
@Suite(.timeLimit(.minutes(1)))
struct LeaseTests {
    /// Another process, on another machine.
    private static func stranger(_ number: Int32 = 1) -> HolderIdentity {
        HolderIdentity(host: "elsewhere", process: number, started: 7, place: "11111111-2222-3333-4444-555555555555/1")
    }

    private func options(
        _ identity: HolderIdentity = .current, wait: Duration = .seconds(20), duration: Duration = .seconds(15), locks: String? = nil
    ) -> LeaseOptions {
        LeaseOptions(locks: locks, wait: wait, duration: duration, identity: identity)
    }

    private func spec(_ session: Session) async throws -> JSONValue {
        let resource = try await session.client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"))
        let lease = try await session.client.get(resource, namespace: ApplySet.namespace, name: "application-\(session.application)")
        return lease?["spec"] ?? .null
    }

    /// Changes fields of the Lease as nobody should.
    private func meddle(_ session: Session, _ fields: JSONValue) async throws {
        let resource = try await session.client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"))
        _ = try await session.client.patch(
            resource, namespace: ApplySet.namespace, name: "application-\(session.application)", type: .merge, patch: ["spec": fields])
    }

    private func requests(_ session: Session, _ body: () async throws -> Void) async throws -> [String: Int] {
        let before = session.client.requestCount
        try await body()
        return session.client.requestCount.merging(before) { $0 - $1 }.filter { $0.value > 0 }
    }

    @Test func costsTwoRequestsAndCountsUp() async throws {
        try await withSession { session in
            let first = try await session.applier.lease(on: "\(session.application)-x", isFirst: true, options: options())
            await first.release()  // the namespace is there from now on
            let made = try await requests(session) {
                let lease = try await session.applier.lease(on: session.application, isFirst: true, options: options())
                #expect(lease.token == 1 && !lease.hadToWait)
                let held = try await spec(session)
                #expect(held["holderIdentity"]?.stringValue == HolderIdentity.current.description && held["leaseDurationSeconds"] == 15)
                await lease.release()
                await lease.release()
            }
            #expect(made == ["create": 1, "patch": 1, "get": 1], "one of them the test's own get")
            let again = try await requests(session) {
                let lease = try await session.applier.lease(on: session.application, isFirst: false, options: options(Self.stranger()))
                #expect(lease.token == 2 && !lease.hadToWait)
                await lease.release()
            }
            #expect(again == ["patch": 2])
            #expect(try await spec(session)["holderIdentity"] == "")
        }
    }

    @Test func onlyOneOfManyHoldsItAtATime() async throws {
        try await withSession { session in
            let held = Counter()
            let tokens = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 1...6 {
                    group.addTask {
                        let lease = try await session.applier.lease(on: session.application, isFirst: true, options: options(Self.stranger(Int32(number))))
                        try await lease.whileHeld {
                            #expect(await held.enter() == 1)
                            _ = try await session.live("ConfigMap", "nothing")
                            await held.leave()
                        }
                        return lease.token
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(tokens).count == 6, "\(tokens)")
        }
    }

    @Test func refusesNamingTheHolderAndSinceWhen() async throws {
        try await withSession { session in
            let lease = try await session.applier.lease(on: session.application, isFirst: true, options: options(Self.stranger(42)))
            let error = await #expect(throws: LeaseHeld.self) {
                try await session.applier.lease(on: session.application, isFirst: false, options: options(wait: .milliseconds(300)))
            }
            #expect(error?.failureKind == .refused && error?.holder == "process 42 on elsewhere")
            let text = "\(try #require(error))"
            #expect(text.wholeMatch(of: /.* is being synced by process 42 on elsewhere since 20[0-9]{2}-.*Z; .*/) != nil, "\(text)")
            await lease.release()
        }
    }

    @Test func takesOverWhenTheHolderIsNotHeardOfForAsLongAsTheLeaseSays() async throws {
        try await withSession { session in
            let first = try await session.applier.lease(on: session.application, isFirst: true, options: options())
            await first.release()
            // A holder that died elsewhere; its clock was far ahead. What counts is when this observer last saw a change.
            try await meddle(session, [
                "holderIdentity": .string(Self.stranger().description), "leaseDurationSeconds": 1, "renewTime": "2100-01-01T00:00:00.000000Z",
            ])
            let before = try await spec(session)["leaseTransitions"]?.integerValue ?? 0
            let start = ContinuousClock.now
            let lease = try await session.applier.lease(on: session.application, isFirst: false, options: options())
            #expect(start.duration(to: .now) >= .seconds(1) && lease.token == before + 1 && lease.hadToWait)
            await lease.release()
        }
    }

    @Test func aHolderThatRenewsKeepsItWhateverItsClockSays() async throws {
        try await withSession { session in
            let first = try await session.applier.lease(on: session.application, isFirst: true, options: options())
            await first.release()
            try await meddle(session, ["holderIdentity": .string(Self.stranger().description), "leaseDurationSeconds": 1])
            // Renewals of a clock that goes backwards.
            let renewals = Task {
                for second in 0..<60 {
                    try await meddle(session, ["renewTime": .string("1970-01-01T00:00:\(second < 50 ? 59 - second : 9 + second - 50).000000Z")])
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            await #expect(throws: LeaseHeld.self) {
                try await session.applier.lease(on: session.application, isFirst: false, options: options(wait: .seconds(3)))
            }
            renewals.cancel()
            _ = await renewals.result
        }
    }

    @Test func isRenewedWhileTheWritesGoOn() async throws {
        try await withSession { session in
            let lease = try await session.applier.lease(on: session.application, isFirst: true, options: options(Self.stranger(), duration: .seconds(3)))
            try await lease.whileHeld {
                await #expect(throws: LeaseHeld.self) {
                    try await session.applier.lease(on: session.application, isFirst: false, options: options(wait: .seconds(5)))
                }
            }
            let next = try await session.applier.lease(on: session.application, isFirst: false, options: options())
            #expect(next.token == 2 && !next.hadToWait)
            await next.release()
        }
    }

    @Test func whoLosesItStopsAndSaysWhy() async throws {
        try await withSession { session in
            let lease = try await session.applier.lease(on: session.application, isFirst: true, options: options(duration: .seconds(6)))
            let stopped = Counter()
            let error = await #expect(throws: LeaseLost.self) {
                try await lease.whileHeld {
                    try await meddle(session, ["holderIdentity": .string(Self.stranger(9).description), "leaseTransitions": 2])
                    do { try await Task.sleep(for: .seconds(30)) } catch { _ = await stopped.enter() }
                    try Task.checkCancellation()
                }
            }
            #expect(await stopped.count == 1, "the writes were cancelled")
            #expect(error?.reason == "process 9 on elsewhere took it" && error?.token == 1)
            #expect(try await spec(session)["holderIdentity"]?.stringValue == Self.stranger(9).description, "the other's lease is left alone")
        }
    }

    @Test func aHolderOfThisMachineThatDiedIsReplacedAtOnce() async throws {
        try await withSession { session in
            // A process that has ended.
            let sleeper = Process()
            sleeper.executableURL = URL(fileURLWithPath: "/bin/sleep")
            sleeper.arguments = ["60"]
            try sleeper.run()
            let number = sleeper.processIdentifier
            let dead = HolderIdentity(host: HolderIdentity.current.host, process: number, started: 1, place: HolderIdentity.current.place)
            _ = try await session.applier.lease(on: session.application, isFirst: true, options: options(dead, duration: .seconds(60)))
            #expect(dead.isGone, "its number belongs to a process that began at another time")
            #expect(!HolderIdentity.current.isGone && !Self.stranger(number).isGone, "of other machines nobody knows")
            kill(number, SIGKILL)
            sleeper.waitUntilExit()
            let start = ContinuousClock.now
            let lease = try await session.applier.lease(on: session.application, isFirst: false, options: options())
            #expect(start.duration(to: .now) < .seconds(10) && lease.token == 2 && lease.hadToWait)
            await lease.release()
        }
    }

    @Test func processesOfOneMachineWaitAtAFile() async throws {
        try await withSession { session in
            try await withClusterDirectory { directory in
                let first = try await session.applier.lease(on: session.application, isFirst: true, options: options(locks: directory))
                let asked = try await requests(session) {
                    let error = await #expect(throws: LeaseHeld.self) {
                        try await session.applier.lease(
                            on: session.application, isFirst: false, options: options(wait: .milliseconds(200), locks: directory))
                    }
                    #expect(error?.holder == HolderIdentity.current.summary && error?.since.hasSuffix("Z") == true)
                }
                #expect(asked.isEmpty, "the cluster is not asked")
                async let second = session.applier.lease(on: session.application, isFirst: false, options: options(locks: directory))
                await first.release()
                let lease = try await second
                #expect(lease.token == 2)
                await lease.release()
            }
        }
    }

    /// As in a container whose init collects nobody: each restart after a crash waited for the lease to run out.
    @Test func aHolderThatNobodyCollectedHasEnded() throws {
        var number = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawn(&number, "/bin/sleep", nil, nil, &arguments, nil) == 0)
        let identity = HolderIdentity(
            host: "here", process: number, started: try #require(ProcessIdentity(pid: number)).startTicks, place: HolderIdentity.current.place)
        #expect(!identity.isGone)
        kill(number, SIGKILL)
        var information = siginfo_t()
        try #require(waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) == 0)
        #expect(identity.isGone)
        var status: Int32 = 0
        #expect(waitpid(number, &status, 0) == number && identity.isGone)
    }

    @Test func readsItsOwnIdentityBack() {
        #expect(HolderIdentity(HolderIdentity.current.description) == .current && HolderIdentity.current.started > 0)
        #expect(HolderIdentity("kube-controller-manager_3f2c") == nil && HolderIdentity("") == nil)
    }
}

private actor Counter {
    private(set) var count = 0
    func enter() -> Int {
        count += 1
        return count
    }
    func leave() { count -= 1 }
}
