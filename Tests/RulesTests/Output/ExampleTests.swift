import TestPrograms
import Testing

@testable import Rules

@Suite("The example rule files")
struct ExampleTests {
    private static let examples = names(in: repositoryFile("config/examples"))

    private func bytes(of name: String) throws -> [UInt8] {
        try RuleFileBytes.read(repositoryFile("config/examples/\(name)"))
    }

    @Test("are there")
    func exist() { #expect(Self.examples.count >= 8) }

    @Test("are correct, and name the schema in the first line", arguments: examples)
    func areCorrect(_ name: String) throws {
        let bytes = try bytes(of: name)
        let first = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first
        #expect(first == "# yaml-language-server: $schema=../rules.schema.json")
        let file = try RuleFile(parsing: bytes, name: name, variables: [:])
        #expect(!file.rules.isEmpty)
    }

    @Test("mean the same when they are expanded, however often", arguments: examples, [false, true])
    func expand(_ name: String, showsValues: Bool) throws {
        let bytes = try bytes(of: name)
        let once = try ExpandedFile(parsing: bytes, name: name, variables: [:], showsValues: showsValues).yaml
        let twice = try ExpandedFile(
            parsing: Array(once.utf8),
            name: name,
            variables: [:],
            showsValues: showsValues
        ).yaml
        #expect(once == twice)
        let original = try RuleFile(parsing: bytes, name: name, variables: [:])
        let expanded = try RuleFile(parsing: Array(once.utf8), name: name, variables: [:])
        #expect(Self.meaning(of: original) == Self.meaning(of: expanded))
    }

    /// Everything that a file says, but for positions and the file's own digest.
    private static func meaning(of file: RuleFile) -> [String] {
        file.registries.map { "\($0)" }
            + file.rules.map { rule in
                let destinations = rule.destinations.map { "\($0.registry.name) \($0.repository.text):\($0.tag.text)" }
                let tags = rule.tags
                return "\(rule.name) \(rule.source.registry.name) \(rule.source.patterns.map(\.text)) "
                    + "\(rule.source.excluded.map(\.text)) \(destinations) \(tags.match.map(\.text)) "
                    + "\(tags.semver?.text ?? "-") \(tags.exclude.map(\.text)) \(String(describing: tags.minAge)) "
                    + "\(String(describing: tags.newest)) \(tags.newestBy) \(tags.include) \(String(describing: tags.minTags)) "
                    + "\(rule.platforms) \(rule.referrers) \(rule.ifExists) \(rule.createRepository) "
                    + "\(String(describing: rule.gates)) \(String(describing: rule.prune))"
            }
    }

    @Test("have a schema that is the one the program prints")
    func schema() throws {
        let committed = try RuleFileBytes.read(repositoryFile("config/rules.schema.json"))
        #expect(
            String(decoding: committed, as: UTF8.self) == RuleFileSchema.text,
            "write it anew: ecr-replicate rules schema > config/rules.schema.json"
        )
    }
}
