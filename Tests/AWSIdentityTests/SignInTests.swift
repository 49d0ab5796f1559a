import FoundationEssentials
import HTTPTypes
import Platform
import Testing
import Wire

@testable import AWSIdentity

@Suite("A sign-in to IAM Identity Center")
struct SignInTests {
    static let config = """
        [profile dev]
        sso_session = corp
        sso_account_id = 111122223333
        sso_role_name = Dev Role
        [profile ops]
        sso_session = corp
        sso_account_id = 444455556666
        sso_role_name = Ops
        [profile old]
        sso_start_url = https://old.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 111122223333
        sso_role_name = Dev
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-central-1
        sso_registration_scopes = sso:account:access
        """
    static let dev = IdentityOptions(profile: "dev")

    private static func file(
        _ token: String = "first-token",
        expires: String = "2026-01-15T14:00:00Z",
        registration: String = "2026-03-01T00:00:00Z"
    ) -> String {
        """
        {"startUrl": "https://corp.awsapps.com/start", "region": "eu-central-1", "accessToken": "\(token)",
         "expiresAt": "\(expires)", "clientId": "the-client", "clientSecret": "client-secret",
         "registrationExpiresAt": "\(registration)", "refreshToken": "refresh-1", "theirs": {"keep": [1, null, true]}}
        """
    }

    /// Answers as portal and issuer; a token is good if `accepts` says so.
    private static func service(
        accepts: @escaping @Sendable (String) -> Bool = { _ in true },
        issues: @escaping @Sendable () -> WireResponse = {
            .json(#"{"accessToken":"second-token","expiresIn":28800,"refreshToken":"refresh-2","tokenType":"Bearer"}"#)
        },
        keysUntil expires: Date = noon + 3_600
    ) -> RecordingSender {
        RecordingSender { request, number in
            if request.url.path == "/token" { return issues() }
            let token = HTTPField.Name("x-amz-sso_bearer_token").flatMap { request.fields[$0] } ?? ""
            guard accepts(token) else {
                return .json(#"{"message":"Session token not found or invalid"}"#, status: 401)
            }
            return .json(
                #"{"roleCredentials":{"accessKeyId":"ASIA\#(number)","secretAccessKey":"s","sessionToken":"t","#
                    + #""expiration":\#(Int(expires.timeIntervalSince1970) * 1_000)}}"#
            )
        }
    }

    private func signedIn(
        _ file: String?,
        as name: String = "corp",
        sender: RecordingSender,
        variables: [String: String] = [:],
        now: @escaping @Sendable () -> Date = { noon },
        _ body: (IdentityResolver, _ path: String) async throws -> Void
    ) async throws {
        try await withMachine(variables, config: Self.config, sender: sender, now: now) { resolver, _ in
            let path = SignInToken.path(of: name, resolver.environment)
            if let file { try Data(file.utf8).write(to: URL(filePath: path)) }
            try await body(resolver, path)
        }
    }

    @Test("gives the keys of the profile's role, at the session's region, unsigned")
    func keys() async throws {
        let sender = Self.service()
        try await signedIn(Self.file(), sender: sender) { resolver, path in
            #expect(path.hasSuffix("/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"))
            let credentials = try await resolver.credentials(Self.dev)
            #expect(credentials.accessKeyID == "ASIA1" && credentials.sessionToken == "t")
            #expect(credentials.expiration == noon + 3_600 && credentials.accountID == "111122223333")
            #expect(credentials.source == "sso role Dev Role in 111122223333")
        }
        let request = try #require(sender.requests.first)
        #expect(
            request.url.text == "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials"
                + "?role_name=Dev%20Role&account_id=111122223333"
        )
        #expect(HTTPField.Name("x-amz-sso_bearer_token").flatMap { request.fields[$0] } == "first-token")
        #expect(request.fields[.authorization] == nil && sender.requests.count == 1)
    }

    @Test("is found under the SHA-1 of the session's name, for a legacy profile of its start URL")
    func paths() async throws {
        let environment = AWSEnvironment(variables: [:], home: "/h")
        #expect(
            SignInToken.path(of: "my-sso", environment)
                == "/h/.aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json"
        )
        let legacy =
            #"{"accessToken":"old-token","expiresAt":"2026-01-15T12:05:00UTC","startUrl":"x","region":"eu-west-1"}"#
        let sender = Self.service()
        try await signedIn(legacy, as: "https://old.awsapps.com/start", sender: sender) { resolver, _ in
            _ = try await resolver.credentials(.init(profile: "old"))
        }
        #expect(
            sender.requests.map(\.url.host) == ["portal.sso.eu-west-1.amazonaws.com"],
            "a legacy token isn't renewed"
        )
    }

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
            #expect(error?.problem.contains("has expired") == true)
            #expect(error?.remedy == "run: aws sso login --sso-session corp")
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
                        "the sign-in to https://corp.awsapps.com/start is not accepted any more (\(path))",
                        tried: [path],
                        remedy: "run: aws sso login --sso-session corp"
                    )
            )
        }
        #expect(never.requests.count == 3)
    }

    @Test("that isn't there says how to sign in", arguments: [("dev", "--sso-session corp"), ("old", "--profile old")])
    func absent(_ profile: String, _ how: String) async throws {
        let sender = Self.service()
        try await signedIn(nil, sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(profile: profile))
            }
            #expect(error?.remedy == "run: aws sso login \(how)")
            #expect(error?.problem.hasPrefix("there is no sign-in to https://") == true)
        }
        try await signedIn(#"{"accessToken":"hidden"}"#, sender: sender) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
        }
        #expect(sender.requests.isEmpty, "what the AWS CLI didn't write is no sign-in")
    }

    @Test("that doesn't have the role names it, with the request")
    func forbidden() async throws {
        let sender = RecordingSender { _, _ in
            var response = WireResponse.json(#"{"message":"No access"}"#, status: 403)
            response.fields[.amzRequestID] = "r-7"
            return response
        }
        try await signedIn(Self.file(), sender: sender) { resolver, path in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error
                    == IdentityError(
                        "the role Dev Role is not given to this sign-in: HTTP 403: No access",
                        tried: [path],
                        remedy: "see which accounts and roles there are: open https://corp.awsapps.com/start",
                        requestID: "r-7"
                    )
            )
        }
    }

    @Test("to a portal that can't be reached says so, and isn't STS's fault")
    func unreachable() async throws {
        let sender = RecordingSender { _, _ in throw WireError(.unreachable, "no route to host") }
        try await signedIn(Self.file(), sender: sender) { resolver, path in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error
                    == IdentityError(
                        "IAM Identity Center in eu-central-1 can't be reached: no route to host",
                        tried: [path],
                        remedy: "check sso_region, and that this machine reaches portal.sso.eu-central-1.amazonaws.com"
                    )
            )
        }
        #expect(sender.requests.count == 3, "as often as anything, and no more")
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

    @Test("is called where the environment or the profile's services say")
    func endpoints() async throws {
        let sender = Self.service()
        let variables = [
            "AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:81", "AWS_ENDPOINT_URL_SSO_OIDC": "http://127.0.0.1:82",
        ]
        let file = Self.file(expires: "2026-01-15T12:10:00Z")
        try await signedIn(file, sender: sender, variables: variables) { resolver, _ in
            _ = try await resolver.credentials(Self.dev)
        }
        #expect(sender.requests.map(\.url.authority) == ["127.0.0.1:82", "127.0.0.1:81"])
    }

    @Test("is where a role may start from")
    func source() async throws {
        let sender = RecordingSender { request, _ in
            guard request.url.host.hasPrefix("portal") else { return roleAnswer() }
            return .json(
                #"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t","#
                    + #""expiration":1768482000000}}"#
            )
        }
        let config = Self.config + "\n[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = dev\n"
        try await withMachine(config: config, sender: sender) { resolver, _ in
            let path = SignInToken.path(of: "corp", resolver.environment)
            try Data(Self.file().utf8).write(to: URL(filePath: path))
            #expect(try await resolver.credentials(.init(profile: "r")).accessKeyID == "ASIAROLE")
        }
        #expect(sender.requests.last?.fields[.authorization]?.contains("Credential=ASIASSO/") == true)
    }
}
