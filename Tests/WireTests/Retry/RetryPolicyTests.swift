import Platform
import Testing

@testable import Wire

@Suite("Retrying")
struct RetryPolicyTests {
    private struct Failure: RetryAdvising, Equatable {
        var retryAdvice: RetryAdvice
    }

    private func policy(_ clock: ManualClock, attempts: Int = 8, jitter: Double = 1) -> RetryPolicy {
        RetryPolicy(
            attempts: attempts,
            base: .milliseconds(200),
            ceiling: .seconds(2),
            clock: clock,
            jitter: { jitter }
        )
    }

    @Test("doubles the wait for each attempt up to the limit, and then gives up")
    func backsOff() async {
        let clock = ManualClock()
        let attempts = Lock<[Int]>([])
        await #expect(throws: Failure(retryAdvice: .backOff)) {
            try await policy(clock, attempts: 7).run { attempt in
                attempts.withLock { $0.append(attempt) }
                throw Failure(retryAdvice: .backOff)
            }
        }
        #expect(attempts.withLock { $0 } == [1, 2, 3, 4, 5, 6, 7])
        #expect(
            clock.waits == [200, 400, 800, 1_600, 2_000, 2_000].map { .milliseconds($0) }
        )
    }

    @Test("gives up early when each attempt takes its whole deadline")
    func deadlines() async {
        let attempts = Lock(0)
        let error = await #expect(throws: WireError.self) {
            try await policy(ManualClock()).run { attempt in
                attempts.withLock { $0 = attempt }
                // A failure of another kind in between has no effect on the count.
                throw WireError(attempt == 2 ? .disconnected : .deadline, "no complete answer within 60.0 seconds")
            }
        }
        #expect(error?.reason == .deadline && attempts.withLock { $0 } == 4)
    }

    @Test("draws random waits between zero and the bound")
    func jitters() async throws {
        let clock = ManualClock()
        let answer = try await policy(clock, jitter: 0.5).run { attempt in
            if attempt < 3 { throw Failure(retryAdvice: .backOff) }
            return attempt
        }
        #expect(answer == 3)
        #expect(clock.waits == [.milliseconds(100), .milliseconds(200)])
    }

    @Test("waits at least as long as the service asks")
    func namedWait() async throws {
        let clock = ManualClock()
        _ = try await policy(clock, jitter: 0.5).run { attempt in
            if attempt == 1 { throw Failure(retryAdvice: .wait(.seconds(7))) }
        }
        #expect(clock.waits == [.milliseconds(7_100)])
    }

    @Test(
        "obeys the service's wait up to a limit; a longer wait ends the request at once, and the error names it",
        arguments: [1, 8]
    )
    func longWait(attempts: Int) async throws {
        let clock = ManualClock()
        _ = try await policy(clock, jitter: 0).run { attempt in
            if attempt == 1 { throw Failure(retryAdvice: .wait(RetryPolicy.longestNamedWait)) }
        }
        #expect(clock.waits == [RetryPolicy.longestNamedWait])
        let tries = Lock(0)
        let error = await #expect(throws: RetryWaitTooLong.self) {
            try await policy(clock, attempts: attempts).run { _ in
                tries.withLock { $0 += 1 }
                throw Failure(retryAdvice: .wait(.seconds(21_600)))
            }
        }
        #expect(tries.withLock { $0 } == 1 && clock.waits.count == 1)
        #expect(error?.wait == .seconds(21_600) && error?.description.hasSuffix("asks to wait 6 h") == true)
    }

    @Test(
        "writes waits in the two largest units",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (301, "5 min 1 s"), (3_600, "1 h"), (5_400, "1 h 30 min"),
            (3_605, "1 h"), (86_400, "1 d"), (180_000, "2 d 2 h"),
        ]
    )
    func words(seconds: Int, words: String) {
        #expect(Duration.seconds(seconds).inWords == words)
    }

    @Test("does not retry errors that advise against it or give no advice")
    func hopeless() async {
        let clock = ManualClock()
        await #expect(throws: WireError.self) {
            try await policy(clock).run { _ in throw WireError(.certificate, "self-signed") }
        }
        await #expect(throws: CancellationError.self) {
            try await policy(clock).run { _ in throw CancellationError() }
        }
        #expect(clock.waits.isEmpty)
    }

    @Test("reports every wait before it begins")
    func tells() async throws {
        let clock = ManualClock()
        let told = Lock<[Int]>([])
        var policy = policy(clock)
        policy.onRetry = { attempt, wait, error in
            #expect(error is Failure)
            #expect(wait == .milliseconds(200 << (attempt - 1)))
            #expect(clock.waits.count == attempt - 1)
            told.withLock { $0.append(attempt) }
        }
        try await policy.run { if $0 < 3 { throw Failure(retryAdvice: .backOff) } }
        #expect(told.withLock { $0 } == [1, 2])
    }

    @Test("stops waiting when its task is cancelled")
    func cancellation() async {
        let task = Task {
            try await RetryPolicy(base: .seconds(3_600), jitter: { 1 }).run { _ in
                withUnsafeCurrentTask { $0?.cancel() }
                throw Failure(retryAdvice: .backOff)
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
