import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import TestDoubles
import Wire

@testable import AWSIdentity

/// A clock whose waits take no time up to a length, and never end beyond it.
final class ShortClock: Clock, Sendable {
    typealias Instant = RecordingClock.Instant

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

/// A log handler that records the lines.
struct RecordingLog: LogHandler {
    let lines = Lock<[String]>([])
    /// Called after each line.
    var onLine: @Sendable () -> Void = {}
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.level) \(event.message)") }
        onLine()
    }
}

/// The time of day, which the test sets.
final class ManualTime: Sendable {
    private let held: Lock<Date>
    init(_ date: Date) { held = Lock(date) }
    var now: Date { held.withLock { $0 } }
    func advance(_ seconds: Double) { held.withLock { $0 += seconds } }
}

/// A counter for any thread.
final class Counter: Sendable {
    private let held = Lock(0)
    var count: Int { held.withLock { $0 } }
    @discardableResult
    func increment() -> Int {
        held.withLock { held in
            held += 1
            return held
        }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
let noon = AWSTime.parse("2026-01-15T12:00:00Z") ?? .distantPast

/// STS's answer to AssumeRole.
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

/// STS's answer when it refuses.
func refusal(_ status: Int, _ code: String, _ message: String = "no & no") -> WireResponse {
    let text = """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>\
        <Code>\(code)</Code><Message>\(message.replacing("&", with: "&amp;"))</Message></Error>\
        <RequestId>r-9</RequestId></ErrorResponse>
        """
    return WireResponse(status: .init(code: status), body: Array(text.utf8))
}

/// A resolver with the given environment and files.
func resolver(
    _ variables: [String: String] = [:],
    config: String? = nil,
    credentials: String? = nil,
    sender: any HTTPSending = RecordingSender { _, _ in roleAnswer() },
    clock: RecordingClock = RecordingClock(),
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
    // The files are read before they are removed; the resolver keeps what it read.
    _ = try? made.config()
    try FileManager.default.removeItem(atPath: home)
    return (made, home)
}

/// Runs `body` with a resolver and a home directory of its own.
///
/// - Parameters:
///   - config: The text of the config file; `HOME` in it and in `credentials` is replaced by the home directory.
///   - asks: Answers questions in place of the user.
func withMachine(
    _ variables: [String: String] = [:],
    config: String? = nil,
    credentials: String? = nil,
    sender: any HTTPSending = RecordingSender { _, _ in roleAnswer() },
    clock: any Clock<Duration> = RecordingClock(),
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

/// The clock of STS that the resolver uses.
func stsClock(_ resolver: IdentityResolver) throws -> ServiceClock {
    resolver.clocks.clock(of: try resolver.endpoint(.sts, region: "eu-west-1").url)
}

extension WireResponse {
    static func json(_ text: String, status: Int = 200) -> WireResponse {
        WireResponse(status: .init(code: status), body: Array(text.utf8))
    }

    static func text(_ text: String, status: Int = 200) -> WireResponse { .json(text, status: status) }
}

/// The keys that a container's endpoint and the instance's metadata service answer.
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
