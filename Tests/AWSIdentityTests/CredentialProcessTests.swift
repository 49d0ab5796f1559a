import FoundationEssentials
import Glibc
import Logging
import Platform
import Testing
import Wire

@testable import AWSIdentity

@Suite("A credential process", .timeLimit(.minutes(1)))
struct CredentialProcessTests {
    private static let keys = #"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hidden-secret"}"#

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

    @Test("gives keys, with all it says of them, and is run again before they expire")
    func members() async throws {
        let watch = Wristwatch(noon)
        let script = """
            echo x >> "$0.count"
            echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s", "SessionToken": "t",
                   "Expiration": "2026-01-15T13:00:00+00:00", "AccountId": "111122223333"}'
            """
        try await process(script, now: { watch.now }) { resolver, home in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "AKIAPROCESS" && credentials.secretAccessKey == "s")
            #expect(credentials.sessionToken == "t" && credentials.expiration == noon + 3_600)
            #expect(credentials.accountID == "111122223333")
            #expect(credentials.source == "credential_process of profile p")
            _ = try await resolver.credentials(Self.options)
            watch.advance(2_800)
            _ = try await resolver.credentials(Self.options)
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 4, "twice, two bytes each")
        }
    }

    @Test("that says an empty token says none, and the profile may name the account")
    func incomplete() async throws {
        let answer = #"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": ""}"#
        let command = "HOME/program\naws_account_id = 999900001111"
        try await process("echo '\(answer)'", command: command) { resolver, _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.sessionToken == nil && credentials.accountID == "999900001111")
        }
    }

    @Test("is run once for two regions that ask at once")
    func regions() async throws {
        try await process("echo x >> \"$0.count\"\necho '\(Self.keys)'") { resolver, home in
            async let one = resolver.provider(for: Self.options, stsRegion: "eu-west-1").credentials()
            async let other = resolver.provider(for: Self.options, stsRegion: "us-east-1").credentials()
            _ = try await (one, other)
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 2)
        }
    }

    @Test("whose keys don't expire is run once")
    func once() async throws {
        let watch = Wristwatch(noon)
        try await process("echo x >> \"$0.count\"\necho '\(Self.keys)'", now: { watch.now }) { resolver, home in
            for _ in 1...3 {
                _ = try await resolver.credentials(Self.options)
                watch.advance(1_000_000)
            }
            let runs = try Data(contentsOf: URL(filePath: home + "/program.count")).count
            #expect(runs == 2)
        }
    }

    @Test("gets its words as a shell would split them, with nothing expanded, and our environment")
    func words() async throws {
        let script = """
            printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}' "$1|$2|$3|$#" "$SEEN"
            """
        let command = #""HOME/with spaces" 'a b' "c$SEEN;*" d\ e"#
        try await process(script, command: command) { resolver, _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "a b|c$SEEN;*|d e|3")
            #expect(credentials.secretAccessKey == "by the program")
        }
    }

    @Test(
        "that gives none says why, without what it printed",
        arguments: [
            ("echo hidden; echo 'session is over' >&2; exit 3", "ended with status 3: session is over"),
            ("echo hidden; kill -9 $$", "ended with signal 9"),
            ("echo hidden", "did not print JSON with a Version, an AccessKeyId and a SecretAccessKey"),
            (#"echo '{"Version": 2, "AccessKeyId": "hidden", "SecretAccessKey": "hidden"}'"#, "printed version 2"),
            (
                #"echo '{"Version": 1, "AccessKeyId": "h", "SecretAccessKey": "hidden", "Expiration": "soon"}'"#,
                "printed an Expiration that is no ISO 8601 time"
            ),
            ("head -c 70000 /dev/zero", "answered at far too great a length"),
            ("exit 0", "did not print JSON"),
        ]
    )
    func failures(_ script: String, _ words: String) async throws {
        try await process(script) { resolver, home in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            let text = "\(try #require(error))"
            #expect(text.contains("the credential_process of profile 'p' (\(home)/program) \(words)"), "\(text)")
            #expect(text.contains("/.aws/config:2") && !text.contains("hidden"))
        }
    }

    @Test("needs nothing of STS, which may be named wrongly")
    func withoutSTS() async throws {
        try await process("echo '\(Self.keys)'", more: ["AWS_ENDPOINT_URL_STS": "sts.eu-west-1.amazonaws.com"]) {
            resolver,
            _ in
            let credentials = try await resolver.credentials(Self.options)
            #expect(credentials.accessKeyID == "AKIAPROCESS")
        }
    }

    @Test("that isn't there is named")
    func missing() async throws {
        try await process("", command: "no-such-program-anywhere --x") { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            let words = "(no-such-program-anywhere) is not there, not on PATH, or may not be executed"
            #expect(error?.problem.contains(words) == true)
        }
    }

    @Test(
        "that ends because the run is to end is not blamed, if we hear of it a moment later too",
        arguments: ["kill -INT $$", "kill -TERM $$", "exit 130", "exit 1"]
    )
    func stopped(_ script: String) async throws {
        let looks = Tally()
        let stopping: @Sendable () -> Bool = { looks.up() > 1 || script == "exit 1" }
        try await process(script, clock: ShortClock(.milliseconds(500)), isStopping: stopping) { resolver, _ in
            await #expect(throws: CancellationError.self) { try await resolver.credentials(Self.options) }
        }
        #expect(looks.count == (script == "exit 1" ? 1 : 2))
        // Somebody ended the program alone.
        try await process(script, clock: ShortClock(.milliseconds(500))) { resolver, _ in
            await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
        }
    }

    @Test("that takes long is said to be waited for, without its arguments")
    func slow() async throws {
        let file = FileManager.default.temporaryDirectory.path + "/ecr-replicate-said-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let notebook = Notebook(noted: { try? Data().write(to: URL(filePath: file)) })
        // It answers when the warning has been given.
        try await process(
            "while [ ! -e \(file) ]; do sleep 0.02; done; echo '\(Self.keys)'",
            command: "HOME/program --token hidden",
            clock: ShortClock(.seconds(5)),
            logger: Logger(label: "test") { _ in notebook }
        ) { resolver, home in
            _ = try await resolver.credentials(Self.options)
            let words = "still waiting for the credential_process of profile 'p' (\(home)/program); it has 120 s"
            #expect(notebook.lines.withLock { $0 }.filter { $0.hasPrefix("warning") } == ["warning \(words)"])
        }
    }

    @Test("that doesn't end is killed")
    func endless() async throws {
        // The limit is over when the program has begun; it would take an hour.
        let file = FileManager.default.temporaryDirectory.path + "/ecr-replicate-pid-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let clock = EventClock { ((try? Data(contentsOf: URL(filePath: file)))?.last ?? 0) == UInt8(ascii: "\n") }
        try await process("echo $$ > \(file); exec sleep 3600", clock: clock) { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials(Self.options) }
            #expect(error?.problem.contains("has not answered within 120 s") == true)
        }
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        let process = try #require(Int32(text.dropLast()))
        #expect(kill(process, 0) == -1 && errno == ESRCH, "it is gone")
    }

    @Test(
        "has its command line split like this",
        arguments: [
            ("a b  c", ["a", "b", "c"]), (" \ta\n", ["a"]), ("''", [""]), (#"a"b c"d"#, ["ab cd"]),
            (#"'a\'"b\"c\d""#, [#"a\b"c\d"#]), (#"a\ b \\ \'"#, ["a b", #"\"#, "'"]), ("", []), ("a'", nil),
            (#"a "b"#, nil), (#"a\"#, nil), (#"C:\x"#, ["C:x"]), ("a#b #c", ["a#b", "#c"]),
        ] as [(String, [String]?)]
    )
    func split(_ text: String, _ words: [String]?) { #expect(shellWords(text) == words) }
}
