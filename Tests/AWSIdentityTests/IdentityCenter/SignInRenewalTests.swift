import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("The renewal of a sign-in to IAM Identity Center")
struct SignInRenewalTests: SignInFixture {
    @Test("happens once in the last 15 minutes for all roles, and keeps the file's unknown members")
    func renewed() async throws {
        let sender = Self.service()
        try await signedIn(Self.file(expires: "2026-01-15T12:14:59Z"), sender: sender) { resolver, path in
            async let dev = resolver.credentials(Self.dev)
            async let ops = resolver.credentials(.init(profile: "ops"))
            _ = try await (dev, ops)
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            let kept = try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
            #expect(kept["accessToken"]?.text == "second-token" && kept["refreshToken"]?.text == "refresh-2")
            #expect(kept["expiresAt"]?.text == "2026-01-15T20:00:00Z" && kept["clientId"]?.text == "the-client")
            #expect(text.contains(#""theirs":{"keep":[1,null,true]}"#))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        let renewals = sender.requests.filter { $0.url.path == "/token" }
        #expect(renewals.map(\.url.text) == ["https://oidc.eu-central-1.amazonaws.com/token"])
        let body = try JSONDecoder().decode([String: String].self, from: Data(try #require(renewals.first).body))
        #expect(
            body == [
                "clientId": "the-client", "clientSecret": "client-secret", "grantType": "refresh_token",
                "refreshToken": "refresh-1",
            ]
        )
        for request in sender.requests where request.url.path != "/token" {
            #expect(HTTPField.Name("x-amz-sso_bearer_token").flatMap { request.fields[$0] } == "second-token")
        }
    }

    @Test("that fails is retried a minute later, and the token is used until it expires")
    func unrenewable() async throws {
        let time = ManualTime(noon)
        let refuses: @Sendable () -> WireResponse = {
            .json(#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#, status: 400)
        }
        let sender = RecordingSender { request, _ in
            request.url.path == "/token"
                ? refuses()
                : .json(
                    #"{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"s","sessionToken":"t","expiration":0}}"#
                )
        }
        try await signedIn(Self.file(expires: "2026-01-15T12:10:00Z"), sender: sender, now: { time.now }) {
            resolver,
            _ in
            // The keys have expired at once, so they are requested each time.
            for _ in 1...2 { _ = try? await resolver.credentials(Self.dev) }
            #expect(sender.requests.map(\.url.path).filter { $0 == "/token" }.count == 1)
            time.advance(60)
            _ = try? await resolver.credentials(Self.dev)
            #expect(sender.requests.map(\.url.path).filter { $0 == "/token" }.count == 2)
            time.advance(600)
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error?.problem
                    == "the sign-in to https://corp.awsapps.com/start has expired (this machine's clock says "
                    + "2026-01-15T12:11:00Z)"
            )
            #expect(error?.remedy == "run: aws sso login --sso-session corp")
        }
    }

    @Test("that gets no answer for an expired token names the host")
    func unreached() async throws {
        let sender = RecordingSender { request, _ in throw WireError(.unresolvable, "no such host", url: request.url) }
        try await signedIn(Self.file(expires: "2026-01-15T11:00:00Z"), sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error?.problem
                    == "the sign-in to https://corp.awsapps.com/start has expired (this machine's clock says "
                    + "2026-01-15T12:00:00Z), and the service that renews it can't be reached: "
                    + "https://oidc.eu-central-1.amazonaws.com/token: no such host"
            )
            #expect(
                error?.remedy
                    == "check that this machine reaches oidc.eu-central-1.amazonaws.com; then run again, or run: aws sso "
                    + "login --sso-session corp"
            )
        }
    }

    @Test("is due by this machine's clock, as for the AWS CLI; the keys expire by the portal's clock")
    func twoClocks() async throws {
        let time = ManualTime(noon)
        let service = Self.service(keysUntil: noon + 4_800)
        let sender = RecordingSender { request, number in
            var answer = try await service.send(request)
            // An hour ahead of this machine.
            let minute = Int(time.now.timeIntervalSince(noon) / 60)
            answer.fields[.date] = "Thu, 15 Jan 2026 13:\(minute < 10 ? "0" : "")\(minute):00 GMT"
            return answer
        }
        try await signedIn(Self.file(expires: "2026-01-15T12:40:00Z"), sender: sender, now: { time.now }) {
            resolver,
            path in
            let first = try await resolver.credentials(Self.dev)
            time.advance(600)
            #expect(try await resolver.credentials(Self.dev) == first, "valid for twenty minutes, not for eighty")
            time.advance(540)
            #expect(try await resolver.credentials(Self.dev) != first)
            #expect(sender.requests.allSatisfy { $0.url.path != "/token" })
            time.advance(660)
            _ = try? await resolver.credentials(Self.dev)
            #expect(sender.requests.count { $0.url.path == "/token" } == 1)
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            #expect(text.contains("2026-01-15T20:30:00Z"), "written by this machine's clock: \(text)")
        }
    }

    @Test("by another program at the same time is used")
    func renewedElsewhere() async throws {
        let place = Lock("")
        let service = Self.service(accepts: { $0 == "other-token" })
        let sender = RecordingSender { request, _ in
            guard request.url.path == "/token" else { return try await service.send(request) }
            // The other program was first, so our refresh token is used up.
            try Data(Self.file("other-token").utf8).write(to: URL(filePath: place.withLock { $0 }))
            return .json(#"{"error":"invalid_grant"}"#, status: 400)
        }
        try await signedIn(Self.file(expires: "2026-01-15T11:59:00Z"), sender: sender) { resolver, path in
            place.withLock { $0 = path }
            let credentials = try await resolver.credentials(Self.dev)
            #expect(credentials.accountID == "111122223333")
        }
    }

    @Test("is shared by all profiles of a session, on both sides")
    func sidesShare() async throws {
        let sender = Self.service()
        try await signedIn(Self.file(expires: "2026-01-15T12:10:00Z"), sender: sender) { resolver, _ in
            for profile in ["dev", "ops"] { _ = try await resolver.credentials(.init(profile: profile)) }
            async let dev = resolver.provider(for: .init(profile: "dev"), stsRegion: "us-east-1").credentials()
            async let ops = resolver.provider(for: .init(profile: "ops"), stsRegion: "us-west-2").credentials()
            _ = try await (dev, ops)
        }
        #expect(sender.requests.filter { $0.url.path == "/token" }.count == 1)
    }

    @Test("is not tried after the client's registration has expired")
    func unregistered() async throws {
        let sender = Self.service()
        let file = Self.file(expires: "2026-01-15T11:00:00Z", registration: "2026-01-15T11:00:00Z")
        try await signedIn(file, sender: sender) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
        }
        #expect(sender.requests.isEmpty)
    }

    @Test("of a revoked token is tried once")
    func revoked() async throws {
        let sender = Self.service(accepts: { $0 == "second-token" })
        try await signedIn(Self.file(), sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials(Self.dev)
            #expect(credentials.accessKeyID == "ASIA3")
        }
        #expect(
            sender.requests.map(\.url.path) == ["/federation/credentials", "/token", "/federation/credentials"]
        )
        let never = Self.service(accepts: { _ in false })
        try await signedIn(Self.file(), sender: never) { resolver, path in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error
                    == IdentityError(
                        "the sign-in to https://corp.awsapps.com/start is no longer accepted",
                        tried: [path],
                        remedy: "run: aws sso login --sso-session corp"
                    )
            )
        }
        #expect(never.requests.count == 3)
    }

    @Test("that can't be saved is used in this run, and the next one starts from it")
    func unwritable() async throws {
        let time = ManualTime(noon)
        let issued = Counter()
        let directory = Lock("")
        let keys = Self.service(keysUntil: noon + 90_000)
        let sender = RecordingSender { request, _ in
            guard request.url.path == "/token" else { return try await keys.send(request) }
            // The directory is gone, so nothing can be written.
            try? FileManager.default.removeItem(atPath: directory.withLock { $0 })
            let sent = try JSONDecoder().decode([String: String].self, from: Data(request.body))
            guard sent["refreshToken"] == "refresh-\(issued.increment())" else {
                return .json(#"{"error":"invalid_grant"}"#, status: 400)
            }
            let number = issued.count
            return .json(
                #"{"accessToken":"token-\#(number)","expiresIn":3600,"refreshToken":"refresh-\#(number + 1)"}"#
            )
        }
        let file = Self.file(expires: "2026-01-15T11:00:00Z")
        try await signedIn(file, sender: sender, now: { time.now }) { resolver, path in
            directory.withLock { $0 = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
            _ = try await resolver.credentials(Self.dev)
            time.advance(3_000)
            _ = try await resolver.credentials(.init(profile: "ops"))
            #expect(issued.count == 2)
        }
    }

    @Test("does not overwrite a new sign-in by the user")
    func signedInMeanwhile() async throws {
        let place = Lock("")
        let sender = RecordingSender { request, number in
            guard request.url.path == "/token" else { return try await Self.service().send(request) }
            try Data(Self.file("fresh-login").utf8).write(to: URL(filePath: place.withLock { $0 }))
            return .json(#"{"accessToken":"renewed","expiresIn":28800,"refreshToken":"refresh-2"}"#)
        }
        try await signedIn(Self.file(expires: "2026-01-15T12:10:00Z"), sender: sender) { resolver, path in
            place.withLock { $0 = path }
            _ = try await resolver.credentials(Self.dev)
            let kept = try SignInToken(at: path, resolver.environment)
            #expect(kept?.accessToken == "fresh-login")
        }
    }
}
