import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("A token server")
struct TokenServerTests {
    private static let password = RegistryCredentials.password(user: "me", password: "hunter22")
    private static let basic = "Basic bWU6aHVudGVyMjI="

    @Test("gets the other scopes that the registry demands, such as ECR Public's aws")
    func demandsMore() async throws {
        let fixture = try GuardedFixture()
        fixture.registry.change { $0.demand = { _ in "aws" } }
        _ = try await fixture.readManifest()
        let other = try RepositoryName(parsing: "team/other")
        _ = try await fixture.client.manifest(.digest(imageDigest), of: other)
        #expect(
            fixture.registry.tokenQuestions
                == ["app", "other"].map {
                    "GET v=1&service=r.example%3A443&scope=repository%3Ateam%2F\($0)%3Apull&scope=aws"
                }
        )
    }

    @Test("gets the registry's own name of a repository")
    func otherName() async throws {
        let fixture = try GuardedFixture()
        fixture.registry.change {
            $0.demand = { "repository:inner/\($0.repository?.value ?? ""):pull" }
            $0.grants = { scopes, _ in scopes.contains { $0.hasPrefix("repository:inner/") } }
        }
        for _ in 0..<2 { _ = try await fixture.readManifest() }
        // The first 401 has the name, so no token is requested with another.
        #expect(
            fixture.registry.tokenQuestions
                == ["GET v=1&service=r.example%3A443&scope=repository%3Ainner%2Fteam%2Fapp%3Apull"]
        )
    }

    @Test("gets one request for more scopes if a token grants too little")
    func insufficient() async throws {
        let fixture = try GuardedFixture()
        _ = try await fixture.readManifest()
        fixture.registry.change {
            $0.demand = { _ in "repository:team/app:pull,metadata" }
            $0.grants = { scopes, _ in scopes.contains { $0.contains("metadata") } }
        }
        for _ in 0..<2 { #expect(try await fixture.readManifest() != nil) }
        #expect(fixture.registry.tokenQuestions.count == 2)
        #expect(fixture.registry.tokenQuestions.last?.hasSuffix("%3Apull%2Cmetadata") == true)
        #expect(fixture.registry.shown == [nil, "Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"])
    }

    @Test("gets no second request for scopes that it hasn't granted")
    func notGranted() async throws {
        let fixture = try GuardedFixture()
        fixture.registry.change {
            $0.demand = { "repository:team/app:\($0.isWriting ? "pull,push" : "pull")" }
            $0.grants = { _, access in !access.isWriting }
        }
        _ = try await fixture.readManifest()
        let error = try await registryError { try await fixture.client.startUpload(in: fixture.repository) }
        #expect(error.kind == .unauthorized)
        #expect(fixture.registry.tokenQuestions.count == 2, "one to read, one to write")
        #expect(fixture.registry.shown == [nil, "Bearer t1", "Bearer t2"])
    }

    @Test("gets a request for more scopes after 403, as in RFC 6750")
    func forbidden() async throws {
        let challenge =
            #"Bearer realm="https://auth.example/token",error="insufficient_scope",scope="repository:team/app:pull,x""#
        let fixture = try Fixture(
            .answer(403, ["WWW-Authenticate": challenge]),
            .answer(200, [:], imageText),
            authorization: RotatingAuthorization()
        )
        #expect(try await fixture.client.manifest(.digest(imageDigest), of: fixture.repository) != nil)
        #expect(fixture.registry.requests.count == 2)
    }

    @Test("is retried after a temporary failure, but not by the registry's client")
    func temporaryFailure() async throws {
        let fixture = try GuardedFixture()
        let failures = try [response(503), response(408), response(429, ["Retry-After": "2"])]
        fixture.registry.change { $0.tokenAnswers = Array(failures.prefix(2)) }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.clock.waits == [.milliseconds(200), .milliseconds(400)])

        let never = try GuardedFixture()
        never.registry.change { $0.tokenAnswers = Array(repeating: failures[2], count: 50) }
        let error = try await registryError { try await never.readManifest() }
        #expect(error.operation == .authorize && error.kind == .tooManyRequests)
        #expect(never.registry.tokenQuestions.count == 3, "the policy's attempts, not their square")
    }

    @Test("has answers that are errors if the token can't be sent", arguments: ["", "a b", "a\\r\\nX: y", "é", "long"])
    func oddToken(token: String) async throws {
        let fixture = try GuardedFixture()
        let text = token == "long" ? String(repeating: "a", count: 70_000) : token
        let answer = try response(200, [:], "{\"token\":\"\(text)\"}")
        fixture.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 9) }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.kind == .malformedAnswer && error.operation == .authorize)
        #expect(fixture.registry.shown == [nil] && fixture.registry.tokenQuestions.count == 1)
    }

    @Test("that refuses a password is quoted without it")
    func quoted() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        let said = errors("UNAUTHORIZED", "no: me hunter22 \(Self.basic) at https://x.example/y?z=1")
        let answer = try response(401, [:], said)
        fixture.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 9) }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.kind == .unauthorized && error.operation == .authorize)
        #expect(error.message == "no: me … Basic … at https://x.example/y?…; logged in by /c", "\(error.message)")
        #expect(error.url == "https://auth.example/token?…")
    }

    @Test("that redirects gets the password only at its own origin, and the refresh token too")
    func redirected() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        let away = try response(307, ["Location": "https://r.example/elsewhere"])
        let home = try response(301, ["Location": "/token/"])
        fixture.registry.change {
            $0.tokenAnswers = [home]
            $0.admits = [Self.basic]
        }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.tokenQuestions.last == "GET  [\(Self.basic)]")

        let outside = try GuardedFixture(logins: KnownLogins(Self.password))
        outside.registry.change { $0.tokenAnswers = [away] }
        _ = try? await outside.readManifest()
        #expect(outside.registry.requests.contains { $0.url.path == "/elsewhere" })
        #expect(!outside.registry.shown.contains(Self.basic))

        let exchange = try GuardedFixture(logins: KnownLogins(.identityToken("refresh-me")))
        exchange.registry.change { $0.tokenAnswers = [away] }
        await #expect { try await exchange.readManifest() } throws: { ($0 as? WireError)?.reason == .badRedirect }
        #expect(!exchange.registry.requests.contains { $0.url.path == "/elsewhere" })
    }

    @Test(
        "is trusted if the registry itself must have named it",
        arguments: [
            ("https://r.example", "https://auth.example/token", true),
            ("https://r.example", "http://auth.example/token", false),
            ("https://127.0.0.1:5000", "http://127.0.0.1:5001/token", false),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true),
            ("http://127.0.0.1:5000", "http://localhost:5001/token", true),
            ("http://127.0.0.1:5000", "https://auth.example/token", true),
            ("http://127.0.0.1:5000", "http://auth.example/token", false),
            ("http://r.example", "http://r.example/service/token", true),
            ("http://r.example", "http://r.example:8080/service/token", false),
            ("http://r.example", "http://127.0.0.1/token", false),
            ("http://r.example", "https://auth.example/token", false),
            ("https://r.example", "https://user@auth.example/token", false),
            ("https://r.example", "/token", false),
        ]
    )
    func realm(registry: String, realm: String, isTrusted: Bool) async throws {
        let token = try response(200, [:], #"{"token":"t1"}"#)
        let refusal = try response(401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\""])
        let sender = ScriptedRegistry([.reply { _ in refusal }] + (isTrusted ? [.reply { _ in token }] : []))
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        let base = try HTTPURL(registry)
        let authorization = NegotiatedAuthorization(
            registry: base,
            store: fixture.logins,
            sender: sender,
            retry: RetryPolicy(attempts: 1, clock: fixture.clock),
            logger: quiet
        )
        _ = try await sender.send(WireRequest(.get, base))
        let access = RegistryAccess(fixture.repository)
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm])
        if isTrusted {
            #expect(try await authorization.renew(insteadOf: nil, for: access, challenges: [challenge]))
            #expect(sender.asked.last?.hasSuffix("[\(Self.basic)]") == true)
        } else {
            let error = await #expect(throws: LoginError.self) {
                try await authorization.renew(insteadOf: nil, for: access, challenges: [challenge])
            }
            #expect(error?.problem.isEmpty == false && fixture.logins.lookups == 0)
            #expect(sender.requests.count == 1, "nothing was sent")
        }
    }
}
