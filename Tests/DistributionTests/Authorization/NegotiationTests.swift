import Content
import FoundationEssentials
import HTTPTypes
import Platform
import Testing
import Wire

@testable import Distribution

@Suite("Credentials that a registry asks for")
struct NegotiationTests {
    private static let password = RegistryCredentials.password(user: "me", password: "hunter22")
    private static let basic = "Basic bWU6aHVudGVyMjI="
    private static let pull = "v=1&service=r.example%3A443&scope=repository%3Ateam%2Fapp%3Apull"

    @Test("are negotiated after the first refusal, and sent from then on")
    func learned() async throws {
        let fixture = try GuardedFixture()
        for _ in 0..<3 { #expect(try await fixture.readManifest()?.digest == imageDigest) }
        #expect(fixture.registry.shown == [nil, "Bearer t1", "Bearer t1", "Bearer t1"])
        #expect(fixture.registry.tokenQuestions == ["GET \(Self.pull)"])
        #expect(fixture.clock.waits.isEmpty)
    }

    @Test("come from a realm with white space around it")
    func looseRealm() throws {
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": " https://auth.example/token "])
        let found = try TokenRealm(challenge, of: try HTTPURL("https://r.example"))
        #expect(found.url.text == "https://auth.example/token")
    }

    @Test(
        "are not requested from a realm that is not a URL; the error quotes it",
        arguments: ["null://r.example/token", "tests"]
    )
    func badRealm(realm: String) throws {
        // Nexus behind a proxy wrote the first (sonatype/nexus-public issue 580).
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm])
        let registry = try HTTPURL("https://r.example")
        let error = #expect(throws: LoginError.self) { try TokenRealm(challenge, of: registry) }
        #expect(error?.problem.hasSuffix("names no valid URL of a token server: '\(realm)'") == true)
    }

    @Test("may come from a server that encodes its answers")
    func encoded() async throws {
        let fixture = try GuardedFixture()
        #expect(try await fixture.readManifest() != nil)
        let questions = fixture.registry.requests.filter { $0.url.host == "auth.example" }
        #expect(questions.map(\.decodesAnswer) == [true])
    }

    @Test("are requested with the right to push by a client with fewer attempts, too")
    func limited() async throws {
        let fixture = try GuardedFixture(isDestination: true)
        _ = try await fixture.client.limited(toAttempts: 1).manifest(.digest(imageDigest), of: fixture.repository)
        #expect(fixture.registry.tokenQuestions == ["GET \(Self.pull)%2Cpush"])
    }

    @Test("are not searched if the registry requires none")
    func anonymous() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        fixture.registry.change {
            $0.challenge = "Basic"
            $0.admits = [nil]
        }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.shown == [nil] && fixture.logins.lookups == 0)
    }

    @Test("are sent to the token server, and only the token to the registry")
    func passwordAtServer() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        fixture.registry.change { $0.admits = [Self.basic] }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.tokenQuestions == ["GET \(Self.pull) [\(Self.basic)]"])
        #expect(fixture.registry.shown == [nil, "Bearer t1"])
    }

    @Test("that are an identity token are exchanged by OAuth 2, in the request's body")
    func identityToken() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(.identityToken("a+b/c=")))
        #expect(try await fixture.readManifest() != nil)
        #expect(
            fixture.registry.tokenQuestions == [
                "POST v=1 grant_type=refresh_token&client_id=ecr-replicate&service=r.example%3A443"
                    + "&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=a%2Bb%2Fc%3D"
            ]
        )
        #expect(fixture.registry.shown == [nil, "Bearer t1"])
    }

    @Test("that are a registry token are sent to the registry unchanged", arguments: ["Bearer", "Basic"])
    func registryToken(scheme: String) async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(.registryToken("eyJ.x")))
        fixture.registry.change {
            if scheme == "Basic" { $0.challenge = "Basic realm=tests" }
            $0.foreign = ["eyJ.x"]
            $0.admits = ["Bearer eyJ.x"]
        }
        for _ in 0..<2 { #expect(try await fixture.readManifest() != nil) }
        #expect(fixture.registry.shown == [nil, "Bearer eyJ.x", "Bearer eyJ.x"])
        #expect(fixture.registry.tokenQuestions == [])
    }

    @Test("that are a refused registry token are left out for reading")
    func refusedRegistryToken() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(.registryToken("old")))
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.tokenQuestions == ["GET \(Self.pull)"])
        #expect(fixture.registry.shown == [nil, "Bearer old", "Bearer t1"])
    }

    @Test("are sent to a registry that requires Basic, from the second request on")
    func basic() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        fixture.registry.change {
            $0.challenge = #"Basic realm="tests""#
            $0.admits = [Self.basic]
        }
        for _ in 0..<2 { #expect(try await fixture.readManifest() != nil) }
        #expect(fixture.registry.shown == [nil, Self.basic, Self.basic])
        #expect(fixture.logins.lookups == 1)
    }

    @Test("are searched again when they are refused", arguments: ["Basic", "Bearer"])
    func searchedAgain(scheme: String) async throws {
        let stale = RegistryCredentials.password(user: "me", password: "old")
        let fixture = try GuardedFixture(logins: KnownLogins(stale, Self.password))
        fixture.registry.change {
            if scheme == "Basic" { $0.challenge = "Basic realm=tests" }
            $0.admits = [Self.basic]
        }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.shown.last == (scheme == "Basic" ? Self.basic : "Bearer t1"))
    }

    @Test("that are refused get an error with their place", arguments: [true, false])
    func refused(hasLogin: Bool) async throws {
        let fixture = try GuardedFixture(logins: hasLogin ? KnownLogins(Self.password) : KnownLogins())
        fixture.registry.change {
            $0.challenge = "Basic realm=tests"
            $0.admits = []
        }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.kind == .unauthorized && error.operation == .readManifest)
        #expect(error.message.contains(hasLogin ? "logged in by /c" : "no login for r.example in /c"), "\(error)")
        #expect(!"\(error)".contains("hunter22") && !"\(error)".contains(Self.basic.dropFirst(6)))
        #expect(fixture.registry.shown == (hasLogin ? [nil, Self.basic] : [nil]))
    }

    @Test("are requested once per repository and access, for any number of requests")
    func onePerAccess() async throws {
        let fixture = try GuardedFixture()
        _ = try await fixture.readManifest()
        fixture.registry.change { $0.answer = WireResponse(status: .accepted, fields: [.location: "/u/1"]) }
        let sibling = try RepositoryName(parsing: "team/base")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { _ = try await fixture.client.startUpload(in: fixture.repository) }
                group.addTask {
                    _ = try await fixture.client.startUpload(
                        in: fixture.repository,
                        mounting: someDigest,
                        from: sibling
                    )
                }
            }
            try await group.waitForAll()
        }
        let session = UploadSession(location: try HTTPURL("https://r.example/u/1"), repository: fixture.repository)
        _ = try await fixture.client.uploadRequest(session, digest: someDigest)
        _ = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        #expect(
            Set(fixture.registry.tokenQuestions) == [
                "GET \(Self.pull)", "GET \(Self.pull)%2Cpush",
                "GET \(Self.pull)%2Cpush&scope=repository%3Ateam%2Fbase%3Apull",
            ]
        )
        #expect(fixture.registry.tokenQuestions.count == 3)
    }

    @Test("are requested with the right to push from the first request on, at a destination")
    func destination() async throws {
        let fixture = try GuardedFixture(isDestination: true)
        fixture.registry.change {
            $0.demand = { "repository:team/app:\($0.isWriting ? "pull,push" : "pull")" }
        }
        _ = try await fixture.readManifest()
        _ = try await fixture.client.blobExists(someDigest, in: fixture.repository)
        _ = try await fixture.client.manifestDigest(.digest(imageDigest), of: fixture.repository)
        fixture.registry.change { $0.answer = WireResponse(status: .accepted, fields: [.location: "/u/1"]) }
        _ = try await fixture.client.startUpload(in: fixture.repository)
        await fixture.client.prepareCredentials(forWritingTo: fixture.repository)
        #expect(fixture.registry.tokenQuestions == ["GET \(Self.pull)%2Cpush"])
    }

    @Test("are renewed before they expire")
    func renewedInTime() async throws {
        let clock = Lock(0.0)
        let fixture = try GuardedFixture(now: { clock.withLock { Date(timeIntervalSince1970: $0) } })
        fixture.registry.change { $0.life = nil }
        for second in [0.0, 53, 55, 60, 108, 110] {
            clock.withLock { $0 = second }
            _ = try await fixture.readManifest()
        }
        // The default life is 60 s; the margin is a tenth.
        #expect(fixture.registry.shown == [nil, "t1", "t1", "t2", "t2", "t2", "t3"].map { $0.map { "Bearer \($0)" } })
    }

    @Test(
        "expire earlier if the server issued them earlier, by its own clock",
        arguments: [
            (#""issued_at":"2026-01-15T12:00:00Z""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T12:00:00.123456789Z""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T14:00:00+02:00""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T12:30:00Z""#, "Thu, 15 Jan 2026 12:00:00 GMT", 270),
            (#""issued_at":"yesterday""#, "Thu, 15 Jan 2026 12:01:40 GMT", 270),
            (#""issued_at":"2026-01-15T12:00:00Z""#, "", 270),
        ]
    )
    func issuedEarlier(issued: String, date: String, renewal: Int) async throws {
        let clock = Lock(0.0)
        let fixture = try GuardedFixture(now: { clock.withLock { Date(timeIntervalSince1970: $0) } })
        let answer = try response(200, ["Date": date], "{\"token\":\"cached\",\"expires_in\":300,\(issued)}")
        fixture.registry.change {
            $0.tokenAnswers = [answer]
            $0.foreign = ["cached"]
        }
        _ = try await fixture.readManifest()
        var renewedAt: Int?
        for second in 0...300 where renewedAt == nil {
            clock.withLock { $0 = Double(second) }
            _ = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
            if fixture.registry.tokenQuestions.count > 1 { renewedAt = second }
        }
        #expect(renewedAt == renewal)
    }

    @Test("that have expired are renewed once, and the request is repeated")
    func expired() async throws {
        let fixture = try GuardedFixture()
        _ = try await fixture.readManifest()
        fixture.registry.change { $0.ended = ["t1"] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await fixture.readManifest() } }
            try await group.waitForAll()
        }
        #expect(fixture.registry.tokenQuestions.count == 2)

        fixture.registry.change { $0.ended = ["t2", "t3", "t4"] }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.kind == .unauthorized)
        #expect(fixture.registry.tokenQuestions.count == 3, "one renewal only")
    }

    @Test("that expire on the first request are renewed too")
    func expiredAtOnce() async throws {
        let fixture = try GuardedFixture()
        fixture.registry.change { $0.ended = ["t1"] }
        #expect(try await fixture.readManifest() != nil)
        #expect(fixture.registry.shown == [nil, "Bearer t1", "Bearer t2"])
    }

    @Test("are renewed for a relay, and its next request has the new ones")
    func relay() async throws {
        let fixture = try GuardedFixture()
        _ = try await fixture.readManifest()
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        #expect(request.fields[.authorization] == "Bearer t1")
        fixture.registry.change { $0.ended = ["t1"] }
        let answer = try await fixture.registry.send(request)
        let failure = await fixture.client.downloadFailure(answer, to: request)
        #expect(failure.retryAdvice == .backOff)
        let again = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        #expect(again.fields[.authorization] == "Bearer t2")

        let session = UploadSession(location: try HTTPURL("https://r.example/odd/1"), repository: fixture.repository)
        let upload = try await fixture.client.uploadRequest(session, digest: someDigest)
        #expect(upload.fields[.authorization] == "Bearer t3", "another access, another token")
        fixture.registry.change { $0.ended = ["t1", "t3"] }
        let refused = try await fixture.registry.send(upload)
        await #expect(throws: RegistryError.self) {
            try await fixture.client.interpretUpload(refused, to: upload, in: fixture.repository)
        }
        #expect(
            try await fixture.client.uploadRequest(session, digest: someDigest).fields[.authorization] == "Bearer t4"
        )
    }

    @Test("are sent to no other host")
    func ownHostOnly() async throws {
        let fixture = try GuardedFixture()
        _ = try await fixture.readManifest()
        let elsewhere = try HTTPURL("https://store.example/u?sig=1")
        let session = UploadSession(location: elsewhere, repository: fixture.repository)
        #expect(try await fixture.client.uploadRequest(session, digest: someDigest).fields[.authorization] == nil)

        fixture.registry.change {
            $0.answer = WireResponse(status: .ok, fields: [.location: "https://store.example/b"])
        }
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        let redirect = try response(307, ["Location": "https://store.example/b?sig=1"])
        let next = try #require(try fixture.client.follow(redirect, of: request, hops: 0))
        #expect(next.fields[.authorization] == nil && request.fields[.authorization] == "Bearer t1")
    }

    @Test("of several schemes are sent in the best one, in any order")
    func several() async throws {
        for fields in [
            #"Negotiate, Basic realm="x", Bearer realm="https://auth.example/token""#,
            #"Bearer realm="https://auth.example/token", Basic realm="x""#,
        ] {
            let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
            fixture.registry.change {
                $0.challenge = fields
                $0.admits = [Self.basic]
            }
            #expect(try await fixture.readManifest() != nil)
            #expect(fixture.registry.shown == [nil, "Bearer t1"])
        }
    }

    @Test("of unknown schemes end in the registry's own error")
    func unknownScheme() async throws {
        let fixture = try GuardedFixture(logins: KnownLogins(Self.password))
        fixture.registry.change { $0.challenge = #"Negotiate, Digest realm="x", Bearer"# }
        let error = try await registryError { try await fixture.readManifest() }
        #expect(error.kind == .unauthorized && error.message == "authentication required")
        #expect(fixture.registry.requests.count == 1)
    }
}
