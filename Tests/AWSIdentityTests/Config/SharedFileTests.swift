import FoundationEssentials
import Glibc
import Platform
import TestDoubles
import Testing

@testable import AWSIdentity

/// The places of the config and the credentials file, and faults of these files.
@Suite("Shared files", .timeLimit(.minutes(1)))
struct SharedFileTests {
    private static let keys = "aws_access_key_id = A\naws_secret_access_key = s\n"

    private func id(_ resolver: IdentityResolver, profile: String? = nil) async throws -> String {
        try await resolver.provider(for: .init(profile: profile), stsRegion: "eu-west-1").credentials().accessKeyID
    }

    private func with(_ variables: [String: String], home: String) -> IdentityResolver {
        IdentityResolver(
            environment: AWSEnvironment(
                variables: variables.mapValues { $0.replacing("HOME_OF_THE_TEST", with: home) }
                    .merging(["AWS_EC2_METADATA_DISABLED": "true"]) { $1 },
                home: home
            ),
            sender: RecordingSender { _, _ in roleAnswer() },
            logger: quiet
        )
    }

    /// A path with variables, and the expanded path.
    static let paths: [(String, String)] = [
        ("~/.aws/config", "/home/ann/.aws/config"), ("~", "/home/ann"), ("$HOME/x", "/home/ann/x"),
        ("${HOME}/x", "/home/ann/x"),
        ("${XDG_CONFIG_HOME}/aws", "/xdg/aws"), ("$XDG_CONFIG_HOME", "/xdg"), ("a$HOME-b", "a/home/ann-b"),
        ("$UNSET/x", "$UNSET/x"), ("${UNSET}/x", "${UNSET}/x"), ("$EMPTY/x", "/x"), ("$/x", "$/x"), ("a$", "a$"),
        ("${HOME", "${HOME"),
        ("${}", "${}"), ("$TILDE/x", "/home/ann/x"), ("~no-such-user-here/x", "~no-such-user-here/x"), ("x~/y", "x~/y"),
        ("$HOME$XDG_CONFIG_HOME", "/home/ann/xdg"), ("~root", ProcessFacts.homeDirectory(of: "root") ?? "~root"),
        ("~root/.aws/config", (ProcessFacts.homeDirectory(of: "root") ?? "~root") + "/.aws/config"),
    ]

    @Test("have paths with variables and home directories", arguments: paths)
    func expanded(path: String, result: String) {
        let variables = ["HOME": "/home/ann", "XDG_CONFIG_HOME": "/xdg", "EMPTY": "", "TILDE": "~"]
        #expect(AWSEnvironment(variables: variables, home: "/home/ann").expanded(path) == result)
    }

    @Test("are read from a path with a variable in it")
    func named() async throws {
        try await withMachine { _, home in
            try Data("[profile ci]\n\(Self.keys)".utf8).write(to: URL(filePath: home + "/elsewhere"))
            let variables = ["HOME": "HOME_OF_THE_TEST", "AWS_CONFIG_FILE": "${HOME}/elsewhere", "AWS_PROFILE": "ci"]
            #expect(try await id(with(variables, home: home)) == "A")
        }
    }

    @Test("that are directories or pipes are skipped, and the error says so", arguments: [true, false])
    func skipped(isDirectory: Bool) async throws {
        try await withMachine { _, home in
            for name in ["config", "credentials"] {
                let path = "\(home)/.aws/\(name)"
                if isDirectory { try DurableFile.makeDirectory(path) } else { try #require(mkfifo(path, 0o600) == 0) }
            }
            let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]
            #expect(try await id(with(keys, home: home)) == "ENV")
            let kind = isDirectory ? "it is a directory" : "it is a pipe"
            let missing = await #expect(throws: IdentityError.self) {
                try await id(with([:], home: home), profile: "ci")
            }
            #expect(missing?.tried == ["\(home)/.aws/config (\(kind))", "\(home)/.aws/credentials (\(kind))"])
            let none = await #expect(throws: IdentityError.self) { try await id(with([:], home: home)) }
            #expect(none?.tried.contains("\(home)/.aws/config (\(kind))") == true)
        }
    }

    @Test("that are a device or a cycle of links count as missing", arguments: ["/dev/null", "HOME_OF_THE_TEST/cycle"])
    func noFile(path: String) async throws {
        try await withMachine { _, home in
            try FileManager.default.createSymbolicLink(atPath: home + "/cycle", withDestinationPath: home + "/cycle")
            let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": path]
            #expect(try await id(with(keys, home: home)) == "ENV")
        }
    }

    @Test("may begin with a byte order mark and have lines that end with CR LF")
    func windows() async throws {
        let text = "\u{FEFF}[default]\r\naws_access_key_id=A\r\naws_secret_access_key=s=/+:#x\r\n"
        let (resolver, _) = try resolver(credentials: text)
        let credentials = try await resolver.provider(for: .init(), stsRegion: "eu-west-1").credentials()
        #expect(credentials.accessKeyID == "A" && credentials.secretAccessKey == "s=/+:#x")
    }

    @Test("with a token may be a pipe, which must deliver in time")
    func tokenPipe() async throws {
        try await withMachine { _, home in
            let pipe = home + "/token"
            try #require(mkfifo(pipe, 0o600) == 0)
            let environment = AWSEnvironment(variables: [:], home: home)
            #expect(throws: IdentityError.self) { try environment.text(ofFile: pipe) }
            // Both ends are open, so that neither waits for the other.
            let writer = open(pipe, O_RDWR | O_CLOEXEC)
            try #require(writer >= 0)
            defer { close(writer) }
            #expect(write(writer, "token", 5) == 5)
            #expect(throws: SystemError.self, "it is never closed") { try PipeFile.read(pipe, limit: 100, patience: 0) }
            #expect(throws: SystemError.self, "it is too long") { try PipeFile.read(pipe, limit: 4, patience: 0) }
        }
    }

    // MARK: Headings

    struct Heading: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var config = ""
        var credentials = ""
        var profile = "ci"
        var advice: String
    }

    static let headings = [
        Heading(
            testDescription: "no word",
            config: "\n[ci]\n\(keys)",
            advice: "config:2 write [profile ci] instead of [ci]"
        ),
        Heading(
            testDescription: "the other file's form",
            credentials: "[profile ci]\n\(keys)",
            advice: "credentials:1 write [ci] instead of [profile ci]"
        ),
        Heading(
            testDescription: "a capital",
            config: "[Profile ci]\n\(keys)",
            advice: "config:1 write [profile ci] instead of [Profile ci]"
        ),
        Heading(testDescription: "a colon", config: "[profile: ci]\n\(keys)", advice: "config:1 write [profile ci]"),
        Heading(testDescription: "several", config: "[profiles ci]\n\(keys)", advice: "config:1 write [profile ci]"),
        Heading(testDescription: "no blank", config: "[profile-ci]\n\(keys)", advice: "config:1 write [profile ci]"),
        Heading(
            testDescription: "no quotes",
            config: "[profile my ci]\n\(keys)",
            profile: "my ci",
            advice: "config:1 write [profile \"my ci\"] instead of [profile my ci]"
        ),
        Heading(
            testDescription: "typographic quotes",
            config: "[profile “my ci”]\n\(keys)",
            profile: "my ci",
            advice: "config:1 write [profile \"my ci\"]"
        ),
        Heading(
            testDescription: "quotes in the other file",
            credentials: "[profile \"my ci\"]\n\(keys)",
            profile: "my ci",
            advice: "credentials:1 write [my ci]"
        ),
        Heading(testDescription: "no such name", config: "[profile a]\n\(keys)", advice: "use one of a"),
    ]

    @Test("with a heading of the other file, or a misspelled one, get advice", arguments: headings)
    func heading(_ heading: Heading) throws {
        let (resolver, _) = try resolver(config: heading.config, credentials: heading.credentials)
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: .init(profile: heading.profile), stsRegion: "eu-west-1")
        }
        #expect(error?.remedy.contains(heading.advice) == true, "\(error?.remedy ?? "")")
    }

    @Test("with an apostrophe in a profile's name are parsed as in the SDKs for Go and Java")
    func apostrophe() throws {
        let (resolver, _) = try resolver(config: "[profile O'Neil]\nregion = eu-west-1\n\(Self.keys)")
        #expect(try resolver.defaultRegion(flag: nil, options: .init(profile: "O'Neil")) == "eu-west-1")
    }

    @Test("with a [default] without keys get no advice about its heading")
    func bareDefault() throws {
        let (plain, _) = try resolver(
            ["AWS_EC2_METADATA_DISABLED": "true"],
            config: "[default]\nregion = eu-west-1\n",
            credentials: "[default]\nexport AWS_ACCESS_KEY_ID=A\n"
        )
        let error = #expect(throws: IdentityError.self) {
            try plain.provider(for: .init(), stsRegion: "eu-west-1")
        }
        #expect(error?.remedy.contains("write [") == false, "\(error?.remedy ?? "")")
        let (capitals, _) = try resolver(
            ["AWS_EC2_METADATA_DISABLED": "true"],
            config: "[default]\nregion = eu-west-1\n",
            credentials: "[DEFAULT]\n\(Self.keys)"
        )
        let missed = #expect(throws: IdentityError.self) {
            try capitals.provider(for: .init(), stsRegion: "eu-west-1")
        }
        #expect(
            missed?.remedy.contains("credentials:1 write [default] instead of [DEFAULT]") == true,
            "\(missed?.remedy ?? "")"
        )
    }

    @Test("that PowerShell wrote are refused with their encoding", arguments: [true, false])
    func utf16(isLittleEndian: Bool) async throws {
        try await withMachine { _, home in
            let bytes = "\u{FEFF}[default]\n".utf16.flatMap { unit in
                isLittleEndian ? [UInt8(unit & 0xFF), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xFF)]
            }
            try DurableFile.write(bytes, to: "\(home)/.aws/config")
            let error = await #expect(throws: IdentityError.self) { try await id(with([:], home: home)) }
            #expect(error?.problem.hasSuffix("/.aws/config is UTF-16 text") == true, "\(error?.problem ?? "")")
        }
    }

    @Test("with half of a profile under a wrong heading get advice when that half is needed")
    func half() throws {
        let (region, _) = try resolver(config: "[ci]\nregion = eu-west-1\n", credentials: "[ci]\n\(Self.keys)")
        #expect(region.regionAdvice(.init(profile: "ci"))?.contains("config:1 write [profile ci]") == true)
        let (keys, _) = try resolver(
            ["AWS_EC2_METADATA_DISABLED": "true"],
            config: "[profile ci]\nregion = eu-west-1\n",
            credentials: "[profile ci]\n\(Self.keys)"
        )
        let error = #expect(throws: IdentityError.self) {
            try keys.provider(for: .init(profile: "ci"), stsRegion: "eu-west-1")
        }
        #expect(error?.problem == "there are no AWS credentials")
        #expect(error?.remedy.contains("credentials:1 write [ci]") == true)
    }

    @Test(
        "with a misspelled sso-session get advice",
        arguments: [
            "sso_session corp", "sso session corp", "Sso-Session corp", "profile sso-session corp", "corp",
            "session corp",
        ]
    )
    func session(heading: String) throws {
        let config = "[profile a]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = r\n[\(heading)]\n"
        let (resolver, _) = try resolver(config: config + "sso_start_url = https://x\nsso_region = eu-west-1\n")
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: .init(profile: "a"), stsRegion: "eu-west-1")
        }
        #expect(
            error?.remedy.contains("config:5 write [sso-session corp] instead of [\(heading)]") == true,
            "\(error?.remedy ?? "")"
        )
    }

    @Test(
        "whose profile's name has a pasted character get an error without that character",
        arguments: [
            ("ci\n", "'ci?'", "ends with a line break"), ("ci ", "'ci '", "ends with a blank"),
            ("\"ci\"", "'\"ci\"'", "has quotes around it"),
            ("\u{200B}ci", "'?ci'", "has an invisible character in it (U+200B)"),
        ]
    )
    func paddedName(name: String, shown: String, fault: String) throws {
        let (resolver, _) = try resolver(["AWS_PROFILE": name], config: "[profile ci]\nregion = eu-west-1\n")
        let error = #expect(throws: IdentityError.self) { try resolver.provider(for: .init(), stsRegion: "eu-west-1") }
        #expect(error?.problem == "there is no profile \(shown) (named by AWS_PROFILE), and that name \(fault)")
    }
}
