import Content
import Platform
import Replicate
import Testing

@testable import Rules

/// A file of another program, and the rule file that was made from it, as our own reader reads it.
struct Imported {
    var made: RuleImport
    var file: RuleFile

    init(
        _ text: String,
        from program: RuleImport.Program,
        variables: EnvironmentVariables = [:],
        _ change: (inout RuleImport.Options) -> Void = { _ in }
    ) throws {
        var options = RuleImport.Options()
        change(&options)
        made = try RuleImport(parsing: Array(text.utf8), name: "theirs.yaml", of: program, options)
        file = try RuleFile(parsing: Array(made.yaml.utf8), name: "rules.yaml", variables: variables)
    }

    static func regsync(_ text: String, variables: EnvironmentVariables = [:]) throws -> Imported {
        try Imported(text, from: .regsync, variables: variables)
    }

    static func skopeo(_ text: String, to destination: String = "registry.example.org/mirror") throws -> Imported {
        try Imported(text, from: .skopeo) { $0.destination = destination }
    }

    static func replication(_ text: String) throws -> Imported {
        try Imported(text, from: .ecrReplication) { $0.region = "eu-west-1" }
    }

    /// Each rule in one line.
    var rules: [String] { file.rules.map(Self.line) }

    /// The comments, each in one line, without those at the beginning of every file.
    var comments: [String] {
        var comments: [String] = []
        for line in made.yaml.split(separator: "\n") {
            let bare = line.drop { $0 == " " }
            guard bare.hasPrefix("#") else { continue }
            if bare.hasPrefix("#   "), let last = comments.popLast() {
                comments.append(last + bare.dropFirst(3))
            } else {
                comments.append(String(bare.dropFirst(2)))
            }
        }
        return Array(comments.dropFirst(2))
    }

    /// The steps that were left out, with their lines.
    var leftOut: [String] { made.leftOut.map { "\($0.position.line) \($0.path): \($0.message)" } }

    private static func line(_ rule: Rule) -> String {
        let excluded = rule.source.excluded.map(\.text)
        let source =
            "\(rule.source.registry.place.words) " + rule.source.patterns.map(\.text).joined(separator: ",")
            + (excluded.isEmpty ? "" : " without " + excluded.joined(separator: ","))
        let destinations = rule.destinations.map { "\($0.registry.place.words) \($0.repository.text):\($0.tag.text)" }
        let tags = rule.tags
        var parts: [String] = []
        func add(_ name: String, _ texts: [String]) {
            if !texts.isEmpty { parts.append("\(name) \(texts.joined(separator: ","))") }
        }
        add("match", tags.match.map(\.text))
        add("semver", tags.semver.map { [$0.text + ($0.takesPrereleases ? " and pre-releases" : "")] } ?? [])
        add("exclude", tags.exclude.map(\.text))
        add("include", tags.include.map(\.value))
        add("digests", tags.digests.map { String($0.hex.prefix(4)) })
        add("platforms", rule.platforms.map(\.description))
        if rule.createRepository != .never { add("create", [rule.createRepository.rawValue]) }
        add("referrers", [rule.referrers.rawValue])
        return "\(rule.name): \(source) -> \(destinations.joined(separator: ", ")); \(parts.joined(separator: "; "))"
    }
}

/// The problems of a file of another program that no rule file is made from.
func importProblems(
    _ text: String,
    from program: RuleImport.Program,
    _ change: (inout RuleImport.Options) -> Void = { _ in }
) throws -> [RuleFileProblem] {
    let error = try #require(throws: RuleFileError.self) {
        try Imported(text, from: program) { options in
            if program == .skopeo { options.destination = "registry.example.org" }
            if program == .ecrReplication { options.region = "eu-west-1" }
            change(&options)
        }
    }
    return error.problems
}
