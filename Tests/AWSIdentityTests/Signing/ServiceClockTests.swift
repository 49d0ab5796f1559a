import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import Testing
import Wire

@testable import AWSIdentity

@Suite("The service's clock")
struct ServiceClockTests {
    private let notebook = Notebook()

    private func clocks(_ now: @escaping @Sendable () -> Date = { noon }) -> ServiceClocks {
        ServiceClocks(now, logger: Logger(label: "test") { [notebook] _ in notebook })
    }

    private func clock(_ now: @escaping @Sendable () -> Date = { noon }) throws -> ServiceClock {
        clocks(now).clock(of: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"))
    }

    private var lines: [String] { notebook.lines.withLock { $0 } }

    private func refusal(at date: String) -> WireResponse { WireResponse(status: .forbidden, fields: [.date: date]) }

    @Test(
        "is said to be another than this machine's, once",
        arguments: [
            (
                "Thu, 15 Jan 2026 11:30:00 GMT",
                "warning this machine's clock is 30 minutes ahead of AWS's (sts.eu-west-1.amazonaws.com): set it right"
            ),
            (
                "Thu, 15 Jan 2026 12:05:20 GMT",
                "warning this machine's clock is 5 minutes behind AWS's (sts.eu-west-1.amazonaws.com): set it right"
            ),
            (
                "Fri, 16 Jan 2026 12:00:00 GMT",
                "warning this machine's clock is 1440 minutes behind AWS's (sts.eu-west-1.amazonaws.com): set it right"
            ),
        ]
    )
    func said(_ theirs: String, _ line: String) throws {
        let clock = try clock()
        let copy = clock
        #expect(clock.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: noon))
        // Another request that was on its way with the old time.
        #expect(copy.corrects("SignatureDoesNotMatch", refusal(at: theirs), signedAt: noon))
        #expect(lines == [line])
        #expect(abs(copy.now().timeIntervalSince(noon)) > 240, "copies share it")
        #expect(!copy.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: copy.now()))
    }

    @Test("is believed when it changes: a machine that was set right is signed for as it is")
    func again() throws {
        let watch = Wristwatch(noon)
        let clock = try clock { watch.now }
        let theirs = "Thu, 15 Jan 2026 12:00:00 GMT"
        watch.advance(-3_600)
        #expect(clock.corrects("RequestExpired", refusal(at: theirs), signedAt: watch.now))
        watch.advance(3_600)
        #expect(clock.corrects("RequestInTheFuture", refusal(at: theirs), signedAt: clock.now()))
        #expect(clock.now() == noon)
        #expect(
            lines == [
                "warning this machine's clock is 60 minutes behind AWS's (sts.eu-west-1.amazonaws.com): set it right"
            ]
        )
    }

    @Test("is learned from an unsigned answer too, if the two are minutes apart")
    func learned() throws {
        let clock = try clock()
        clock.learn(from: WireResponse(status: .ok, fields: [:]))
        clock.learn(from: WireResponse(status: .ok, fields: [.date: "Thu, 15 Jan 2026 12:03:59 GMT"]))
        #expect(clock.now() == noon && lines.isEmpty)
        clock.learn(from: WireResponse(status: .ok, fields: [.date: "Thu, 15 Jan 2026 11:00:00 GMT"]))
        #expect(clock.now() == noon - 3_600)
        clock.learn(from: WireResponse(status: .unauthorized, fields: [.date: "Thu, 15 Jan 2026 11:01:00 GMT"]))
        #expect(clock.now() == noon - 3_600)
        #expect(
            lines == [
                "warning this machine's clock is 60 minutes ahead of AWS's (sts.eu-west-1.amazonaws.com): set it right"
            ]
        )
    }

    @Test(
        "is one for the hosts of one partition of AWS, and each other endpoint's own",
        arguments: [
            ("https://api.ecr.us-east-1.amazonaws.com/", true), ("https://ecr.eu-west-1.api.aws/", true),
            ("https://ecr-fips.us-gov-west-1.amazonaws.com/", true), ("https://eu-west-1.dkr-ecr.on.aws/", true),
            ("https://vpce-1.api.ecr.eu-west-1.vpce.amazonaws.com/", true),
            ("https://api.ecr.cn-north-1.amazonaws.com.cn/", false),
            ("https://api.ecr.eusc-de-east-1.amazonaws.eu/", false),
            ("http://sts.eu-west-1.amazonaws.com/", false), ("https://amazonaws.com.example.com/", false),
            ("http://127.0.0.1:4566/", false),
        ]
    )
    func whose(_ other: String, _ isAWS: Bool) throws {
        let clocks = clocks()
        let sts = clocks.clock(of: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"))
        let other = try HTTPURL(other)
        #expect(sts.corrects("RequestExpired", refusal(at: "Thu, 15 Jan 2026 13:00:00 GMT"), signedAt: noon))
        #expect(clocks.clock(of: other).now() == (isAWS ? noon + 3_600 : noon))
        clocks.clock(of: other).learn(from: refusal(at: "Thu, 15 Jan 2026 11:00:00 GMT"))
        #expect(sts.now() == (isAWS ? noon - 3_600 : noon + 3_600))
        #expect(clocks.clock(of: other).now() == noon - 3_600, "it is remembered")
    }

    @Test("is one for each port, scheme and host that isn't AWS's, and none of them is said to be right")
    func others() throws {
        let clocks = clocks()
        let origins = [
            "http://127.0.0.1:4566", "http://127.0.0.1:4567", "https://127.0.0.1:4566", "http://cloud.test:80",
            // Somebody's machine at AWS isn't AWS's.
            "https://ec2-192-0-2-1.eu-west-1.compute.amazonaws.com:443",
        ]
        for (hours, origin) in origins.enumerated() {
            let theirs = "Thu, 15 Jan 2026 \(13 + hours):00:00 GMT"
            let clock = clocks.clock(of: try HTTPURL(origin + "/path"))
            #expect(clock.now() == noon)
            #expect(clock.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: noon))
        }
        #expect(
            lines
                == zip([60, 120, 180, 240, 300], origins).map { minutes, origin in
                    "warning this machine's clock is \(minutes) minutes behind that of \(origin), "
                        + "whose time requests there are signed with: correct the clock that is wrong"
                }
        )
    }

    @Test("is one for all of AWS that a run signs for: what STS said of the time ECR needn't say again")
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
        let theirs = try stsClock(resolver)
        #expect(AWSTime.basic(theirs.now()) == "20260115T100000Z")
    }
}
