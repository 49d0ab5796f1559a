import Content
import Foundation
import TestPrograms
import Testing

@testable import Rules

@Suite("A file that is not a saved plan as it was written")
struct WrongPlanFileTests {
    /// A saved plan with two images.
    private static func plan() throws -> String {
        let rules = """
            version: 1
            registries: { a: { host: a.example.com }, b: { host: b.example.com } }
            rules: [{ name: r, from: { registry: a, repository: "*" }, to: { registry: b } }]
            """
        let file = try RuleFile(parsing: Array(rules.utf8), name: "r", variables: [:])
        let path = NSTemporaryDirectory() + "plan-\(UUID().uuidString)"
        let writer = try SavedPlanWriter(path, of: file.rules, from: file, tool: "t", now: PlanStage.made)
        let name = try RepositoryName(parsing: "team/app")
        var outcome = RepositoryOutcome(
            rule: "r",
            ruleIndex: 0,
            source: file.rules[0].source.registry.reference(to: name)
        )
        outcome.destination = file.rules[0].destinations[0].registry.reference(to: name)
        outcome.images = try ["v1", "v2"].map { text in
            let (digest, tag) = (Digest(of: Array(text.utf8)), try Tag(parsing: text))
            return ImageOutcome(
                source: outcome.source.tagged(tag, digest: digest),
                digest: digest,
                tags: [.init(tag, .add)],
                state: .planned
            )
        }
        try writer.add(outcome)
        try writer.commit()
        defer { try? FileManager.default.removeItem(atPath: path) }
        return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    /// The text with a checksum that fits it, as another program might write it.
    private static func signed(_ text: String) -> String {
        let body = text.split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
        return body + PlanDocument.checksumOpening + "\(Digest(of: Array(body.utf8)))\"}\n"
    }

    /// A file, and what is said about it.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var line: Int
        var path = ""
        var message: String
        var change: @Sendable (String) -> String
    }

    static let cases = [
        Case(testDescription: "empty", line: 1, message: "the file is empty") { _ in "" },
        Case(testDescription: "not JSON", line: 1, message: "this is not a saved plan, which is JSON") { _ in
            "version: 1\nrules: []\n"
        },
        Case(testDescription: "the output of plan", line: 1, message: "this is JSON, but not a saved plan") { _ in
            "{\n  \"repositories\" : [],\n  \"formatVersion\" : \"1.0\"\n}\n"
        },
        Case(
            testDescription: "formatted by another program",
            line: 1,
            message: "the file was changed after it was written: a saved plan has one form"
        ) { $0.replacing("\":", with: "\" : ") },
        Case(
            testDescription: "another version",
            line: 1,
            path: "formatVersion",
            message: "'2.0' is not a version of saved plans that is known; this program knows 1.0"
        ) { $0.replacing("\"1.0\"", with: "\"2.0\"") },
        Case(
            testDescription: "a later version of the same format",
            line: 1,
            path: "formatVersion",
            message: "'1.1' is not a version of saved plans that is known; this program knows 1.0"
        ) { signed($0.replacing("\"1.0\"", with: "\"1.1\"")) },
        Case(testDescription: "edited", line: 7, path: "checksum", message: "the file was changed after it was written")
        {
            $0.replacing("\"tag\":\"v2\"", with: "\"tag\":\"v3\"")
        },
        Case(testDescription: "another time", line: 7, path: "checksum", message: "the file was changed") {
            $0.replacing("2027-01-15", with: "2028-01-15")
        },
        Case(testDescription: "another checksum", line: 7, path: "checksum", message: "the file was changed") { text in
            String(text.dropLast(8)) + "0000\"}\n"
        },
        Case(testDescription: "with carriage returns", line: 7, message: "the file ends without its checksum") {
            $0.replacing("\n", with: "\r\n")
        },
        Case(testDescription: "without its last line", line: 6, message: "the file ends without its checksum") {
            $0.split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
        },
        Case(testDescription: "cut within a line", line: 5, message: "the file ends without its checksum") {
            $0.split(separator: "\n").prefix(5).joined(separator: "\n").dropLast(20).description
        },
        Case(testDescription: "without its last line feed", line: 7, message: "the file ends without its checksum") {
            String($0.dropLast())
        },
        Case(testDescription: "with more after its end", line: 8, message: "there is text after the checksum") {
            $0 + "more\n"
        },
        Case(testDescription: "without a member", line: 4, path: "tags[0].tag", message: "this is not a part") {
            signed($0.replacing(",\"tag\":\"v1\"", with: ""))
        },
        Case(testDescription: "with an unknown action", line: 5, path: "action", message: "this is not a part") {
            signed(
                $0.replacing("{\"action\":\"add\",\"before\":null,\"tag\":\"v2\"}", with: "{}").replacing(
                    ",{\"action\":\"add\"",
                    with: ",{\"action\":\"burn\""
                )
            )
        },
        Case(
            testDescription: "with an unknown option",
            line: 3,
            path: "options.ifExists",
            message: "'maybe' is not known"
        ) {
            signed($0.replacing("\"ifExists\":\"move\"", with: "\"ifExists\":\"maybe\""))
        },
        Case(
            testDescription: "with an unknown registry",
            line: 3,
            path: "destination.registry",
            message: "the plan has no registry 'z'"
        ) { signed($0.replacing("\"registry\":\"b\"", with: "\"registry\":\"z\"")) },
        Case(testDescription: "without a host", line: 2, path: "registries[0].host", message: "'' is not a host") {
            signed($0.replacing("a.example.com", with: ""))
        },
        Case(testDescription: "with another line", line: 6, message: "this is not a part of a saved plan") {
            signed($0.replacing("\n]}\n", with: "\n]\n"))
        },
    ]

    @Test("is refused with its line, before anything is sent", arguments: cases)
    func refused(_ wrong: Case) async throws {
        let text = wrong.change(try Self.plan())
        try await withScratchDirectory { folder in
            let path = "\(folder)/plan.json"
            try Data(text.utf8).write(to: URL(filePath: path))
            let error = #expect(throws: RuleFileError.self) { try SavedPlan(reading: path, variables: [:]) }
            let problem = try #require(error?.problems.first)
            #expect(problem.position == FilePosition(line: wrong.line, column: 1))
            #expect(problem.path == wrong.path)
            #expect(problem.message.hasPrefix(wrong.message), "\(problem.message)")
            #expect(problem.suggestion != nil)
        }
    }

    @Test("is left alone as it was written, and a missing file is named")
    func right() async throws {
        let text = try Self.plan()
        #expect(text == Self.signed(text))
        try await withScratchDirectory { folder in
            let path = "\(folder)/plan.json"
            try Data(text.utf8).write(to: URL(filePath: path))
            _ = try SavedPlan(reading: path, variables: [:])
            #expect(throws: RuleFileBytes.Unreadable.self) { try SavedPlan(reading: path + "x", variables: [:]) }
            #expect(throws: RuleFileBytes.Unreadable.self) { try SavedPlan(reading: folder, variables: [:]) }
        }
    }
}
