@testable import Wire

/// A simulation of runs that share one quota, in simulated time: nothing waits, and the result is always the same.
struct PacingModel {
    /// One run: a bucket, a retry budget, and some workers that send one request after the other.
    struct Client {
        var bucket: Bucket
        var budget: RetryBudget
        var workers: Int
        var passed = 0
        var throttled = 0
        var leastBudget: Int

        init(seed: Double?, workers: Int) {
            bucket = Bucket(seed: seed)
            budget = RetryBudget("model")
            self.workers = workers
            leastBudget = budget.remaining
        }
    }

    private enum Step {
        case ask
        case wake(round: Int)
        case arrive(sentAt: Duration)
        case pass
        case throttle(sentAt: Duration)
    }

    private struct Event {
        var at: Duration
        var client: Int
        /// The cost of the running retry, and the number of retries so far.
        var cost: Int?
        var attempt = 0
        var step: Step
    }

    /// The service's limit in requests per second, with a burst of one second.
    var quota: Double
    var roundTrip: Duration = .milliseconds(40)
    var clients: [Client]

    /// - Throws: `RetryBudgetSpent` when a worker has no budget for a retry.
    mutating func run(for time: Duration) throws {
        var events: [Event] = []
        var saved = quota
        var savedAt = Duration.zero
        var random = Counter()
        for (index, client) in clients.enumerated() {
            events += (0..<client.workers).map { _ in Event(at: .zero, client: index, step: .ask) }
        }
        while let next = events.indices.min(by: { events[$0].at < events[$1].at }), events[next].at < time {
            var event = events.remove(at: next)
            let now = event.at
            switch event.step {
            case .ask:
                let reservation = clients[event.client].bucket.reserve(at: now)
                event.at += reservation.wait
                event.step =
                    reservation.wait > .zero ? .wake(round: reservation.round) : .arrive(sentAt: now)
            case .wake(let round):
                event.step = round == clients[event.client].bucket.round ? .arrive(sentAt: now) : .ask
            case .arrive(let sentAt):
                // Up to a fifth more latency, so that evenly spaced requests don't arrive evenly.
                saved = min(quota, saved + quota * ((now - savedAt) / .seconds(1)))
                savedAt = now
                let isTaken = saved >= 1
                if isTaken { saved -= 1 }
                event.at += roundTrip + roundTrip / 5 * random.next()
                event.step = isTaken ? .pass : .throttle(sentAt: sentAt)
            case .pass:
                clients[event.client].passed += 1
                clients[event.client].bucket.pass(at: now)
                clients[event.client].budget.refund(event.cost)
                event = Event(at: now, client: event.client, step: .ask)
            case .throttle(let sentAt):
                clients[event.client].throttled += 1
                clients[event.client].bucket.throttle(at: now, sentAt: sentAt, for: nil)
                guard let cost = clients[event.client].budget.spend(on: Throttled()) else {
                    throw RetryBudgetSpent(budget: "model", reason: Throttled())
                }
                clients[event.client].leastBudget =
                    min(clients[event.client].leastBudget, clients[event.client].budget.remaining)
                event.attempt += 1
                event.cost = cost
                event.at += .milliseconds(200) * Double(1 << min(event.attempt - 1, 6)) * random.next()
                event.step = .ask
            }
            events.append(event)
        }
    }

    private struct Throttled: RetryAdvising {
        var retryAdvice: RetryAdvice { .backOff }
    }

    /// Pseudo-random numbers from 0 to 1, the same in every run.
    private struct Counter {
        private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 33) / Double(UInt32.max >> 1)
        }
    }
}
