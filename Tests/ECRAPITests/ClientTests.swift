import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

@Suite("The client")
struct ClientTests {
    private let describe = DescribeRepositories(registryId: account)
    private let start = InitiateLayerUpload(registryId: account, repositoryName: repository)

    @Test("retries temporary failures as one call, signed each time")
    func retries() async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { request, number in
            switch number {
            case 1: return fault(400, "ThrottlingException", "Rate exceeded")
            case 2: throw WireError(.disconnected, "cut", url: request.url)
            case 3: return answer(502, "<html>", [.retryAfter: "7"])
            default: return answer(#"{"repositories":[]}"#)
            }
        }
        _ = try await client(sender, clock: clock).send(describe)
        #expect(clock.waits == [.milliseconds(200), .milliseconds(400), .seconds(7) + .milliseconds(200)])
        #expect(sender.requests.map { $0.fields[.sdkRequest] } == (1...4).map { "attempt=\($0); max=4" })
        #expect(Set(sender.requests.map { $0.fields[.sdkInvocationID] }).count == 1)
        #expect(Set(sender.requests.map(\.body)).count == 1)
        #expect(sender.requests.allSatisfy { $0.fields[.authorization] != nil })
    }

    @Test("gives each call another id")
    func invocations() async throws {
        let sender = RecordingSender { _, _ in answer(#"{"repositories":[]}"#) }
        let client = try client(sender)
        _ = try await client.send(describe)
        _ = try await client.send(describe)
        #expect(Set(sender.requests.map { $0.fields[.sdkInvocationID] }).count == 2)
    }

    @Test("honours the wait in milliseconds too")
    func millisecondWait() async throws {
        let clock = RecordingClock()
        let name = try #require(HTTPField.Name("x-amz-retry-after"))
        let sender = RecordingSender { _, number in
            number == 1 ? answer(429, "", [name: "1500"]) : answer(#"{"repositories":[]}"#)
        }
        _ = try await client(sender, clock: clock).send(describe)
        #expect(clock.waits == [.milliseconds(1_700)])
    }

    @Test("stops after its last attempt, with the last error")
    func exhausted() async throws {
        let sender = RecordingSender { _, number in fault(500, "ServerException", "number \(number)") }
        let error = await #expect(throws: ECRError.self) { try await client(sender, attempts: 3).send(describe) }
        #expect(sender.requests.count == 3)
        #expect(error?.message == "number 3")
    }

    @Test("doesn't retry permanent errors", arguments: ["LimitExceededException", "KmsException", "X"])
    func final(_ code: String) async throws {
        let sender = RecordingSender { _, _ in fault(400, code) }
        await #expect(throws: ECRError.self) { try await client(sender).send(describe) }
        #expect(sender.requests.count == 1)
    }

    @Test(
        "retries an incomplete success, and never quotes it",
        arguments: [
            ("", "it is not JSON, or it was cut"), (#"{"uploadId":"hidden","partSi"#, "it is not JSON, or it was cut"),
            (#"{"uploadId":"hidden"}"#, "partSize is missing"), ("<html>hidden", "it is not JSON, or it was cut"),
            (#"{"uploadId":["hidden"],"partSize":1}"#, "uploadId has the wrong type"),
            (#"{"uploadId":null,"partSize":1}"#, "uploadId has the wrong type"),
        ]
    )
    func incomplete(_ body: String, _ reason: String) async throws {
        let sender = RecordingSender { _, number in
            number < 3 ? answer(body) : answer(#"{"uploadId":"u","partSize":5}"#)
        }
        #expect(try await client(sender).send(start).uploadId == "u")
        #expect(sender.requests.count == 3)

        let broken = RecordingSender { _, _ in answer(body) }
        let error = await #expect(throws: ECRError.self) { try await client(broken).send(start) }
        #expect(error?.code == .unreadableAnswer)
        #expect(error?.message == "the answer was not complete: \(reason)")
    }

    @Test("refuses a malformed name", arguments: ["../../x", "team/app\\u202e", "A", "team//app", "/etc/passwd"])
    func malformedName(_ name: String) async throws {
        let sender = RecordingSender { _, _ in answer(#"{"repositories":[{"repositoryName":"\#(name)"}]}"#) }
        let error = await #expect(throws: ECRError.self) { try await client(sender).send(describe) }
        #expect(error?.code == .unreadableAnswer)
        let shown = name.replacing("\\u202e", with: "?")
        #expect(
            error?.message.contains("repositoryName: '\(shown)' is not a repository name") == true,
            "\(error as Any)"
        )
    }

    @Test("retries an answer without its list, which is incomplete and not empty")
    func listMissing() async throws {
        let sender = RecordingSender { _, number in
            answer(number == 1 ? #"{"rXpositories":[]}"# : #"{"repositories":[]}"#)
        }
        #expect(try await client(sender).send(describe).repositories.isEmpty)
        #expect(sender.requests.count == 2)
    }

    @Test("retries an incomplete refusal")
    func cutRefusal() async throws {
        let sender = RecordingSender { _, number in
            number == 1
                ? answer(400, #"{"__type":"RepositoryNotFou"#, [.contentType: "application/x-amz-json-1.1"])
                : answer(#"{"repositories":[]}"#)
        }
        _ = try await client(sender).send(describe)
        #expect(sender.requests.count == 2)
    }

    @Test("fetches other credentials once after they expired")
    func expired() async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { request, _ in
            let isFresh = request.fields[.authorization]?.contains("ASIA2") == true
            return isFresh ? answer(#"{"repositories":[]}"#) : fault(400, "ExpiredTokenException")
        }
        _ = try await client(sender, clock: clock, credentials: RotatingCredentials(last: 9)).send(describe)
        #expect(sender.requests.count == 2)
        #expect(clock.waits.isEmpty)

        let refusing = RecordingSender { _, _ in fault(400, "ExpiredTokenException") }
        let rotating = try client(refusing, credentials: RotatingCredentials(last: 9))
        let error = await #expect(throws: ECRError.self) { try await rotating.send(describe) }
        #expect(error?.code == .expiredToken)
        #expect(refusing.requests.count == 2)

        let fixed = RecordingSender { _, _ in fault(400, "ExpiredTokenException") }
        await #expect(throws: ECRError.self) { try await client(fixed).send(describe) }
        #expect(fixed.requests.count == 1, "static keys can't be refreshed")
    }

    @Test(
        "signs by the service's clock if this machine's is wrong, also the next call",
        arguments: [
            ("Thu, 15 Jan 2026 11:50:00 GMT", "20260115T115000Z"),
            ("Thu, 15 Jan 2026 12:04:01 GMT", "20260115T120401Z"),
            ("Fri, 16 Jan 2026 12:00:00 GMT", "20260116T120000Z"),
        ]
    )
    func skew(theirs: String, stamp: String) async throws {
        let clock = RecordingClock()
        let sender = RecordingSender { request, _ in
            request.fields[.amzDate] == stamp
                ? answer(#"{"repositories":[]}"#)
                : answer(400, #"{"__type":"InvalidSignatureException"}"#, [.date: theirs])
        }
        let client = try client(sender, clock: clock)
        _ = try await client.send(describe)
        #expect(sender.requests.count == 2)
        _ = try await client.send(describe)
        #expect(sender.requests.count == 3, "the second call uses the learned time")
        #expect(clock.waits.isEmpty)
    }

    @Test("reports a wrong signature if the clocks agree, and corrects the time once otherwise")
    func noSkew() async throws {
        for (time, count) in [("12:00:00", 1), ("12:04:00", 1), ("11:56:00", 1), ("11:50:00", 2)] {
            let theirs = "Thu, 15 Jan 2026 \(time) GMT"
            let sender = RecordingSender { _, _ in
                answer(400, #"{"__type":"InvalidSignatureException"}"#, [.date: theirs])
            }
            let error = await #expect(throws: ECRError.self) { try await client(sender).send(describe) }
            #expect(error?.code == .invalidSignature)
            #expect(sender.requests.count == count, "\(time)")
        }
        let denied = RecordingSender { _, _ in
            answer(400, #"{"__type":"AccessDeniedException"}"#, [.date: "Thu, 01 Jan 1970 00:00:00 GMT"])
        }
        await #expect(throws: ECRError.self) { try await client(denied).send(describe) }
        #expect(denied.requests.count == 1)
        let silent = RecordingSender { _, _ in fault(400, "InvalidSignatureException") }
        await #expect(throws: ECRError.self) { try await client(silent).send(describe) }
        #expect(silent.requests.count == 1)
    }

    private static let (fips, otherFIPS) = ("api.ecr-fips.us-east-1.amazonaws.com", "ecr-fips.us-east-1.amazonaws.com")

    private func fipsClient(_ sender: RecordingSender, alternative: String? = otherFIPS) throws -> ECRClient {
        ECRClient(
            endpoint: try HTTPURL("https://\(Self.fips)/"),
            alternative: try alternative.map { try HTTPURL("https://\($0)/") },
            region: "us-east-1",
            credentials: StaticCredentials(AWSCredentials(accessKeyID: "A", secretAccessKey: "s", source: "test")),
            sender: sender,
            retry: RetryPolicy(attempts: 1),
            logger: quiet
        )
    }

    private static func refused(_ status: Int, _ url: HTTPURL? = nil) -> WireError {
        var error = WireError(.proxyRefused, "the proxy p:1 answered \(status)", url: url, curlCode: 56)
        error.proxyStatus = status
        return error
    }

    @Test(
        "uses the other name of a FIPS host if the first is unknown to DNS or to a proxy, also the next call",
        arguments: [
            WireError(.unresolvable, "unknown host", curlCode: 6), refused(502), refused(503), refused(504),
            WireError(.unreachable, "can't complete SOCKS5 connection (4)", curlCode: 97),
        ]
    )
    func otherName(_ error: WireError) async throws {
        let sender = RecordingSender { request, _ in
            guard request.url.host == Self.otherFIPS else { throw error }
            return answer(#"{"repositories":[]}"#)
        }
        let named = try fipsClient(sender)
        _ = try await named.send(describe)
        _ = try await named.send(describe)
        #expect(sender.requests.map(\.url.host) == [Self.fips, Self.otherFIPS, Self.otherFIPS])
        // The host is signed, so each name has its own signature.
        #expect(Set(sender.requests.map { $0.fields[.authorization] }).count >= 2)
        await #expect(throws: error) { try await fipsClient(sender, alternative: nil).send(describe) }
    }

    @Test("reports the errors of both names, that of a known one first")
    func neitherName() async throws {
        let unknown = RecordingSender { request, _ in
            throw WireError(.unresolvable, "Could not resolve host: \(request.url.host)", url: request.url, curlCode: 6)
        }
        let neither = await #expect(throws: WireError.self) { try await fipsClient(unknown).send(describe) }
        #expect(
            neither?.description == "https://\(Self.fips)/: Could not resolve host: \(Self.fips); its other name "
                + "\(Self.otherFIPS): Could not resolve host: \(Self.otherFIPS) (curl 6)"
        )
        let untrusted = RecordingSender { request, _ in
            guard request.url.host == Self.otherFIPS else { throw Self.refused(503, request.url) }
            throw WireError(.certificate, "no issuer", url: request.url, curlCode: 60)
        }
        let second = await #expect(throws: WireError.self) { try await fipsClient(untrusted).send(describe) }
        #expect(
            second?.description == "https://\(Self.otherFIPS)/: no issuer; its other name \(Self.fips): "
                + "the proxy p:1 answered 503 (curl 60)"
        )
        #expect(second?.reason == .certificate)
    }

    @Test(
        "doesn't use a FIPS host's other name if the first is known",
        arguments: [refused(403), refused(407), WireError(.unreachable, "refused", curlCode: 7)]
    )
    func knownName(_ error: WireError) async throws {
        let sender = RecordingSender { _, _ in throw error }
        await #expect(throws: error) { try await fipsClient(sender).send(describe) }
        #expect(sender.requests.map(\.url.host) == [Self.fips])
    }

    @Test("logs operation, status and request id of a success only")
    func logs() async throws {
        let lines = Lock<[String]>([])
        var logger = Logger(label: "test") { _ in LineLog(lines) }
        logger.logLevel = .debug
        let sender = RecordingSender { _, _ in
            answer(#"{"authorizationData":[{"authorizationToken":"hidden"}]}"#, [.amzRequestID: "id-7"])
        }
        let client = ECRClient(
            endpoint: try HTTPURL("http://127.0.0.1:4510/"),
            region: "eu-west-1",
            credentials: StaticCredentials(AWSCredentials(accessKeyID: "AKIA", secretAccessKey: "hidden", source: "t")),
            sender: sender,
            logger: logger
        )
        _ = try await client.send(GetAuthorizationToken())
        let line = try #require(lines.withLock { $0 }.first)
        for part in ["GetAuthorizationToken answered", "id-7", "200", "eu-west-1"] { #expect(line.contains(part)) }
        #expect(!line.contains("hidden") && !line.contains("AKIA"))
    }

    @Test("reads all pages")
    func pages() async throws {
        let sender = RecordingSender { request, number in
            let name = #""repositories":[{"repositoryName":"r\#(number)"}]"#
            return answer(number < 3 ? #"{\#(name),"nextToken":"t\#(number)"}"# : "{\(name)}")
        }
        var names: [String] = []
        for try await page in try client(sender).pages(describe) {
            names += page.repositories.map(\.repositoryName.value)
        }
        #expect(names == ["r1", "r2", "r3"])
        #expect(
            sender.requests.map { String(decoding: $0.body, as: UTF8.self) } == [
                #"{"maxResults":1000,"registryId":"001122223333"}"#,
                #"{"maxResults":1000,"nextToken":"t1","registryId":"001122223333"}"#,
                #"{"maxResults":1000,"nextToken":"t2","registryId":"001122223333"}"#,
            ]
        )
    }

    @Test("reads pages only when they are needed, and stops at an empty token")
    func lazyPages() async throws {
        let sender = RecordingSender { _, number in answer(#"{"imageIds":[],"nextToken":"\#(number == 1 ? "t" : "")"}"#)
        }
        let list = ListImages(registryId: account, repositoryName: repository)
        for try await _ in try client(sender).pages(list) { break }
        #expect(sender.requests.count == 1)
        var count = 0
        let other = RecordingSender { _, number in
            answer(#"{"imageIds":[],"nextToken":"\#(number == 1 ? "t" : "")"}"#)
        }
        for try await _ in try client(other).pages(list) { count += 1 }
        #expect(count == 2)
    }

    @Test("stops at a repeated token")
    func cycle() async throws {
        let sender = RecordingSender { _, number in
            answer(#"{"referrers":[],"nextToken":"\#(number % 2)"}"#)
        }
        let operation = ListImageReferrers(registryId: account, repositoryName: repository, subject: digest)
        let error = await #expect(throws: ECRError.self) {
            for try await _ in try client(sender).pages(operation) {}
        }
        #expect(error?.code == .repeatedPage)
        #expect(sender.requests.count == 3)
    }
}

/// A log handler that records lines with their metadata.
private struct LineLog: LogHandler {
    private let lines: Lock<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .debug

    init(_ lines: Lock<[String]>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
}
