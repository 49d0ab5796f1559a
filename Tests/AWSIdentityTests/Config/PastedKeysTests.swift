import Content
import FoundationEssentials
import TestDoubles
import Testing

@testable import AWSIdentity

/// Values with faults that pasting causes.
@Suite("Pasted values")
struct PastedKeysTests {
    private static let id = "AKIAEXAMPLEEXAMPLE01"
    private static let temporary = "ASIAEXAMPLEEXAMPLE01"
    private static let secret = "hiddenSecret/hiddenSecret+hiddenSecret12"

    /// Text around a key, and the fault that the error names.
    static let pastes: [(before: String, behind: String, fault: String)] = [
        ("", "\n", "ends with a line break"), ("", "\r\n", "ends with a line break (CR LF)"),
        ("", "\r", "ends with a line break"),
        ("", " ", "ends with a blank"), (" ", "", "begins with a blank"), ("\t", "", "begins with a blank"),
        ("", "\u{A0}", "ends with a blank"), ("\"", "\"", "has quotes around it"), ("'", "'", "has quotes around it"),
        ("“", "”", "has quotes around it"), ("", "’", "has quotes around it"), ("„", "“", "has quotes around it"),
        ("\u{FEFF}", "", "has an invisible character in it (U+FEFF)"),
        ("", "\u{200B}", "has an invisible character in it (U+200B)"),
        ("", "\u{1B}[31m", "has an invisible character in it (U+001B)"),
        ("", "\u{202E}", "has an invisible character in it (U+202E)"),
        ("export ", "", "begins with 'export'"), ("AWS_ACCESS_KEY_ID=", "", "begins with a variable's name"),
        ("export AWS_ACCESS_KEY_ID=", "", "begins with 'export'"),
        ("\"aws_secret_access_key = ", "", "begins with a variable's name"),
        ("$Env:", "", "begins with '$env:'"), ("", " # of the build", "has a comment after it"),
        ("", "\nmore", "has a line break in it"),
        ("", " more", "has a blank in it"), ("${", "}", "has a variable in it that was not replaced"),
        ("", "é", "has a character in it that no key has (é)"),
    ]

    private func refused(_ variables: [String: String] = [:], credentials: String? = nil) throws -> IdentityError {
        let sender = RecordingSender { _, _ in roleAnswer() }
        let (resolver, _) = try resolver(variables, credentials: credentials, sender: sender)
        let error = #expect(throws: IdentityError.self) { try resolver.provider(for: .init(), stsRegion: "eu-west-1") }
        #expect(sender.requests.isEmpty)
        let text = "\(try #require(error))"
        #expect(!text.contains("hidden") && !text.contains("EXAMPLE"), "\(text)")
        #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" }, "\(text)")
        return try #require(error)
    }

    @Test("around a key in the environment are refused by name before anything is sent", arguments: pastes)
    func environment(before: String, behind: String, fault: String) throws {
        let values = [
            "AWS_ACCESS_KEY_ID": Self.temporary, "AWS_SECRET_ACCESS_KEY": Self.secret,
            "AWS_SESSION_TOKEN": "hiddenToken==",
        ]
        for name in values.keys {
            var variables = values
            variables[name] = before + (values[name] ?? "") + behind
            #expect(try refused(variables).problem.hasPrefix("\(name) \(fault)"))
        }
    }

    @Test(
        "around a key in a file are refused with the profile and the line",
        arguments: [
            (
                "aws_access_key_id = \"\(id)\"\naws_secret_access_key = \(secret)",
                "aws_access_key_id of profile 'default' has quotes around it"
            ),
            (
                "aws_access_key_id = \(id)\naws_secret_access_key = \(secret) # ci",
                "aws_secret_access_key of profile 'default' has a comment after it"
            ),
            (
                "aws_access_key_id = \(id)\naws_secret_access_key = \(secret)\n  more",
                "aws_secret_access_key of profile 'default' has a line break in it"
            ),
            (
                "aws_access_key_id = \(id)\u{200B}\naws_secret_access_key = \(secret)",
                "aws_access_key_id of profile 'default' has an invisible character in it (U+200B)"
            ),
            (
                "aws_access_key_id = export \(id)\naws_secret_access_key = \(secret)",
                "aws_access_key_id of profile 'default' begins with 'export'"
            ),
        ]
    )
    func file(lines: String, problem: String) throws {
        let error = try refused(credentials: "[default]\n\(lines)\n")
        #expect(error.problem.hasPrefix(problem))
        #expect(error.tried.count == 1 && error.tried[0].hasSuffix("/.aws/credentials:2"))
    }

    @Test("that are swapped are refused")
    func swapped() throws {
        func problem(_ id: String, _ secret: String) throws -> String {
            try refused(["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret]).problem
        }
        let names = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        #expect(try problem(Self.secret, Self.id) == "\(names) are swapped")
        #expect(try problem(Self.secret, Self.id + "\n") == "\(names) are swapped")
        #expect(try problem(Self.id, Self.id) == "AWS_SECRET_ACCESS_KEY is the id of an access key, not its secret")
        #expect(try problem("AIDAEXAMPLEEXAMPLE012", Self.secret).contains("id of a user or a role"))
        #expect(
            try problem("\(Self.id):\(Self.secret)", Self.secret) == "AWS_ACCESS_KEY_ID has more than the key id in it"
        )
    }

    @Test("that are a temporary key without its session token are refused")
    func withoutToken() throws {
        let keys = ["AWS_ACCESS_KEY_ID": Self.temporary, "AWS_SECRET_ACCESS_KEY": Self.secret]
        #expect(try refused(keys).problem.hasSuffix("its session token is missing: AWS_SESSION_TOKEN is not set"))
        #expect(
            try refused(keys.merging(["AWS_SESSION_TOKEN": ""]) { $1 }).problem.contains("AWS_SESSION_TOKEN is not set")
        )
        let file = "[default]\naws_access_key_id = \(Self.temporary)\naws_secret_access_key = \(Self.secret)\n"
        let error = try refused(credentials: file)
        #expect(error.problem.contains("aws_access_key_id of profile 'default' is a temporary key"))
        #expect(error.problem.hasSuffix("aws_session_token is not set"))
    }

    @Test(
        "that don't look like AWS's keys are used unchanged",
        arguments: [
            ("test", "test"), ("minio-admin", "a%b(c)s:=/"), ("A=B", "s"), ("ASIA", "s"),
            ("AKIA_of_another_cloud", "x#y"),
        ]
    )
    func others(id: String, secret: String) async throws {
        let (resolver, _) = try resolver(["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret])
        let credentials = try await resolver.provider(for: .init(), stsRegion: "eu-west-1").credentials()
        #expect(credentials.accessKeyID == id && credentials.secretAccessKey == secret)
    }

    @Test("that are a permanent key with another key's session token get advice")
    func otherToken() {
        func advice(_ id: String, token: String?, source: String = "environment") -> String? {
            AWSCredentials(accessKeyID: id, secretAccessKey: "s", sessionToken: token, source: source).pairingAdvice
        }
        #expect(advice(Self.id, token: "hidden")?.hasPrefix("unset AWS_SESSION_TOKEN: ") == true)
        #expect(
            advice(Self.id, token: "hidden", source: "profile ci")?.hasPrefix("remove the session token (profile ci)")
                == true
        )
        #expect(advice(Self.id, token: nil) == nil)
        #expect(advice(Self.temporary, token: "t") == nil)
    }

    // MARK: Regions

    @Test("that are not a region are refused from every source before anything is sent")
    func regions() throws {
        func error(_ variables: [String: String], config: String? = nil, flag: String? = nil) throws -> IdentityError {
            let (resolver, _) = try resolver(
                variables.merging(["AWS_ENDPOINT_URL": "http://127.0.0.1:1"]) { $1 },
                config: config
            )
            return try #require(
                #expect(throws: IdentityError.self) { try resolver.defaultRegion(flag: flag, options: .init()) }
            )
        }
        let variable = try error(["AWS_REGION": "eu-west-1\n"])
        #expect(variable.problem == "AWS_REGION is 'eu-west-1?', which has a line break in it")
        #expect(variable.remedy == "write eu-west-1")
        #expect(
            try error(["AWS_DEFAULT_REGION": "eu-west-1a"]).problem.hasPrefix(
                "AWS_DEFAULT_REGION is 'eu-west-1a', which is an availability"
            )
        )
        #expect(try error([:], flag: "EU-WEST-1").problem == "--region is 'EU-WEST-1', which has capitals")
        let profile = try error([:], config: "[default]\n\nregion = eu-west-1 # Ireland\n")
        #expect(
            profile.problem == "the region of profile 'default' is 'eu-west-1 # Ireland', which has a comment in it"
        )
        #expect(profile.tried[0].hasSuffix("/.aws/config:3"))
        #expect(throws: IdentityError.self) { try IdentityOptions.check(region: "https://eu-west-1") }
    }

    @Test(
        "that are not a region or an account for Identity Center are refused",
        arguments: [
            (
                "sso_region = eu-west-1a\nsso_account_id = 111122223333",
                "sso_region of profile 'a' is 'eu-west-1a', which is an availability zone",
                "write eu-west-1, its region"
            ),
            (
                "sso_region = eu-west-1\nsso_account_id = 11122223333",
                "sso_account_id of profile 'a' is '11122223333', which is not an account", "write 011122223333"
            ),
            (
                "sso_region = eu-west-1\nsso_account_id = 1111-2222-3333", "which is not an account",
                "write its 12 digits without hyphens: 111122223333"
            ),
        ]
    )
    func signIn(lines: String, problem: String, remedy: String) throws {
        let config = "[profile a]\nsso_start_url = https://x\nsso_role_name = r\n\(lines)\n"
        let (resolver, _) = try resolver(config: config)
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: .init(profile: "a"), stsRegion: "eu-west-1")
        }
        #expect(error?.problem.hasSuffix(problem) == true, "\(error?.problem ?? "")")
        #expect(error?.remedy.hasSuffix(remedy) == true)
    }

    // MARK: Roles

    /// A text that is not the ARN of a role, its fault, and the proposed text.
    static let roles: [(String, String, String)] = [
        ("arn:aws:iam:111122223333:role/ci", "a colon is missing", "write arn:aws:iam::111122223333:role/ci"),
        ("arn:aws:iam::11122223333:role/ci", "its leading zero was lost", "write arn:aws:iam::011122223333:role/ci"),
        ("arn:aws:iam:11122223333:role/ci", "a colon is missing", "write arn:aws:iam::011122223333:role/ci"),
        (
            "arn:aws:iam::1111-2222-3333:role/ci", "'1111-2222-3333' is not an account",
            "write arn:aws:iam::111122223333:role/ci"
        ),
        ("arn:aws:iam::1.11122E+11:role/ci", "it was rounded", "write arn:aws:iam::ACCOUNT:role/ci"),
        ("arn:aws:iam::ci:role/ci", "'ci' is not an account", "write arn:aws:iam::ACCOUNT:role/ci"),
        ("arn:aws:iam:eu-west-1:111122223333:role/ci", "have no region", "write arn:aws:iam::111122223333:role/ci"),
        ("arn:aws:iam::111122223333:role", "the role's name is missing", "write it as"),
        ("arn:aws:iam::111122223333:role/", "the role's name is missing", "write it as"),
        ("arn:aws:iam::111122223333:role/ci/", "the role's name is missing", "write it as"),
        ("arn:aws:iam::111122223333:ci", "role/ is missing", "write arn:aws:iam::111122223333:role/ci"),
        ("arn:aws:iam::111122223333:role:ci", "role/ is missing", "write arn:aws:iam::111122223333:role/ci"),
        (
            "arn:aws:iam::111122223333:instance-profile/team/ci", "the ARN of an instance profile",
            "write arn:aws:iam::111122223333:role/team/ci; `aws iam get-instance-profile --instance-profile-name ci`"
        ),
        (
            "arn:aws:sts::111122223333:assumed-role/ci/session", "the ARN of a role's session",
            "write arn:aws:iam::111122223333:role/ci"
        ),
        ("arn:aws:iam::111122223333:user/ann", "only roles can be assumed", "write it as"),
        ("arn:aws:iam::111122223333:policy/ci", "another kind of resource", "write it as"),
        ("arn:aws:s3:::bucket", "another kind of resource", "write it as"),
        ("arn:aws-china:iam::111122223333:role/ci", "'aws-china' is not a partition", "use one of aws, aws-cn"),
        ("arn:aws:iam::111122223333:role/ci ", "it ends with a blank", "write arn:aws:iam::111122223333:role/ci"),
        ("arn:aws:iam::111122223333:role/ci\n", "it ends with a line break", "write arn:aws:iam::111122223333:role/ci"),
        ("\"arn:aws:iam::111122223333:role/ci\"", "it has quotes around it", "write arn:aws:iam::111122223333:role/ci"),
        ("ci-role", "a name, not an ARN", "write it as arn:aws:iam::ACCOUNT:role/ci-role"),
        ("role/ci", "a name, not an ARN", "role/ci"),
        ("", "it doesn't begin with arn:", "write it as"),
        ("111122223333:role/ci", "it doesn't begin with arn:", "write it as"),
    ]

    @Test("that are not the ARN of a role are refused with a proposed ARN", arguments: roles)
    func role(arn: String, problem: String, remedy: String) throws {
        let options = IdentityOptions(roleARN: arn)
        let error = try #require(throws: IdentityError.self) { try options.check() }
        #expect(error.problem.contains("from the role flag, is not the ARN of a role: "), "\(error.problem)")
        #expect(error.problem.contains(problem), "\(error.problem)")
        #expect(error.remedy.contains(remedy), "\(error.remedy)")
        #expect(!error.problem.contains("\n"))
    }

    @Test(
        "that are the ARN of a role are accepted",
        arguments: [
            "arn:aws:iam::111122223333:role/ci", "arn:aws-cn:iam::111122223333:role/ci",
            "arn:aws:iam::011122223333:role/a/b/c",
            "arn:aws-us-gov:iam::111122223333:role/service-role/x+=,.@-_y",
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b2c",
        ]
    )
    func roleIsAccepted(arn: String) {
        #expect(throws: Never.self) { try IdentityOptions(roleARN: arn).check() }
    }

    @Test("that are a role of another partition are refused before a request to STS")
    func partition() throws {
        let sender = RecordingSender { _, _ in roleAnswer() }
        let keys = [
            "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        ]
        let (resolver, _) = try resolver(keys, sender: sender)
        let options = IdentityOptions(roleARN: "arn:aws:iam::111122223333:role/ci")
        let error = #expect(throws: IdentityError.self) { try resolver.provider(for: options, stsRegion: "cn-north-1") }
        #expect(error?.problem.hasSuffix("is in partition aws, but cn-north-1 is in aws-cn") == true)
        #expect(sender.requests.isEmpty)
    }
}
