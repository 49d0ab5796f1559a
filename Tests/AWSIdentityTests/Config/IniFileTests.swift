import Testing

@testable import AWSIdentity

@Suite("The format of shared files")
struct IniFileTests {
    @Test("named /dev/null are empty")
    func noFiles() throws {
        let environment = AWSEnvironment(variables: ["AWS_CONFIG_FILE": "/dev/null"], home: "/nonexistent")
        #expect(try environment.text(ofFile: environment.configPath) == "")
        #expect(try environment.text(ofFile: environment.credentialsPath) == nil)
    }

    @Test("are parsed as the AWS CLI parses them")
    func grammar() throws {
        let file = try IniFile(
            parsing: """
                \u{FEFF}# a comment
                ; another
                [default]
                Region = eu-west-1
                aws_secret_access_key=a=b:c # kept

                [profile  team one]
                role_arn: arn:aws:iam::111122223333:role/x
                s3 =
                    Endpoint_URL = http://localhost:9000
                    # inside
                    addressing_style=path
                description = one
                  two
                empty =
                [services x]\r
                ecr =\r
                  endpoint_url = http://e\r
                """,
            path: "f"
        )
        #expect(Set(file.sections.keys) == ["default", "profile  team one", "services x"])
        let profile = try #require(file.sections["profile  team one"])
        #expect(file.sections["default"]?.values["region"]?.text == "eu-west-1")
        #expect(file.sections["default"]?.values["aws_secret_access_key"]?.text == "a=b:c # kept")
        #expect(profile.values["role_arn"]?.text == "arn:aws:iam::111122223333:role/x")
        #expect(profile.values["s3"]?.nested == ["endpoint_url": "http://localhost:9000", "addressing_style": "path"])
        #expect(profile.values["description"]?.text == "one\ntwo")
        #expect(profile.values["empty"]?.text == "")
        #expect(file.sections["services x"]?.values["ecr"]?.nested == ["endpoint_url": "http://e"])
    }

    @Test(
        "with a fault get an error with the line's number, which never quotes the line",
        arguments: [
            ("[a]\nsecretvalue\n", "f:2: the line is not `key = value`"),
            ("[a]\n= secretvalue\n", "f:2: the line is not `key = value`"),
            ("key = secretvalue\n", "f:1: there is text before the first [section]"),
            ("[a\nk = v", "f:1: the section heading has no closing ]"),
            ("[a]\nk = v\n[a]\n", "f:3: the section [a] is a duplicate of line 1"),
            ("[a]\nk = secretvalue\nK: w\n", "f:3: the key k is a duplicate of line 2"),
            ("[a]\ns3 =\n  secretvalue\n", "f:3: the line is not `key = value`"),
        ]
    )
    func faults(_ text: String, _ problem: String) throws {
        let error = #expect(throws: IdentityError.self) { try IniFile(parsing: text, path: "f") }
        #expect(error?.problem == problem)
        #expect("\(try #require(error))".contains("secretvalue") == false)
    }

    @Test("may have indented keys; a line continues a value only if it is indented more")
    func indentedKeys() throws {
        let file = try IniFile(
            parsing: "  [a]\n  k1 = v1\n  k2 = v2\n    more\n  s =\n\n      n = 1\n  k3 = v3\n[b]\n\tk = v\n\tl = w\n",
            path: "f"
        )
        #expect(file.sections["a"]?.values.mapValues(\.text) == ["k1": "v1", "k2": "v2\nmore", "s": "", "k3": "v3"])
        #expect(file.sections["a"]?.values["s"]?.nested == ["n": "1"])
        #expect(file.sections["b"]?.values.mapValues(\.text) == ["k": "v", "l": "w"])
    }

    @Test("are merged into profiles; the credentials file wins, and quotes work as in a shell")
    func merging() throws {
        let (resolver, home) = try resolver(
            config: """
                [profile "team one"]
                region = eu-west-1
                aws_access_key_id = CONFIG
                aws_secret_access_key = config
                [default]
                region = short
                [profile default]
                region = long
                [ignored]
                region = x
                """,
            credentials: "[team one]\naws_access_key_id = FILE\naws_secret_access_key = file\n"
        )
        let config = try resolver.config()
        #expect(Set(config.profiles.keys) == ["team one", "default"])
        #expect(config.profiles["team one"]?["region"] == "eu-west-1")
        #expect(config.profiles["team one"]?["aws_access_key_id"] == "FILE")
        #expect(config.profiles["team one"]?.places["aws_access_key_id"] == "\(home)/.aws/credentials:2")
        #expect(config.profiles["default"]?["region"] == "long")
    }

    @Test("may be at other paths")
    func elsewhere() throws {
        let environment = AWSEnvironment(
            variables: ["AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/etc/k"],
            home: "/home/u"
        )
        #expect(environment.configPath == "/home/u/c")
        #expect(environment.credentialsPath == "/etc/k")
        #expect(AWSEnvironment(variables: [:], home: "/h").configPath == "/h/.aws/config")
    }
}
