import Content
import Distribution
import FoundationEssentials
import HTTPTypes
import Platform
import Testing
import Wire

@Suite("A token server's answer")
struct TokenAnswerTests {
    private static let date = "Thu, 15 Jan 2026 12:00:00 GMT"

    /// An answer, and the second at which the token is renewed, which is nine tenths of its life.
    private static let answers: [(body: String, renewal: Int)] = [
        (#"{"token":"abc","expires_in":300}"#, 270),
        (#"{"access_token":"abc","expires_in":300}"#, 270),
        (#"{"token":null,"access_token":"abc","expires_in":300}"#, 270),
        (#"{"token":"","access_token":"abc","expires_in":300}"#, 270),
        (#"{"token":" \n","access_token":"abc","expires_in":300}"#, 270),
        (#"{"token":17,"access_token":"abc","expires_in":300}"#, 270),
        (#"{"token":"abc","access_token":"","expires_in":300}"#, 270),
        (#"{"token":"abc","access_token":{"x":1},"expires_in":300}"#, 270),
        (#"{"token":"abc","access_token":"other","expires_in":300}"#, 270),
        (#"{"token":"\t abc\r\n","expires_in":300}"#, 270),
        (#"{"token":"abc","expires_in":"300"}"#, 270),
        (#"{"token":"abc","expires_in":" 300 "}"#, 270),
        (#"{"token":"abc","expires_in":300.5}"#, 271),
        (#"{"token":"abc","expires_in":"soon"}"#, 54),
        (#"{"token":"abc","expires_in":null}"#, 54),
        (#"{"token":"abc","expires_in":[300]}"#, 54),
        (#"{"token":"abc","expires_in":-1}"#, 54),
        (#"{"token":"abc","expires_in":"NaN"}"#, 54),
        (#"{"token":"abc","expires_in":"inf"}"#, 54),
        (#"{"token":"abc","expires_in":300,"issued_at":1768478300}"#, 180),
        (#"{"token":"abc","expires_in":300,"issued_at":"1768478300"}"#, 180),
        (#"{"token":"abc","expires_in":300,"issued_at":1768478300.25}"#, 180),
        (#"{"token":"abc","expires_in":300,"issued_at":1768478300000}"#, 270),
        (#"{"token":"abc","expires_in":300,"issued_at":-1e300}"#, 270),
        (#"{"token":"abc","expires_in":300,"issued_at":true}"#, 270),
        (#"{"token":"abc","expires_in":300,"issued_at":{}}"#, 270),
        // Issued years ago, by which the token would have expired.
        (#"{"token":"abc","expires_in":300,"issued_at":1700000000}"#, 54),
        (#"{"token":"abc","expires_in":30,"issued_at":1700000000}"#, 27),
        ("\u{FEFF}{\"token\":\"abc\",\"expires_in\":300}\r\n", 270),
        (#"{"errors":null,"scope":["a"],"refresh_token":null,"token":"abc","expires_in":300}"#, 270),
    ]

    @Test("is read for the token, with any other members, in any types", arguments: answers.indices)
    func shapes(_ index: Int) async throws {
        let (body, renewal) = Self.answers[index]
        let clock = Lock(0.0)
        let fixture = try GuardedFixture(now: { clock.withLock { Date(timeIntervalSince1970: $0) } })
        let answer = try response(200, ["Date": Self.date], body)
        fixture.registry.change {
            $0.tokenAnswers = [answer]
            $0.foreign = ["abc"]
        }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.shown == [nil, "Bearer abc"])
        var renewedAt: Int?
        for second in 0...300 where renewedAt == nil {
            clock.withLock { $0 = Double(second) }
            _ = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
            if fixture.registry.tokenQuestions.count > 1 { renewedAt = second }
        }
        #expect(renewedAt == renewal, "\(body)")
    }

    @Test("may be any success", arguments: [200, 201, 203])
    func success(status: Int) async throws {
        let fixture = try GuardedFixture()
        let answer = try response(status, [:], #"{"token":"abc"}"#)
        fixture.registry.change {
            $0.tokenAnswers = [answer]
            $0.foreign = ["abc"]
        }
        #expect(try await fixture.readManifest() != nil)
    }

    @Test(
        "without a token is an error without a retry, which never quotes the answer",
        arguments: [
            ("", "is empty"), (" \r\n", "is empty"), ("<html>hunter22</html>", "is not a JSON object"),
            ("[\"hunter22\"]", "is not a JSON object"), ("\"hunter22\"", "is not a JSON object"),
            ("{\"token\":\"hunter22", "is not a JSON object"), ("null", "is not a JSON object"),
            ("{}", "neither a token nor an access_token"),
            (#"{"details":"hunter22"}"#, "neither a token nor an access_token"),
            (#"{"token":null,"access_token":null}"#, "neither a token nor an access_token"),
            (#"{"token":{"value":"hunter22"}}"#, "neither a token nor an access_token"),
            (#"{"token":17}"#, "neither a token nor an access_token"),
            (#"{"token":"hunter 22"}"#, "characters that a header can't contain"),
        ]
    )
    func noToken(body: String, problem: String) async throws {
        for type in ["application/json", "text/html; charset=utf-8"] {
            let fixture = try GuardedFixture()
            let answer = try response(200, ["Content-Type": type], body)
            fixture.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 50) }
            let error = try await registryError { try await fixture.readManifest() }
            #expect(error.operation == .authorize && error.kind == .malformedAnswer && error.status == 200)
            #expect(error.message.contains(problem) && !error.message.contains("hunter"), "\(error.message)")
            #expect(fixture.registry.tokenQuestions.count == 1 && fixture.clock.waits.isEmpty)
        }
    }

    @Test("without a token is an error with the login that was sent")
    func noTokenForLogin() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(.password(user: "me", password: "hunter22")))
        let answer = try response(200, ["Content-Type": "application/json"], "{}")
        fixture.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 50) }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.message.hasSuffix("access_token; logged in by /c") && error.login == .docker)
    }
}
