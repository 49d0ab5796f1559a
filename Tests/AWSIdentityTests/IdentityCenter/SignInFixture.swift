import FoundationEssentials
import HTTPTypes
import TestDoubles
import Wire

@testable import AWSIdentity

/// Profiles, token files and a service for tests of IAM Identity Center.
protocol SignInFixture {}

extension SignInFixture {
    static var config: String {
        """
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
    }

    static var dev: IdentityOptions { IdentityOptions(profile: "dev") }

    static func file(
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

    /// A sender that answers as the portal and the token service; `accepts` says which tokens are valid.
    static func service(
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

    func signedIn(
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
}
