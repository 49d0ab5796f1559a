import FoundationEssentials
import Platform
import Testing

@testable import AWSIdentity

@Suite("Refreshing", .timeLimit(.minutes(1)))
struct RefreshTests {
    /// Credentials that last an hour from `watch`, numbered.
    private static func hour(_ number: Int, _ watch: Wristwatch, lasting: Double = 3_600) -> AWSCredentials {
        AWSCredentials(
            accessKeyID: "ASIA\(number)",
            secretAccessKey: "s",
            expiration: watch.now + lasting,
            source: "role x"
        )
    }

    @Test("waits until 15 minutes before the end, and begins again then")
    func windows() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) { Self.hour(tally.up(), watch) }
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        watch.advance(2_699)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        watch.advance(1)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
        #expect(tally.count == 2)
    }

    @Test("that fails early leaves the old ones in use, and isn't repeated at once")
    func advisoryFailure() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            guard tally.up() != 2 else { throw IdentityError("down", remedy: "wait") }
            return Self.hour(tally.count, watch)
        }
        _ = try await provider.credentials()
        watch.advance(2_800)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        #expect(tally.count == 2)
        watch.advance(RefreshingCredentials.advisoryPause)
        #expect(try await provider.credentials().accessKeyID == "ASIA3")
    }

    @Test("that fails 10 minutes before the end is an error, which isn't remembered")
    func mandatoryFailure() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            guard tally.up() != 2 else { throw IdentityError("down", remedy: "wait") }
            return Self.hour(tally.count, watch)
        }
        _ = try await provider.credentials()
        watch.advance(3_000)
        await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(try await provider.credentials().accessKeyID == "ASIA3")
    }

    @Test("of a short session has windows in proportion, so that it rests in between")
    func shortSession() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            Self.hour(tally.up(), watch, lasting: 900)
        }
        _ = try await provider.credentials()
        watch.advance(600)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        watch.advance(75)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test("gives nothing that has expired already, and says why")
    func expiredOnArrival() async throws {
        let watch = Wristwatch(noon)
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) { Self.hour(1, watch, lasting: -1) }
        let error = await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(error?.remedy.contains("clock") == true)
    }

    @Test("fetches once for all who wait")
    func singleFlight() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let gate = Gate()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            tally.up()
            await gate.wait()
            return Self.hour(1, watch)
        }
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 1...20 { group.addTask { try await provider.credentials().accessKeyID } }
            await gate.someoneWaits()
            await gate.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ids == Array(repeating: "ASIA1", count: 20))
        #expect(tally.count == 1)
    }

    @Test("is given up when the last who waits is cancelled, and begins anew for the next")
    func cancellation() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let gate = Gate()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            if tally.up() == 1 {
                await gate.wait()
                try Task.checkCancellation()
            }
            return Self.hour(tally.count, watch)
        }
        let waiting = Task { try await provider.credentials() }
        await gate.someoneWaits()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test("is left at once by a waiter that is cancelled, and goes on for the others")
    func oneLeaves() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let gate = Gate()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) {
            tally.up()
            await gate.wait()
            return Self.hour(1, watch)
        }
        let leaving = Task { try await provider.credentials() }
        await gate.someoneWaits()
        let staying = Task { try await provider.credentials() }
        while await provider.waiting < 2 { await Task.yield() }
        leaving.cancel()
        // The door is still closed.
        await #expect(throws: CancellationError.self) { try await leaving.value }
        await gate.open()
        #expect(try await staying.value.accessKeyID == "ASIA1")
        #expect(tally.count == 1)
    }

    @Test("follows a service that calls them expired; keys that stay can't")
    func discarded() async throws {
        let watch = Wristwatch(noon)
        let tally = Tally()
        let provider = RefreshingCredentials(logger: quiet, now: { watch.now }) { Self.hour(tally.up(), watch) }
        let first = try await provider.credentials()
        #expect(await provider.discard(first))
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
        #expect(await provider.discard(first))
        #expect(try await provider.credentials().accessKeyID == "ASIA2", "somebody else had refreshed them")
        #expect(await !StaticCredentials(first).discard(first))
    }
}

/// A door that a fetch waits at until the test opens it, or the waiting is cancelled.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []
    private var hasVisitor = false

    func wait() async {
        hasVisitor = true
        for watcher in watchers { watcher.resume() }
        watchers = []
        guard !isOpen else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append($0) }
        } onCancel: {
            Task { await self.open() }
        }
    }

    func someoneWaits() async {
        guard !hasVisitor else { return }
        await withCheckedContinuation { watchers.append($0) }
    }

    func open() {
        isOpen = true
        for visitor in waiting { visitor.resume() }
        waiting = []
    }
}
