import Platform
import Testing

@testable import Wire

@Suite("A retry budget")
struct RetryBudgetTests {
    private struct Failure: RetryAdvising, Equatable {
        var retryAdvice: RetryAdvice = .backOff
        var isTimeout = false
    }

    private func policy(_ budget: RetryBudget, attempts: Int = 8) -> RetryPolicy {
        RetryPolicy(attempts: attempts, clock: ManualClock(), jitter: { 1 }, budget: budget)
    }

    @Test(
        "pays five for a retry, ten after a timeout, nothing for a wait that was named, and gets back what helped",
        arguments: [(Failure(), 95), (Failure(isTimeout: true), 90), (Failure(retryAdvice: .wait(.seconds(1))), 100)]
    )
    private func cost(failure: Failure, left: Int) async throws {
        let budget = RetryBudget("source", tokens: 100)
        try await policy(budget).run { attempt in
            if attempt == 1 { throw failure }
            #expect(budget.remaining == left)
        }
        #expect(budget.remaining == 100)
    }

    @Test("gets back only what the last try cost, and one for what went well at once")
    func refunds() async throws {
        let budget = RetryBudget("source", tokens: 100)
        try await policy(budget).run { if $0 < 4 { throw Failure() } }
        #expect(budget.remaining == 90)
        for _ in 0..<20 { try await policy(budget).run { _ in } }
        #expect(budget.remaining == 100, "and never has more than at first")
    }

    @Test("ends the retries of everybody when it is used up, and says whose it was")
    func spent() async {
        let budget = RetryBudget("destination", tokens: 12)
        let tries = Lock(0)
        let error = await #expect(throws: RetryBudgetSpent.self) {
            try await policy(budget).run { _ in
                tries.withLock { $0 += 1 }
                throw Failure()
            }
        }
        #expect(tries.withLock { $0 } == 3)
        #expect(error?.reason as? Failure == Failure())
        #expect(error?.description.hasSuffix("the retry budget of the destination is used up") == true)
        await #expect(throws: RetryBudgetSpent.self) { try await policy(budget).run { _ in throw Failure() } }
        // What wouldn't have been tried again is told as it is.
        await #expect(throws: Failure(retryAdvice: .never)) {
            try await policy(budget).run { _ in throw Failure(retryAdvice: .never) }
        }
        await #expect(throws: Failure()) { try await policy(budget, attempts: 1).run { _ in throw Failure() } }
    }

    @Test("lasts until everything in flight has had its tries, or as long as the SDKs'")
    func size() {
        #expect(RetryBudget("source", lasting: 32, attempts: 8).remaining == 2_240)
        #expect(RetryBudget("source", lasting: 1, attempts: 8).remaining == 500)
        #expect(RetryBudget("source").remaining == 500)
    }

    @Test("takes the silence of a host for a timeout, and its refusal not")
    func timeouts() {
        #expect(WireError(.stalled, "").isTimeout && WireError(.deadline, "").isTimeout)
        #expect(WireError(.unreachable, "", curlCode: 28).isTimeout)
        #expect(!WireError(.unreachable, "", curlCode: 7).isTimeout && !WireError(.disconnected, "").isTimeout)
    }
}
