import FoundationEssentials
import TestDoubles
import Testing

@testable import AWSIdentity

@Suite("Refreshing", .timeLimit(.minutes(1)))
struct RefreshTests {
    private let time = ManualTime(noon)
    private let fetches = Counter()

    /// Returns a provider of credentials that last an hour, unless `lasting` says otherwise.
    ///
    /// - Parameter fetch: Gets the number of the fetch, and returns the number of the key.
    private func provider(
        lasting: Double = 3_600,
        _ fetch: @escaping @Sendable (_ number: Int) async throws -> Int
    ) -> RefreshingCredentials {
        RefreshingCredentials(logger: quiet, now: { [time] in time.now }) { [time, fetches] in
            AWSCredentials(
                accessKeyID: "ASIA\(try await fetch(fetches.increment()))",
                secretAccessKey: "s",
                expiration: time.now + lasting,
                source: "role x"
            )
        }
    }

    /// Returns a provider whose second fetch fails.
    private func providerFailingOnce() -> RefreshingCredentials {
        provider { number in
            guard number != 2 else { throw IdentityError("down", remedy: "wait") }
            return number
        }
    }

    @Test("begins 15 minutes before the expiry")
    func windows() async throws {
        let provider = provider { $0 }
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        time.advance(2_699)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        time.advance(1)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
        #expect(fetches.count == 2)
    }

    @Test("that fails early leaves the old keys in use, and isn't repeated at once")
    func advisoryFailure() async throws {
        let provider = providerFailingOnce()
        _ = try await provider.credentials()
        time.advance(2_800)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        #expect(fetches.count == 2)
        time.advance(RefreshingCredentials.advisoryPause)
        #expect(try await provider.credentials().accessKeyID == "ASIA3")
    }

    @Test("that fails 10 minutes before the expiry is an error, which isn't cached")
    func mandatoryFailure() async throws {
        let provider = providerFailingOnce()
        _ = try await provider.credentials()
        time.advance(3_000)
        await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(try await provider.credentials().accessKeyID == "ASIA3")
    }

    @Test("of a short session has shorter windows")
    func shortSession() async throws {
        let provider = provider(lasting: 900) { $0 }
        _ = try await provider.credentials()
        time.advance(600)
        #expect(try await provider.credentials().accessKeyID == "ASIA1")
        time.advance(75)
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test("refuses keys that have expired already")
    func expiredOnArrival() async throws {
        let provider = provider(lasting: -1) { $0 }
        let error = await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(error?.remedy.contains("clock") == true)
    }

    @Test("is one fetch for all callers that wait")
    func singleFlight() async throws {
        let gate = Gate()
        let provider = provider { number in
            await gate.wait()
            return number
        }
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 1...20 { group.addTask { try await provider.credentials().accessKeyID } }
            await gate.reached()
            await gate.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ids == Array(repeating: "ASIA1", count: 20))
        #expect(fetches.count == 1)
    }

    @Test("is cancelled with the last caller, and starts again for the next")
    func cancellation() async throws {
        let gate = Gate()
        let provider = provider { number in
            if number == 1 {
                await gate.wait()
                try Task.checkCancellation()
            }
            return number
        }
        let waiting = Task { try await provider.credentials() }
        await gate.reached()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
    }

    @Test("continues for the other callers when one is cancelled")
    func oneCancelled() async throws {
        let gate = Gate()
        let provider = provider { number in
            await gate.wait()
            return number
        }
        let cancelled = Task { try await provider.credentials() }
        await gate.reached()
        let other = Task { try await provider.credentials() }
        while await provider.waiting < 2 { await Task.yield() }
        cancelled.cancel()
        // The fetch is still waiting.
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        await gate.open()
        #expect(try await other.value.accessKeyID == "ASIA1")
        #expect(fetches.count == 1)
    }

    @Test("follows a refusal of expired keys, except for static keys")
    func discarded() async throws {
        let provider = provider { $0 }
        let first = try await provider.credentials()
        #expect(await provider.discard(first))
        #expect(try await provider.credentials().accessKeyID == "ASIA2")
        #expect(await provider.discard(first))
        #expect(try await provider.credentials().accessKeyID == "ASIA2", "another caller has refreshed them")
        #expect(await !StaticCredentials(first).discard(first))
    }
}
