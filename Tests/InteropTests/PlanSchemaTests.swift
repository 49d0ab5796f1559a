import ECREmulator
import Foundation
import TestPrograms
import Testing

/// The documents of plan, sync and verify, checked against config/plan.schema.json, and saved plans.
@Suite("The schema of plans", .timeLimit(.minutes(2)))
struct PlanSchemaTests {
    /// Prints the mistakes that a validator finds in each line of a file, which is a document.
    ///
    /// Readers must ignore unknown members, but every member that is written must be in the schema.
    private static let script = """
        import json, sys
        from jsonschema import validators
        schema = json.load(open(sys.argv[1]))
        validator = validators.validator_for(schema)
        validator.check_schema(schema)
        def close(node):
            if isinstance(node, dict):
                if node.get("type") == "object" and "properties" in node:
                    node.setdefault("additionalProperties", False)
                for part in node.values():
                    close(part)
        close(schema)
        for line in open(sys.argv[2]):
            for error in validator(schema).iter_errors(json.loads(line)):
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

    @Test(
        "holds for differences, repairs and failures of verify, and for a whole command that fails",
        .needs(.jsonschema)
    )
    func verification() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.twoPlatforms("app", layersEach: [100])
                let old = SeedImage.oci("old", layers: [100])
                for (seeded, tag, region, name) in [
                    (image, "v1", Cloud.home, "team/app"), (old, "v2", Cloud.home, "team/app"),
                    (old, "v1", Cloud.far, "team/app"), (image, "v1", Cloud.home, "team/new"),
                    (image, "v1", Cloud.home, "team/old"), (image, "v1", Cloud.far, "team/old"),
                    (SeedImage.referrer(to: image), nil, Cloud.home, "team/old"),
                ] {
                    try emulator.seed(seeded, tag: tag, account: Cloud.build, region: region, repository: name)
                }
                let file = "\(directory)/rules.yaml"
                try Data(Self.rules.utf8).write(to: URL(filePath: file))
                var kinds: Set<String> = []
                for (more, code) in [([], 1), (["--deep"], 1), (["--repair", "all"], 2), (["all"], 2)] {
                    let ended = try await run(
                        .ecrReplicate,
                        ["verify", "-f", file, "--output", "json"] + more,
                        environment: emulator.variables()
                    )
                    #expect(ended.exitCode == code, "\(more): \(ended.output)\(ended.errors)")
                    try await validate([ended.outputBytes], in: directory)
                    for kind in ["tagMissing", "tagDiffers", "referrerMissing"] where ended.output.contains(kind) {
                        kinds.insert(kind)
                    }
                    if more.contains("--repair") { #expect(ended.output.contains("\"repaired\" : true")) }
                }
                #expect(kinds.count == 3)
                var nowhere = emulator.variables()
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { nowhere[name] = nil }
                for command in ["plan", "sync", "verify"] {
                    let ended = try await run(
                        .ecrReplicate,
                        [command, "-f", file, "--output", "json"],
                        environment: nowhere
                    )
                    #expect(ended.exitCode == 4, "\(ended.errors)")
                    try await validate([ended.outputBytes], in: directory)
                }
            }
        }
    }

    @Test("holds for saved plans with deletions, and for what their execution prints", .needs(.jsonschema))
    func savedPlans() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.twoPlatforms("app", layersEach: [100])
                let old = SeedImage.twoPlatforms("old", layersEach: [100])
                for (seeded, tag, region) in [
                    (image, "v1", Cloud.home), (image, "v1", Cloud.far), (image, "gone", Cloud.far),
                    (old, "old", Cloud.far),
                ] {
                    try emulator.seed(seeded, tag: tag, account: Cloud.build, region: region, repository: "team/app")
                }
                let file = "\(directory)/rules.yaml"
                try Data(Self.rules.replacing("maxDelete: 1", with: "maxDelete: 2").utf8)
                    .write(to: URL(filePath: file))
                let plan = "\(directory)/plan.json"
                let planned = try await run(
                    .ecrReplicate,
                    ["plan", "-f", file, "--out", plan, "--output", "json"],
                    environment: emulator.variables()
                )
                #expect(planned.output.contains("\"deletesImage\" : true"), "\(planned.output)\(planned.errors)")
                #expect(planned.output.contains("\"deletesImage\" : false"))
                let saved = [UInt8](try Data(contentsOf: URL(filePath: plan)))
                #expect(String(decoding: saved, as: UTF8.self).contains("\"deletesImage\":true"))
                try await validate([saved], by: "plan-file", in: directory)
                try await validate([planned.outputBytes], in: directory)
                for _ in 0..<2 {
                    let done = try await run(
                        .ecrReplicate,
                        ["sync", "--plan", plan, "--output", "json"],
                        environment: emulator.variables()
                    )
                    #expect(done.exitCode == 1, "one rule fails: \(done.errors)")
                    try await validate([done.outputBytes], in: directory)
                }
                let tags = emulator.tags(account: Cloud.build, region: Cloud.far, repository: "team/app")
                #expect(Set(tags.keys) == ["v1"])
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

    private func validate(
        _ documents: [[UInt8]],
        by schema: String = "plan",
        in directory: String
    ) async throws {
        let path = "\(directory)/documents.json"
        let lines = try documents.map { bytes in
            try JSONSerialization.data(withJSONObject: try JSONSerialization.jsonObject(with: Data(bytes)))
        }
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: URL(filePath: path))
        let ended = try await run(
            .jsonschema,
            ["-c", Self.script, repositoryFile("config/\(schema).schema.json"), path],
            environment: ["HOME": "/nonexistent"]
        )
        #expect(ended.exitCode == 0 && ended.output.isEmpty, "\(ended.output)\(ended.errors)")
    }
}
