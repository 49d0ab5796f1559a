import ECREmulator
import Foundation
import TestPrograms
import Testing

/// The documents of plan and sync, checked against config/plan.schema.json.
@Suite("The schema of plans", .timeLimit(.minutes(2)))
struct PlanSchemaTests {
    /// Prints the mistakes that a validator finds in each line of a file, which is a document.
    private static let script = """
        import json, sys
        from jsonschema import Draft202012Validator
        schema = json.load(open(sys.argv[1]))
        Draft202012Validator.check_schema(schema)
        for line in open(sys.argv[2]):
            for error in Draft202012Validator(schema).iter_errors(json.loads(line)):
                print(list(error.path), error.message)
        """

    private static let rules = """
        version: 1
        registries:
          build: { account: "\(Cloud.build)", region: \(Cloud.home) }
          far: { account: "\(Cloud.build)", region: \(Cloud.far) }
        rules:
          - name: all
            from: { registry: build, repository: "team/*" }
            to: { registry: far }
            tags: { exclude: "*-rc", minTags: 1 }
            ifExists: fail
            createRepository: defaults
            prune: { enabled: true, maxDelete: 1 }
          - name: none
            from: { registry: build, repository: missing/app }
            to: { registry: far }
        """

    @Test("holds for plans, syncs, refusals, deletions and failures", .needs(.jsonschema))
    func documents() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.twoPlatforms("app", layersEach: [100])
                let old = SeedImage.oci("old", layers: [100])
                for (seeded, tag, region, name) in [
                    (image, "v1", Cloud.home, "team/app"), (old, "v2-rc", Cloud.home, "team/app"),
                    (old, "v1", Cloud.far, "team/app"), (image, "v1", Cloud.home, "team/new"),
                    (image, "v1", Cloud.home, "team/old"), (image, "v1", Cloud.far, "team/old"),
                    (old, "gone", Cloud.far, "team/old"),
                ] {
                    try emulator.seed(seeded, tag: tag, account: Cloud.build, region: region, repository: name)
                }
                let file = "\(directory)/rules.yaml"
                try Data(Self.rules.utf8).write(to: URL(filePath: file))
                for command in [["plan", "--quick"], ["plan"], ["sync"], ["plan"]] {
                    let ended = try await run(
                        .ecrReplicate,
                        command + ["-f", file, "--output", "json"],
                        environment: emulator.variables()
                    )
                    #expect(ended.exitCode == 1, "one rule fails: \(ended.errors)")
                    try await validate([ended.outputBytes], in: directory)
                }
            }
        }
    }

    @Test("holds for each line of sync --watch, until a signal ends it", .needs(.jsonschema))
    func rounds() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.oci("app", layers: [100])
                try emulator.seed(image, tag: "v1", account: Cloud.build, region: Cloud.home, repository: "team/app")
                let file = "\(directory)/rules.yaml"
                try Data(Self.rules.utf8).write(to: URL(filePath: file))
                let (_, ended) = try await withChild(
                    .ecrReplicate,
                    ["sync", "-f", file, "--watch", "1s", "--output", "json", "all"],
                    environment: emulator.variables(),
                    killed: false
                ) { child in
                    _ = try await child.output.first { $0.contains("\"round\":1,") }
                    // A mistake in the file is reported, and the rules of before stay in use.
                    try Data("rules: [".utf8).write(to: URL(filePath: file))
                    _ = try await child.errors.first { $0.contains("the rules of before stay in use") }
                    try Data(Self.rules.replacing("name: all", with: "name: all\n    x-note: 1").utf8)
                        .write(to: URL(filePath: file))
                    _ = try await child.errors.first { $0.contains("the rule file has changed") }
                    try emulator.seed(
                        image,
                        tag: "v2",
                        account: Cloud.build,
                        region: Cloud.home,
                        repository: "team/app"
                    )
                    _ = try await child.output.first { $0.contains("\"tag\":\"v2\"") }
                    child.terminate()
                }
                #expect(ended.exitCode == 143, "\(ended.errors)")
                #expect(ended.lines.count >= 3)
                #expect(ended.lines.first?.contains("\"add\":1") == true, "\(ended.lines)")
                try await validate(ended.lines.map { Array($0.utf8) }, in: directory)
            }
        }
    }

    private func validate(_ documents: [[UInt8]], in directory: String) async throws {
        let path = "\(directory)/documents.json"
        let lines = try documents.map { bytes in
            try JSONSerialization.data(withJSONObject: try JSONSerialization.jsonObject(with: Data(bytes)))
        }
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: URL(filePath: path))
        let ended = try await run(
            .jsonschema,
            ["-c", Self.script, repositoryFile("config/plan.schema.json"), path],
            environment: ["HOME": "/nonexistent"]
        )
        #expect(ended.exitCode == 0 && ended.output.isEmpty, "\(ended.output)\(ended.errors)")
    }
}
