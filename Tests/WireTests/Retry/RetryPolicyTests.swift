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

    @Test("waits twice as long each time, up to the ceiling, and then gives up")
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

    @Test("gives up on what takes all of its deadline each time, before the attempts are used up")
    func deadlines() async {
        let attempts = Lock(0)
        let error = await #expect(throws: WireError.self) {
            try await policy(ManualClock()).run { attempt in
                attempts.withLock { $0 = attempt }
                // What fails in another way between them counts for itself.
                throw WireError(attempt == 2 ? .disconnected : .deadline, "no complete answer within 60.0 seconds")
            }
        }
        #expect(error?.reason == .deadline && attempts.withLock { $0 } == 4)
    }

    @Test("draws its waits between nothing and the bound")
    func jitters() async throws {
        let clock = ManualClock()
        let answer = try await policy(clock, jitter: 0.5).run { attempt in
            if attempt < 3 { throw Failure(retryAdvice: .backOff) }
            return attempt
        }
        #expect(answer == 3)
        #expect(clock.waits == [.milliseconds(100), .milliseconds(200)])
    }

    @Test("takes the wait that the service named as the least")
    func namedWait() async throws {
        let clock = ManualClock()
        _ = try await policy(clock, jitter: 0.5).run { attempt in
            if attempt == 1 { throw Failure(retryAdvice: .wait(.seconds(7))) }
        }
        #expect(clock.waits == [.milliseconds(7_100)])
    }

    @Test(
        "waits as long as the service says, up to a limit; a longer wait ends it at once, and is named",
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
        "names waits in the two largest units",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (301, "5 min 1 s"), (3_600, "1 h"), (5_400, "1 h 30 min"),
            (3_605, "1 h"), (86_400, "1 d"), (180_000, "2 d 2 h"),
        ]
    )
    func words(seconds: Int, words: String) {
        #expect(Duration.seconds(seconds).inWords == words)
    }

    @Test("does not retry what is hopeless, or what gives no advice")
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

    @Test("tells of every wait before it begins")
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
