import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("A web identity")
struct WebIdentityTests {
    private static let role = "arn:aws:iam::123456789012:role/pod"
    private static let variables = [
        "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": role, "AWS_ROLE_SESSION_NAME": "pod-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    ]

    private static func answer(_ number: Int, expires: String = "2026-01-15T13:00:00Z") -> WireResponse {
        let text = String(decoding: roleAnswer("ASIA\(number)", expires: expires).body, as: UTF8.self)
        return .text(text.replacing("AssumeRole", with: "AssumeRoleWithWebIdentity"))
    }

    private static func body(_ request: WireRequest?) -> String { String(decoding: request?.body ?? [], as: UTF8.self) }

    @Test("assumes the role with the file's token, unsigned, and reads the file each time")
    func variables() async throws {
        let time = ManualTime(noon)
        let sender = RecordingSender { _, number in
            Self.answer(number, expires: number == 1 ? "2026-01-15T13:00:00Z" : "2026-01-15T14:00:00Z")
        }
        try await withMachine(Self.variables, sender: sender, now: { time.now }) { resolver, home in
            try Data("first+token/=\n".utf8).write(to: URL(filePath: home + "/token"))
            let credentials = try await resolver.credentials()
            #expect(credentials.accessKeyID == "ASIA1" && credentials.accountID == "123456789012")
            #expect(credentials.source == "role \(Self.role)")
            try Data("second".utf8).write(to: URL(filePath: home + "/token"))
            time.advance(3_000)
            #expect(try await resolver.credentials().accessKeyID == "ASIA2")
        }
        #expect(sender.requests.first?.url.text == "https://sts.eu-west-1.amazonaws.com/")
        #expect(
            Self.body(sender.requests.first) == "Action=AssumeRoleWithWebIdentity"
                + "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpod&RoleSessionName=pod-1&Version=2011-06-15"
                + "&WebIdentityToken=first%2Btoken%2F%3D"
        )
        #expect(Self.body(sender.requests.last).hasSuffix("&WebIdentityToken=second"))
        for request in sender.requests {
            #expect(request.fields[.authorization] == nil && request.fields[.amzDate] == nil)
        }
    }

    @Test("gives keys that expire by STS's clock, not by this machine's")
    func otherClock() async throws {
        let sender = RecordingSender { _, number in
            var answer = Self.answer(number)
            answer.fields[.date] = "Thu, 15 Jan 2026 12:00:00 GMT"
            return answer
        }
        try await withMachine(Self.variables, sender: sender, now: { noon + 3_700 }) { resolver, home in
            try Data("token".utf8).write(to: URL(filePath: home + "/token"))
            for _ in 0..<2 { #expect(try await resolver.credentials().accessKeyID == "ASIA1") }
            let theirs = try stsClock(resolver)
            #expect(theirs.now() == noon)
        }
    }

    @Test("may be a profile's; a variable wins over the profile's key")
    func profile() async throws {
        let config = """
            [profile p]
            role_arn = arn:aws:iam::123456789012:role/profile
            web_identity_token_file = HOME/profile-token
            role_session_name = from-profile
            """
        let sender = RecordingSender { _, number in Self.answer(number) }
        let mixed = ["AWS_PROFILE": "p", "AWS_ROLE_ARN": Self.role]
        try await withMachine(mixed, config: config, sender: sender) { resolver, home in
            try Data("profile-token".utf8).write(to: URL(filePath: home + "/profile-token"))
            _ = try await resolver.credentials()
            _ = try await resolver.credentials(.init(profile: "p"))
        }
        #expect(Self.body(sender.requests[0]).contains("role%2Fpod&RoleSessionName=from-profile"))
        #expect(Self.body(sender.requests[1]).contains("role%2Fprofile&RoleSessionName=from-profile"))
        #expect(sender.requests.allSatisfy { Self.body($0).hasSuffix("=profile-token") })
    }

    @Test(
        "that STS refuses gets a remedy by the error's code",
        arguments: [
            ("InvalidIdentityToken", "identity provider is registered"), ("IDPRejectedClaim", "identity provider"),
            ("ExpiredTokenException", "no longer renewed"), ("AccessDenied", "trust policy"),
            ("RegionDisabledException", "enable STS"), ("ValidationError", "correct the request as STS says"),
        ]
    )
    func refused(_ code: String, _ remedy: String) async throws {
        let sender = RecordingSender { _, _ in refusal(400, code) }
        try await withMachine(Self.variables, sender: sender) { resolver, home in
            try Data("hidden-token".utf8).write(to: URL(filePath: home + "/token"))
            let error = try #require(
                await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            )
            #expect(error.problem == "the role \(Self.role) could not be assumed with \(home)/token: \(code): no & no")
            #expect(error.remedy.contains(remedy) && error.requestID == "r-9")
            #expect(error.tried == ["AWS_WEB_IDENTITY_TOKEN_FILE"] && !"\(error)".contains("hidden"))
        }
        #expect(sender.requests.count == 1)
    }

    @Test("whose provider STS can't reach is retried")
    func communication() async throws {
        let sender = RecordingSender { _, number in
            number < 3 ? refusal(400, "IDPCommunicationError") : Self.answer(number)
        }
        try await withMachine(Self.variables, sender: sender) { resolver, home in
            try Data("token".utf8).write(to: URL(filePath: home + "/token"))
            #expect(try await resolver.credentials().accessKeyID == "ASIA3")
        }
    }

    @Test("without a valid token file sends nothing", arguments: [nil, "abc", "long"])
    func badFile(_ text: String?) async throws {
        let sender = RecordingSender { _, number in Self.answer(number) }
        try await withMachine(Self.variables, sender: sender) { resolver, home in
            if let text {
                let content = text == "long" ? String(repeating: "x", count: 20_001) : text
                try Data(content.utf8).write(to: URL(filePath: home + "/token"))
            }
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(error?.problem.contains("\(home)/token") == true)
        }
        #expect(sender.requests.isEmpty)
    }
}

@Suite("A role with an MFA code")
struct SecondFactorTests {
    private static let config = """
        [profile m]
        role_arn = arn:aws:iam::123456789012:role/r
        mfa_serial = arn:aws:iam::123456789012:mfa/ann
        source_profile = m
        aws_access_key_id = AKIA
        aws_secret_access_key = s
        duration_seconds = 3600
        """
    private static let options = IdentityOptions(profile: "m")

    @Test("asks for the code once for all callers, and sends it")
    func asks() async throws {
        let questions = Counter()
        let sender = RecordingSender { _, _ in roleAnswer() }
        let asks: @Sendable (String) async throws -> String? = { question in
            #expect(
                question
                    == "MFA code of arn:aws:iam::123456789012:mfa/ann, for arn:aws:iam::123456789012:role/r: "
            )
            questions.increment()
            return " 123456\r"
        }
        try await withMachine(config: Self.config, sender: sender, asks: asks) { resolver, _ in
            async let one = resolver.credentials(Self.options)
            // In another region STS would refuse the same code as used.
            async let other = resolver.provider(for: Self.options, stsRegion: "us-east-1").credentials()
            let credentials = try await (one, other).0
            #expect(credentials.accessKeyID == "ASIAROLE")
        }
        #expect(questions.count == 1 && sender.requests.count == 1)
        let body = String(decoding: try #require(sender.requests.first).body, as: UTF8.self)
        #expect(body.contains("&SerialNumber=arn%3Aaws%3Aiam%3A%3A123456789012%3Amfa%2Fann&TokenCode=123456&Version"))
    }

    @Test("asks one question at a time")
    func oneByOne() async throws {
        let asking = Counter()
        let asks: @Sendable (String) async throws -> String? = { _ in
            #expect(asking.increment() % 2 == 1)
            for _ in 1...50 { await Task.yield() }
            #expect(asking.increment() % 2 == 0)
            return "123456"
        }
        let other = Self.config.replacing("profile m]", with: "profile n]").replacing(
            "profile = m",
            with: "profile = n"
        )
        try await withMachine(config: "\(Self.config)\n\(other)", asks: asks) { resolver, _ in
            async let one = resolver.credentials(Self.options)
            async let two = resolver.credentials(.init(profile: "n"))
            _ = try await (one, two)
        }
        #expect(asking.count == 4)
    }

    private static let wrongCode = "MultiFactorAuthentication failed with invalid MFA one time pass code. "

    @Test("asks again after STS refuses a code, three times in all", arguments: [1, 2, 3])
    func mistyped(wrong: Int) async throws {
        let questions = Lock<[String]>([])
        let asks: @Sendable (String) async throws -> String? = { question in
            questions.withLock { questions in
                questions.append(question)
                return "11111\(questions.count)"
            }
        }
        let sender = RecordingSender { _, number in
            number <= wrong ? refusal(403, "AccessDenied", Self.wrongCode) : roleAnswer()
        }
        try await withMachine(config: Self.config, sender: sender, asks: asks) { resolver, _ in
            if wrong < 3 {
                let credentials = try await resolver.credentials(Self.options)
                #expect(credentials.accessKeyID == "ASIAROLE")
            } else {
                let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
                #expect(error?.problem.contains("could not be assumed: AccessDenied: MultiFactor") == true)
                let ended = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
                #expect(ended?.problem.contains("its code was refused") == true)
            }
        }
        let asked = min(wrong + 1, 3)
        let question = "MFA code of arn:aws:iam::123456789012:mfa/ann, for arn:aws:iam::123456789012:role/r: "
        let again = "STS refused that code. A code can be used once; wait for the next.\n"
        let expected = [question] + [String](repeating: again + question, count: asked - 1)
        #expect(questions.withLock { $0 } == expected)
        let codes = sender.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(codes.count == asked)
        for (number, body) in codes.enumerated() { #expect(body.contains("&TokenCode=11111\(number + 1)&")) }
    }

    @Test(
        "asks once if STS refuses for another reason",
        arguments: ["AccessDenied: not authorized to perform: sts:AssumeRole", "ValidationError: \(wrongCode)"]
    )
    func otherRefusal(_ text: String) async throws {
        let questions = Counter()
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let sender = RecordingSender { _, _ in refusal(403, parts[0], parts[1]) }
        let asks: @Sendable (String) async throws -> String? = { _ in
            questions.increment()
            return "123456"
        }
        try await withMachine(config: Self.config, sender: sender, asks: asks) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
        }
        #expect(questions.count == 1 && sender.requests.count == 1)
    }

    @Test("asks again if the question was cancelled")
    func cancelledQuestion() async throws {
        let asked = Counter()
        let asks: @Sendable (String) async throws -> String? = { _ in
            if asked.increment() == 1 { throw CancellationError() }
            return "123456"
        }
        try await withMachine(config: Self.config, asks: asks) { resolver, _ in
            await #expect(throws: CancellationError.self) { try await resolver.credentials(Self.options) }
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "ASIAROLE")
        }
    }

    @Test("is refused without a terminal before anything is sent")
    func noTerminal() async throws {
        for asks in [nil, { _ in nil }] as [(@Sendable (String) async throws -> String?)?] {
            let sender = RecordingSender { _, _ in roleAnswer() }
            try await withMachine(config: Self.config, sender: sender, asks: asks) { resolver, _ in
                let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
                #expect(
                    error?.problem.contains("arn:aws:iam::123456789012:mfa/ann, and there is no terminal") == true
                )
            }
            #expect(sender.requests.isEmpty)
        }
    }

    @Test("doesn't send an answer that is not a code", arguments: ["", "12345", "1234567", "12345a", "１２３４５６"])
    func wrong(_ answer: String) async throws {
        let sender = RecordingSender { _, _ in roleAnswer() }
        try await withMachine(config: Self.config, sender: sender, asks: { _ in answer }) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            #expect(error?.problem == "the MFA code is not 6 digits")
        }
        #expect(sender.requests.isEmpty)
    }

    @Test("is used to its last second, and then ends with an error")
    func ended() async throws {
        let time = ManualTime(noon)
        let questions = Counter()
        let asks: @Sendable (String) async throws -> String? = { _ in
            questions.increment()
            return "123456"
        }
        try await withMachine(config: Self.config, now: { time.now }, asks: asks) { resolver, _ in
            _ = try await resolver.credentials(Self.options)
            time.advance(3_599)
            _ = try await resolver.credentials(Self.options)
            time.advance(1)
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            #expect(error?.remedy.contains("longer duration_seconds") == true)
        }
        #expect(questions.count == 1)
    }
}
