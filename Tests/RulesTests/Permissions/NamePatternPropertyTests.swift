import Content
import IAMPolicies
import Replicate
import TestInputs
import Testing

@testable import Rules

/// Random patterns and names: what a rule selects is allowed, and nothing outside of the pattern's literal beginning.
@Suite("Patterns of names for IAM, at random")
struct NamePatternPropertyTests {
    private static let rounds = 3_000

    @Test("allow every repository that the rule reads or writes, and none outside of what it names literally")
    func everyName() throws {
        var random = Seeded(11)
        var (selected, refused, written) = (0, 0, 0)
        for _ in 0..<Self.rounds {
            let text = Self.pattern(&random)
            let template = ["prod/{repository}", "prod/{name}", "p-{name}/x", "{repository}"].randomElement(
                using: &random
            )!
            guard let rule = try? Self.rule(text, template), let pattern = rule.source.patterns.first else { continue }
            let names = rule.source.names(selectedBy: pattern).all
            let start = Self.literalStart(of: text)
            for _ in 0..<30 {
                guard let name = try? RepositoryName(parsing: Self.name(&random, near: text)) else { continue }
                let isAllowed = names.contains { matchesResource(name.value, $0.text) }
                guard rule.source.pattern(selecting: name) != nil else {
                    if isAllowed {
                        #expect(name.value.hasPrefix(start), "\(text) allows \(name) by \(names.map(\.text))")
                    }
                    if !isAllowed { refused += 1 }
                    continue
                }
                selected += 1
                #expect(isAllowed, "\(text) selects \(name), and \(names.map(\.text)) doesn't allow it")
                let values = NameValues(registry: rule.source.registry, repository: name, selectedBy: pattern)
                let filled = rule.destinations[0].repository.filled(
                    values.values(for: .repository, tag: nil, digest: nil)
                )
                guard let filled, (try? RepositoryName(parsing: filled)) != nil else { continue }
                written += 1
                let places = names.flatMap { rule.names(at: rule.destinations[0], for: $0, selectedBy: pattern).all }
                #expect(
                    places.contains { matchesResource(filled, $0.text) },
                    "\(text) writes \(filled) by \(template), and \(places.map(\.text)) doesn't allow it"
                )
                #expect(
                    places.allSatisfy { $0.text.hasPrefix(String(template.prefix { $0 != "{" })) },
                    "\(template): \(places.map(\.text))"
                )
            }
        }
        #expect(selected > 3_000 && refused > 3_000 && written > 2_000)
        reportCases("names against random patterns", selected + refused)
    }

    @Test("hold the groups of an expression, wherever a match takes them")
    func groups() throws {
        var random = Seeded(12)
        var filledCount = 0
        for _ in 0..<Self.rounds {
            let text = "re:" + Self.expression(&random, depth: 3, withGroups: true)
            guard let groups = try? RepositoryPattern(parsing: text).groups, !groups.bodies.isEmpty, groups.isReadable,
                let rule = try? Self.rule(text, "p-{\(groups.bodies.count)}"), let pattern = rule.source.patterns.first
            else { continue }
            let names = rule.source.names(selectedBy: pattern).all
            for _ in 0..<20 {
                guard let name = try? RepositoryName(parsing: Self.name(&random, near: text)),
                    rule.source.pattern(selecting: name) != nil
                else { continue }
                let values = NameValues(registry: rule.source.registry, repository: name, selectedBy: pattern)
                let filled = rule.destinations[0].repository.filled(
                    values.values(for: .repository, tag: nil, digest: nil)
                )
                guard let filled, (try? RepositoryName(parsing: filled)) != nil else { continue }
                filledCount += 1
                let places = names.flatMap { rule.names(at: rule.destinations[0], for: $0, selectedBy: pattern).all }
                #expect(
                    places.contains { matchesResource(filled, $0.text) },
                    "\(text) of \(name) writes \(filled), and \(places.map(\.text)) doesn't allow it"
                )
            }
        }
        #expect(filledCount > 500)
        reportCases("groups of random expressions", filledCount)
    }

    @Test("cover each other only where they match everything that the other matches")
    func covering() {
        var random = Seeded(13)
        var (covered, checked) = (0, 0)
        for _ in 0..<20_000 {
            let (wide, narrow) = (Self.wildcard(&random), Self.wildcard(&random))
            guard ResourcePattern.covers(wide, narrow) else { continue }
            covered += 1
            for _ in 0..<5 {
                let text = narrow.map { character -> String in
                    switch character {
                    case "*": Self.text(&random, 0...3)
                    case "?": Self.text(&random, 1...1)
                    default: String(character)
                    }
                }.joined()
                checked += 1
                #expect(matchesResource(text, narrow))
                #expect(matchesResource(text, wide), "\(wide) covers \(narrow) without \(text)")
            }
        }
        #expect(covered > 500 && checked > 2_500)
        #expect(ResourcePattern.covers("team/*", "team/a?") && !ResourcePattern.covers("team/?", "team/*"))
        #expect(ResourcePattern.covers("*", "") && !ResourcePattern.covers("a", "*"))
    }

    // MARK: What is random

    private static func rule(_ pattern: String, _ template: String) throws -> Rule {
        let text = """
              - name: r
                from: { registry: a, repository: '\(pattern)' }
                to: { registry: b, repository: "\(template)", tag: "x-{tag}" }

            """
        return try #require(try ruleFile(text).rules.first)
    }

    private static func pattern(_ random: inout Seeded) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: text(&random, 2...5)
        case 1..<6: glob(&random, depth: 2)
        default: "re:" + expression(&random, depth: 3, withGroups: false)
        }
    }

    private static func glob(_ random: inout Seeded, depth: Int) -> String {
        (0..<Int.random(in: 1...4, using: &random)).map { _ in
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1: "*"
            case 2: "?"
            case 3: "[ab]"
            case 4: "[!a]"
            case 5 where depth > 0: "{\(glob(&random, depth: depth - 1)),\(glob(&random, depth: depth - 1))}"
            default: text(&random, 1...3)
            }
        }.joined()
    }

    private static func expression(_ random: inout Seeded, depth: Int, withGroups: Bool) -> String {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let atom =
                switch Int.random(in: 0..<9, using: &random) {
                case 0: "."
                case 1: "[ab]"
                case 2: "[^a]"
                case 3 where depth > 0:
                    (withGroups ? "(" : "(?:") + expression(&random, depth: depth - 1, withGroups: withGroups) + "|"
                        + expression(&random, depth: depth - 1, withGroups: withGroups) + ")"
                case 4 where depth > 0:
                    (withGroups ? "(" : "(?:") + expression(&random, depth: depth - 1, withGroups: withGroups) + ")"
                default: text(&random, 1...1)
                }
            return atom + (["", "", "", "*", "+", "?", "{2}", "{1,2}", "{1,3}"].randomElement(using: &random) ?? "")
        }.joined()
    }

    private static func wildcard(_ random: inout Seeded) -> String {
        (0..<Int.random(in: 0...5, using: &random)).map { _ in
            ["a", "b", "?", "*"].randomElement(using: &random) ?? ""
        }.joined()
    }

    private static func text(_ random: inout Seeded, _ count: ClosedRange<Int>) -> String {
        (0..<Int.random(in: count, using: &random)).map { _ in ["a", "b", "c", "/"].randomElement(using: &random) ?? ""
        }
        .joined()
    }

    /// A name, which often begins as the pattern does.
    private static func name(_ random: inout Seeded, near pattern: String) -> String {
        let start = Bool.random(using: &random) ? literalStart(of: pattern) : ""
        return start + text(&random, 1...6)
    }

    /// The characters that every name begins with, as far as the pattern's text shows.
    private static func literalStart(of pattern: String) -> String {
        let isExpression = pattern.hasPrefix("re:")
        let rest = isExpression ? String(pattern.dropFirst(3)) : pattern
        // An alternative at the top leaves nothing that all names have; these patterns have it in parentheses only.
        var start = String(rest.prefix { !"*?[{(.+|".contains($0) })
        // What is repeated may be missing.
        if isExpression, let next = rest.dropFirst(start.count).first, "*?{".contains(next) { start.removeLast() }
        return start
    }
}
