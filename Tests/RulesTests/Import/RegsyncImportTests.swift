import Platform
import Testing

@testable import Rules

@Suite("Importing a file of regsync")
struct RegsyncImportTests {
    private static let variables: EnvironmentVariables = ["REGISTRY_ENDPOINT": "mirror.test", "ORG": "acme"]

    @Test("gives rules that copy the same", arguments: RegsyncFile.whole + RegsyncFile.single)
    func rules(_ theirs: RegsyncFile) throws {
        let imported = try Imported.regsync(theirs.text, variables: Self.variables)
        #expect(imported.rules == theirs.rules)
        for beginning in theirs.comments {
            #expect(
                imported.comments.contains { $0.hasPrefix(beginning) },
                "no comment '\(beginning)' in\n\(imported.made.yaml)"
            )
        }
        #expect(imported.leftOut.count == theirs.leftOut.count, "\(imported.leftOut)")
        for (left, beginning) in zip(imported.leftOut, theirs.leftOut) {
            #expect(left.hasPrefix(beginning), "\(left)")
        }
    }

    @Test("has a comment for each key that has no equivalent, with its line")
    func everyKey() throws {
        let keys = RegsyncKeys.step.keys.sorted()
        let values = ["hooks": "{ pre: { type: exec } }", "ratelimit": "{ min: 1 }", "mediaTypes": "[a/b]"]
        let lines = keys.map { "    \($0): \(values[$0] ?? "x")" }
        let head = ["sync:", "  - source: quay.io/a/b:v1", "    target: ghcr.io/a/b:v1", "    type: image"]
        let imported = try Imported.regsync((head + lines).joined(separator: "\n"))
        let said = imported.comments.joined(separator: "\n")
        for (index, key) in keys.enumerated() {
            let line = head.count + index + 1
            #expect(said.contains("sync[0].\(key)") && said.contains("\(line)"), "\(key)")
        }
    }

    @Test("puts comments where the key would stand")
    func places() throws {
        let imported = try Imported.regsync(
            """
            creds: [{ registry: quay.io, user: me }]
            defaults: { parallel: 2 }
            sync:
              - source: quay.io/a/b
                target: ghcr.io/a/b
                type: repository
                tags: { allow: [v1, '(x'] }
                hooks: {}
            """
        )
        let lines = imported.made.yaml.split(separator: "\n").map { $0.drop { $0 == " " } }
        func line(_ beginning: String) throws -> Int {
            try #require(lines.firstIndex { $0.hasPrefix(beginning) }, "\(beginning)")
        }
        #expect(try line("# creds[0].user") > line("quay.io:"))
        #expect(try line("# creds[0].user") < line("ghcr.io:"))
        #expect(try line("# defaults.parallel") > line("ghcr.io:"))
        #expect(try line("# defaults.parallel") < line("defaults:"))
        #expect(try line("# sync[0].tags.allow[1]") < line("tags:"))
        #expect(try line("# sync[0].tags.allow[1]") > line("to:"))
        #expect(try line("# sync[0].hooks") > line("tags:"))
    }

    @Test("has one comment for a key of many steps, and writes the defaults that a file without them has")
    func manySteps() throws {
        let steps = (0..<20).map {
            "- { source: quay.io/a/b:v\($0), target: ghcr.io/a/b:v\($0), type: image, interval: 1h }"
        }
        let imported = try Imported.regsync("sync:\n" + steps.joined(separator: "\n"))
        #expect(
            imported.comments.contains {
                $0.hasPrefix(
                    "sync[0].interval and 19 more (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 8 more): a rule"
                )
            },
            "\(imported.comments)"
        )
        #expect(imported.made.yaml.contains("defaults:\n  referrers: none\n"))
        #expect(!imported.made.yaml.contains("    referrers:"))
    }

    @Test("names a key that regsync does not know, and the one that was meant")
    func unknownKeys() throws {
        let imported = try Imported.regsync(
            """
            synk: 1
            sync:
              - { source: quay.io/a/b, target: ghcr.io/a/b, type: image, shedule: "1 1 * * *", "odd\\nkey\\u2028: #": 1 }
            """
        )
        #expect(
            imported.comments.contains(
                "sync[0].shedule (line 3): this is not a known key of regsync, which ignores it; did you mean 'schedule'?"
            ),
            "\(imported.comments)"
        )
        #expect(imported.comments.contains { $0.hasPrefix("synk (line 1): this is not a known key") })
        #expect(
            imported.comments.contains { $0.hasPrefix("sync[0][\"odd?key?: #\"] (line 3): this is not a known key") }
        )
    }

    @Test(
        "refuses a file with mistakes, with their places",
        arguments: [
            ("sync: 1", "1:7 sync: this must be a list, and is a single value"),
            ("sync: []", "1:7 sync: there is no step"),
            ("sync:\n  - source: a/b\n    type: image", "2:5 sync[0]: 'target' is missing"),
            ("sync:\n  - { source: a/b, target: c/d, type: images }", "2:39 sync[0].type: 'images' is not one of"),
            ("sync:\n  - { source: [a], target: c/d, type: image }", "2:15 sync[0].source: this must be a text"),
            (
                "sync:\n  - { source: a/b, target: c/d, type: repository, tags: [a] }",
                "2:57 sync[0].tags: this must be a mapping"
            ),
            (
                "sync:\n  - { source: a/b, target: c/d, type: image, referrers: maybe }",
                "2:57 sync[0].referrers: this is neither"
            ),
            (
                "version: 2\nsync:\n  - { source: a/b, target: q.io/d, type: image }",
                "1:10 version: '2' is not a version"
            ),
            (
                "creds: [{ user: a }]\nsync: [{ source: a/b, target: q.io/d, type: image }]",
                "1:9 creds[0]: 'registry' is missing"
            ),
            ("sync: &a\n  - *b", "2:5 sync[0]: there is no anchor of this name above this line"),
            (
                "sync:\n  - { source: a/b, source: c }",
                "2:20 sync[0].source: the key 'source' is already given in line 2"
            ),
            ("sync: [", "2:1 : this is not YAML"),
            ("sync:\n  - {}\n---\nsync: []", "3:1 : such a file is one YAML document"),
            ("", "1:1 : the file is empty"),
            ("# nothing\n", "1:1 : the file is empty"),
        ]
    )
    func mistakes(_ text: String, _ expected: String) throws {
        let found = try importProblems(text, from: .regsync).map { "\($0.position) \($0.path): \($0.message)" }
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test("refuses a file of which no step has a rule, with the reasons")
    func nothingLeft() throws {
        let problems = try importProblems(
            "sync:\n  - { source: a/b, target: '{{file \"x\"}}', type: image }",
            from: .regsync
        )
        #expect(problems.map(\.message) == ["left out: the template function 'file' has no equivalent"])
        #expect(problems.map(\.position) == [FilePosition(line: 2, column: 5)])
    }
}
