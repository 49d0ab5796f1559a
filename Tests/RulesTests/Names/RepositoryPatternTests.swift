import Content
import Testing

@testable import Rules

@Suite("Patterns and templates of names")
struct RepositoryPatternTests {
    private func rule(_ pattern: String, exclude: String = "[]", to destination: String = "{repository}") throws -> Rule
    {
        let text = """
              - name: r
                from: { registry: a, repository: \(pattern), exclude: \(exclude) }
                to: { registry: b, repository: "\(destination)" }

            """
        return try #require(try ruleFile(text).rules.first)
    }

    @Test(
        "select repositories",
        arguments: [
            ("team/app", ["team/app"], ["team/app2", "a/team/app"]), ("'*'", ["ab", "a/b/c"], []),
            ("team/*", ["team/a", "team/a/b"], ["team", "xteam/a"]), ("'team/?'", ["team/a"], ["team/ab"]),
            ("'{team,prod}/[a-c]x'", ["team/ax", "prod/cx"], ["team/dx", "x/ax"]), ("'t/[!a]b'", ["t/bb"], ["t/ab"]),
            ("'re:team/(a|b)+'", ["team/ab"], ["team/c", "xteam/a"]), ("'re:^.*-prod$'", ["x-prod"], ["x-prod2"]),
            ("[team/a, 'x/*']", ["team/a", "x/b"], ["team/b"]),
        ]
    )
    func select(_ pattern: String, _ inside: [String], _ outside: [String]) throws {
        let source = try rule(pattern).source
        for name in inside { #expect(source.pattern(selecting: try RepositoryName(parsing: name)) != nil, "\(name)") }
        for name in outside { #expect(source.pattern(selecting: try RepositoryName(parsing: name)) == nil, "\(name)") }
    }

    @Test("leave out what is excluded")
    func exclude() throws {
        let source = try rule("'team/*'", exclude: "['team/scratch-*', team/old]").source
        #expect(source.pattern(selecting: try RepositoryName(parsing: "team/app")) != nil)
        #expect(source.pattern(selecting: try RepositoryName(parsing: "team/scratch-1")) == nil)
        #expect(source.pattern(selecting: try RepositoryName(parsing: "team/old")) == nil)
    }

    @Test(
        "fill names",
        arguments: [
            ("'*'", "prod/{repository}", "team/app", "prod/team/app"), ("'*'", "{name}", "team/sub/app", "app"),
            ("'*'", "m/{registry}/{name}", "app1", "m/a/app1"),
            ("'re:(?<team>[^/]+)/(.*)'", "{team}/x/{2}", "core/app", "core/x/app"),
            ("'re:(?P<base>.*?)(-arm64)?'", "{base}", "app-arm64", "app"),
            ("'re:[(]?team/([[:alpha:]]+)\\d*'", "x/{1}", "team/app12", "x/app"),
        ]
    )
    func fill(_ pattern: String, _ template: String, _ name: String, _ filled: String) throws {
        let rule = try rule(pattern, to: template)
        let repository = try RepositoryName(parsing: name)
        let pattern = try #require(rule.source.pattern(selecting: repository))
        let values = NameValues(registry: rule.source.registry, repository: repository, selectedBy: pattern)
        let destination = try #require(rule.destinations.first)
        #expect(destination.repository.filled(values.values(for: .repository, tag: nil, digest: nil)) == filled)
    }

    @Test("fill tags from tag, digest and groups of both patterns")
    func tags() throws {
        let text = """
              - name: r
                from: { registry: a, repository: "re:team/(?<app>.*)" }
                to: { registry: b, repository: "all", tag: "{app}-{major}-{1}-{tag}" }
                tags: { match: ["re:v(?<major>[0-9]+)[.].*"] }

            """
        let rule = try #require(try ruleFile(text).rules.first)
        let repository = try RepositoryName(parsing: "team/web")
        let pattern = try #require(rule.source.pattern(selecting: repository))
        let values = NameValues(registry: rule.source.registry, repository: repository, selectedBy: pattern)
        let destination = try #require(rule.destinations.first)
        func tag(_ tag: Content.Tag?) -> String? {
            destination.tag.filled(values.values(for: .tag, tag: tag, digest: nil, match: rule.tags.match))
        }
        #expect(tag(try Content.Tag(parsing: "v12.3")) == "web-12-12-v12.3")
        #expect(tag(nil) == nil, "an image without a tag has no value for {tag}")
        let digest = try Digest(parsing: "sha256:" + String(repeating: "b", count: 64))
        #expect(values.values(for: .tag, tag: nil, digest: digest)["digest"] == digest.hex)
    }

    @Test("need a group for every tag that the rule names")
    func missingGroup() {
        let text =
            WrongFile.registries + """
                rules:
                  - name: r
                    from: { registry: a, repository: t/a }
                    to: { registry: b, tag: "{major}" }
                    tags: { match: ["re:v(?<major>[0-9]+)"], include: [latest] }
                """
        #expect(
            problems(of: text).map(\.message) == [
                "the tag 'latest' of include matches no pattern, so {major} has no value for it"
            ]
        )
    }
}
