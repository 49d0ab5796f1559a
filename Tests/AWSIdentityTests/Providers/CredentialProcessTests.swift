import FoundationEssentials
import Glibc
import Logging
import Platform
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

private let keys = #"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hidden-secret"}"#

@Suite("A credential process", .timeLimit(.minutes(1)))
struct CredentialProcessTests {
    /// Runs a shell script as the process of `[profile p]`.
    private func process(
        _ script: String,
        command: String = "HOME/program",
        more: [String: String] = [:],
        clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Date = { noon },
        logger: Logger = quiet,
        isStopping: @escaping @Sendable () -> Bool = { false },
        _ body: (IdentityResolver, _ home: String) async throws -> Void
    ) async throws {
        try await withMachine(
            ["PATH": "/usr/bin:/bin", "SEEN": "by the program"].merging(more) { $1 },
            config: "[profile p]\ncredential_process = \(command)\n",
            clock: clock,
            now: now,
            logger: logger,
            isStopping: isStopping
        ) { resolver, home in
            for path in ["\(home)/program", "\(home)/with spaces"] {
                try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
            }
            try await body(resolver, home)
        }
    }

    private static let options = IdentityOptions(profile: "p")

    @Test("gives keys with all their members, and runs again before they expire")
    func members() async throws {
        let time = ManualTime(noon)
        let script = """
            echo x >> "$0.count"
            echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s", "SessionToken": "t",
                   "Expiration": "2026-01-15T13:00:00+00:00", "AccountId": "111122223333"}'
            """
        try await process(script, now: { time.now }) { resolver, home in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "AKIAPROCESS" && credentials.secretAccessKey == "s")
            #expect(credentials.sessionToken == "t" && credentials.expiration == noon + 3_600)
            #expect(credentials.accountID == "111122223333")
            #expect(credentials.source == "credential_process of profile p")
            _ = try await resolver.credentials(Self.options)
            time.advance(2_800)
            _ = try await resolver.credentials(Self.options)
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 4, "twice, two bytes each")
        }
    }

    @Test("may print an empty token, and the profile may name the account")
    func incomplete() async throws {
        let answer = #"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": ""}"#
        let command = "HOME/program\naws_account_id = 999900001111"
        try await process("echo '\(answer)'", command: command) { resolver, _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.sessionToken == nil && credentials.accountID == "999900001111")
        }
    }

    /// Members besides the keys, the account that is found, and whether the keys expire.
    static let answers: [(String, String?, Bool)] = [
        (#""AccountId": 111122223333"#, "111122223333", false), (#""AccountId": 11122223333"#, "011122223333", false),
        (#""AccountId": null, "Expiration": null"#, nil, false), (#""Expiration": """#, nil, false),
        (#""Issuer": {"a": [1]}, "Expiration": "2099-01-01T00:00:00+02""#, nil, true),
        (#""AccountId": true, "Expiration": "20990101T000000Z""#, nil, true),
        (#""Expiration": "Thu, 01 Jan 2099 00:00:00 GMT""#, nil, true),
    ]

    @Test("may print members of other types, and unknown ones", arguments: answers)
    func odd(_ more: String, _ account: String?, _ expires: Bool) async throws {
        try await process("echo '\(keys.dropLast()), \(more)}'") { resolver, _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accountID == account)
            #expect((credentials.expiration != nil) == expires)
        }
    }

    @Test("that prints a malformed key gets an error with the member's name")
    func pasted() async throws {
        let answer = #"{"Version": 1, "AccessKeyId": "AKIAPROCESS\\n", "SecretAccessKey": "hidden-secret"}"#
        try await process("printf '%s' '\(answer.replacing(#"\\n"#, with: #"\n"#))'") { resolver, home in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            let name = "the AccessKeyId that the credential_process of profile 'p' printed"
            #expect(error?.problem == "\(name) ends with a line break")
            #expect(error?.tried == ["\(home)/.aws/config:2"])
        }
    }

    @Test("runs once for requests from two regions at the same time")
    func regions() async throws {
        try await process("echo x >> \"$0.count\"\necho '\(keys)'") { resolver, home in
            async let one = resolver.provider(for: Self.options, stsRegion: "eu-west-1").credentials()
            async let other = resolver.provider(for: Self.options, stsRegion: "us-east-1").credentials()
            _ = try await (one, other)
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 2)
        }
    }

    @Test("whose keys don't expire runs once")
    func once() async throws {
        let time = ManualTime(noon)
        try await process("echo x >> \"$0.count\"\necho '\(keys)'", now: { time.now }) { resolver, home in
            for _ in 1...3 {
                _ = try await resolver.credentials(Self.options)
                time.advance(1_000_000)
            }
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 2)
        }
    }

    @Test("gets its words as a shell splits them, without expansion, and this process's environment")
    func words() async throws {
        let script = """
            printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}' \
                "$(printf %s "$1|$2|$3|$#" | tr ' ' _)" "$(printf %s "$SEEN" | tr ' ' _)"
            """
        let command = #""HOME/with spaces" 'a b' "c$SEEN;*" d\ e"#
        try await process(script, command: command) { resolver, _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "a_b|c$SEEN;*|d_e|3")
            #expect(credentials.secretAccessKey == "by_the_program")
        }
    }

    @Test(
        "that fails gets an error that never quotes its output",
        arguments: [
            ("echo hidden; echo 'session is over' >&2; exit 3", "ended with status 3: session is over"),
            ("echo hidden; kill -9 $$", "ended with signal 9"),
            ("echo hidden", "did not print JSON with a Version, an AccessKeyId and a SecretAccessKey"),
            (#"echo '{"Version": 2, "AccessKeyId": "hidden", "SecretAccessKey": "hidden"}'"#, "printed Version 2"),
            (
                #"echo '{"Version": 1, "AccessKeyId": "h", "SecretAccessKey": "hidden", "Expiration": "soon"}'"#,
                "printed an Expiration that is not an ISO 8601 time"
            ),
            ("head -c 70000 /dev/zero", "printed too much"),
            ("yes hidden >&2", "printed too much"),
            ("exit 0", "printed nothing"),
            ("printf '\\357\\273\\277'; echo '\(keys)'", "printed a byte order mark before its JSON"),
            ("echo 'hidden: renewing'; echo '\(keys)'", "printed other text before its JSON"),
            ("echo '\(keys)'; echo 'hidden done'", "printed incomplete JSON, or other text after it"),
            (
                #"echo '{"Version": "1", "AccessKeyId": "hidden", "SecretAccessKey": "hidden"}'"#,
                "printed Version as the text \"1\", which must be the number 1"
            ),
            (#"echo '{"AccessKeyId": "hidden", "SecretAccessKey": "hidden"}'"#, "printed no Version"),
            (#"echo '{"Version": 1, "SecretAccessKey": "hidden"}'"#, "printed no AccessKeyId"),
            (#"echo '{"Version": 1, "AccessKeyId": "h", "SecretAccessKey": null}'"#, "printed no SecretAccessKey"),
            (
                #"echo '{"Version": 1, "AccessKeyId": "h", "SecretAccessKey": 17}'"#,
                "printed a SecretAccessKey that is not text"
            ),
            (
                #"echo '{"Version": 1, "AccessKeyId": "h", "SecretAccessKey": "s", "Expiration": 4070908800}'"#,
                "printed an Expiration that is not text"
            ),
            (#"echo '[{"Version": 1}]'"#, "did not print JSON with a Version"),
        ]
    )
    func failures(_ script: String, _ problem: String) async throws {
        try await process(script) { resolver, home in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            let text = "\(try #require(error))"
            #expect(text.contains("the credential_process of profile 'p' (\(home)/program) \(problem)"), "\(text)")
            #expect(text.contains("/.aws/config:2") && !text.contains("hidden"))
        }
    }

    @Test("works with a wrong endpoint setting for STS")
    func withoutSTS() async throws {
        try await process("echo '\(keys)'", more: ["AWS_ENDPOINT_URL_STS": "sts.eu-west-1.amazonaws.com"]) {
            resolver,
            _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "AKIAPROCESS")
        }
    }

    @Test("that doesn't exist is named in the error")
    func missing() async throws {
        try await process("", command: "no-such-program-anywhere --x") { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            let words = "(no-such-program-anywhere) was not found, or is not executable"
            #expect(error?.problem.contains(words) == true)
        }
    }

    @Test(
        "that ends because the run is stopping is not reported, even if the signal comes a moment later",
        arguments: ["kill -INT $$", "kill -TERM $$", "exit 130", "exit 1"]
    )
    func stopped(_ script: String) async throws {
        let checks = Counter()
        let stopping: @Sendable () -> Bool = { checks.increment() > 1 || script == "exit 1" }
        try await process(script, clock: ShortClock(.milliseconds(500)), isStopping: stopping) { resolver, _ in
            await #expect(throws: CancellationError.self) { try await resolver.credentials(Self.options) }
        }
        #expect(checks.count == (script == "exit 1" ? 1 : 2))
        // Only the program was ended.
        try await process(script, clock: ShortClock(.milliseconds(500))) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
        }
    }

    @Test("that takes long is logged without its arguments")
    func slow() async throws {
        let file = FileManager.default.temporaryDirectory.path + "/ecr-replicate-logged-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let log = RecordingLog(onLine: { try? Data().write(to: URL(filePath: file)) })
        // It answers after the warning.
        try await process(
            "while [ ! -e \(file) ]; do sleep 0.02; done; echo '\(keys)'",
            command: "HOME/program --token hidden",
            clock: ShortClock(.seconds(5)),
            logger: Logger(label: "test") { _ in log }
        ) { resolver, home in
            _ = try await resolver.credentials(Self.options)
            let words = "still waiting for the credential_process of profile 'p' (\(home)/program); it has 120 s"
            #expect(log.lines.withLock { $0 }.filter { $0.hasPrefix("warning") } == ["warning \(words)"])
        }
    }

    @Test("that exceeds its time limit is killed")
    func endless() async throws {
        // The limit ends when the program has started; it would run for an hour.
        let file = FileManager.default.temporaryDirectory.path + "/ecr-replicate-pid-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let clock = ConditionClock { ((try? Data(contentsOf: URL(filePath: file)))?.last ?? 0) == UInt8(ascii: "\n") }
        try await process("echo $$ > \(file); exec sleep 3600", clock: clock) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            #expect(error?.problem.contains("did not answer within 120 s") == true)
        }
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        let process = try #require(Int32(text.dropLast()))
        #expect(kill(process, 0) == -1 && errno == ESRCH, "it has ended")
    }

    @Test(
        "has a command line that is split into words",
        arguments: [
            ("a b  c", ["a", "b", "c"]), (" \ta\n", ["a"]), ("''", [""]), (#"a"b c"d"#, ["ab cd"]),
            (#"'a\'"b\"c\d""#, [#"a\b"c\d"#]), (#"a\ b \\ \'"#, ["a b", #"\"#, "'"]), ("", []), ("a'", nil),
            (#"a "b"#, nil), (#"a\"#, nil), (#"C:\x"#, ["C:x"]), ("a#b #c", ["a#b", "#c"]),
        ] as [(String, [String]?)]
    )
    func split(_ text: String, _ words: [String]?) { #expect(shellWords(text) == words) }
}
