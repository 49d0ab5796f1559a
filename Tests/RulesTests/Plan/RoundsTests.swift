import Content
import Platform
import Replicate
import Testing

@testable import Rules

/// A clock that moves only when a wait ends, or when a test says so.
private final class ManualClock: Clock, Sendable {
    typealias Instant = ContinuousClock.Instant

    private let time = Lock(ContinuousClock.now)
    /// The length of every wait.
    let waits = Lock<[Duration]>([])

    var now: Instant { time.withLock { $0 } }
    var minimumResolution: Duration { .zero }

    func pass(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        let wait = now.duration(to: deadline)
        waits.withLock { $0.append(wait) }
        pass(wait)
    }
}

@Suite("Rounds")
struct RoundsTests {
    @Test("begin at their interval, from start to start")
    func interval() async throws {
        let clock = ManualClock()
        var numbers: [Int] = []
        try await Rounds(every: .seconds(60), on: clock, until: Drain()).run { number in
            numbers.append(number)
            clock.pass(.seconds(number * 10))
            return number < 4
        }
        #expect(numbers == [1, 2, 3, 4])
        #expect(clock.waits.withLock { $0 } == [.seconds(50), .seconds(40), .seconds(30)])
    }

    @Test("that take longer are followed by the next at once, and none is made up for")
    func late() async throws {
        let clock = ManualClock()
        try await Rounds(every: .seconds(60), on: clock, until: Drain()).run { number in
            clock.pass(number == 1 ? .seconds(200) : .seconds(1))
            return number < 3
        }
        #expect(clock.waits.withLock { $0 } == [.seconds(59)])
    }

    @Test("end when the drain begins, before, during and between them")
    func drained() async throws {
        let drain = Drain()
        var count = 0
        try await Rounds(every: .seconds(60), on: ManualClock(), until: drain).run { number in
            count += 1
            if number == 2 { drain.begin() }
            return true
        }
        #expect(count == 2)
        try await Rounds(every: .seconds(60), on: ManualClock(), until: drain).run { _ in
            count += 1
            return true
        }
        #expect(count == 2)
        let later = Drain()
        let waiting = Task {
            try await Rounds(every: .seconds(86_400), on: ContinuousClock(), until: later).run { _ in true }
        }
        later.begin()
        try await waiting.value
    }
}

@Suite("A rule file that is read again")
struct ReloadedFileTests {
    private func text(_ rule: String) -> [UInt8] {
        Array((RuleScene.head + RuleScene.rules().replacing("name: r", with: "name: \(rule)")).utf8)
    }

    private func parse(_ bytes: [UInt8]) throws -> RuleFile {
        try RuleFile(parsing: bytes, name: "rules.yaml", variables: [:])
    }

    @Test("is used when it changes, and kept as it was while it is wrong, which is said once")
    func reload() throws {
        struct Gone: Error {}
        let bytes = Lock<[UInt8]?>(text("one"))
        var file = ReloadedFile(
            try parse(text("one")),
            read: {
                guard let bytes = bytes.withLock({ $0 }) else { throw Gone() }
                return bytes
            },
            parse: { try RuleFile(parsing: $0, name: "rules.yaml", variables: [:]) }
        )
        func step(_ new: [UInt8]?) -> String {
            bytes.withLock { $0 = new }
            return switch file.reload() {
            case .none: "none"
            case .reloaded: "reloaded \(file.file.rules.map(\.name))"
            case .unusable: "unusable"
            }
        }
        let wrong = Array("rules: [".utf8)
        #expect(step(text("one")) == "none")
        #expect(step(text("two")) == "reloaded [\"two\"]")
        #expect(step(wrong) == "unusable" && file.file.rules.map(\.name) == ["two"])
        #expect(step(wrong) == "none", "it is said once")
        #expect(step(text("two")) == "none", "the same as before the mistake")
        #expect(step(nil) == "unusable" && step(nil) == "none")
        #expect(step(text("three")) == "reloaded [\"three\"]")
    }

    @Test("is never read again if it came through a pipe")
    func pipe() throws {
        var file = ReloadedFile(try parse(text("one")), read: { nil }, parse: { _ in throw CancellationError() })
        guard case .none = file.reload() else { return #expect(Bool(false)) }
    }
}
