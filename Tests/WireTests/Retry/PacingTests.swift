import HTTPTypes
import Platform
import Testing

@testable import Wire

/// Simulations of minutes of load, which run in milliseconds.
@Suite("Pacing", .timeLimit(.minutes(1)))
struct PacingTests {
    @Test("keeps one run within PutImage's quota with hardly a throttle")
    func alone() throws {
        var model = PacingModel(quota: 10, clients: [.init(seed: 10, workers: 32)])
        // A thousand seconds for ten thousand images.
        try model.run(for: .seconds(1_000))
        let client = model.clients[0]
        #expect(client.passed >= 8_500, "\(client.passed)")
        #expect(client.throttled < client.passed / 20, "\(client.throttled)")
        #expect(client.leastBudget > 400, "\(client.leastBudget)")
    }

    @Test("lets two runs share a quota that each of them assumes to be its own")
    func two() throws {
        var model = PacingModel(
            quota: 10,
            clients: [.init(seed: 10, workers: 32), .init(seed: 10, workers: 8)]
        )
        try model.run(for: .seconds(600))
        let passed = model.clients.map(\.passed)
        #expect(passed.reduce(0, +) >= 4_500, "\(passed)")
        #expect(passed.allSatisfy { $0 > 1_200 }, "both get on: \(passed)")
        for client in model.clients {
            #expect(client.throttled < client.passed / 8, "\(client.throttled) of \(client.passed)")
            #expect(client.leastBudget > 300, "\(client.leastBudget)")
        }
    }

    @Test("adapts to a quota that was raised")
    func raised() throws {
        var model = PacingModel(quota: 100, clients: [.init(seed: 10, workers: 64)])
        try model.run(for: .seconds(60))
        #expect(abs((model.clients[0].bucket.rate ?? 0) - 40) < 2, "half a request more each second")
        #expect(model.clients[0].throttled == 0)
    }

    @Test("finds the rate of a registry whose quota is unknown", arguments: [5, 20, 200] as [Double])
    func plain(quota: Double) throws {
        var model = PacingModel(quota: quota, clients: [.init(seed: nil, workers: 64)])
        try model.run(for: .seconds(300))
        let client = model.clients[0]
        #expect(Double(client.passed) >= 0.7 * 300 * quota, "\(client.passed)")
        #expect(client.throttled < client.passed / 4, "\(client.throttled) of \(client.passed)")
    }
}

@Suite("A pacer", .timeLimit(.minutes(1)))
struct PacerTests {
    @Test("waits on its clock, once for each request above the burst")
    func waits() async throws {
        let clock = ManualClock()
        let pacer = Pacer(seeds: ["PutImage": 2], clock: clock)
        for _ in 0..<3 { _ = try await pacer.admit("PutImage") }
        #expect(clock.waits == [.milliseconds(500), .milliseconds(500)])
        for _ in 0..<100 { _ = try await pacer.admit("BatchGetImage") }
        #expect(clock.waits.count == 2, "another bucket, and one without a limit")
    }

    @Test("delays all requests while one answer asks for a wait, also those that wait already")
    func holds() async throws {
        let clock = ManualClock()
        let slow = SlowClock(clock) {}
        let pacer = Pacer(seeds: ["PutImage": 2], clock: slow)
        let first = try await pacer.admit("PutImage")
        slow.during = {
            slow.during = {}
            pacer.throttle(first, for: .seconds(20))
        }
        _ = try await pacer.admit("PutImage")
        #expect(clock.waits == [.milliseconds(500), .seconds(20)])

        pacer.note(WireResponse(status: .tooManyRequests, fields: [.retryAfter: "9"]), to: first)
        _ = try await pacer.admit("PutImage")
        #expect(clock.waits.last == .seconds(9))

        // A wait of hours is not obeyed: the next request is sent, and gets an answer of its own.
        pacer.note(WireResponse(status: .tooManyRequests, fields: [.retryAfter: "21600"]), to: first)
        _ = try await pacer.admit("PutImage")
        #expect(clock.waits.allSatisfy { $0 <= .seconds(20) })
    }

    @Test("sends a request in the end, even if throttles keep voiding its reservation")
    func bounded() async throws {
        let clock = ManualClock()
        let slow = SlowClock(clock) {}
        let pacer = Pacer(seeds: ["PutImage": 1], clock: slow)
        let first = try await pacer.admit("PutImage")
        slow.during = { pacer.throttle(first, for: RetryPolicy.longestNamedWait) }
        _ = try await pacer.admit("PutImage")
        #expect(clock.waits.count == Pacer.mostReservations)
    }

    @Test("stops waiting when its task is cancelled")
    func cancelled() async {
        let pacer = Pacer(seeds: ["PutImage": 0.001])
        let task = Task {
            _ = try await pacer.admit("PutImage")
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await pacer.admit("PutImage")
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("learns from a relay's answers, of which only throttles are reported")
    func relays() async throws {
        let clock = ManualClock()
        let pacer = Pacer(clock: clock)
        try await pacer.admitRelay("requests")
        pacer.noteRelay(WireResponse(status: .badRequest), "requests")
        #expect(pacer.rate(of: "requests") == nil)
        pacer.noteRelay(WireResponse(status: .tooManyRequests), "requests")
        #expect(pacer.rate(of: "requests") != nil)
    }

    @Test(
        "recognizes a registry's throttles by status",
        arguments: [(429, nil, true), (503, "1", true), (503, nil, false)]
    )
    func status(code: Int, wait: String?, isThrottle: Bool) async throws {
        let pacer = Pacer(clock: ManualClock())
        let answer = WireResponse(
            status: .init(code: code),
            fields: wait.map { [.retryAfter: $0] } ?? [:]
        )
        let sender = PacedSender(Answering(answer), pacer) { $0.url.path == "/v2/" ? nil : "requests" }
        _ = try await sender.send(WireRequest(.get, try HTTPURL("https://a.test/v2/")))
        #expect(pacer.rate(of: "requests") == nil, "that one is not paced")
        _ = try await sender.send(WireRequest(.get, try HTTPURL("https://a.test/v2/x/tags/list")))
        #expect((pacer.rate(of: "requests") != nil) == isThrottle)
    }

    private struct Answering: HTTPSending {
        let answer: WireResponse
        init(_ answer: WireResponse) { self.answer = answer }
        func send(_ request: WireRequest) async throws -> WireResponse { answer }
    }
}

/// A clock that calls a function during each sleep.
private final class SlowClock: Clock {
    typealias Instant = ManualClock.Instant
    private let clock: ManualClock
    private let action: Lock<@Sendable () -> Void>

    init(_ clock: ManualClock, _ during: @escaping @Sendable () -> Void) {
        self.clock = clock
        action = Lock(during)
    }

    var during: @Sendable () -> Void {
        get { action.withLock { $0 } }
        set { action.withLock { $0 = newValue } }
    }

    var now: Instant { clock.now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await clock.sleep(until: deadline, tolerance: tolerance)
        during()
    }
}
