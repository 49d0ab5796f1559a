import Foundation
import TestPrograms
import Testing

@Suite("rules import", .timeLimit(.minutes(1)))
struct RulesImportCommandTests {
    private static let regsync = """
        creds: [{ registry: quay.io, user: me, pass: hunter2 }]
        sync:
          - { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: [v1] } }

        """

    /// - Parameter piped: Whether the file is on standard input.
    private func run(_ text: String, piped: Bool = false, _ arguments: String...) async throws -> Ended {
        let program = try #require(Program.ecrReplicate.path)
        return try await withScratchDirectory { folder in
            let file = "\(folder)/theirs.yml"
            try Data(text.utf8).write(to: URL(filePath: file))
            let words = arguments.map { $0.replacing("FILE", with: piped ? "-" : file) }
            return try await TestPrograms.run(
                .shell,
                ["-c", "exec \"$@\" < '\(file)'", "sh", program, "rules", "import"] + words,
                environment: ["HOME": "/nonexistent"]
            )
        }
    }

    @Test("writes a rule file that expand accepts", arguments: [false, true])
    func writes(piped: Bool) async throws {
        let ended = try await run(Self.regsync, piped: piped, "--from", "regsync", "FILE")
        #expect(ended.exitCode == 0 && ended.errors.isEmpty, "\(ended.errors)")
        #expect(ended.output.contains("# creds[0].user, creds[0].pass (line 1): credentials are not copied"))
        #expect(!ended.output.contains("hunter2"))
        try await withScratchDirectory { folder in
            try Data(ended.outputBytes).write(to: URL(filePath: "\(folder)/rules.yaml"))
            let expanded = try await TestPrograms.run(
                .ecrReplicate,
                ["rules", "expand", "-f", "\(folder)/rules.yaml"],
                environment: ["HOME": "/nonexistent"]
            )
            #expect(expanded.exitCode == 0, "\(expanded.errors)")
        }
    }

    @Test("ends with 1 if a step was left out, and writes the others")
    func leftOut() async throws {
        let more = "  - { source: quay.io/a/c, target: '{{file \"x\"}}', type: image }\n"
        let ended = try await run(Self.regsync + more, "--from", "regsync", "FILE")
        #expect(ended.exitCode == 1)
        #expect(ended.errors.contains(":4:5: sync[1]: left out: the template function 'file' has no equivalent"))
        #expect(ended.errors.contains("next: put the value into an environment variable"))
        #expect(ended.output.contains("# sync[1] (line 4) is left out") && ended.output.contains("name: a-b"))
    }

    @Test("ends with 64 for a file with mistakes, and for wrong options")
    func mistakes() async throws {
        let wrong = try await run(Self.regsync, "--from", "skopeo", "--to", "registry.example.org", "FILE")
        #expect(wrong.exitCode == 64 && wrong.output.isEmpty)
        #expect(wrong.errors.contains(":1:1: this is not a file of skopeo sync: it looks like a file of regsync"))
        #expect(wrong.errors.contains("next: pass --from regsync"))
        let missing = try await run("quay.io: { images: { a/b: [] } }", "--from", "skopeo", "FILE")
        #expect(missing.exitCode == 64 && missing.errors.contains("add it as --to HOST/PREFIX"))
        let unknown = try await run(Self.regsync, "--from", "dregsy", "FILE")
        #expect(unknown.exitCode == 64 && unknown.errors.contains("ecr-replication"))
        let none = try await run("", "--from", "regsync", "FILE.no")
        #expect(none.exitCode == 64 && none.errors.contains("there is no such file"))
    }
}
