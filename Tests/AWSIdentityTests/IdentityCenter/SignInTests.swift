import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("A sign-in to IAM Identity Center")
struct SignInTests: SignInFixture {
    @Test("gives the keys of the profile's role, by an unsigned request in the session's region")
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

    @Test("is cached under the SHA-1 of the session's name, or of a legacy profile's start URL")
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

    @Test(
        "that is missing gets an error with the command to sign in",
        arguments: [("dev", "--sso-session corp"), ("old", "--profile old")]
    )
    func absent(_ profile: String, _ how: String) async throws {
        let sender = Self.service()
        try await signedIn(nil, sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(profile: profile))
            }
            #expect(error?.remedy == "run: aws sso login \(how)")
            let text = error?.description ?? ""
            #expect(text.contains("there is no sign-in to https://"))
            #expect(text.components(separatedBy: "/.aws/sso/cache/").count == 2, "the file is named once: \(text)")
        }
        try await signedIn(#"{"accessToken":"hidden"}"#, sender: sender) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
        }
        #expect(sender.requests.isEmpty, "a file that the AWS CLI didn't write is ignored")
    }

    @Test("without the role gets an error with the role and the request id")
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
                        "the role Dev Role is not assigned to the signed-in user: HTTP 403: No access",
                        tried: [path],
                        remedy: "open https://corp.awsapps.com/start to see the assigned accounts and roles",
                        requestID: "r-7"
                    )
            )
        }
    }

    @Test("at a portal that can't be reached gets an error that names the portal")
    func unreachable() async throws {
        let sender = RecordingSender { _, _ in throw WireError(.unreachable, "no route to host") }
        try await signedIn(Self.file(), sender: sender) { resolver, path in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.dev) }
            #expect(
                error
                    == IdentityError(
                        "IAM Identity Center in eu-central-1 can't be reached: no route to host",
                        tried: [path],
                        remedy:
                            "check sso_region, and check that this machine reaches portal.sso.eu-central-1.amazonaws.com",
                        failure: WireError(.unreachable, "no route to host")
                    )
            )
        }
        #expect(sender.requests.count == 3, "the usual number of attempts")
    }

    @Test("uses the endpoints that the environment or the profile's services name")
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

    @Test("may be the source of a role")
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
