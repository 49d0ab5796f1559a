import Testing

@testable import Wire

@Suite("A token bucket")
struct BucketTests {
    @Test("allows half a second's worth of requests at once, and the rest at its rate")
    func burst() {
        var bucket = Bucket(seed: 10)
        let waits = (0..<8).map { _ in bucket.reserve(at: .seconds(100)).wait }
        #expect(waits == [0, 0, 0, 0, 0, 100, 200, 300].map { .milliseconds($0) })
        // Unused time is saved for one more burst at most.
        let later = (0..<6).map { _ in bucket.reserve(at: .seconds(200)).wait }
        #expect(later.last == .milliseconds(100))
    }

    @Test("allows one request at a time at less than two per second")
    func slow() {
        var bucket = Bucket(seed: 1)
        let waits = (0..<3).map { _ in bucket.reserve(at: .zero).wait }
        #expect(waits == [0, 1, 2].map { .seconds($0) })
    }

    @Test("without a seed has no limit until a throttle, and then begins at the measured rate")
    func learns() {
        var bucket = Bucket()
        for number in 0..<100 {
            let now = Duration.milliseconds(number * 10)
            #expect(bucket.reserve(at: now).wait == .zero)
            bucket.pass(at: now)
        }
        #expect(bucket.rate == nil)

        bucket.throttle(at: .seconds(1), sentAt: .milliseconds(990), for: nil)

        // A hundred requests per second succeeded, and the rate is 0.7 of that now.
        #expect(abs((bucket.rate ?? 0) - 70) < 5, "\(bucket.rate ?? 0)")
    }

    @Test("keeps its own rate as the basis if no request succeeded", arguments: [nil, 10, 100] as [Double?])
    func blind(seed: Double?) {
        var bucket = Bucket(seed: seed)
        bucket.throttle(at: .seconds(9), sentAt: .seconds(9), for: nil)
        #expect(bucket.rate == 0.7 * (seed ?? Bucket.leastSeed))
    }

    @Test("is cut once by requests that were sent together, and again by a later one")
    func round() {
        var bucket = Bucket(seed: 10)
        for number in 0..<30 {
            bucket.throttle(at: .milliseconds(1_000 + number), sentAt: .milliseconds(900), for: nil)
        }
        #expect(bucket.rate == 7)
        // The answer is late: the request was sent before the cut.
        bucket.throttle(at: .seconds(60), sentAt: .milliseconds(1_900), for: nil)
        #expect(bucket.rate == 7)
        bucket.throttle(at: .seconds(61), sentAt: .seconds(60), for: nil)
        #expect(abs((bucket.rate ?? 0) - 4.9) < 1e-9)
    }

    @Test("never falls below one request in two seconds")
    func slowest() {
        var bucket = Bucket(seed: 10)
        for second in 1...100 {
            bucket.throttle(at: .seconds(second * 2), sentAt: .seconds(second * 2), for: nil)
        }
        #expect(bucket.rate == Bucket.slowest)
        _ = bucket.reserve(at: .seconds(300))
        #expect(bucket.reserve(at: .seconds(300)).wait == .seconds(2))
    }

    @Test("voids the reservations made before a throttle")
    func voids() {
        var bucket = Bucket(seed: 10)
        let before = bucket.reserve(at: .seconds(1))
        #expect(before.round == bucket.round)
        bucket.throttle(at: .seconds(2), sentAt: .seconds(1), for: nil)
        #expect(before.round != bucket.round)
        #expect(bucket.reserve(at: .seconds(2)).wait == .zero)
        // No burst right after a throttle.
        #expect(abs(bucket.reserve(at: .seconds(2)).wait / .seconds(1) - 1 / 7) < 1e-9)
    }

    @Test("delays every request for the wait that one answer asks for", arguments: [nil, 10] as [Double?])
    func held(seed: Double?) {
        var bucket = Bucket(seed: seed)
        bucket.throttle(at: .seconds(1), sentAt: .seconds(1), for: .seconds(7))
        bucket.throttle(at: .seconds(2), sentAt: .seconds(1), for: .seconds(3))
        #expect(bucket.reserve(at: .seconds(2)).wait == .seconds(6))
        let next = bucket.reserve(at: .seconds(2)).wait - .seconds(6)
        #expect(abs(next / .seconds(1) - 1 / (bucket.rate ?? 0)) < 1e-9, "one after the other")

        let round = bucket.round
        bucket.throttle(at: .seconds(3), sentAt: .seconds(1), for: .seconds(60))
        #expect(bucket.round > round)
        #expect(bucket.reserve(at: .seconds(3)).wait == .seconds(60))
    }

    @Test("grows by a twentieth of its seed per second while requests wait, up to ten times the seed")
    func grows() {
        var bucket = Bucket(seed: 100)
        var now = Duration.zero
        func work(seconds: Int) {
            for _ in 0..<seconds * 10 {
                while bucket.reserve(at: now).wait < .seconds(1) {}
                now += .milliseconds(100)
                bucket.pass(at: now)
            }
        }
        work(seconds: 10)
        #expect(abs((bucket.rate ?? 0) - 150) < 1, "\(bucket.rate ?? 0)")
        work(seconds: 1_000)
        #expect(bucket.rate == 1_000)
    }

    @Test("does not grow while no request waits")
    func idle() {
        var bucket = Bucket(seed: 10)
        for second in 0..<1_000 {
            _ = bucket.reserve(at: .seconds(second))
            bucket.pass(at: .seconds(second))
        }
        #expect(bucket.rate == 10)
        // An old wait doesn't count for the time since, either.
        for _ in 0..<7 { _ = bucket.reserve(at: .seconds(2_000)) }
        _ = bucket.reserve(at: .seconds(3_000))
        bucket.pass(at: .seconds(3_000))
        #expect(bucket.rate == 10)
    }
}
