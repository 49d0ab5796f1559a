import Platform
import TestInputs
import Testing

@testable import Rules

@Suite("A wrong rule file")
struct WrongFileTests {
    @Test(
        "is refused with place, path and advice",
        arguments: WrongFile.all
    )
    func isRefused(_ wrong: WrongFile) throws {
        let (text, position) = wrong.marked
        let found = problems(of: text)
        let problem = try #require(found.first, "nothing is wrong with\n\(text)")
        #expect(found.count == 1, "\(found)")
        #expect(problem.position == position)
        #expect(problem.path == wrong.path)
        #expect(problem.message == wrong.message)
        #expect(problem.suggestion == wrong.suggestion)
    }

    @Test("is one of at least sixty, each with advice")
    func count() {
        let advised = WrongFile.all.count { $0.suggestion != nil }
        #expect(advised >= 60 && Set(WrongFile.all.map(\.text)).count == WrongFile.all.count)
        reportCases("wrong rule files", advised)
    }

    @Test("has every mistake reported at once, in the order of the file")
    func allAtOnce() {
        let text = """
            version: 2
            registries:
              a: { account: "1", region: eu-west-1 }
              b: { host: x y }
            rules:
              - nam: r
                from: { registry: c, repository: Team }
                to: []
                ifExists: maybe
            """
        let found = problems(of: text)
        #expect(
            found.map { "\($0.position) \($0.path)" } == [
                "1:10 version", "3:17 registries.a.account", "4:14 registries.b.host", "6:5 rules[0].nam",
                "7:23 rules[0].from.registry", "7:38 rules[0].from.repository", "8:9 rules[0].to",
                "9:15 rules[0].ifExists",
            ]
        )
    }

    @Test("is explained in lines that editors can follow")
    func text() {
        let error = RuleFileError(
            file: "rules.yaml",
            problems: [
                RuleFileProblem(
                    at: FilePosition(line: 3, column: 5),
                    "rules[0].tags",
                    "this is wrong",
                    "write it right"
                ),
                RuleFileProblem(at: FilePosition(line: 9, column: 1), "", "this too"),
            ]
        )
        #expect(
            "\(error)" == """
                rules.yaml:3:5: rules[0].tags: this is wrong
                  next: write it right
                rules.yaml:9:1: this too
                """
        )
    }

    @Test("that is too large, or not UTF-8, is refused")
    func bytes() throws {
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: RuleFile.largest + 1)
        let tooLarge = try #require(throws: RuleFileError.self) {
            try RuleFile(parsing: large, name: "rules.yaml", variables: [:])
        }
        #expect(tooLarge.problems.map(\.message) == ["the file has 4.2 MB, more than 4.2 MB"])
        let latin = Array("version: 1\n# gr".utf8) + [0xFC, 0xDF]
        let notUTF8 = try #require(throws: RuleFileError.self) {
            try RuleFile(parsing: latin, name: "rules.yaml", variables: [:])
        }
        #expect(notUTF8.problems.map(\.message) == ["the file is not UTF-8"])
        #expect(notUTF8.problems.map(\.position) == [FilePosition(line: 2, column: 5)])
    }

    @Test("names at most a hundred mistakes")
    func most() {
        let rules = (0..<200).map { "  - { name: r\($0), colour: red }" }.joined(separator: "\n")
        #expect(problems(of: WrongFile.registries + "rules:\n" + rules).count == 100)
    }
}
