import FoundationEssentials
import HTTPTypes
import Platform
import Testing
import Wire

@testable import AWSIdentity

@Suite("A sign-in to IAM Identity Center, when it ends")
struct SignInRenewalTests: SignInScene {
    @Test("is renewed once in its last 15 minutes, for everybody, and kept with all that others wrote")
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

    @Test("that can't be renewed serves until it is over, and is tried again a minute later")
    func unrenewable() async throws {
        let watch = Wristwatch(noon)
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
        try await signedIn(Self.file(expires: "2026-01-15T12:10:00Z"), sender: sender, now: { watch.now }) {
            resolver,
            _ in
            // Keys that have expired at once are asked for each time.
            for _ in 1...2 { _ = try? await resolver.credentials(Self.dev) }
            #expect(sender.requests.map(\.url.path).filter { $0 == "/token" }.count == 1)
            watch.advance(60)
            _ = try? await resolver.credentials(Self.dev)
            #expect(sender.requests.map(\.url.path).filter { $0 == "/token" }.count == 2)
            watch.advance(600)
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error?.problem
                    == "the sign-in to https://corp.awsapps.com/start has expired (this machine's clock says "
                    + "2026-01-15T12:11:00Z)"
            )
            #expect(error?.remedy == "run: aws sso login --sso-session corp")
        }
    }

    @Test("that is over, and can't be renewed for want of an answer, says which host to reach")
    func unreached() async throws {
        let sender = RecordingSender { request, _ in throw WireError(.unresolvable, "no such host", url: request.url) }
        try await signedIn(Self.file(expires: "2026-01-15T11:00:00Z"), sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error?.problem
                    == "the sign-in to https://corp.awsapps.com/start has expired (this machine's clock says "
                    + "2026-01-15T12:00:00Z), and who renews it can't be reached: "
                    + "https://oidc.eu-central-1.amazonaws.com/token: no such host"
            )
            #expect(
                error?.remedy
                    == "check that this machine reaches oidc.eu-central-1.amazonaws.com; then run again, or run: aws sso "
                    + "login --sso-session corp"
            )
        }
    }

    @Test("ends by this machine's clock, by which the AWS CLI wrote it, and its keys by the portal's")
    func twoClocks() async throws {
        let watch = Wristwatch(noon)
        let service = Self.service(keysUntil: noon + 4_800)
        let sender = RecordingSender { request, number in
            var answer = try await service.send(request)
            // An hour ahead of this machine.
            let minute = Int(watch.now.timeIntervalSince(noon) / 60)
            answer.fields[.date] = "Thu, 15 Jan 2026 13:\(minute < 10 ? "0" : "")\(minute):00 GMT"
            return answer
        }
        try await signedIn(Self.file(expires: "2026-01-15T12:40:00Z"), sender: sender, now: { watch.now }) {
            resolver,
            path in
            let first = try await resolver.credentials(Self.dev)
            watch.advance(600)
            #expect(try await resolver.credentials(Self.dev) == first, "good for twenty minutes, not for eighty")
            watch.advance(540)
            #expect(try await resolver.credentials(Self.dev) != first)
            #expect(sender.requests.allSatisfy { $0.url.path != "/token" })
            watch.advance(660)
            _ = try? await resolver.credentials(Self.dev)
            #expect(sender.requests.count { $0.url.path == "/token" } == 1)
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            #expect(text.contains("2026-01-15T20:30:00Z"), "written as others read it: \(text)")
        }
    }

    @Test("that another program renews at the same moment serves us too")
    func renewedElsewhere() async throws {
        let place = Lock("")
        let service = Self.service(accepts: { $0 == "their-token" })
        let sender = RecordingSender { request, _ in
            guard request.url.path == "/token" else { return try await service.send(request) }
            // It was first, and our refresh token is void.
            try Data(Self.file("their-token").utf8).write(to: URL(filePath: place.withLock { $0 }))
            return .json(#"{"error":"invalid_grant"}"#, status: 400)
        }
        try await signedIn(Self.file(expires: "2026-01-15T11:59:00Z"), sender: sender) { resolver, path in
            place.withLock { $0 = path }
            let credentials = try await resolver.credentials(Self.dev)
            #expect(credentials.accountID == "111122223333")
        }
    }

    @Test("is one for all profiles of its session, whichever side asks")
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

    @Test("whose client is no longer registered isn't renewed")
    func unregistered() async throws {
        let sender = Self.service()
        let file = Self.file(expires: "2026-01-15T11:00:00Z", registration: "2026-01-15T11:00:00Z")
        try await signedIn(file, sender: sender) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
        }
        #expect(sender.requests.isEmpty)
    }

    @Test("that was revoked is renewed once, where it can be")
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
                        "the sign-in to https://corp.awsapps.com/start is not accepted any more",
                        tried: [path],
                        remedy: "run: aws sso login --sso-session corp"
                    )
            )
        }
        #expect(never.requests.count == 3)
    }

    @Test("whose token can't be written serves this run all the same, each renewal from the last")
    func unwritable() async throws {
        let watch = Wristwatch(noon)
        let issued = Tally()
        let directory = Lock("")
        let keys = Self.service(keysUntil: noon + 90_000)
        let sender = RecordingSender { request, _ in
            guard request.url.path == "/token" else { return try await keys.send(request) }
            // Where nothing can be written.
            try? FileManager.default.removeItem(atPath: directory.withLock { $0 })
            let sent = try JSONDecoder().decode([String: String].self, from: Data(request.body))
            guard sent["refreshToken"] == "refresh-\(issued.up())" else {
                return .json(#"{"error":"invalid_grant"}"#, status: 400)
            }
            let number = issued.count
            return .json(
                #"{"accessToken":"token-\#(number)","expiresIn":3600,"refreshToken":"refresh-\#(number + 1)"}"#
            )
        }
        let file = Self.file(expires: "2026-01-15T11:00:00Z")
        try await signedIn(file, sender: sender, now: { watch.now }) { resolver, path in
            directory.withLock { $0 = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
            _ = try await resolver.credentials(Self.dev)
            watch.advance(3_000)
            _ = try await resolver.credentials(.init(profile: "ops"))
            #expect(issued.count == 2)
        }
    }

    @Test("that somebody renews by signing in anew is theirs: ours isn't written over it")
    func signedInMeanwhile() async throws {
        let place = Lock("")
        let sender = RecordingSender { request, number in
            guard request.url.path == "/token" else { return try await Self.service().send(request) }
            try Data(Self.file("fresh-login").utf8).write(to: URL(filePath: place.withLock { $0 }))
            return .json(#"{"accessToken":"ours","expiresIn":28800,"refreshToken":"refresh-2"}"#)
        }
        try await signedIn(Self.file(expires: "2026-01-15T12:10:00Z"), sender: sender) { resolver, path in
            place.withLock { $0 = path }
            _ = try await resolver.credentials(Self.dev)
            let kept = try SignInToken(at: path, resolver.environment)
            #expect(kept?.accessToken == "fresh-login")
        }
    }
}
