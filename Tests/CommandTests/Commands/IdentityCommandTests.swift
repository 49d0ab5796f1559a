import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("The command's identities", .timeLimit(.minutes(1)))
struct IdentityCommandTests {
    private static let serial = "arn:aws:iam::\(Stage.account):mfa/ann"

    /// Makes a stage whose role `careful` requires a code, with a home that has a profile for it.
    private func withCarefulRole(_ body: (Stage, [String: String]) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.roles = [
            .init(
                arn: "arn:aws:iam::\(Stage.account):role/careful",
                device: .init(serial: Self.serial, code: "123456")
            )
        ]
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("ecr-replicate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let config = """
            [profile careful]
            role_arn = arn:aws:iam::\(Stage.account):role/careful
            mfa_serial = \(Self.serial)
            credential_source = Environment
            """
        let file = home.appendingPathComponent("config")
        try Data(config.utf8).write(to: file)
        try await withStage(configuration) { stage in
            try await body(stage, ["AWS_CONFIG_FILE": file.path, "HOME": home.path])
        }
    }

    /// Gives the command a terminal of its own, types one text at once and another at each question.
    private static let typist = """
        import os, pty, sys
        before, answers, arguments = sys.argv[1], sys.argv[2].split("|"), sys.argv[3:]
        seen = b""
        def read(terminal):
            global seen
            data = os.read(terminal, 4096)
            seen += data
            if answers and seen.rstrip(b" ").endswith(b":") and b"MFA code" in seen:
                os.write(terminal, answers.pop(0).encode().decode("unicode_escape").encode())
                seen = b""
            return data
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv("/bin/sh", ["/bin/sh", "-c", '"$@" < /dev/null 2>&1 | cat', "sh"] + arguments)
        os.write(terminal, before.encode().decode("unicode_escape").encode())
        output = b""
        while True:
            try:
                data = read(terminal)
            except OSError:
                break
            if not data:
                break
            output += data
        os.waitpid(pid, 0)
        sys.stdout.write(output.decode())
        """

    @Test(
        "ask for a code at the terminal, whatever the streams are, and use it",
        .enabled(if: Program.missing(among: [.python]) == nil),
        arguments: [
            ("", "123456\\n", "v1"), ("000000\\n", "123456\\n", "v1"),
            ("", "\\x04|\\x04|\\x04", "the MFA code is not 6 digits"),
            ("", "12345\\n|123456\\n", "That is not a code of 6 digits."),
            ("", "654321\\n|123456\\n", "STS refused that code. A code can be used once; wait for the next."),
            ("", "654321\\n|654322\\n|654323\\n", "could not be assumed"),
        ]
    )
    func code(_ before: String, _ answer: String, _ says: String) async throws {
        try await withCarefulRole { stage, variables in
            let path = try #require(Program.ecrReplicate.path)
            let ended = try await run(
                .python,
                ["-c", Self.typist, before, answer, path, "ls", "--profile", "careful", stage.source],
                environment: stage.environment.merging(variables) { $1 }
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let question = "MFA code of \(Self.serial), for arn:aws:iam::\(Stage.account):role/careful: "
            #expect(ended.output.contains(question) && ended.output.contains(says), "\(ended.output)")
        }
    }

    /// Gives the command a terminal for all streams, and answers once `doctor` has had time to show that it waits.
    private static let ponderer = """
        import os, pty, select, sys, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[1], sys.argv[1:])
        seen, until = b"", None
        while True:
            if until and time.monotonic() >= until:
                os.write(terminal, b"123456\\n")
                until = None
            wait = None if until is None else max(0, until - time.monotonic())
            if not select.select([terminal], [], [], wait)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            if b"MFA code" in data:
                until = time.monotonic() + 1.5
            seen += data
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(seen.decode() + "code %d" % code)
        """

    @Test(
        "leave the question on the terminal, where doctor shows waiting checks",
        .enabled(if: Program.missing(among: [.python]) == nil)
    )
    func pinned() async throws {
        try await withCarefulRole { stage, variables in
            let path = try #require(Program.ecrReplicate.path)
            let ended = try await run(
                .python,
                ["-c", Self.ponderer, path, "doctor", "--profile", "careful", "\(stage.source):v1"],
                environment: stage.environment.merging(variables) { $1 }.merging(["TERM": "xterm"]) { $1 }
            )
            let asked = try #require(ended.output.firstRange(of: "role/careful: "), "\(ended.output)")
            let typed = try #require(ended.output.firstRange(of: "123456"), "\(ended.output)")
            #expect(ended.output[asked.upperBound..<typed.lowerBound].isEmpty, "\(ended.output)")
            #expect(ended.output.hasSuffix("code 0"), "\(ended.output)")
        }
    }

    @Test("fail without a terminal, with exit 4, before anything is sent")
    func noTerminal() async throws {
        try await withCarefulRole { stage, variables in
            let path = try #require(Program.ecrReplicate.path)
            let ended = try await run(
                Program("setsid"),
                ["--wait", path, "ls", "--profile", "careful", stage.source],
                environment: stage.environment.merging(variables) { $1 }
            )
            #expect(ended.exitCode == 4)
            #expect(ended.errors.contains("there is no terminal to ask for it"), "\(ended.errors)")
            #expect(stage.emulator.requests.isEmpty)
        }
    }

    @Test(
        "that are impossible are wrong usage, found before anything is sent",
        arguments: [
            ["--destination-role-arn", "promoter"], ["--source-endpoint-url", "foo"],
            ["--destination-registry-endpoint", "a b"],
            ["--role-arn", "arn:aws:iam::1:role/r", "--session-name", "a b"],
        ]
    )
    func wrongUsage(_ flags: [String]) async throws {
        try await withStage { stage in
            let ended = try await run(
                .ecrReplicate,
                ["copy"] + flags + ["\(stage.source):v1", stage.destination],
                environment: stage.environment
            )
            #expect(ended.exitCode == 64, "\(ended.errors)")
            #expect(stage.emulator.requests.isEmpty)
        }
    }

    @Test("at a malformed endpoint give a wrong endpoint, not a missing permission")
    func wrongEndpoint() async throws {
        try await withStage { stage in
            let ended = try await stage.run("ls", stage.source, with: ["AWS_ENDPOINT_URL_ECR": "foo"])
            #expect(ended.exitCode == 1, "\(ended.errors)")
            #expect(ended.errors.contains("AWS_ENDPOINT_URL_ECR is not an endpoint"))
            #expect(ended.errors.contains("next: write it as https://host"))
        }
    }

    @Test("are logged with --log-level debug: source, key, expiry, and no secret")
    func told() async throws {
        try await withStage { stage in
            let role = "arn:aws:iam::\(Stage.account):role/any"
            let ended = try await stage.run("ls", "--log-level", "debug", "--role-arn", role, stage.source)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let lines = ended.errors.split(separator: "\n").filter { $0.contains("credentials") }
            #expect(lines.contains { $0.contains("from=…3333 from environment") }, "\(lines)")
            #expect(
                lines.contains { $0.contains("from role \(role)") && $0.contains("account=\(Stage.account)") },
                "\(lines)"
            )
            #expect(!ended.errors.contains("emulator-secret") && !ended.errors.contains("AKIA"))
        }
    }
}

@Suite("The doctor command", .timeLimit(.minutes(1)))
struct DoctorCommandTests {
    @Test("prints a line for each check, and ends with 0")
    func text() async throws {
        try await withStage { stage in
            let ended = try await stage.run("doctor", "\(stage.source):v1", stage.destination)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(ended.errors.isEmpty)
            #expect(ended.lines.count == 25 && ended.lines.last == "all checks passed", "\(ended.output)")
            #expect(ended.lines.contains("ok       destination ecr:PutImage                     allowed"))
        }
    }

    @Test("prints the remedy, and ends with 4 if only permissions are missing")
    func denied() async throws {
        try await withStage { stage in
            stage.emulator.deny(action: "PutImage")
            let ended = try await stage.run("doctor", "\(stage.source):v1", stage.destination)
            #expect(ended.exitCode == 4)
            let index = try #require(ended.lines.firstIndex { $0.hasPrefix("FAILED   destination ecr:PutImage ") })
            #expect(ended.lines[index + 1].hasPrefix("           next: "), "\(ended.output)")
            #expect(ended.lines.last == "1 failed")
        }
    }

    @Test("prints one document with --output json, on success and failure")
    func json() async throws {
        try await withStage { stage in
            let ended = try await stage.run("doctor", "--output", "json", "\(stage.source):v9", stage.destination)
            #expect(ended.exitCode == 1)
            let document = try #require(
                JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
            )
            #expect(document["command"] as? String == "doctor" && document["exitCode"] as? Int == 1)
            #expect(document["source"] as? String == "\(stage.source):v9")
            let checks = try #require(document["checks"] as? [[String: Any]])
            let failed = checks.filter { $0["status"] as? String == "failed" }
            #expect(failed.count == 1 && failed.first?["text"] as? String == "the image does not exist")
            #expect(failed.first?["remedy"] is String)
        }
    }

    @Test("prints one document when it is interrupted")
    func interrupted() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("ecr-replicate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let began = home.appendingPathComponent("began").path
        let config = home.appendingPathComponent("config").path
        let text = "[profile slow]\ncredential_process = sh -c 'echo > \(began); exec sleep 600'\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: config))
        try await withStage { stage in
            let (_, ended) = try await withChild(
                .ecrReplicate,
                ["doctor", "--output", "json", "--profile", "slow", "\(stage.source):v1"],
                environment: stage.environment.merging(["AWS_CONFIG_FILE": config]) { $1 },
                killed: false
            ) { child in
                while !FileManager.default.fileExists(atPath: began) { await Task.yield() }
                child.interrupt()
            }
            #expect(ended.exitCode == 130)
            let document = try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
            #expect(document?["exitCode"] as? Int == 130 && document?["command"] as? String == "doctor")
        }
    }
}
