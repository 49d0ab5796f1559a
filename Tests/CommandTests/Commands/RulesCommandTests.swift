import Foundation
import Rules
import TestPrograms
import Testing

@Suite("rules", .timeLimit(.minutes(1)))
struct RulesCommandTests {
    private static let rules = """
        version: 1
        registries:
          build: { account: "${ACCOUNT}", region: eu-west-1 }
          hub: { host: docker.io }
        rules:
          - name: releases
            from: { registry: build, repository: "team/*" }
            to: { registry: hub, repository: "acme/{name}" }
            tags: { match: "v*", minAge: 1h, newest: 1 }
          - name: all
            from: { registry: build, repository: team/app }
            to: { registry: hub, repository: acme/all }
            tags: { minTags: 9 }

        """

    private func run(_ files: [String: String], _ arguments: String..., account: String = "111122223333") async throws
        -> Ended
    {
        try await withScratchDirectory { folder in
            for (name, text) in files {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
            }
            return try await TestPrograms.run(
                .ecrReplicate,
                ["rules"] + arguments.map { $0.replacing("FOLDER", with: folder) },
                environment: ["HOME": "/nonexistent", "ACCOUNT": account]
            )
        }
    }

    private func json(_ ended: Ended) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(object as? [String: Any], "\(ended.errors)")
    }

    @Test("explain shows what each stage does with a list of tags")
    func explain() async throws {
        let files = ["r.yaml": Self.rules, "tags": "v1 2026-01-01T00:00:00Z\nv2 2026-01-02T00:00:00Z\nlatest\n"]
        let ended = try await run(files, "explain", "-f", "FOLDER/r.yaml", "--tags", "FOLDER/tags", "releases")
        #expect(ended.exitCode == 0, "\(ended.errors)")
        #expect(
            ended.lines == [
                "releases: 1 tag selected", "  match    3 → 2", "    latest matches no pattern", "  minAge   2 → 2",
                "  newest   2 → 1", "    v1 is not among the newest 1", "  + v2",
            ]
        )
    }

    @Test("explain ends with 1 if there are too few tags, and the document has every tag")
    func tooFew() async throws {
        let files = ["r.yaml": Self.rules, "tags": "v1\nlatest\n"]
        let ended = try await run(files, "explain", "-f", "FOLDER/r.yaml", "--tags", "FOLDER/tags", "--output", "json")
        #expect(ended.exitCode == 1)
        let document = try json(ended)
        #expect(document["command"] as? String == "rules explain" && document["exitCode"] as? Int == 1)
        let rules = try #require(document["rules"] as? [[String: Any]])
        #expect(rules.map { $0["rule"] as? String } == ["releases", "all"])
        #expect(rules.map { $0["wanted"] as? Int } == [nil, 9])
        #expect(rules.map { ($0["chosen"] as? [String])?.count } == [0, 2])
    }

    @Test("expand prints a file that means the same, and hides the values of variables")
    func expand() async throws {
        let hidden = try await run(["r.yaml": Self.rules], "expand", "-f", "FOLDER/r.yaml")
        #expect(hidden.exitCode == 0 && hidden.lines.contains("    account: \"${ACCOUNT}\""), "\(hidden.errors)")
        let shown = try await run(["r.yaml": Self.rules], "expand", "--show-values", "--file", "FOLDER/r.yaml")
        #expect(shown.lines.contains("    account: \"111122223333\""), "\(shown.errors)")
        let document = try json(
            try await run(["r.yaml": Self.rules], "expand", "-f", "FOLDER/r.yaml", "--output", "json")
        )
        let file = try #require(document["file"] as? [String: Any])
        #expect((file["rules"] as? [Any])?.count == 2)
    }

    @Test("a file with mistakes is 64, with each mistake on a line of its own, or in one document")
    func mistakes() async throws {
        let files = ["r.yaml": Self.rules.replacing("minAge: 1h", with: "minage: 1h")]
        let text = try await run(files, "expand", "-f", "FOLDER/r.yaml", account: "12")
        #expect(text.exitCode == 64 && text.output.isEmpty)
        let lines = text.errors.split(separator: "\n").map { $0.split(separator: "r.yaml").last.map(String.init) ?? "" }
        #expect(
            lines == [
                ":3:21: registries.build.account: '${ACCOUNT}' is not an AWS account", "  next: write its 12 digits",
                ":9:26: rules[0].tags.minage: unknown key 'minage'", "  next: did you mean 'minAge'?",
            ]
        )
        let ended = try await run(files, "expand", "-f", "FOLDER/r.yaml", "--output", "json", account: "12")
        let document = try json(ended)
        #expect(ended.exitCode == 64 && document["exitCode"] as? Int == 64)
        let problems = try #require(document["problems"] as? [[String: Any]])
        #expect(problems.map { $0["line"] as? Int } == [3, 9])
        #expect(problems.map { $0["path"] as? String } == ["registries.build.account", "rules[0].tags.minage"])
    }

    @Test("wrong usage is 64, and says what to write")
    func usage() async throws {
        let missing = try await run([:], "expand", "-f", "FOLDER/none.yaml")
        #expect(missing.exitCode == 64 && missing.errors.contains("none.yaml: there is no such file"))
        let unknown = try await run(
            ["r.yaml": Self.rules, "tags": "v1\n"],
            "explain",
            "-f",
            "FOLDER/r.yaml",
            "--tags",
            "FOLDER/tags",
            "release"
        )
        #expect(unknown.exitCode == 64 && unknown.errors.contains("Did you mean 'releases'?"), "\(unknown.errors)")
        let without = try await run([:], "expand")
        #expect(
            without.exitCode == 64 && without.errors.contains("Missing expected argument '--file <file>'"),
            "\(without.errors)"
        )
        let both = try await run([:], "explain", "-f", "-", "--tags", "-")
        #expect(both.exitCode == 64 && both.errors.contains("only one of --file and --tags can be -"))
    }

    @Test("schema prints the JSON Schema for editors")
    func schema() async throws {
        let ended = try await run([:], "schema")
        #expect(ended.exitCode == 0 && ended.output == RuleFileSchema.text)
        #expect(try json(ended)["$schema"] as? String == "http://json-schema.org/draft-07/schema#")
    }
}
