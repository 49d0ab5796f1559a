import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("The service's clock")
struct ServiceClockTests {
    private let log = RecordingLog()

    private func clocks(_ now: @escaping @Sendable () -> Date = { noon }) -> ServiceClocks {
        ServiceClocks(now, logger: Logger(label: "test") { [log] _ in log })
    }

    private func clock(_ now: @escaping @Sendable () -> Date = { noon }) throws -> ServiceClock {
        clocks(now).clock(of: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"))
    }

    private var lines: [String] { log.lines.withLock { $0 } }

    private func refusal(at date: String) -> WireResponse { WireResponse(status: .forbidden, fields: [.date: date]) }

    @Test(
        "that differs from this machine's is logged once",
        arguments: [
            (
                "Thu, 15 Jan 2026 11:30:00 GMT",
                "warning this machine's clock is 30 minutes ahead of AWS's (sts.eu-west-1.amazonaws.com): correct it"
            ),
            (
                "Thu, 15 Jan 2026 12:05:20 GMT",
                "warning this machine's clock is 5 minutes behind AWS's (sts.eu-west-1.amazonaws.com): correct it"
            ),
            (
                "Fri, 16 Jan 2026 12:00:00 GMT",
                "warning this machine's clock is 1440 minutes behind AWS's (sts.eu-west-1.amazonaws.com): correct it"
            ),
        ]
    )
    func logged(_ theirs: String, _ line: String) throws {
        let clock = try clock()
        let copy = clock
        #expect(clock.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: noon))
        // A second request was in flight with the old time.
        #expect(copy.corrects("SignatureDoesNotMatch", refusal(at: theirs), signedAt: noon))
        #expect(lines == [line])
        #expect(abs(copy.now().timeIntervalSince(noon)) > 240, "copies share the time")
        #expect(!copy.corrects("InvalidSignatureException", refusal(at: theirs), signedAt: copy.now()))
    }

    @Test("is learned again after this machine's clock was corrected")
    func again() throws {
        let time = ManualTime(noon)
        let clock = try clock { time.now }
        let theirs = "Thu, 15 Jan 2026 12:00:00 GMT"
        time.advance(-3_600)
        #expect(clock.corrects("RequestExpired", refusal(at: theirs), signedAt: time.now))
        time.advance(3_600)
        #expect(clock.corrects("RequestInTheFuture", refusal(at: theirs), signedAt: clock.now()))
        #expect(clock.now() == noon)
        #expect(
            lines == [
                "warning this machine's clock is 60 minutes behind AWS's (sts.eu-west-1.amazonaws.com): correct it"
            ]
        )
    }

    @Test("is learned from the answer to an unsigned request too, if the difference is minutes")
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
                "warning this machine's clock is 60 minutes ahead of AWS's (sts.eu-west-1.amazonaws.com): correct it"
            ]
        )
    }

    @Test(
        "is shared by AWS's hosts of one partition; other endpoints have their own",
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
    func sharing(_ other: String, _ isAWS: Bool) throws {
        let clocks = clocks()
        let sts = clocks.clock(of: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"))
        let other = try HTTPURL(other)
        #expect(sts.corrects("RequestExpired", refusal(at: "Thu, 15 Jan 2026 13:00:00 GMT"), signedAt: noon))
        #expect(clocks.clock(of: other).now() == (isAWS ? noon + 3_600 : noon))
        clocks.clock(of: other).learn(from: refusal(at: "Thu, 15 Jan 2026 11:00:00 GMT"))
        #expect(sts.now() == (isAWS ? noon - 3_600 : noon + 3_600))
        #expect(clocks.clock(of: other).now() == noon - 3_600, "the time is kept")
    }

    @Test("is separate for each origin that isn't AWS's, and either clock may be wrong")
    func others() throws {
        let clocks = clocks()
        let origins = [
            "http://127.0.0.1:4566", "http://127.0.0.1:4567", "https://127.0.0.1:4566", "http://cloud.test:80",
            // A customer's instance is not a host of AWS.
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
                    "warning this machine's clock is \(minutes) minutes behind that of \(origin); "
                        + "requests to it are signed with its time: correct the clock that is wrong"
                }
        )
    }

    @Test("is shared in a run: a time learned from STS is used for ECR")
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
        #expect(sender.requests.count == 3, "the second role's request has the right time")
        let theirs = try stsClock(resolver)
        #expect(AWSTime.basic(theirs.now()) == "20260115T100000Z")
    }
}
