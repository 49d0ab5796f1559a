import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import Wire

@testable import AWSIdentity

/// Answers from a script, and keeps what was sent.
final class RecordingSender: HTTPSending {
    private let answer: @Sendable (WireRequest, Int) async throws -> WireResponse
    private let sent = Lock<[WireRequest]>([])

    init(_ answer: @escaping @Sendable (_ request: WireRequest, _ number: Int) async throws -> WireResponse) {
        self.answer = answer
    }

    var requests: [WireRequest] { sent.withLock { $0 } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        let number = sent.withLock { sent in
            sent.append(request)
            return sent.count
        }
        return try await answer(request, number)
    }
}

/// A clock on which nobody ever waits: it keeps the waits and goes on at once.
final class InstantClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let slept = Lock<[Duration]>([])
    var waits: [Duration] { slept.withLock { $0 } }
    var now: Instant { Instant(offset: waits.reduce(.zero, +)) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        slept.withLock { $0.append(deadline.offset - $0.reduce(.zero, +)) }
    }
}

/// A clock on which waits of up to a length take no time, and longer ones don't end.
final class ShortClock: Clock, Sendable {
    typealias Instant = InstantClock.Instant

    private let longest: Duration
    init(_ longest: Duration) { self.longest = longest }

    var now: Instant { Instant(offset: .zero) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        guard deadline.offset > longest else { return }
        for await _ in AsyncStream(Never.self, { _ in }) {}
        throw CancellationError()
    }
}

/// Keeps what a logger is told.
struct Notebook: LogHandler {
    let lines = Lock<[String]>([])
    /// Does something for each line.
    var noted: @Sendable () -> Void = {}
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.level) \(event.message)") }
        noted()
    }
}

/// The time of day, set by the test.
final class Wristwatch: Sendable {
    private let held: Lock<Date>
    init(_ date: Date) { held = Lock(date) }
    var now: Date { held.withLock { $0 } }
    func advance(_ seconds: Double) { held.withLock { $0 += seconds } }
}

/// Counts, from any thread.
final class Tally: Sendable {
    private let held = Lock(0)
    var count: Int { held.withLock { $0 } }
    @discardableResult
    func up() -> Int {
        held.withLock { held in
            held += 1
            return held
        }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
let noon = AWSTime.parse("2026-01-15T12:00:00Z") ?? .distantPast

/// What STS answers to AssumeRole.
func roleAnswer(_ id: String = "ASIAROLE", expires: String = "2026-01-15T13:00:00Z") -> WireResponse {
    let text = """
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
         <AssumedRoleUser><AssumedRoleId>AROA:sess</AssumedRoleId>\
        <Arn>arn:aws:sts::123456789012:assumed-role/r/sess</Arn></AssumedRoleUser>
         <Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>s&amp;cret</SecretAccessKey>\
        <SessionToken>tok&#x3d;&#61;</SessionToken><Expiration>\(expires)</Expiration></Credentials>
         <PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>
         <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></AssumeRoleResponse>
        """
    return WireResponse(status: .ok, body: Array(text.utf8))
}

/// What STS answers when it refuses.
func refusal(_ status: Int, _ code: String, _ message: String = "no & no") -> WireResponse {
    let text = """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>\
        <Code>\(code)</Code><Message>\(message.replacing("&", with: "&amp;"))</Message></Error>\
        <RequestId>r-9</RequestId></ErrorResponse>
        """
    return WireResponse(status: .init(code: status), body: Array(text.utf8))
}

/// A resolver on a machine of the test's making.
func resolver(
    _ variables: [String: String] = [:],
    config: String? = nil,
    credentials: String? = nil,
    sender: any HTTPSending = RecordingSender { _, _ in roleAnswer() },
    clock: InstantClock = InstantClock(),
    now: @escaping @Sendable () -> Date = { noon }
) throws -> (IdentityResolver, home: String) {
    let home = FileManager.default.temporaryDirectory.path + "/ecr-replicate-id-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home + "/.aws", withIntermediateDirectories: true)
    if let config { try Data(config.utf8).write(to: URL(filePath: home + "/.aws/config")) }
    if let credentials { try Data(credentials.utf8).write(to: URL(filePath: home + "/.aws/credentials")) }
    let made = IdentityResolver(
        environment: AWSEnvironment(variables: variables, home: home),
        sender: sender,
        retry: RetryPolicy(attempts: 3, clock: clock, jitter: { 1 }),
        logger: quiet,
        now: now
    )
    // Small texts are read before they go: a resolver keeps what it read.
    _ = try? made.config()
    try FileManager.default.removeItem(atPath: home)
    return (made, home)
}

/// A machine with a home of its own, for as long as `body` runs.
///
/// - Parameters:
///   - config: The two files' texts; `HOME` in them is the home.
///   - asks: Answers questions in place of a person.
func withMachine(
    _ variables: [String: String] = [:],
    config: String? = nil,
    credentials: String? = nil,
    sender: any HTTPSending = RecordingSender { _, _ in roleAnswer() },
    clock: any Clock<Duration> = InstantClock(),
    now: @escaping @Sendable () -> Date = { noon },
    logger: Logger = quiet,
    asks: (@Sendable (String) async throws -> String?)? = nil,
    isStopping: @escaping @Sendable () -> Bool = { false },
    _ body: (IdentityResolver, _ home: String) async throws -> Void
) async throws {
    let home = FileManager.default.temporaryDirectory.path + "/ecr-replicate-home-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home + "/.aws/sso/cache", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    for (text, name) in [(config, "config"), (credentials, "credentials")] {
        guard let text else { continue }
        try Data(text.replacing("HOME", with: home).utf8).write(to: URL(filePath: home + "/.aws/" + name))
    }
    let resolver = IdentityResolver(
        environment: AWSEnvironment(variables: variables.mapValues { $0.replacing("HOME", with: home) }, home: home),
        sender: sender,
        retry: RetryPolicy(attempts: 3, clock: clock, jitter: { 1 }),
        logger: logger,
        now: now,
        askForCode: asks,
        isStopping: isStopping
    )
    try await body(resolver, home)
}

/// What time it is at AWS, as far as the resolver knows.
func stsClock(_ resolver: IdentityResolver) throws -> ServiceClock {
    resolver.clocks.clock(of: try resolver.endpoint(.sts, region: "eu-west-1").url)
}

extension WireResponse {
    static func json(_ text: String, status: Int = 200) -> WireResponse {
        WireResponse(status: .init(code: status), body: Array(text.utf8))
    }

    static func text(_ text: String, status: Int = 200) -> WireResponse { .json(text, status: status) }
}

/// What a container's endpoint and the instance's answer.
func roleKeys(_ id: String, expires: String = "2026-01-15T13:00:00Z") -> WireResponse {
    .json(
        #"{"Code":"Success","AccessKeyId":"\#(id)","SecretAccessKey":"secret","Token":"token","#
            + #""Expiration":"\#(expires)"}"#
    )
}

extension IdentityResolver {
    func credentials(_ options: IdentityOptions = .init()) async throws -> AWSCredentials {
        try await provider(for: options, stsRegion: "eu-west-1").credentials()
    }
}

/// A clock on which every wait ends as soon as something has happened, and no sooner.
final class EventClock: Clock, Sendable {
    typealias Instant = InstantClock.Instant

    private let happened: @Sendable () -> Bool
    init(_ happened: @escaping @Sendable () -> Bool) { self.happened = happened }

    var now: Instant { Instant(offset: .zero) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        while !happened() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
