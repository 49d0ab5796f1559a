import Platform
import Testing

@testable import Rules

@Suite("An expanded rule file")
struct ExpansionTests {
    private static let text = """
        x-note: &tags { match: v*, newest: 3 }
        version: 1
        registries:
          a: { account: "${ACCOUNT}", region: eu-west-1 }
          b: { host: "r.example.com:5000" }
        defaults: { tags: *tags, referrers: none }
        rules:
          - name: one
            from: { registry: a, repository: team/app }
            to: { registry: b }
          - name: two
            from: { registry: a, repository: ["team/*", "x/y"] }
            to: [{ registry: b, tag: "{tag}-x" }]
            tags: { include: [yes, "1.10"] }
            gates: { minAge: 1h }
        """

    private func expanded(_ text: String = text, showsValues: Bool) throws -> ExpandedFile {
        try ExpandedFile(
            parsing: Array(text.utf8),
            name: "rules.yaml",
            variables: ["ACCOUNT": "111122223333", "PRICE": "$5"],
            showsValues: showsValues
        )
    }

    @Test("has every default in every rule, and variables as they are written")
    func defaults() throws {
        #expect(
            try expanded(showsValues: false).yaml == """
                version: 1
                registries:
                  a:
                    account: "${ACCOUNT}"
                    region: eu-west-1
                  b:
                    host: "r.example.com:5000"
                rules:
                  - name: one
                    from:
                      registry: a
                      repository:
                        - team/app
                    to:
                      - registry: b
                        repository: "{repository}"
                        tag: "{tag}"
                    tags:
                      match:
                        - "v*"
                      newest: 3
                    platforms: []
                    referrers: none
                    ifExists: move
                    createRepository: never
                    prune:
                      enabled: false
                  - name: two
                    from:
                      registry: a
                      repository:
                        - "team/*"
                        - x/y
                    to:
                      - registry: b
                        repository: "{repository}"
                        tag: "{tag}-x"
                    tags:
                      include:
                        - "yes"
                        - "1.10"
                    platforms: []
                    referrers: none
                    ifExists: fail
                    createRepository: never
                    gates:
                      minAge: "1h"
                    prune:
                      enabled: false

                """
        )
    }

    @Test("shows the values of variables when asked to")
    func values() throws {
        #expect(try expanded(showsValues: true).yaml.contains("account: \"111122223333\""))
    }

    @Test("keeps dollars as they were", arguments: [false, true])
    func dollars(showsValues: Bool) throws {
        let text =
            WrongFile.registries + """
                rules:
                  - name: r
                    from: { registry: a, repository: t/a }
                    to: { registry: b }
                    tags: { match: ["re:(v|${PRICE})", "re:v1$", "re:[$$]x"] }
                """
        let yaml = try expanded(text, showsValues: showsValues).yaml
        let file = try RuleFile(parsing: Array(yaml.utf8), name: "rules.yaml", variables: ["PRICE": "$5"])
        #expect(file.rules.first?.tags.match.map(\.text) == ["re:(v|$5)", "re:v1$", "re:[$]x"])
        #expect(yaml.contains("${PRICE}") != showsValues)
    }
}
