import Content
import Distribution
import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@Suite("Credentials")
struct AuthorizationTests {
    private static let expired = errors("DENIED", "Your authorization token has expired. Reauthenticate and try again.")

    @Test("are sent with the first request")
    func preemptive() async throws {
        let fixture = try Fixture(.answer(200), authorization: BasicAuthorization(user: "AWS", password: "p:w"))
        #expect(try await fixture.client.ping() == .ok)
        #expect(fixture.registry.asked == ["GET https://r.example/v2/ [Basic QVdTOnA6dw==]"])
    }

    @Test("are not shown")
    func hidden() {
        let authorization = BasicAuthorization(user: "AWS", password: "hunter2")
        var dumped = ""
        dump(authorization, to: &dumped)
        #expect(!"\(authorization)\(String(reflecting: authorization))\(dumped)".contains("QVdT"))
    }

    @Test(
        "are renewed once when an answer names the token",
        arguments: [(403, expired), (400, errors("DENIED", "no basic auth credentials")), (401, "")]
    )
    func renewed(status: Int, body: String) async throws {
        let fixture = try Fixture(
            .answer(status, [:], body),
            .answer(200, [:], imageText),
            authorization: RotatingAuthorization()
        )
        let manifest = try await fixture.client.manifest(.digest(imageDigest), of: fixture.repository)
        #expect(manifest?.digest == imageDigest)
        #expect(
            fixture.registry.requests.map { $0.fields[.authorization] } == ["Basic token1", "Basic token2"]
        )
        #expect(fixture.clock.waits.isEmpty)
    }

    @Test("are renewed only once for a request")
    func renewedOnce() async throws {
        let fixture = try Fixture(
            .answer(403, [:], Self.expired),
            .answer(403, [:], Self.expired),
            authorization: RotatingAuthorization(renewals: 5)
        )
        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .tokenExpired)
        #expect(fixture.registry.requests.count == 2)
    }

    @Test("are not renewed if a new token wouldn't help")
    func denied() async throws {
        let fixture = try Fixture(
            .answer(403, [:], errors("DENIED", "is not authorized to perform: ecr:BatchGetImage")),
            authorization: RotatingAuthorization()
        )
        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .denied)
        #expect(fixture.registry.requests.count == 1)
    }

    @Test("refused to HEAD, whose answer has no reason, are checked with GET")
    func headRefused() async throws {
        let fixture = try Fixture(
            .answer(403),
            .answer(403, [:], Self.expired),
            .answer(206),
            authorization: RotatingAuthorization()
        )
        #expect(try await fixture.client.blobExists(someDigest, in: fixture.repository))
        let blob = "https://r.example/v2/team/app/blobs/\(someDigest)"
        #expect(
            fixture.registry.asked == [
                "HEAD \(blob) [Basic token1]", "GET \(blob) [Basic token1]", "GET \(blob) [Basic token2]",
            ]
        )

        let denied = try Fixture(.answer(403), .answer(403), authorization: RotatingAuthorization())
        let error = try await registryError {
            try await denied.client.blobExists(someDigest, in: denied.repository)
        }
        #expect(error.kind == .denied)
    }

    @Test("are fetched once for all requests at the same time")
    func singleFlight() async throws {
        let gate = Gate()
        let fetches = Lock(0)
        let authorization = RenewingAuthorization {
            let number = fetches.withLock {
                $0 += 1; return $0
            }
            await gate.wait()
            return ("Basic \(number)", nil)
        }
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await authorization.authorization() } }
            await gate.open()
            for try await header in group { #expect(header == "Basic 1") }
        }
        // All twenty have the same rejected token, and one fetch renews it.
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await authorization.renew(insteadOf: "Basic 1") } }
            for try await isNewer in group { #expect(isNewer) }
        }
        #expect(try await authorization.authorization() == "Basic 2")
        #expect(fetches.withLock { $0 } == 2)
    }

    @Test("are fetched ten minutes before they expire, or a tenth of a short life before")
    func margin() async throws {
        let clock = Lock(Date(timeIntervalSince1970: 0))
        let fetches = Lock(0)
        let lives = [43_200.0, 60, 43_200]
        let authorization = RenewingAuthorization(now: { clock.withLock { $0 } }) {
            let number = fetches.withLock {
                $0 += 1; return $0
            }
            return ("Basic \(number)", clock.withLock { $0 }.addingTimeInterval(lives[number - 1]))
        }
        var seen: [String?] = []
        for second in [0, 42_599, 42_600, 42_653, 42_655] {
            clock.withLock { $0 = Date(timeIntervalSince1970: Double(second)) }
            seen.append(try await authorization.authorization())
        }
        #expect(seen == ["Basic 1", "Basic 1", "Basic 2", "Basic 2", "Basic 3"])
    }

    @Test("that couldn't be fetched are fetched again by the next request")
    func failuresAreNotCached() async throws {
        let fetches = Lock(0)
        let authorization = RenewingAuthorization {
            if fetches.withLock({
                $0 += 1; return $0
            }) == 1 {
                throw WireError(.unreachable, "as scripted")
            }
            return ("Basic ok", nil)
        }
        await #expect(throws: WireError.self) { try await authorization.authorization() }
        #expect(try await authorization.authorization() == "Basic ok")
    }

    @Test("that couldn't be fetched are not retried by the registry's client")
    func failuresAreNotMultiplied() async throws {
        let fetches = Lock(0)
        let authorization = RenewingAuthorization {
            fetches.withLock { $0 += 1 }
            throw WireError(.unreachable, "as scripted")
        }
        let fixture = try Fixture(authorization: authorization)
        await #expect { try await fixture.client.ping() } throws: { ($0 as? WireError)?.reason == .unreachable }
        #expect(fetches.withLock { $0 } == 1)
        #expect(fixture.registry.requests.isEmpty)
    }

    @Test("that a new fetch doesn't change are not renewed")
    func unchanged() async throws {
        let authorization = RenewingAuthorization { ("Basic same", nil) }
        #expect(try await authorization.authorization() == "Basic same")
        #expect(try await !authorization.renew(insteadOf: "Basic same"))
    }

    @Test("are fetched for the other requests if one is cancelled")
    func cancelledWaiter() async throws {
        let gate = Gate()
        let authorization = RenewingAuthorization {
            await gate.wait()
            try Task.checkCancellation()
            return ("Basic 1", nil)
        }
        let stays = Task { try await authorization.authorization() }
        await gate.reached()
        let leaves = Task { try await authorization.authorization() }
        leaves.cancel()
        await gate.open()
        #expect(try await stays.value == "Basic 1")
        _ = await leaves.result
    }

    @Test("are not fetched further after the last request is cancelled")
    func allCancelled() async throws {
        let gate = Gate()
        let fetches = Lock(0)
        let authorization = RenewingAuthorization {
            if fetches.withLock({
                $0 += 1; return $0
            }) == 1 {
                await gate.markReached()
                // Only a cancellation ends it.
                try await Task.sleep(for: .seconds(3_600))
            }
            return ("Basic late", nil)
        }
        let only = Task { try await authorization.authorization() }
        await gate.reached()
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        #expect(try await authorization.authorization() == "Basic late")
    }
}
