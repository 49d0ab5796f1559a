import Foundation
import TestPrograms
import Testing

@Suite("The schema of rule files", .timeLimit(.minutes(1)))
struct RuleSchemaTests {
    /// Prints the number of mistakes that a validator finds in each file.
    private static let script = """
        import json, sys, yaml
        from jsonschema import Draft7Validator
        schema = json.load(open(sys.argv[1]))
        Draft7Validator.check_schema(schema)
        validator = Draft7Validator(schema)
        for path in sys.argv[2:]:
            found = [error.message for error in validator.iter_errors(yaml.safe_load(open(path)))]
            print(len(found), *found)
        """

    private func validate(_ files: [String]) async throws -> [Int] {
        let schema = repositoryFile("config/rules.schema.json")
        let ended = try await TestPrograms.run(
            .jsonschema,
            ["-c", Self.script, schema] + files,
            environment: ["HOME": "/nonexistent"]
        )
        #expect(ended.exitCode == 0, "\(ended.errors)")
        return ended.lines.compactMap { Int($0.prefix { $0 != " " }) }
    }

    @Test("is valid, and accepts every example", .needs(.jsonschema))
    func examples() async throws {
        let folder = repositoryFile("config/examples")
        let files = names(in: folder).map { "\(folder)/\($0)" }
        #expect(try await validate(files) == files.map { _ in 0 })
    }

    @Test("refuses unknown keys, wrong words and missing parts, as the program does", .needs(.jsonschema))
    func mistakes() async throws {
        let rule = "name: r, from: { registry: a, repository: t/a }, to: { registry: a, tag: x }"
        let head = "version: 1\nregistries: { a: { account: \"111122223333\", region: eu-west-1 } }\n"
        let wrong = [
            "rules: []", "rules: [{ \(rule), colour: red }]", "rules: [{ \(rule), ifExists: maybe }]",
            "rules: [{ \(rule), tags: { newest: 0 } }]", "rules: [{ name: r, to: { registry: a } }]",
            "rules: [{ \(rule), platforms: { a: b } }]", "rule: []", "rules: [{ \(rule), prune: { enabled: 1 } }]",
        ]
        let right = ["rules: [{ \(rule), tags: { match: v1, newest: \"${N}\", x-note: [1] } }]"]
        try await withScratchDirectory { folder in
            var files: [String] = []
            for (index, rest) in (wrong + right).enumerated() {
                let path = "\(folder)/\(index).yaml"
                try Data((head + rest + "\n").utf8).write(to: URL(filePath: path))
                files.append(path)
            }
            let counts = try await validate(files)
            #expect(counts.dropLast(right.count).allSatisfy { $0 > 0 }, "\(counts)")
            #expect(counts.suffix(right.count).allSatisfy { $0 == 0 }, "\(counts)")
        }
    }
}
