import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("Roles")
struct RoleTests {
    static let keys = ["AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "env-secret", "USER": "ann b"]
    static let role = "arn:aws:iam::123456789012:role/replicator"
    static let config = """
        [profile promoter]
        role_arn = arn:aws:iam::123456789012:role/promoter
        source_profile = base
        external_id = ex 1/2
        role_session_name = from-profile
        duration_seconds = 1800
        [profile base]
        aws_access_key_id = AKIABASE
        aws_secret_access_key = base-secret
        [profile env]
        role_arn = arn:aws:iam::123456789012:role/env
        credential_source = Environment
        duration_seconds = an hour
        [profile self]
        role_arn = arn:aws:iam::123456789012:role/self
        source_profile = self
        aws_access_key_id = AKIASELF
        aws_secret_access_key = self-secret
        """

    /// Assumes the roles of `options`, and returns the requests.
    private func sent(
        _ options: IdentityOptions,
        _ variables: [String: String] = keys,
        region: String = "eu-central-1"
    ) async throws -> [WireRequest] {
        let sender = RecordingSender { _, number in roleAnswer("ASIA\(number)") }
        let (resolver, _) = try resolver(variables, config: Self.config, sender: sender)
        let credentials = try await resolver.provider(for: options, stsRegion: region).credentials()
        #expect(credentials.accessKeyID == "ASIA\(sender.requests.count)")
        return sender.requests
    }

    @Test("of a flag are assumed with the environment's keys, at STS in the region")
    func flag() async throws {
        let options = IdentityOptions(roleARN: Self.role, externalID: "ext-1", sessionName: "sess")
        let request = try #require(try await sent(options).first)
        #expect(request.method == .post)
        #expect(request.url.text == "https://sts.eu-central-1.amazonaws.com/")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "Action=AssumeRole&ExternalId=ext-1&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freplicator"
                + "&RoleSessionName=sess&Version=2011-06-15"
        )
        #expect(request.fields[.contentType] == "application/x-www-form-urlencoded; charset=utf-8")
        let authorization = try #require(request.fields[.authorization])
        #expect(
            authorization.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIAENVIRONMENT/20260115/eu-central-1/sts/aws4_request, "
                    + "SignedHeaders=content-type;host;x-amz-date, Signature="
            )
        )
    }

    @Test("give credentials with account, expiry and source")
    func members() async throws {
        let (resolver, _) = try resolver(Self.keys)
        let credentials =
            try await resolver
            .provider(for: .init(roleARN: Self.role), stsRegion: "eu-west-1").credentials()
        #expect(credentials.secretAccessKey == "s&cret")
        #expect(credentials.sessionToken == "tok==")
        #expect(credentials.expiration == noon + 3_600)
        #expect(credentials.accountID == "123456789012")
        #expect(credentials.source == "role \(Self.role)")
    }

    @Test("of a profile are assumed with the source's keys and the profile's settings")
    func profile() async throws {
        let request = try #require(try await sent(.init(profile: "promoter")).first)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "Action=AssumeRole&DurationSeconds=1800&ExternalId=ex%201%2F2"
                + "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpromoter&RoleSessionName=from-profile"
                + "&Version=2011-06-15"
        )
        #expect(request.fields[.authorization]?.contains("Credential=AKIABASE/") == true)
    }

    @Test("may have the environment, or the profile itself, as source")
    func sources() async throws {
        let environment = try #require(try await sent(.init(profile: "env")).first)
        #expect(environment.fields[.authorization]?.contains("Credential=AKIAENVIRONMENT/") == true)
        #expect(!String(decoding: environment.body, as: UTF8.self).contains("DurationSeconds"))
        let itself = try #require(try await sent(.init(profile: "self")).first)
        #expect(itself.fields[.authorization]?.contains("Credential=AKIASELF/") == true)
    }

    @Test("of a flag are assumed with the profile's role")
    func twoHops() async throws {
        let requests = try await sent(.init(profile: "promoter", roleARN: Self.role))
        #expect(requests.count == 2)
        #expect(requests[0].fields[.authorization]?.contains("Credential=AKIABASE/") == true)
        #expect(requests[1].fields[.authorization]?.contains("Credential=ASIA1/") == true)
        #expect(requests[1].fields[.amzSecurityToken] == "tok==")
        #expect(!String(decoding: requests[1].body, as: UTF8.self).contains("ExternalId"))
    }

    @Test(
        "have session names with the user's name",
        arguments: [
            (["USER": "ann b/ü"], "ecr-replicate-ann-b--"), (["LOGNAME": "bob"], "ecr-replicate-bob"),
            ([:], "ecr-replicate-1768478400"),
            (["USER": String(repeating: "x", count: 80)], "ecr-replicate-" + String(repeating: "x", count: 50)),
        ]
    )
    func sessionNames(_ more: [String: String], _ name: String) async throws {
        var variables = Self.keys.merging(more) { $1 }
        if more["USER"] == nil { variables["USER"] = nil }
        let request = try #require(try await sent(.init(roleARN: Self.role), variables).first)
        #expect(String(decoding: request.body, as: UTF8.self).contains("RoleSessionName=\(name)&"))
    }

    @Test(
        "with invalid settings are refused before anything is sent",
        arguments: [
            (IdentityOptions(roleARN: "replicator"), "", "not the ARN of a role"),
            (IdentityOptions(roleARN: role, sessionName: "a b"), "", "not a session name"),
            (IdentityOptions(roleARN: role, sessionName: "a"), "", "not a session name"),
            (IdentityOptions(roleARN: role, externalID: "x"), "", "external id"),
            (
                IdentityOptions(profile: "a"),
                "[profile a]\nrole_arn = \(role)\nsource_profile = b\n[profile b]\nrole_arn = \(role)\nsource_profile = a\n",
                "form a cycle: a → b → a"
            ),
            (
                IdentityOptions(profile: "a"), "[profile a]\nrole_arn = \(role)\nsource_profile = a\n",
                "form a cycle: a → a"
            ),
            (IdentityOptions(profile: "a"), "[profile a]\nrole_arn = \(role)\n", "exactly one of source_profile"),
            (
                IdentityOptions(profile: "a"),
                "[profile a]\nrole_arn = \(role)\nsource_profile = b\ncredential_source = Environment\n",
                "exactly one of source_profile"
            ),
            (
                IdentityOptions(profile: "a"), "[profile a]\nrole_arn = \(role)\nsource_profile = missing\n",
                "no profile 'missing'"
            ),
            (
                IdentityOptions(profile: "a"),
                "[profile a]\nrole_arn = \(role)\nsource_profile = b\n[profile b]\nregion = x\n",
                "profile 'b', the source of 'a', has no credentials"
            ),
            (
                IdentityOptions(profile: "a"),
                "[profile a]\nrole_arn = \(role)\ncredential_source = Environment\nduration_seconds = 60\n",
                "duration_seconds = 60"
            ),
        ]
    )
    func refused(_ options: IdentityOptions, _ config: String, _ phrase: String) throws {
        let sender = RecordingSender { _, _ in roleAnswer() }
        let (resolver, _) = try resolver(Self.keys, config: config, sender: sender)
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: options, stsRegion: "eu-west-1")
        }
        #expect("\(try #require(error))".contains(phrase))
        #expect(sender.requests.isEmpty)
    }

    @Test("that fail because STS is unreachable or throttling are not refusals")
    func failures() async throws {
        func failure(_ answer: @escaping @Sendable () throws -> WireResponse) async throws -> IdentityError {
            let sender = RecordingSender { _, _ in try answer() }
            let (resolver, _) = try resolver(Self.keys, sender: sender)
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(roleARN: Self.role))
            }
            return try #require(error)
        }
        let unreachable = try await failure { throw WireError(.unreachable, "no route to host") }
        #expect(unreachable.failure?.reason == .unreachable && unreachable.refusal == nil && !unreachable.isPassing)
        let busy = try await failure { refusal(400, "Throttling") }
        #expect(busy.isPassing && busy.failure == nil && busy.refusal == nil)
        let denied = try await failure { refusal(403, "AccessDenied") }
        #expect(denied.refusal != nil && denied.failure == nil && !denied.isPassing)
    }
}
