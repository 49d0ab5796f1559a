import Content
import IAMPolicies
import Replicate
import Testing

@testable import Rules

@Suite("Patterns of names for IAM")
struct NamePatternTests {
    private func patterns(_ text: String) throws -> NamePatterns {
        let pattern = try RepositoryPattern(parsing: text)
        if let literal = pattern.literal { return NamePatterns(literal.value) }
        return NamePatterns(try #require(pattern.shape))
    }

    @Test(
        "are what a glob says, or the tightest that IAM can say",
        arguments: [
            ("team/*", "team/*", false), ("*", "*", false), ("team/?", "team/?", false), ("**/a", "*/a", false),
            ("{team,prod}/*", "team/*, prod/*", false), ("a{,-x}/b", "a/b, a-x/b", false),
            ("{team/*,team/a}", "team/*", false), ("t/[a-c]x", "t/?x", true), ("t/[a]x", "t/ax", false),
            ("t/*?", "t/?*", false),
            ("{a,b,c,d,e}{a,b,c,d,e}/x", "*a/x, *b/x, *c/x, *d/x, *e/x", true),
        ]
    )
    func globs(_ glob: String, _ expected: String, _ isRounded: Bool) throws {
        let patterns = try patterns(glob)
        #expect(patterns.all.map(\.text).joined(separator: ", ") == expected)
        #expect(patterns.isRounded == isRounded)
    }

    @Test(
        "are what an expression says, or the tightest that IAM can say",
        arguments: [
            ("team/.*", "team/*", false), ("^team/.+$", "team/?*", false), ("team/(a|b)", "team/a, team/b", false),
            ("team/[a-z0-9-]+", "team/?*", true), ("(?P<team>core|edge)/.*", "core/*, edge/*", false),
            ("a.{2}", "a??", false), ("ab?", "a, ab", false), ("ab{2,3}", "abb, abbb", false),
            ("ab{2,4}", "abb*", true), ("(ab)*", "*", true), ("a\\.b", "a.b", false), ("(?i)TEAM/x", "team/x", false),
            (".*\\bweb", "*web", true), ("^a$|^b$", "a, b", false), ("A+", "", false), ("a{9}", "aaaaaaaa*", true),
            ("(?:x|y{0})z", "xz, z", false),
        ]
    )
    func expressions(_ expression: String, _ expected: String, _ isRounded: Bool) throws {
        let patterns = try patterns("re:\(expression)")
        #expect(patterns.all.map(\.text).joined(separator: ", ") == expected)
        #expect(patterns.isRounded == isRounded)
    }

    @Test("stay few and short, however long the expression is")
    func bounded() throws {
        let nested = NamePatterns(try TextExpression.parse("((((a|b){9}|c){9}|d){9}|e){9}"))
        #expect(nested.all.count <= NamePatterns.most && nested.isRounded)
        let long = NamePatterns(try TextExpression.parse("(a{900}|b{900}x)"))
        #expect(long.all.allSatisfy { $0.parts.count <= NamePattern.longest + 1 })
        #expect(long.all.map(\.text) == ["aaaaaaaa*", "bbbbbbbb*x"])
    }

    private func destinations(_ source: String, _ template: String, tags: String = "{}") throws -> String {
        let text = """
              - name: r
                from: { registry: a, repository: '\(source)' }
                to: { registry: b, repository: "\(template)" }
                tags: \(tags)

            """
        let rule = try #require(try ruleFile(text).rules.first)
        var all: [String] = []
        for pattern in rule.source.patterns {
            for name in rule.source.names(selectedBy: pattern).all {
                all += rule.names(at: rule.destinations[0], for: name, selectedBy: pattern).all.map(\.text)
            }
        }
        return all.joined(separator: ", ")
    }

    @Test(
        "are filled into a destination's template as tightly as can be",
        arguments: [
            ("team/*", "prod/{repository}", "prod/team/*"), ("team/*", "prod/{name}", "prod/*"),
            ("team/*", "{registry}/{name}-x", "a/*-x"), ("team/app", "prod/{name}", "prod/app"),
            ("team/*-svc", "prod/{name}", "prod/*-svc"), ("team/a*", "prod/{name}", "prod/*"),
            ("t/a?b", "prod/{name}", "prod/a?b, prod/b"), ("t/[ab]c", "prod/{name}", "prod/?c"),
            ("re:team/(?<app>[a-z0-9-]+)", "prod/{app}", "prod/?*"),
            ("re:team/(?<app>[a-z0-9-]+)", "prod/{name}", "prod/?*"),
            ("re:(?P<team>core|edge)/(.*)", "{2}/{team}", "*/core, */edge"),
            ("re:(?<team>core|edge)/x(.*)", "all/{team}", "all/core, all/edge"),
            ("re:team/(app)(-arm)?", "prod/{1}{2}", "prod/app-arm, prod/app"),
            ("re:(?i)(TEAM)/x", "prod/{1}", "prod/team"),
            ("re:(a(b)|c)/x", "p{2}/{1}", "pb/ab, p/ab, pb/c, p/c"),
            ("team/app", "all", "all"), ("team/app", "p/{digest}", "p/\(String(repeating: "?", count: 64))"),
        ]
    )
    func templates(_ source: String, _ template: String, _ expected: String) throws {
        let names = Set(try destinations(source, template).split(separator: ", "))
        #expect(names == Set(expected.split(separator: ", ")))
    }

    @Test(
        "of a template with a tag are those of the rule's tags",
        arguments: [
            ("{}", "t/?*"), ("{ match: v* }", "t/v*"), ("{ match: [v1, v2] }", "t/v1, t/v2"),
            ("{ match: [\"re:v(?<n>[0-9])\"], include: [] }", "t/v?"), ("{ match: [\"semver:>=1\"] }", "t/?*"),
            ("{ match: v1, include: [Latest, next] }", "t/v1, t/next"),
        ]
    )
    func tags(_ tags: String, _ expected: String) throws {
        #expect(try destinations("team/app", "t/{tag}", tags: tags) == expected)
    }

    @Test("leave out names that the rule leaves out")
    func excluded() throws {
        let text = """
              - name: r
                from: { registry: a, repository: ["team/{app,old,web}"], exclude: ["team/o*"] }
                to: { registry: b }

            """
        let source = try #require(try ruleFile(text).rules.first).source
        #expect(source.names(selectedBy: source.patterns[0]).all.map(\.text) == ["team/app", "team/web"])
    }
}

/// What `?` and `*` mean, told in another way than the code under test does.
func matchesResource(_ text: String, _ pattern: String) -> Bool {
    var places: Set<Int> = [0]
    let pattern = Array(pattern.unicodeScalars)
    func passingStars(_ places: Set<Int>) -> Set<Int> {
        var all = places
        for place in places {
            var next = place
            while next < pattern.count, pattern[next] == "*" {
                next += 1
                all.insert(next)
            }
        }
        return all
    }
    places = passingStars(places)
    for scalar in text.unicodeScalars {
        var next: Set<Int> = []
        for place in places where place < pattern.count {
            if pattern[place] == "*" { next.insert(place) }
            if pattern[place] == "?" || pattern[place] == scalar { next.insert(place + 1) }
        }
        places = passingStars(next)
    }
    return places.contains(pattern.count)
}
