import Content
import ECREmulator
import Foundation
import Platform
import Rules
import TestPrograms
import Testing

@Suite("plan --out and sync --plan", .timeLimit(.minutes(1)))
struct SavedPlanCommandTests {
    private func rules(_ stage: Stage) -> String {
        """
        version: 1
        registries:
          near: { host: "\(stage.emulator.registryHost(account: Stage.account, region: Stage.home))" }
          far: { host: "\(stage.emulator.registryHost(account: Stage.account, region: Stage.far))" }
        rules:
          - name: r
            from: { registry: near, repository: team/app }
            to: { registry: far }
            referrers: none

        """
    }

    /// Runs `body` with a rule file and a name for a plan.
    private func withRules(_ body: (Stage, _ rules: String, _ plan: String) async throws -> Void) async throws {
        try await withScratchDirectory { folder in
            try await withStage { stage in
                let file = "\(folder)/rules.yaml"
                try Data(rules(stage).utf8).write(to: URL(filePath: file))
                try await body(stage, file, "\(folder)/plan.json")
            }
        }
    }

    private func json(_ ended: Ended) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(object as? [String: Any], "\(ended.errors)")
    }

    @Test("a plan is saved, carried out without its rules, and done when it is carried out again")
    func roundTrip() async throws {
        try await withRules { stage, rules, plan in
            let planned = try await stage.run("plan", "-f", rules, "--out", plan)
            #expect(planned.exitCode == 2, "\(planned.errors)")
            #expect(stage.tags().isEmpty)

            let done = try await stage.run("sync", "--plan", plan, "--max-age", "1h")
            #expect(done.exitCode == 0, "\(done.errors)")
            #expect(done.lines.contains("  + v1  \(stage.image.digest)  (\(ByteCount(stage.image.byteCount)))"))
            #expect(stage.tags() == ["v1": stage.image.digest])

            let again = try await stage.run("sync", "--plan", plan, "-f", rules)
            #expect(again.exitCode == 0, "\(again.errors)")
            #expect(again.lines.contains("  = 1 tag in sync"))

            let nothing = try await stage.run("plan", "-f", rules, "--out", plan)
            #expect(nothing.exitCode == 0, "\(nothing.errors)")
            let text = String(decoding: try Data(contentsOf: URL(filePath: plan)), as: UTF8.self)
            #expect(text.contains("\"action\":\"keep\""))
            for (name, value) in stage.environment where name.contains("KEY") { #expect(!text.contains(value)) }
        }
    }

    @Test("a stale image is refused by name, with 3")
    func stale() async throws {
        try await withRules { stage, rules, plan in
            _ = try await stage.run("plan", "-f", rules, "--out", plan)
            let other = try stage.seed(.oci("other", layers: [900]), tag: "v1")

            let refused = try await stage.run("sync", "--plan", plan, "--output", "json")
            #expect(refused.exitCode == 3, "\(refused.errors)")
            #expect(refused.errors.contains("team/app:v1 did not exist when the plan was made, and now holds \(other)"))
            let repositories = try #require(try json(refused)["repositories"] as? [[String: Any]])
            let image = try #require((repositories.first?["images"] as? [[String: Any]])?.first)
            #expect((image["error"] as? [String: Any])?["reason"] as? String == "stalePlan")
            #expect(stage.tags() == ["v1": other])
        }
    }

    @Test("an old plan and a plan of other rules are refused with 3, before anything is sent")
    func refusals() async throws {
        try await withRules { stage, rules, plan in
            let file = try RuleFile(parsing: Array(self.rules(stage).utf8), name: rules, variables: [:])
            let made = Date() - 7_200
            try SavedPlanWriter(plan, of: file.rules, from: file, tool: "t", now: made).commit()
            let old = try await stage.run("sync", "--plan", plan, "--max-age", "1h30m", "--output", "json")
            #expect(old.exitCode == 3, "\(old.errors)")
            #expect(old.errors.contains("and --max-age allows 1h 30m\n  next: make a new plan"))
            let document = try json(old)
            #expect(document["exitCode"] as? Int == 3)
            #expect((document["error"] as? [String: Any])?["reason"] as? String == "planTooOld")
            #expect((document["error"] as? [String: Any])?["kind"] as? String == "refused")

            try Data((self.rules(stage) + "# changed\n").utf8).write(to: URL(filePath: rules))
            let other = try await stage.run("sync", "--plan", plan, "-f", rules)
            #expect(other.exitCode == 3, "\(other.errors)")
            #expect(other.errors.contains("is not the rule file that the plan"))
            #expect(stage.emulator.requests.isEmpty)
        }
    }

    @Test("an edited plan ends with 64 and its line")
    func edited() async throws {
        try await withRules { stage, rules, plan in
            _ = try await stage.run("plan", "-f", rules, "--out", plan)
            stage.emulator.clearRequests()
            let text = String(decoding: try Data(contentsOf: URL(filePath: plan)), as: UTF8.self)
            try Data(text.replacing("\"tag\":\"v1\"", with: "\"tag\":\"v2\"").utf8).write(to: URL(filePath: plan))
            let ended = try await stage.run("sync", "--plan", plan)
            #expect(ended.exitCode == 64)
            #expect(ended.errors.contains("plan.json:6:1: checksum: the file was changed after it was written"))
            let document = try json(try await stage.run("sync", "--plan", plan, "--output", "json"))
            #expect(document["exitCode"] as? Int == 64)
            #expect(stage.emulator.requests.isEmpty)
        }
    }

    @Test(
        "options that don't belong together are wrong usage",
        arguments: [
            (["sync"], "name a rule file with -f, or a saved plan with --plan"),
            (["sync", "--plan", "p.json", "releases"], "leave out 'releases'"),
            (["sync", "-f", "r.yaml", "--max-age", "1h"], "name one with --plan, or leave out --max-age"),
            (["sync", "--plan", "p.json", "--max-age", "1"], "write it as 30m, 12h or 7d"),
            (["sync", "--plan", "-"], "name the file that plan --out has written"),
            (["sync", "--plan", "missing.json"], "missing.json: there is no such file"),
            (["plan", "-f", "r.yaml", "--quick", "--out", "p.json"], "leave out --quick"),
            (["plan", "a.example.com/a:1", "b.example.com/", "--out", "p.json"], "name a rule file with -f"),
            (["plan", "-f", "r.yaml", "--out", "-"], "name one, as --out plan.json"),
        ]
    )
    func usage(_ arguments: [String], _ remedy: String) async throws {
        let ended = try await TestPrograms.run(.ecrReplicate, arguments, environment: ["HOME": "/nonexistent"])
        #expect(ended.exitCode == 64)
        #expect(ended.errors.contains(remedy), "\(ended.errors)")
    }

    @Test("a file that can't be written is wrong usage, before anything is sent")
    func unwritable() async throws {
        try await withRules { stage, rules, _ in
            for path in ["/dev/null", "/nonexistent/plan.json"] {
                let ended = try await stage.run("plan", "-f", rules, "--out", path)
                #expect(ended.exitCode == 64)
                #expect(ended.errors.contains("the plan can't be saved in '\(path)'"), "\(ended.errors)")
            }
            #expect(stage.emulator.requests.isEmpty)
        }
    }
}
