import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import Testing
import Wire

@testable import AWSIdentity

/// Keeps what a logger is told.
private struct Notebook: LogHandler {
    let lines = Lock<[String]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.level) \(event.message)") } }
}

@Suite("The service's clock")
struct ServiceClockTests {
    private let notebook = Notebook()

    private func clock(_ now: @escaping @Sendable () -> Date = { noon }) -> ServiceClock {
        ServiceClock(now, logger: Logger(label: "test") { [notebook] _ in notebook })
    }

    private var lines: [String] { notebook.lines.withLock { $0 } }

    private func refusal(at date: String) -> WireResponse { WireResponse(status: .forbidden, fields: [.date: date]) }

    @Test(
        "is said to be another than this machine's, once",
        arguments: [
            (
                "Thu, 15 Jan 2026 11:30:00 GMT",
                "warning this machine's clock is 30 minutes ahead of AWS's: set it right"
            ),
            ("Thu, 15 Jan 2026 12:05:20 GMT", "warning this machine's clock is 5 minutes behind AWS's: set it right"),
            (
                "Fri, 16 Jan 2026 12:00:00 GMT",
                "warning this machine's clock is 1440 minutes behind AWS's: set it right"
            ),
        ]
    )
    func said(_ theirs: String, _ line: String) {
        let clock = clock()
        let copy = clock
        #expect(clock.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: noon))
        // Another request that was on its way with the old time.
        #expect(copy.corrects("SignatureDoesNotMatch", refusal(at: theirs), signedAt: noon))
        #expect(lines == [line])
        #expect(abs(copy.now().timeIntervalSince(noon)) > 240, "copies share it")
        #expect(!copy.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: copy.now()))
    }

    @Test("is believed when it changes: a machine that was set right is signed for as it is")
    func again() {
        let watch = Wristwatch(noon)
        let clock = clock { watch.now }
        let theirs = "Thu, 15 Jan 2026 12:00:00 GMT"
        watch.advance(-3_600)
        #expect(clock.corrects("RequestExpired", refusal(at: theirs), signedAt: watch.now))
        watch.advance(3_600)
        #expect(clock.corrects("RequestInTheFuture", refusal(at: theirs), signedAt: clock.now()))
        #expect(clock.now() == noon)
        #expect(lines == ["warning this machine's clock is 60 minutes behind AWS's: set it right"])
    }

    @Test("is learned from an unsigned answer too, if the two are minutes apart")
    func learned() {
        let clock = clock()
        clock.learn(from: WireResponse(status: .ok, fields: [:]))
        clock.learn(from: WireResponse(status: .ok, fields: [.date: "Thu, 15 Jan 2026 12:03:59 GMT"]))
        #expect(clock.now() == noon && lines.isEmpty)
        clock.learn(from: WireResponse(status: .ok, fields: [.date: "Thu, 15 Jan 2026 11:00:00 GMT"]))
        #expect(clock.now() == noon - 3_600)
        clock.learn(from: WireResponse(status: .unauthorized, fields: [.date: "Thu, 15 Jan 2026 11:01:00 GMT"]))
        #expect(clock.now() == noon - 3_600)
        #expect(lines == ["warning this machine's clock is 60 minutes ahead of AWS's: set it right"])
    }

    @Test("is one for all that a run signs: what STS said of the time ECR needn't say again")
    func shared() async throws {
        let sender = RecordingSender { request, _ in
            guard request.fields[.amzDate] != "20260115T100000Z" else { return roleAnswer() }
            return WireResponse(
                status: .forbidden,
                fields: [.date: "Thu, 15 Jan 2026 10:00:00 GMT"],
                body: AWSIdentityTests.refusal(403, "SignatureDoesNotMatch").body
            )
        }
        let (resolver, _) = try resolver(
            ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"],
            sender: sender
        )
        for role in ["one", "two"] {
            let options = IdentityOptions(roleARN: "arn:aws:iam::123456789012:role/\(role)")
            _ = try await resolver.provider(for: options, stsRegion: "eu-west-1").credentials()
        }
        #expect(sender.requests.count == 3, "the second role's request was right at once")
        #expect(AWSTime.basic(resolver.clock.now()) == "20260115T100000Z")
    }
}
