import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("The server that hands out tokens")
struct TokenServerTests {
    private static let password = RegistryCredentials.password(user: "me", password: "hunter22")
    private static let basic = "Basic bWU6aHVudGVyMjI="

    @Test("is asked for what the registry demands besides, as ECR Public's aws")
    func demandsMore() async throws {
        let stage = try GuardedStage()
        stage.registry.change { $0.demand = { _ in "aws" } }
        _ = try await stage.readManifest()
        let other = try RepositoryName(parsing: "team/other")
        _ = try await stage.client.manifest(.digest(imageDigest), of: other)
        #expect(
            stage.registry.tokenQuestions
                == ["app", "other"].map {
                    "GET v=1&service=r.example%3A443&scope=repository%3Ateam%2F\($0)%3Apull&scope=aws"
                }
        )
    }

    @Test("is asked for a repository by the name that the registry has for it")
    func otherName() async throws {
        let stage = try GuardedStage()
        stage.registry.change {
            $0.demand = { "repository:inner/\($0.repository?.value ?? ""):pull" }
            $0.grants = { scopes, _ in scopes.contains { $0.hasPrefix("repository:inner/") } }
        }
        for _ in 0..<2 { _ = try await stage.readManifest() }
        // The first 401 says the name: no token is asked for by the wrong one.
        #expect(
            stage.registry.tokenQuestions
                == ["GET v=1&service=r.example%3A443&scope=repository%3Ainner%2Fteam%2Fapp%3Apull"]
        )
    }

    @Test("is asked once for more, where a token turns out to grant too little")
    func insufficient() async throws {
        let stage = try GuardedStage()
        _ = try await stage.readManifest()
        stage.registry.change {
            $0.demand = { _ in "repository:team/app:pull,metadata" }
            $0.grants = { scopes, _ in scopes.contains { $0.contains("metadata") } }
        }
        for _ in 0..<2 { #expect(try await stage.readManifest() != nil) }
        #expect(stage.registry.tokenQuestions.count == 2)
        #expect(stage.registry.tokenQuestions.last?.hasSuffix("%3Apull%2Cmetadata") == true)
        #expect(stage.registry.shown == [nil, "Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"])
    }

    @Test("is not asked again for what it has not granted")
    func notGranted() async throws {
        let stage = try GuardedStage()
        stage.registry.change {
            $0.demand = { "repository:team/app:\($0.isWriting ? "pull,push" : "pull")" }
            $0.grants = { _, access in !access.isWriting }
        }
        _ = try await stage.readManifest()
        let error = try await registryError { try await stage.client.startUpload(in: stage.repository) }
        #expect(error.kind == .unauthorized)
        #expect(stage.registry.tokenQuestions.count == 2, "one to read, one to write")
        #expect(stage.registry.shown == [nil, "Bearer t1", "Bearer t2"])
    }

    @Test("says 403 where the token grants too little, as RFC 6750 has it, and is asked for more")
    func forbidden() async throws {
        let challenge =
            #"Bearer realm="https://auth.example/token",error="insufficient_scope",scope="repository:team/app:pull,x""#
        let stage = try Stage(
            .answer(403, ["WWW-Authenticate": challenge]),
            .answer(200, [:], imageText),
            authorization: RotatingAuthorization()
        )
        #expect(try await stage.client.manifest(.digest(imageDigest), of: stage.repository) != nil)
        #expect(stage.registry.requests.count == 2)
    }

    @Test("is tried again where it stumbles, and by nobody above")
    func stumbles() async throws {
        let stage = try GuardedStage()
        let stumbling = try [response(503), response(408), response(429, ["Retry-After": "2"])]
        stage.registry.change { $0.tokenAnswers = Array(stumbling.prefix(2)) }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.clock.waits == [.milliseconds(200), .milliseconds(400)])

        let never = try GuardedStage()
        never.registry.change { $0.tokenAnswers = Array(repeating: stumbling[2], count: 50) }
        let error = try await registryError { try await never.readManifest() }
        #expect(error.operation == .authorize && error.kind == .tooManyRequests)
        #expect(never.registry.tokenQuestions.count == 3, "the policy's tries, not their square")
    }

    @Test("is not believed when its token could not be sent", arguments: ["", "a b", "a\\r\\nX: y", "é", "long"])
    func oddToken(token: String) async throws {
        let stage = try GuardedStage()
        let text = token == "long" ? String(repeating: "a", count: 70_000) : token
        let answer = try response(200, [:], "{\"token\":\"\(text)\"}")
        stage.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 9) }
        let error = try await registryError { try await stage.readManifest() }
        #expect(error.kind == .malformedAnswer && error.operation == .authorize)
        #expect(stage.registry.shown == [nil] && stage.registry.tokenQuestions.count == 1)
    }

    @Test("that refuses a password is quoted without it")
    func quoted() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        let said = errors("UNAUTHORIZED", "no: me hunter22 \(Self.basic) at https://x.example/y?z=1")
        let answer = try response(401, [:], said)
        stage.registry.change { $0.tokenAnswers = Array(repeating: answer, count: 9) }
        let error = try await registryError { try await stage.readManifest() }
        #expect(error.kind == .unauthorized && error.operation == .authorize)
        #expect(error.message == "no: me … Basic … at https://x.example/y?…; logged in by /c", "\(error.message)")
        #expect(error.url == "https://auth.example/token?…")
    }

    @Test("that redirects gets the password again only at its own origin, and no refresh token elsewhere")
    func redirected() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        let away = try response(307, ["Location": "https://r.example/elsewhere"])
        let home = try response(301, ["Location": "/token/"])
        stage.registry.change {
            $0.tokenAnswers = [home]
            $0.admits = [Self.basic]
        }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.tokenQuestions.last == "GET  [\(Self.basic)]")

        let outside = try GuardedStage(logins: KnownLogins(Self.password))
        outside.registry.change { $0.tokenAnswers = [away] }
        _ = try? await outside.readManifest()
        #expect(outside.registry.requests.contains { $0.url.path == "/elsewhere" })
        #expect(!outside.registry.shown.contains(Self.basic))

        let exchange = try GuardedStage(logins: KnownLogins(.identityToken("refresh-me")))
        exchange.registry.change { $0.tokenAnswers = [away] }
        await #expect { try await exchange.readManifest() } throws: { ($0 as? WireError)?.reason == .badRedirect }
        #expect(!exchange.registry.requests.contains { $0.url.path == "/elsewhere" })
    }

    @Test(
        "may be named by those who could ask for the password themselves",
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
    func realm(registry: String, realm: String, isBelieved: Bool) async throws {
        let token = try response(200, [:], #"{"token":"t1"}"#)
        let refusal = try response(401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\""])
        let sender = ScriptedRegistry([.reply { _ in refusal }] + (isBelieved ? [.reply { _ in token }] : []))
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        let base = try HTTPURL(registry)
        let authorization = NegotiatedAuthorization(
            registry: base,
            store: stage.logins,
            sender: sender,
            retry: RetryPolicy(attempts: 1, clock: stage.clock),
            logger: quiet
        )
        _ = try await sender.send(WireRequest(.get, base))
        let access = RegistryAccess(stage.repository)
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm])
        if isBelieved {
            #expect(try await authorization.renew(insteadOf: nil, for: access, challenges: [challenge]))
            #expect(sender.asked.last?.hasSuffix("[\(Self.basic)]") == true)
        } else {
            let error = await #expect(throws: LoginError.self) {
                try await authorization.renew(insteadOf: nil, for: access, challenges: [challenge])
            }
            #expect(error?.problem.isEmpty == false && stage.logins.lookups == 0)
            #expect(sender.requests.count == 1, "nothing was sent")
        }
    }
}
