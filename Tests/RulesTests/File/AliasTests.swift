import Content
import Testing

@testable import Rules

@Suite("Anchors, aliases and merge keys")
struct AliasTests {
    @Test("mean what they mean in YAML")
    func resolved() throws {
        let text = """
            version: 1
            x-tags: &releases { match: ["v*"], exclude: [&rc "*-rc*"] }
            x-places:
              - &build { account: "111122223333", region: eu-west-1 }
            registries:
              a: *build
              b: { <<: *build, region: us-east-1 }
            defaults: { tags: *releases }
            rules:
              - &first
                name: one
                from: { registry: a, repository: team/app }
                to: { registry: b }
              - { <<: *first, name: two, from: { registry: a, repository: team/web }, tags: { exclude: *rc } }
              - { <<: [{ name: three, ifExists: fail }, *first], x-note: *rc }
            """
        let file = try RuleFile(parsing: Array(text.utf8), name: "rules.yaml", variables: [:])
        #expect(file.rules.map(\.name) == ["one", "two", "three"])
        #expect(file.rules.map { $0.source.patterns.map(\.text) } == [["team/app"], ["team/web"], ["team/app"]])
        #expect(file.rules.map { $0.tags.exclude.map(\.text) } == [["*-rc*"], ["*-rc*"], ["*-rc*"]])
        #expect(file.rules.map { $0.tags.match.map(\.text) } == [["v*"], [], ["v*"]])
        #expect(file.rules.map(\.ifExists) == [.move, .move, .fail])
        let regions = file.registries.map { $0.reference(to: .unnamed).description }
        #expect(
            regions == [
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com/layout",
                "111122223333.dkr.ecr.us-east-1.amazonaws.com/layout",
            ]
        )
    }

    @Test("that mean billions of values are refused at once", .timeLimit(.minutes(1)))
    func bomb() {
        var lines = ["version: 1", "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in 1...40 {
            let before = "*a\(level - 1)"
            lines.append("x-\(level): &a\(level) [\(Array(repeating: before, count: 10).joined(separator: ", "))]")
        }
        lines.append("? *a40\n: x")
        let found = problems(of: lines.joined(separator: "\n"))
        #expect(
            found.contains { $0.message == "this stands for more than 100000 values once its aliases are replaced" }
        )
    }

    @Test("that are used before they are defined, or for themselves, are refused")
    func undefined() {
        let text = WrongFile.registries + "rules: &r\n  - *r\n"
        #expect(problems(of: text).map(\.message).first == "there is no anchor &r above this line")
    }

    @Test("in a deeply nested file end with an error, not with the stack", .timeLimit(.minutes(1)))
    func deep() {
        let text = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(problems(of: text).contains { $0.message == "this is nested too deeply" })
        let deeper = String(repeating: "[", count: 100_000)
        #expect(problems(of: deeper).map(\.path) == [""])
    }

    @Test("have no effect on texts with an asterisk")
    func asterisks() throws {
        let rule = try onlyRule(##"tags: { match: ["*", 're:a *b', "*-x"], exclude: [a*b] }"##)
        #expect(rule.tags.match.map(\.text) == ["*", "re:a *b", "*-x"])
        #expect(rule.tags.exclude.map(\.text) == ["a*b"])
    }

    @Test("merge mappings only, and once")
    func merges() {
        let text =
            WrongFile.registries + """
                rules:
                  - name: r
                    <<: team
                    from: { registry: a, repository: t/a }
                    to: { registry: b }
                """
        #expect(problems(of: text).map(\.message) == ["<< merges mappings, and this is a single value"])
    }

    @Test("leave every duplicate key to be found, with the other mistakes")
    func duplicates() {
        let text =
            WrongFile.registries + """
                rules:
                  - name: r
                    from: { registry: a, repository: t/a, "registry": b, registry: hub }
                    to: { registry: c }
                    name: s
                """
        #expect(
            problems(of: text).map { "\($0.position) \($0.path): \($0.message)" } == [
                "10:43 rules[0].from.registry: the key 'registry' is already given in line 10",
                "10:58 rules[0].from.registry: the key 'registry' is already given in line 10",
                "11:21 rules[0].to.registry: there is no registry 'c'",
                "12:5 rules[0].name: the key 'name' is already given in line 9",
            ]
        )
    }
}
