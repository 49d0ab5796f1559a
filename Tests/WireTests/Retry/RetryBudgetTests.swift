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
        "charges 5 for a retry, 10 after a timeout, nothing for a wait that the service asked for, and is refunded after a success",
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

    @Test("is refunded only the cost of the last try, and gets 1 for a success at the first try")
    func refunds() async throws {
        let budget = RetryBudget("source", tokens: 100)
        try await policy(budget).run { if $0 < 4 { throw Failure() } }
        #expect(budget.remaining == 90)
        for _ in 0..<20 { try await policy(budget).run { _ in } }
        #expect(budget.remaining == 100, "and never has more than at first")
    }

    @Test("ends all retries when it is used up, and the error names the side")
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
        // An error that would not have been retried is thrown unchanged.
        await #expect(throws: Failure(retryAdvice: .never)) {
            try await policy(budget).run { _ in throw Failure(retryAdvice: .never) }
        }
        await #expect(throws: Failure()) { try await policy(budget, attempts: 1).run { _ in throw Failure() } }
    }

    @Test("is enough for all tries of all requests in flight, and at least as large as in the SDKs")
    func size() {
        #expect(RetryBudget("source", lasting: 32, attempts: 8).remaining == 2_240)
        #expect(RetryBudget("source", lasting: 1, attempts: 8).remaining == 500)
        #expect(RetryBudget("source").remaining == 500)
    }

    @Test("counts an unanswered connection as a timeout, and a refused one not")
    func timeouts() {
        #expect(WireError(.stalled, "").isTimeout && WireError(.deadline, "").isTimeout)
        #expect(WireError(.unreachable, "", curlCode: 28).isTimeout)
        #expect(!WireError(.unreachable, "", curlCode: 7).isTimeout && !WireError(.disconnected, "").isTimeout)
    }
}
