import FoundationEssentials
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("Errors of credential services", .timeLimit(.minutes(1)))
struct QuotedSecretTests {
    private static let role = "arn:aws:iam::123456789012:role/r"

    @Test("leave out the external id, the MFA code, the token and the signature that STS quotes")
    func assumeRole() async throws {
        let sender = RecordingSender { request, _ in
            let sent = [String(decoding: request.body, as: UTF8.self)] + request.fields.map(\.value)
            return refusal(400, "ValidationError", "invalid: \(sent.joined(separator: "; ")); end")
        }
        let config = """
            [profile m]
            role_arn = \(Self.role)
            mfa_serial = arn:aws:iam::123456789012:mfa/ann
            external_id = hidden/external=id
            source_profile = base
            [profile base]
            aws_access_key_id = AKIAHIDDENKEYOFTHETEST
            aws_secret_access_key = s
            aws_session_token = hidden-session/token==
            """
        try await withMachine(config: config, sender: sender, asks: { _ in "602413" }) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(profile: "m"))
            }
            let text = try #require(error).description
            #expect(text.contains("ValidationError: invalid: ") && text.contains("RoleSessionName="))
            let request = try #require(sender.requests.first)
            let signature = try #require(request.fields[.authorization]?.split(separator: "=").last)
            #expect(signature.count == 64)
            for hidden in ["602413", "hidden", "AKIAHIDDEN", String(signature)] { #expect(!text.contains(hidden)) }
        }
    }

    @Test("leave out the token that another server's page quotes in place of an instance's role")
    func page() async throws {
        let sender = RecordingSender { _, _ in .text("hidden-token-of-the-instance") }
        try await withMachine(sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            let text = try #require(error).description
            #expect(text.contains("answered 200 to the request for the role") && !text.contains("hidden"))
        }
        #expect(sender.requests.allSatisfy { !$0.url.path.contains("hidden") })
    }

    @Test("leave out the keys that a process also prints to standard error")
    func process() async throws {
        let keys = #"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hidden-secret-of-the-test"}"#
        try await withMachine(
            ["PATH": "/usr/bin:/bin"],
            config: "[profile p]\ncredential_process = HOME/program\n",
            clock: ContinuousClock()
        ) { resolver, home in
            let path = "\(home)/program"
            let script = "#!/bin/sh\necho '\(keys)'\necho 'it says: hidden-secret-of-the-test' >&2\nexit 3\n"
            try Data(script.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(profile: "p"))
            }
            #expect(error?.problem.hasSuffix("ended with status 3: it says: …") == true, "\(error as Any)")
        }
    }
}
