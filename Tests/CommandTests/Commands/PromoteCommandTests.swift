import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// `promote` with gates: exit status, text, JSON, and what is written.
@Suite("The promote command", .timeLimit(.minutes(3)))
struct PromoteCommandTests {
    private func scan(_ stage: Stage, _ counts: [String: Int], in region: String = Stage.home) throws {
        try stage.emulator.setScan(
            of: stage.image.digest,
            counts: counts,
            account: Stage.account,
            region: region,
            repository: "team/app"
        )
    }

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// The lines of the gates.
    private func gates(_ text: String) -> [Substring] {
        text.split(separator: "\n").filter {
            $0.hasPrefix("  passed ") || $0.hasPrefix("  failed ") || $0.hasPrefix("  unknown ")
        }
    }

    @Test("promotes what passes, and says on standard error what each gate found")
    func passed() async throws {
        try await withStage { stage in
            try scan(stage, ["LOW": 1])
            let done = try await stage.run(
                "promote",
                "--max-severity",
                "LOW",
                "--gate-command",
                "true",
                "\(stage.source):v1",
                stage.destination
            )
            #expect(done.exitCode == 0, "\(done.errors)")
            #expect(done.output == "\(stage.destination):v1@\(stage.image.digest)\n")
            #expect(
                gates(done.errors) == [
                    "  passed  scan: 1 image scanned: 1 finding, the worst LOW; allowed up to LOW",
                    "  passed  command: 'true' lets the image pass",
                ]
            )
            #expect(stage.tags() == ["v1": stage.image.digest])
        }
    }

    @Test("denies with exit status 3, writes nothing, and reports every gate")
    func denied() async throws {
        try await withStage { stage in
            try scan(stage, ["HIGH": 2])
            stage.emulator.clearRequests()
            let arguments = [
                "promote", "--max-severity", "LOW", "--min-age", "1h", "--gate-command", "false",
                "--require-platform", "linux/amd64",
            ]
            let places = ["\(stage.source):v1", stage.destination]
            for dry in [[], ["--dry-run"]] {
                let ended = try await TestPrograms.run(
                    .ecrReplicate,
                    arguments + dry + places,
                    environment: stage.environment
                )
                #expect(ended.exitCode == (dry.isEmpty ? 3 : 0), "\(ended.errors)")
                let said = gates(dry.isEmpty ? ended.errors : ended.output)
                #expect(said.count == 4, "\(ended.output)\(ended.errors)")
                #expect(said.first == "  failed  scan: 2 HIGH above LOW")
                #expect(said.contains("  unknown command: 'false' ended with status 1"))
                #expect(ended.errors.contains("of 4 gates denied the image: scan failed: 2 HIGH above LOW; "))
                #expect(ended.errors.contains("  next: "))
                #expect(dry.isEmpty == ended.output.isEmpty)
            }
            let writes = stage.emulator.requests.filter { request in
                request.operation == "PutImage" || request.operation.hasPrefix("POST")
                    || request.operation.hasPrefix("PUT")
            }
            #expect(writes.isEmpty && stage.tags().isEmpty)
        }
    }

    @Test("prints the gates in the JSON document, on success and on failure")
    func document() async throws {
        try await withStage { stage in
            try scan(stage, ["LOW": 1])
            for (limit, code) in [("LOW", 0), ("INFORMATIONAL", 3)] {
                let ended = try await stage.run(
                    "promote",
                    "--output",
                    "json",
                    "--max-severity",
                    limit,
                    "\(stage.source):v1",
                    stage.destination
                )
                let document = try json(ended.output)
                #expect(document["exitCode"] as? Int == code && ended.exitCode == Int32(code), "\(ended.errors)")
                let reports = try #require(document["gates"] as? [[String: Any]])
                #expect(reports.count == 1 && reports[0]["passed"] as? Bool == (code == 0))
                #expect(reports[0]["digest"] as? String == "\(stage.image.digest)")
                let gate = try #require((reports[0]["gates"] as? [[String: Any]])?.first)
                #expect(gate["gate"] as? String == "scan")
                #expect(gate["result"] as? String == (code == 0 ? "passed" : "failed"))
                let evidence = try #require(gate["evidence"] as? [[String: Any]])
                #expect(evidence.contains { $0["digest"] as? String == "\(stage.image.digest)" })
                #expect((gate["remedy"] != nil) == (code == 3))
                guard code == 3 else { continue }
                let result = try #require((document["results"] as? [[String: Any]])?.first)
                let error = try #require(result["error"] as? [String: Any])
                #expect(error["reason"] as? String == "gateDenied" && error["kind"] as? String == "refused")
            }
        }
    }

    @Test("escapes what a scan says")
    func hostile() async throws {
        try await withStage { stage in
            let name = "CVE-1\u{1B}[31m\u{202E}\nnext: run this"
            try stage.emulator.setScan(
                EmulatedScan(completedAt: 1_700_000_000, findings: [.init(name, "HIGH", package: "a\u{7}b")]),
                of: stage.image.digest,
                account: Stage.account,
                region: Stage.home,
                repository: "team/app"
            )
            for format in ["text", "json"] {
                let ended = try await stage.run(
                    "promote",
                    "--output",
                    format,
                    "--max-severity",
                    "LOW",
                    "\(stage.source):v1",
                    stage.destination
                )
                #expect(ended.exitCode == 3)
                for text in [ended.output, ended.errors] {
                    #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" || $0 == "\u{7}" })
                    #expect(!text.contains("\nnext: run this"))
                }
            }
        }
    }

    @Test("refuses options that say nothing together, and files that can't be read, before it begins")
    func usage() async throws {
        let places = ["team/app:v1", "r.example/app"]
        let cases: [([String], String)] = [
            (["--ignore", "CVE-1"], "--ignore is about --max-severity"),
            (["--max-severity", "BAD"], "'BAD' is invalid for '--max-severity <severity>'"),
            (["--max-severity", "LOW", "--ignore", "a b"], "'a b' is not the name of a finding"),
            (["--wait-scan", "5m"], "--wait-scan waits for a scan that nothing requires"),
            (["--min-age", "soon"], "'soon' is not a length of time"),
            (["--approved", "/nonexistent/list"], "there is no file '/nonexistent/list' with approved digests"),
            (["--approved-key", "k.pub"], "--approved-key is about --approved"),
            (["--gate-command-timeout", "5s"], "--gate-command-timeout is about --gate-command"),
            (["--require-platform", "all"], "--require-platform names a platform"),
            (["-f", "rules.yaml", "--min-age", "1h"], "gates and -f can't be used together"),
        ]
        for (arguments, text) in cases {
            let isFile = arguments.first == "-f"
            let ended = try await TestPrograms.run(
                .ecrReplicate,
                ["promote"] + arguments + (isFile ? [] : places),
                environment: [:]
            )
            #expect(ended.exitCode == 64, "\(arguments): \(ended.errors)")
            #expect(ended.errors.contains(text), "\(arguments): \(ended.errors)")
            #expect(ended.errors.contains("next: ") || ended.errors.contains("Usage: "))
        }
    }

    @Test("decides the same by the options and by a rule file, and promotes a file's rules")
    func rules() async throws {
        try await withStage { stage in
            try await withScratchDirectory { directory in
                let list = "\(directory)/approved.txt"
                try Data("\(stage.image.digest)\n".utf8).write(to: URL(filePath: list))
                let file = "\(directory)/rules.yaml"
                func write(_ severity: String) throws {
                    let text = """
                        version: 1
                        registries:
                          home: { account: "\(Stage.account)", region: \(Stage.home) }
                          far: { account: "\(Stage.account)", region: \(Stage.far) }
                        rules:
                          - name: gated
                            from: { registry: home, repository: team/app }
                            to: { registry: far }
                            gates:
                              maxSeverity: \(severity)
                              ignore: { finding: CVE-2026-HIGH-1, reason: not reachable, until: 2099-12-31 }
                              approved: \(list)
                          - { name: bare, from: { registry: home, repository: team/app }, to: { registry: far, tag: "x-{tag}" } }
                        """
                    try Data(text.utf8).write(to: URL(filePath: file))
                }
                try scan(stage, ["HIGH": 1, "MEDIUM": 1])
                try write("LOW")
                let options = [
                    "promote", "--max-severity", "LOW", "--ignore", "CVE-2026-HIGH-1", "--approved", list,
                    "\(stage.source):v1", stage.destination,
                ]
                let byOptions = try await TestPrograms.run(.ecrReplicate, options, environment: stage.environment)
                let byRules = try await stage.run("promote", "-f", file)
                #expect(byOptions.exitCode == 3 && byRules.exitCode == 3, "\(byOptions.errors)\(byRules.errors)")
                #expect(gates(byOptions.errors) == gates(byRules.errors))
                #expect(gates(byRules.errors).first == "  failed  scan: 1 MEDIUM above LOW")
                #expect(try await stage.run("sync", "-f", file, "gated").exitCode == 3)
                let dry = try await stage.run("promote", "-f", file, "--dry-run")
                #expect(dry.exitCode == 0 && (dry.output + dry.errors).contains("1 MEDIUM above LOW"), "\(dry.errors)")
                #expect(stage.tags().isEmpty)

                try write("MEDIUM")
                let planned = try await stage.run("promote", "-f", file, "--dry-run")
                #expect(planned.exitCode == 0 && stage.tags().isEmpty, "\(planned.errors)")
                let done = try await stage.run("promote", "-f", file, "--output", "json")
                #expect(done.exitCode == 0, "\(done.errors)")
                let reports = try #require(try json(done.output)["gates"] as? [[String: Any]])
                #expect(reports.count == 1 && reports[0]["passed"] as? Bool == true)
                #expect(Set(stage.tags().keys) == ["v1"], "the rule without gates is not a promotion")
                let bare = try await stage.run("promote", "-f", file, "bare")
                #expect(bare.exitCode == 64 && bare.errors.contains("rule 'bare' has no gates"))
                let saved = try await stage.run("plan", "-f", file, "--out", "\(directory)/plan.json")
                #expect(saved.exitCode == 64 && saved.errors.contains("a saved plan has none"), "\(saved.errors)")
            }
        }
    }
}
