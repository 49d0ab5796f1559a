import Content
import Doctor
import ECREmulator
import Foundation
import Replicate
import TestPrograms
import Testing

@testable import ecr_replicate

@Suite("doctor's output", .timeLimit(.minutes(1)))
struct DoctorLineTests {
    /// Returns variables for a profile `slow` whose keys never arrive, and a file that exists once doctor waits for
    /// them.
    private func withSlowProfile(_ body: (Stage, [String: String], String) async throws -> Void) async throws {
        try await withScratchDirectory { home in
            let began = "\(home)/began"
            let program = "sh -c 'echo > \(began); exec sleep 600'"
            try write("[profile slow]\ncredential_process = \(program)\n", to: "\(home)/config")
            try await withStage { stage in
                try await body(stage, stage.environment.merging(["AWS_CONFIG_FILE": "\(home)/config"]) { $1 }, began)
            }
        }
    }

    @Test("prints findings while other checks wait, and keeps them when it is interrupted")
    func interrupted() async throws {
        try await withSlowProfile { stage, environment, began in
            let (_, ended) = try await withChild(
                .ecrReplicate,
                ["doctor", "--source-profile", "slow", "\(stage.source):v1", stage.destination],
                environment: environment,
                killed: false
            ) { child in
                _ = try await child.output.first { $0.hasPrefix("ok       source      clock ") }
                while !FileManager.default.fileExists(atPath: began) { await Task.yield() }
                child.interrupt()
            }
            #expect(ended.exitCode == 130)
            #expect(
                ended.lines.prefix(2).map { $0.prefix(28) }
                    == ["ok       source      endpoint", "ok       source      clock   "].map { $0.prefix(28) }
            )
            // The destination's findings come after the source's; there is no summary.
            #expect(ended.lines.dropFirst(2).allSatisfy { $0.contains(" destination ") })
            #expect(ended.errors.contains("stopping\n"))
            #expect(ended.errors.contains("interrupted: no answer yet to identity of the source"), "\(ended.errors)")
            let last = ended.errors.split(separator: "\n").last ?? ""
            #expect(last.contains("; until then ") && last.hasPrefix("interrupted: "), "\(ended.errors)")
        }
    }

    @Test(
        "ends with a line about the interruption, after all findings that were held back",
        .enabled(if: Program.missing(among: [.python]) == nil)
    )
    func interruptedLast() async throws {
        try await withSlowProfile { stage, environment, _ in
            let path = try #require(Program.ecrReplicate.path)
            let place = stage.destination.replacing("team/app", with: "team/nope")
            let ended = try await run(
                .python,
                [
                    "-c", Self.watcher, "source: waiting for identity… 1 s", path, "doctor", "--source-profile", "slow",
                    "\(stage.source):v1", place,
                ],
                environment: environment.merging(["TERM": "xterm"]) { $1 }
            )
            let shown = ended.output.replacing("\r\n", with: "\n")
            let kept = try #require(shown.firstRange(of: "FAILED   destination repository "), "\(shown)")
            let said = try #require(shown.firstRange(of: "interrupted: "), "\(shown)")
            #expect(kept.upperBound < said.lowerBound)
            let last = shown[said.lowerBound...]
            #expect(last.contains("no answer yet to identity of the source; until then 1 failed"), "\(shown)")
            #expect(last.hasSuffix("\ncode 130") && last.count { $0 == "\n" } == 1, "\(shown)")
        }
    }

    private struct Document: Decodable {
        struct Check: Decodable, Equatable { var side, check: String }
        var command: String
        var exitCode: Int
        var source: String
        var destination: String?
        var checks: [Check]
        var unanswered: [Check]?
    }

    @Test("lists the findings and the unanswered checks in JSON, when it is interrupted")
    func interruptedDocument() async throws {
        try await withSlowProfile { stage, environment, began in
            let (_, ended) = try await withChild(
                .ecrReplicate,
                ["doctor", "--output", "json", "--profile", "slow", "\(stage.source):v1"],
                environment: environment,
                killed: false
            ) { child in
                while !FileManager.default.fileExists(atPath: began) { await Task.yield() }
                child.interrupt()
            }
            let document = try JSONDecoder().decode(Document.self, from: Data(ended.output.utf8))
            #expect(ended.exitCode == 130 && document.exitCode == 130 && document.command == "doctor")
            #expect(document.source == "\(stage.source):v1" && document.destination == nil)
            #expect(document.checks.map(\.check) == ["endpoint", "clock"])
            #expect(document.unanswered == [Document.Check(side: "source", check: "identity")])
            let whole = try await stage.run("doctor", "--output", "json", "\(stage.source):v1")
            #expect(try JSONDecoder().decode(Document.self, from: Data(whole.output.utf8)).unanswered == nil)
        }
    }

    @Test("ends when standard output is closed, even while a check waits")
    func abandoned() async throws {
        try await withSlowProfile { stage, environment, _ in
            let path = try #require(Program.ecrReplicate.path)
            let script = #"{ "$@"; echo "code $?" >&2; } | head -n 1"#
            let ended = try await run(
                Program("sh"),
                ["-c", script, "sh", path, "doctor", "--profile", "slow", "\(stage.source):v1"],
                environment: environment
            )
            #expect(ended.lines.count == 1 && ended.errors == "code 0\n", "\(ended.output)\(ended.errors)")
        }
    }

    @Test("ends without an error when standard output is closed")
    func brokenPipe() async throws {
        try await withStage { stage in
            let path = try #require(Program.ecrReplicate.path)
            let script = #"{ "$@"; echo "code $?" >&2; } | head -n 1"#
            let ended = try await run(
                Program("sh"),
                ["-c", script, "sh", path, "doctor", "\(stage.source):v1", stage.destination],
                environment: stage.environment
            )
            #expect(ended.lines.count == 1 && ended.output.contains(" endpoint "), "\(ended.output)")
            #expect(ended.errors == "code 0\n")
        }
    }

    /// Gives the command a terminal, and interrupts it once it shows there which check waits.
    private static let watcher = """
        import os, pty, signal, sys
        wanted, arguments = sys.argv[1].encode(), sys.argv[2:]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(arguments[0], arguments)
        seen = b""
        while True:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
            if wanted and wanted in seen:
                os.kill(pid, signal.SIGINT)
                wanted = b""
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(seen.decode() + "code %d" % code)
        """

    @Test(
        "shows the waiting checks on a terminal below the findings, and erases them",
        .enabled(if: Program.missing(among: [.python]) == nil)
    )
    func terminal() async throws {
        try await withSlowProfile { stage, environment, _ in
            let path = try #require(Program.ecrReplicate.path)
            let arguments = ["doctor", "--profile", "slow", "\(stage.source):v1"]
            let ended = try await run(
                .python,
                ["-c", Self.watcher, "source: waiting for identity… 1 s", path] + arguments,
                environment: environment.merging(["TERM": "xterm"]) { $1 }
            )
            #expect(ended.output.hasSuffix("code 130"), "\(ended.output)")
            let shown = ended.output.replacing("\r\n", with: "\n")
            let clock = try #require(shown.firstRange(of: " clock "))
            let wait = try #require(shown.firstRange(of: "\u{1B}[2Ksource: waiting for identity… 1 s\n"))
            #expect(clock.upperBound < wait.lowerBound)
            // The last action on the line is to erase it.
            let end = try #require(shown.firstRange(of: "stopping\n"))
            #expect(shown[end.upperBound...].contains("\u{1B}[0J"), "\(shown)")
        }
    }

    @Test("suggests a command that can be pasted, which also prints the policies of the roles")
    func pasted() async throws {
        var configuration = EmulatorConfiguration()
        let role = "arn:aws:iam::\(Stage.account):role/writer"
        configuration.roles = [.init(arn: role)]
        try await withStage(configuration) { stage in
            let place = stage.destination.replacing("team/app", with: "team/new")
            let arguments = ["doctor", "--create-repository", "defaults", "--destination-role-arn", role]
            let ended = try await run(
                .ecrReplicate,
                arguments + ["--destination-external-id", "hush", "\(stage.source):v1", place],
                environment: stage.environment
            )
            let mark = "to print every policy that the copy needs: ecr-replicate "
            let line = try #require(ended.lines.first { $0.contains(mark) }, "\(ended.output)\(ended.errors)")
            let path = try #require(Program.ecrReplicate.path)
            let command = "'\(path)' " + line[try #require(line.firstRange(of: mark)).upperBound...]
            let printed = try await run(Program("sh"), ["-c", command, "sh"], environment: stage.environment)
            #expect(printed.exitCode == 0, "\(printed.errors)")
            #expect(printed.output.contains("sts:AssumeRole") && printed.output.contains("ecr:CreateRepository"))
            #expect(printed.output.contains("arn:aws:iam::\(Stage.account):user/emulator"), "\(printed.output)")
        }
    }

    @Test("doesn't show waiting checks without a terminal")
    func noTerminal() async throws {
        try await withStage { stage in
            let ended = try await stage.run("doctor", "--progress", "plain", "\(stage.source):v1", stage.destination)
            #expect(ended.exitCode == 0 && ended.errors.isEmpty)
        }
    }

    @Test("assumes that the copy creates the repository, with that option")
    func creating() async throws {
        try await withStage { stage in
            let place = stage.destination.replacing("team/app", with: "team/new")
            let plain = try await stage.run("doctor", "\(stage.source):v1", place)
            #expect(plain.exitCode == 1 && plain.output.contains("FAILED   destination repository "))
            let told = try await stage.run("doctor", "--create-repository", "defaults", "\(stage.source):v1", place)
            #expect(told.exitCode == 0, "\(told.output)")
            #expect(told.lines.contains { $0.hasPrefix("skipped  destination ecr:CreateRepository ") })
        }
    }
}

@Suite("Doctor's waiting checks")
struct WaitStateTests {
    private let begin = ContinuousClock.now

    private func waiting() -> WaitState {
        var waits = WaitState()
        waits.note(.asking(.source, check: "endpoint"), at: begin)
        waits.note(.asking(.source, check: "identity"), at: begin.advanced(by: .seconds(2)))
        waits.note(.asking(.destination, check: "ecr:PutImage"), at: begin.advanced(by: .milliseconds(2_500)))
        return waits
    }

    @Test("are shown after a second, for each side")
    func lines() {
        let waits = waiting()
        #expect(waits.lines(width: 80, at: begin.advanced(by: .milliseconds(2_900))).isEmpty)
        #expect(
            waits.lines(width: 80, at: begin.advanced(by: .milliseconds(3_400))) == [
                "source: waiting for identity… 1 s"
            ]
        )
        let both = waits.lines(width: 20, at: begin.advanced(by: .seconds(17)))
        #expect(both == ["source: waiting for", "destination: waitin"])
    }

    @Test("give a heartbeat line without a terminal")
    func heartbeat() {
        let waits = waiting()
        #expect(waits.heartbeat(at: begin) == nil)
        #expect(
            waits.heartbeat(at: begin.advanced(by: .seconds(17)))
                == "waiting for identity of the source (15 s), ecr:PutImage of the destination (14 s)"
        )
    }

    @Test("are removed when their side has ended")
    func over() {
        var waits = waiting()
        waits.note(.ended(.source), at: begin)
        #expect(waits.unanswered == [Diagnosis.Unanswered(.destination, "ecr:PutImage")])
        waits.note(.ended(.destination), at: begin)
        #expect(waits.unanswered.isEmpty && waits.heartbeat(at: begin.advanced(by: .seconds(60))) == nil)
    }
}

@Suite("Waiting checks of doctor -f")
struct PartWaitsTests {
    private let begin = ContinuousClock.now

    private func waiting() -> PartWaits {
        var waits = PartWaits()
        waits.begin("endpoint", of: "registry far", .destination, at: begin)
        waits.begin("identity", of: "registry build", .source, at: begin)
        waits.begin("ecr:BatchGetImage", of: "rule r", .source, at: begin.advanced(by: .seconds(2)))
        return waits
    }

    @Test("are shown after a second, for each part")
    func lines() {
        let waits = waiting()
        #expect(waits.lines(width: 80, at: begin.advanced(by: .milliseconds(900))).isEmpty)
        #expect(
            waits.lines(width: 80, at: begin.advanced(by: .milliseconds(2_400))) == [
                "registry build: identity (2 s)…", "registry far: endpoint (2 s)…",
            ]
        )
        #expect(waits.lines(width: 10, at: begin.advanced(by: .seconds(2))) == ["registry ", "registry "])
    }

    @Test("give one heartbeat line, and none when all have ended")
    func heartbeat() {
        var waits = waiting()
        #expect(waits.heartbeat(at: begin) == nil)
        #expect(
            waits.heartbeat(at: begin.advanced(by: .seconds(9))) == "waiting for registry build: identity (9 s), "
                + "registry far: endpoint (9 s), rule r: ecr:BatchGetImage (7 s)"
        )
        #expect(waits.end("rule r") == .init(part: "rule r", side: .source, check: "ecr:BatchGetImage"))
        #expect(waits.end("rule r") == nil)
        for part in ["registry build", "registry far"] { _ = waits.end(part) }
        #expect(waits.heartbeat(at: begin.advanced(by: .seconds(60))) == nil)
    }
}
