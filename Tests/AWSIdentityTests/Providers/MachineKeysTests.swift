import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("A container's endpoint")
struct ContainerCredentialsTests {
    static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"

    @Test(
        "is named by the environment; the relative URI comes first",
        arguments: [
            ([relative: "/v2/x", full: "http://localhost/y"], "http://169.254.170.2/v2/x"),
            ([relative: "v2/x"], "http://169.254.170.2/v2/x"),
            ([full: "http://localhost:81/y?z=1"], "http://localhost:81/y?z=1"),
            ([full: "http://127.0.0.9/y"], "http://127.0.0.9/y"), ([full: "http://[::1]/y"], "http://[::1]/y"),
            ([full: "http://169.254.170.23/v1/credentials"], "http://169.254.170.23/v1/credentials"),
            ([full: "http://[fd00:ec2::23]/v1/credentials"], "http://[fd00:ec2::23]/v1/credentials"),
            ([full: "https://example.com/y"], "https://example.com/y"),
        ]
    )
    func place(_ variables: [String: String], _ url: String) async throws {
        let sender = RecordingSender { _, _ in roleKeys("ASIACONTAINER") }
        try await withMachine(variables, sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials()
            #expect(credentials.accessKeyID == "ASIACONTAINER" && credentials.sessionToken == "token")
            #expect(credentials.expiration == noon + 3_600)
        }
        let request = try #require(sender.requests.first)
        #expect(request.url.text == url && request.method == .get && request.deadline == .seconds(2))
        #expect(request.allowsPlainHTTP && request.fields[.authorization] == nil)
    }

    @Test("gets the token of the file, read each time, in preference to the variable's")
    func token() async throws {
        let time = ManualTime(noon)
        let sender = RecordingSender { _, number in
            roleKeys("ASIA\(number)", expires: number == 1 ? "2026-01-15T13:00:00Z" : "2026-01-15T14:00:00Z")
        }
        let variables = [
            Self.full: "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hidden",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/token",
        ]
        try await withMachine(variables, sender: sender, now: { time.now }) { resolver, home in
            try Data("first".utf8).write(to: URL(filePath: home + "/token"))
            _ = try await resolver.credentials()
            try Data("second".utf8).write(to: URL(filePath: home + "/token"))
            time.advance(3_000)
            #expect(try await resolver.credentials().accessKeyID == "ASIA2")
        }
        #expect(sender.requests.map { $0.fields[.authorization] } == ["first", "second"])
        try await withMachine(variables.filter { !$0.key.hasSuffix("FILE") }, sender: sender) { resolver, _ in
            _ = try await resolver.credentials()
        }
        #expect(sender.requests.last?.fields[.authorization] == "hidden")
    }

    @Test("gets no request with a token of two lines, and none without the configured token")
    func badToken() async throws {
        let sender = RecordingSender { _, _ in roleKeys("X") }
        let variables = [Self.relative: "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/token"]
        try await withMachine(variables, sender: sender) { resolver, home in
            let missing = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(missing?.problem.contains("a file that does not exist") == true)
            try Data("hidden\r\nX-Evil: 1".utf8).write(to: URL(filePath: home + "/token"))
            let lines = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(lines?.problem.contains("has a line break in it") == true)
            #expect(!"\(lines as Any)".contains("hidden"))
        }
        #expect(sender.requests.isEmpty)
    }

    @Test("gets three requests a second apart if it fails, and one if it refuses")
    func attempts() async throws {
        let clock = RecordingClock()
        let failing = RecordingSender { _, number in
            guard number > 1 else { throw WireError(.deadline, "took longer than 2 s") }
            return .json(#"{"code":"InternalError","message":"hidden no more"}"#, status: 500)
        }
        try await withMachine([Self.relative: "/x"], sender: failing, clock: clock) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(
                error?.problem
                    == "the container's credentials (\(Self.relative)) are not available: HTTP 500: InternalError: hidden no more"
            )
        }
        #expect(failing.requests.count == 3 && clock.waits == [.seconds(1), .seconds(1)])
        let refusing = RecordingSender { _, _ in .text("no", status: 403) }
        try await withMachine([Self.relative: "/x"], sender: refusing) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials() }
        }
        #expect(refusing.requests.count == 1)
    }
}

@Suite("Keys from an agent on this machine")
struct AgentKeysTests {
    @Test("that seem to have expired are used until AWS refuses them, and the agent's time is ignored")
    func aheadOfAWS() async throws {
        let counter = Counter()
        let sender = RecordingSender { request, _ in
            // The agent uses this machine's clock, which is an hour ahead; STS uses its own.
            if request.url.host == "169.254.170.2" {
                var keys = roleKeys("ASIA\(counter.increment())", expires: "2026-01-15T11:30:00Z")
                keys.fields[.date] = "Thu, 15 Jan 2026 12:00:00 GMT"
                return keys
            }
            let isOld = request.fields[.amzDate] == "20260115T120000Z"
            var answer = isOld ? refusal(403, "SignatureDoesNotMatch") : roleAnswer()
            answer.fields[.date] = "Thu, 15 Jan 2026 11:00:00 GMT"
            return answer
        }
        let variables = [ContainerCredentialsTests.relative: "/x"]
        try await withMachine(variables, sender: sender) { resolver, _ in
            for role in ["one", "two"] {
                let options = IdentityOptions(roleARN: "arn:aws:iam::123456789012:role/\(role)")
                #expect(try await resolver.credentials(options).accessKeyID == "ASIAROLE")
            }
            let theirs = try stsClock(resolver)
            #expect(theirs.now() == noon - 3_600, "the agent's time changes nothing")
        }
        #expect(sender.requests.count { $0.url.host.hasPrefix("sts.") } == 3, "refused once")
    }
}

@Suite("An instance's metadata service")
struct InstanceMetadataTests {
    /// A sender that answers as the service; `token` makes the answer to the request for a token.
    private static func service(
        role: String = "role-1",
        expires: String = "2026-01-15T18:00:00Z",
        token: @escaping @Sendable () throws -> WireResponse = { .text("secret-token") }
    ) -> RecordingSender {
        RecordingSender { request, _ in
            if request.method == .put { return try token() }
            if request.url.path.hasSuffix("/security-credentials/") { return .text("\(role)\nanother") }
            return roleKeys("ASIAINSTANCE", expires: expires)
        }
    }

    private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .accept }

    private func absence(_ variables: [String: String], _ sender: RecordingSender) async throws -> String {
        var text = ""
        try await withMachine(variables, sender: sender) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            text = "\(try #require(error))"
        }
        return text
    }

    @Test("gets requests for a token, the role and the keys, each with a time limit of a second")
    func flow() async throws {
        let sender = Self.service()
        try await withMachine(sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials()
            #expect(credentials.accessKeyID == "ASIAINSTANCE" && credentials.source == "instance role role-1")
            #expect(credentials.expiration == noon + 21_600)
        }
        let base = "http://169.254.169.254/latest"
        #expect(
            sender.requests.map { "\($0.method) \($0.url.text)" } == [
                "PUT \(base)/api/token", "GET \(base)/meta-data/iam/security-credentials/",
                "GET \(base)/meta-data/iam/security-credentials/role-1",
            ]
        )
        #expect(sender.requests[0].fields[Self.name("x-aws-ec2-metadata-token-ttl-seconds")] == "21600")
        for request in sender.requests {
            #expect(request.deadline == .seconds(1) && request.allowsPlainHTTP)
            let token = request.fields[Self.name("x-aws-ec2-metadata-token")]
            #expect(token == (request.method == .put ? nil : "secret-token"))
        }
    }

    @Test(
        "gets requests without a token if it doesn't know tokens, or doesn't answer",
        arguments: [403, 404, 405, nil]
    )
    func withoutToken(_ status: Int?) async throws {
        let token: @Sendable () throws -> WireResponse = {
            guard let status else { throw WireError(.deadline, "took longer than 1 s") }
            return .text("", status: status)
        }
        let sender = Self.service(token: token)
        try await withMachine(sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials()
            #expect(credentials.accessKeyID == "ASIAINSTANCE")
        }
        #expect(sender.requests.allSatisfy { $0.fields[Self.name("x-aws-ec2-metadata-token")] == nil })
        let forbidden = Self.service(token: token)
        #expect(
            try await absence(["AWS_EC2_METADATA_V1_DISABLED": "true"], forbidden)
                .contains("AWS_EC2_METADATA_V1_DISABLED forbids")
        )
        #expect(forbidden.requests.count == 1)
    }

    @Test("that answers with an empty token gets requests without one")
    func emptyToken() async throws {
        let sender = Self.service(token: { .text("") })
        try await withMachine(sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials()
            #expect(credentials.accessKeyID == "ASIAINSTANCE")
        }
        #expect(sender.requests.allSatisfy { $0.fields[Self.name("x-aws-ec2-metadata-token")] == nil })
        let forbidden = Self.service(token: { .text("") })
        let text = try await absence(["AWS_EC2_METADATA_V1_DISABLED": "true"], forbidden)
        #expect(text.contains("answered the request for a token without one, and AWS_EC2_METADATA_V1_DISABLED forbids"))
        #expect(forbidden.requests.count == 1)
    }

    @Test("that refuses, doesn't answer or has no role is listed in the error")
    func absences() async throws {
        for status in [500, 401, 302, 429, 204] {
            let failing = Self.service(token: { .text("", status: status) })
            #expect(try await absence([:], failing).contains("(answered \(status) to the request for a token)"))
            #expect(failing.requests.count == 1, "without a token there is no other request")
        }
        let bad = Self.service(token: { .text("", status: 400) })
        #expect(try await absence([:], bad).contains("instance metadata (answered 400 to the request for a token)"))
        #expect(bad.requests.count == 1)
        let unreachable = RecordingSender { _, _ in throw WireError(.unreachable, "no route to host") }
        #expect(try await absence([:], unreachable).contains("instance metadata (no route to host)"))
        #expect(unreachable.requests.count == 1)
        let roleless = RecordingSender { request, _ in .text("", status: request.method == .put ? 200 : 404) }
        #expect(try await absence([:], roleless).contains("instance metadata (the instance has no role)"))
        let broken = RecordingSender { request, _ in
            if request.method == .put { return .text("t") }
            return request.url.path.hasSuffix("/")
                ? .text("r") : .json(#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#)
        }
        #expect(
            try await absence([:], broken)
                .contains("answered 200: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role for the role r")
        )
    }

    @Test("that requires a token and whose answer is lost gets advice about the hop limit")
    func hopLimit() async throws {
        let command =
            "aws ec2 modify-instance-metadata-options --instance-id INSTANCE --http-put-response-hop-limit 2 "
            + "--http-endpoint enabled"
        let required = RecordingSender { request, _ in
            if request.method == .put { throw WireError(.deadline, "took longer than 1 s") }
            return .text("Unauthorized", status: 401)
        }
        #expect(try await absence([:], required).contains(command))
        #expect(required.requests.count == 2)
        let forbidden = Self.service(token: { throw WireError(.deadline, "took longer than 1 s") })
        #expect(try await absence(["AWS_EC2_METADATA_V1_DISABLED": "true"], forbidden).contains(command))
        // On a machine that isn't an instance, no request is answered.
        let unreachable = RecordingSender { _, _ in throw WireError(.deadline, "took longer than 1 s") }
        #expect(try await !absence([:], unreachable).contains("hop"))
        let config =
            "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Ec2InstanceMetadata\n"
        try await withMachine(config: config, sender: required) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) {
                try await resolver.credentials(.init(profile: "a"))
            }
            #expect(error?.remedy.contains(command) == true)
        }
    }

    @Test("whose role EC2 may not assume gets advice about the trust policy")
    func untrusted() async throws {
        let sender = RecordingSender { request, _ in
            if request.method == .put { return .text("t") }
            return request.url.path.hasSuffix("/")
                ? .text("ci-role")
                : .json(#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role ci-role."}"#)
        }
        let text = try await absence([:], sender)
        #expect(text.contains("allow the principal ec2.amazonaws.com in the trust policy of the role ci-role"))
        #expect(text.contains("aws iam get-role --role-name ci-role") && !text.contains("sso login"))
    }

    @Test("follows the settings; the environment's come before the profile's")
    func settings() async throws {
        let config = """
            [default]
            ec2_metadata_service_endpoint = http://127.0.0.1:81
            metadata_service_timeout = 5
            metadata_service_num_attempts = 3
            ec2_metadata_v1_disabled = true
            """
        let sender = RecordingSender { _, _ in throw WireError(.deadline, "late") }
        try await withMachine(config: config, sender: sender) { resolver, _ in
            _ = try? await resolver.credentials()
        }
        #expect(sender.requests.map(\.url.text) == Array(repeating: "http://127.0.0.1:81/latest/api/token", count: 3))
        #expect(sender.requests.allSatisfy { $0.deadline == .seconds(5) })
        let six = Self.service()
        try await withMachine(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"], sender: six) { resolver, _ in
            _ = try await resolver.credentials()
        }
        #expect(six.requests.first?.url.text == "http://[fd00:ec2::254]/latest/api/token")
        let named = Self.service()
        let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:82/"]
        try await withMachine(variables, config: config, sender: named) { resolver, _ in
            _ = try await resolver.credentials()
        }
        #expect(named.requests.first?.url.text == "http://127.0.0.1:82/latest/api/token")
    }

    @Test("whose keys have expired is asked again after a while")
    func stale() async throws {
        let time = ManualTime(noon)
        let sender = Self.service(expires: "2026-01-15T11:00:00Z")
        try await withMachine(sender: sender, now: { time.now }) { resolver, _ in
            let first = try await resolver.credentials()
            let lasts = try #require(first.expiration).timeIntervalSince(noon)
            #expect((17 * 60...25 * 60).contains(lasts))
            _ = try await resolver.credentials()
            #expect(sender.requests.count == 3)
            time.advance(lasts)
            _ = try await resolver.credentials()
            #expect(sender.requests.count == 6)
        }
    }

    @Test("that fails to renew keys gets an error of its own")
    func unrenewed() async throws {
        let time = ManualTime(noon)
        let service = Self.service()
        let sender = RecordingSender { request, number in
            guard number <= 3 else { throw WireError(.deadline, "took longer than 1 s") }
            return try await service.send(request)
        }
        try await withMachine(sender: sender, now: { time.now }) { resolver, _ in
            _ = try await resolver.credentials()
            time.advance(21_600)
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(error?.problem == "the keys of the instance's role could not be renewed: took longer than 1 s")
        }
    }

    @Test("may be the source of a role")
    func source() async throws {
        let sender = RecordingSender { request, _ in
            if request.url.host == "sts.eu-west-1.amazonaws.com" { return roleAnswer() }
            if request.method == .put { return .text("t") }
            return request.url.path.hasSuffix("/") ? .text("r") : roleKeys("ASIAINSTANCE")
        }
        let config = """
            [profile a]
            role_arn = arn:aws:iam::123456789012:role/r
            credential_source = Ec2InstanceMetadata
            [profile b]
            role_arn = arn:aws:iam::123456789012:role/r
            credential_source = EcsContainer
            """
        try await withMachine(config: config, sender: sender) { resolver, _ in
            let credentials = try await resolver.credentials(.init(profile: "a"))
            #expect(credentials.accessKeyID == "ASIAROLE")
        }
        #expect(sender.requests.last?.fields[.authorization]?.contains("Credential=ASIAINSTANCE/") == true)
        let container = RecordingSender { request, _ in
            request.url.host == "169.254.170.2" ? roleKeys("ASIACONTAINER") : roleAnswer()
        }
        let variables = [ContainerCredentialsTests.relative: "/x"]
        try await withMachine(variables, config: config, sender: container) { resolver, _ in
            let credentials = try await resolver.credentials(.init(profile: "b"))
            #expect(credentials.accessKeyID == "ASIAROLE")
        }
        #expect(container.requests.last?.fields[.authorization]?.contains("Credential=ASIACONTAINER/") == true)
    }
}
