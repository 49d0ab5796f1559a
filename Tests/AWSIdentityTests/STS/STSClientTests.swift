import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("STS")
struct STSClientTests {
    static let role = "arn:aws:iam::123456789012:role/replicator"
    static let keys = ["AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "env-secret"]

    private func client(_ sender: RecordingSender, _ clock: RecordingClock = RecordingClock()) throws -> STSClient {
        STSClient(
            endpoint: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"),
            region: "eu-west-1",
            credentials: StaticCredentials(AWSCredentials(accessKeyID: "A", secretAccessKey: "s", source: "test")),
            sender: sender,
            retry: RetryPolicy(attempts: 5, clock: clock, jitter: { 1 }),
            now: { noon }
        )
    }

    @Test("names the caller")
    func callerIdentity() async throws {
        let sender = RecordingSender { _, _ in
            let text = """
                <?xml version="1.0"?><!-- a comment --><GetCallerIdentityResponse><GetCallerIdentityResult>
                <Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
                <Extra/></GetCallerIdentityResult></GetCallerIdentityResponse>
                """
            return WireResponse(status: .ok, body: Array(text.utf8))
        }
        let identity = try await client(sender).getCallerIdentity()
        #expect(identity.account == "123456789012")
        #expect(identity.arn == "arn:aws:iam::123456789012:user/ann")
        #expect(identity.userID == "AIDA")
        #expect(sender.requests.map(\.body) == [Array("Action=GetCallerIdentity&Version=2011-06-15".utf8)])
    }

    @Test("gets another request while it throttles or fails")
    func retried() async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { _, number in
            switch number {
            case 1: refusal(400, "Throttling")
            case 2: WireResponse(status: .badGateway, body: Array("<html>proxy".utf8))
            case 3: WireResponse(status: .ok, body: Array(roleAnswer().body.prefix(300)))
            case 4:
                WireResponse(
                    status: .forbidden,
                    fields: [.contentType: "text/xml"],
                    body: Array(refusal(403, "AccessDenied").body.dropLast(20))
                )
            default: roleAnswer()
            }
        }
        let credentials = try await client(sender, clock)
            .assumeRole(.init(roleARN: Self.role, sessionName: "sess"))
        #expect(credentials.accessKeyID == "ASIAROLE")
        #expect(clock.waits == [200, 400, 800, 1_600].map { .milliseconds($0) })
    }

    @Test("gets another request with its own time if this machine's clock is wrong")
    func skewed() async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { request, _ in
            guard request.fields[.amzDate] != "20260115T100000Z" else { return roleAnswer() }
            var refusal = refusal(403, "SignatureDoesNotMatch", "Signature not yet current")
            refusal.fields[.date] = "Thu, 15 Jan 2026 10:00:00 GMT"
            return refusal
        }
        let client = try client(sender, clock)
        _ = try await client.assumeRole(.init(roleARN: Self.role, sessionName: "sess"))
        _ = try await client.assumeRole(.init(roleARN: Self.role, sessionName: "sess"))
        #expect(sender.requests.count == 3, "the second call uses the learned time")
        #expect(clock.waits.isEmpty)
    }

    @Test(
        "gets no other request after a refusal, and the error names role, keys and request",
        arguments: ["AccessDenied", "AccessDeniedException"]
    )
    func refused(code: String) async throws {
        let sender = RecordingSender { _, _ in refusal(403, code, "not & you") }
        let (resolver, _) = try resolver(Self.keys, sender: sender)
        let provider = try resolver.provider(for: .init(roleARN: Self.role), stsRegion: "eu-west-1")
        let error = await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(sender.requests.count == 1)
        #expect(error?.problem == "the role \(Self.role) could not be assumed: \(code): not & you")
        #expect(error?.requestID == "r-9")
        #expect(error?.tried == ["the role flag, with …MENT from environment"])
        #expect(error?.remedy.contains("trust policy") == true)
    }

    @Test("gets an error with the remedy if it can't be reached")
    func unreachable() async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { request, _ in throw WireError(.unreachable, "refused", url: request.url) }
        let (resolver, _) = try resolver(Self.keys, sender: sender, clock: clock)
        let provider = try resolver.provider(for: .init(roleARN: Self.role), stsRegion: "eu-west-1")
        let error = await #expect(throws: IdentityError.self) { try await provider.credentials() }
        #expect(sender.requests.count == 3)
        #expect(error?.problem.contains("https://sts.eu-west-1.amazonaws.com/: refused") == true)
        #expect(error?.remedy.contains("AWS_ENDPOINT_URL_STS") == true)
    }

    @Test("has answers whose keys are never quoted, even if they are incomplete")
    func unquoted() async throws {
        let body = Array("<R><SecretAccessKey>hidden</SecretAccessKey>".utf8)
        let sender = RecordingSender { _, _ in WireResponse(status: .ok, body: body) }
        let error = await #expect(throws: STSError.self) { try await client(sender).getCallerIdentity() }
        #expect(error?.code == "UnreadableAnswer")
        #expect("\(try #require(error))".contains("hidden") == false)
    }

    @Test(
        "has answers in XML; other texts are rejected",
        arguments: ["", "text", "<a>", "<a><b></a></b>", "<a", "{}", "<a></b>"]
    )
    func notXML(_ text: String) {
        #expect(STSAnswer(Array(text.utf8)) == nil)
    }

    @Test("has entities in its texts; unknown ones stay unchanged")
    func entities() {
        let answer = STSAnswer(Array("<r><m> &lt;&gt;&quot;&apos;&amp;amp;&#233;&#x1F433;&odd; &</m><m/></r>".utf8))
        #expect(answer?["m"] == "<>\"'&amp;é🐳&odd; &")
    }

    @Test("gets one request with new keys after it refuses expired ones")
    func expired() async throws {
        let counter = Counter()
        let provider = RefreshingCredentials(logger: quiet, now: { noon }) {
            AWSCredentials(
                accessKeyID: "ASIA\(counter.increment())",
                secretAccessKey: "s",
                expiration: noon + 3_600,
                source: "test"
            )
        }
        let sender = RecordingSender { _, number in number < 2 ? refusal(403, "ExpiredToken") : roleAnswer() }
        func client(_ sender: RecordingSender, _ credentials: any CredentialsProviding) throws -> STSClient {
            STSClient(
                endpoint: try HTTPURL("https://sts.eu-west-1.amazonaws.com/"),
                region: "eu-west-1",
                credentials: credentials,
                sender: sender,
                retry: RetryPolicy(attempts: 3, clock: RecordingClock(), jitter: { 1 }),
                clocks: ServiceClocks({ noon })
            )
        }
        _ = try await client(sender, provider).assumeRole(.init(roleARN: RoleTests.role, sessionName: "sess"))
        #expect(sender.requests.map { $0.fields[.authorization]?.contains("ASIA2") } == [false, true])

        let never = RecordingSender { _, _ in refusal(403, "ExpiredToken") }
        await #expect(throws: STSError.self) { try await client(never, provider).getCallerIdentity() }
        #expect(never.requests.count == 2)
        let fixed = StaticCredentials(AWSCredentials(accessKeyID: "A", secretAccessKey: "s", source: "test"))
        let once = RecordingSender { _, _ in refusal(403, "ExpiredToken") }
        await #expect(throws: STSError.self) { try await client(once, fixed).getCallerIdentity() }
        #expect(once.requests.count == 1, "static keys can't be fetched again")
    }
}
