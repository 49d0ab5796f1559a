import Platform
import Testing

@testable import Rules

@Suite("Variables in a rule file")
struct VariableTests {
    private static let variables: EnvironmentVariables = [
        "ACCOUNT": "111122223333", "EMPTY": "", "STRUCTURE": "x, newest: 1 }", "TAG": "v1", "N": "7",
    ]

    private func match(_ written: String) throws -> String? {
        let rule = """
              - name: r
                from: { registry: a, repository: t/a }
                to: { registry: b }
                tags: { match: '\(written)' }
            """
        return try ruleFile(rule + "\n", Self.variables).rules.first?.tags.match.first?.text
    }

    @Test(
        "are replaced in values",
        arguments: [
            ("${TAG}", "v1"), ("a${TAG}b${TAG}", "av1bv1"), ("${NONE:-v2}", "v2"), ("${TAG:-v2}", "v1"),
            ("${EMPTY:-v3}", "v3"), ("${TAG:?must be set}", "v1"), ("re:v1$", "re:v1$"), ("re:^v$|${TAG}", "re:^v$|v1"),
            ("x${EMPTY}y", "xy"),
        ]
    )
    func replaced(_ written: String, _ value: String) throws {
        #expect(try match(written) == value)
    }

    @Test("may be numbers")
    func numbers() throws {
        let rule =
            "  - name: r\n    from: { registry: a, repository: t/a }\n    to: { registry: b }\n    tags:\n      newest: ${N}\n"
        #expect(try ruleFile(rule, Self.variables).rules.first?.tags.newest == 7)
    }

    @Test("can't add keys")
    func structure() throws {
        let text =
            WrongFile.registries
            + "rules:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b }, tags: { match: \"${STRUCTURE}\" } }"
        let found = problems(of: text, Self.variables)
        #expect(found.map(\.path) == ["rules[0].tags.match"])
    }

    @Test("keep their values out of errors")
    func secrets() {
        let text =
            WrongFile.registries
            + "rules:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b }, tags: { include: \"${SECRET}\", newest: \"${SECRET}\" } }"
        let found = problems(of: text, ["SECRET": "hunter 2"])
        #expect(found.count == 2)
        #expect(!found.contains { "\($0)".contains("hunter") }, "\(found)")
        #expect(found.allSatisfy { $0.message.contains("${SECRET}") })
    }

    @Test(
        "that are written wrongly are refused",
        arguments: [
            ("${TAG", "there is a ${ without its }"), ("${1}", "'1' is not the name of a variable"),
            ("${}", "'' is not the name of a variable"), ("${TAG-x}", "'${TAG-x}' is not a form of a variable"),
            ("${NONE}", "the variable NONE is not set"), ("${NONE:?}", "the variable NONE is not set"),
            ("${EMPTY:?fill it}", "the variable EMPTY is not set: fill it"),
            ("${NONE:-${TAG}}", "a default can't contain a variable"),
            ("$TAG", "$TAG is not replaced: a variable is written in braces"),
        ]
    )
    func refused(_ written: String, _ message: String) throws {
        let error = try #require(throws: RuleFileError.self) { try match(written) }
        #expect(error.problems.map(\.message) == [message])
    }

    @Test("that only an unused x- key names need not be set")
    func unused() throws {
        let text =
            "x-unused: ${NONE}\n" + WrongFile.registries
            + "rules:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b } }\n"
        #expect(problems(of: text).isEmpty)
    }
}
