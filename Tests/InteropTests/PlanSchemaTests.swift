import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("The schema of saved plans", .timeLimit(.minutes(1)))
struct PlanSchemaTests {
    /// Prints the number of mistakes that a validator finds in each file.
    private static let script = """
        import json, sys
        from jsonschema import Draft7Validator
        schema = json.load(open(sys.argv[1]))
        Draft7Validator.check_schema(schema)
        for path in sys.argv[2:]:
            found = [error.message for error in Draft7Validator(schema).iter_errors(json.load(open(path)))]
            print(len(found), *found)
        """

    @Test("accepts what plan --out writes, and refuses another member", .needs(.jsonschema))
    func written() async throws {
        let account = "111122223333"
        try await withScratchDirectory { folder in
            try await withEmulator(EmulatorConfiguration()) { emulator in
                func seed(_ name: String, _ tag: String, _ repository: String, in region: String = "us-east-1") throws {
                    let image = SeedImage.oci(name, layers: [900])
                    try emulator.seed(image, tag: tag, account: account, region: region, repository: repository)
                }
                try seed("a", "v1", "team/a")
                try seed("b", "v1", "team/b")
                try seed("c", "v2", "team/b")
                try seed("other", "v1", "team/b", in: "eu-west-1")
                try seed("c", "v2", "team/b", in: "eu-west-1")
                try seed("d", "v1", "team/d")
                let rules = """
                    version: 1
                    registries:
                      near: { host: "\(emulator.registryHost(account: account, region: "us-east-1"))" }
                      far: { host: "\(emulator.registryHost(account: account, region: "eu-west-1"))" }
                    rules:
                      - name: r
                        from: { registry: near, repository: [team/a, team/b] }
                        to: { registry: far }
                        createRepository: defaults
                      - name: missing
                        from: { registry: near, repository: team/d }
                        to: { registry: far, repository: "no/{name}" }
                        platforms: linux/amd64
                      - name: refused
                        from: { registry: near, repository: team/b }
                        to: { registry: far }
                        tags: { match: v1 }
                        ifExists: fail
                    """
                let (file, plan) = ("\(folder)/rules.yaml", "\(folder)/plan.json")
                try Data(rules.utf8).write(to: URL(filePath: file))
                let planned = try await TestPrograms.run(
                    .ecrReplicate,
                    ["plan", "-f", file, "--out", plan],
                    environment: Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
                )
                #expect(planned.exitCode == 1, "\(planned.errors)")
                let text = String(decoding: try Data(contentsOf: URL(filePath: plan)), as: UTF8.self)
                let wrong = "\(folder)/wrong.json"
                try Data(text.replacing("\"tool\":", with: "\"secret\":1,\"tool\":").utf8).write(
                    to: URL(filePath: wrong)
                )
                let ended = try await TestPrograms.run(
                    .jsonschema,
                    ["-c", Self.script, repositoryFile("config/plan-file.schema.json"), plan, wrong],
                    environment: ["HOME": "/nonexistent"]
                )
                #expect(ended.exitCode == 0, "\(ended.errors)")
                #expect(ended.lines.count == 2 && ended.lines.first == "0" && ended.lines.last != "0", "\(ended.lines)")
            }
        }
    }
}
