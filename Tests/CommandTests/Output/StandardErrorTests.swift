import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("Standard error", .timeLimit(.minutes(1)))
struct StandardErrorTests {
    @Test("keeps bars and diagnostics apart: on a screen every line is whole, and no bar is left")
    func barsAndLines() async throws {
        try await withStage { stage in
            let image = SeedImage.oci("slow", layers: [400_000, 400_000, 400_000])
            try stage.seed(image, tag: "slow", in: Stage.home)
            stage.emulator.inject(Fault(on: "POST upload", at: 1...3, .status(503)))
            let copied = try await stage.run(
                "copy",
                "--progress",
                "bar",
                "--log-level",
                "debug",
                "--limit-rate",
                "1MB",
                "\(stage.source):slow",
                stage.destination
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(copied.errors.contains("█"), "bars were drawn")
            let screen = screen(after: copied.errors)
            #expect(!screen.contains { $0.contains("█") || $0.contains("░") })
            let kinds = ["debug: ", "notice: ", "warning: ", "4 blobs moved"]
            #expect(screen.allSatisfy { line in kinds.contains { line.hasPrefix($0) } }, "\(screen)")
            #expect(screen.count { $0.hasPrefix("notice: attempt 1 failed") } == 3, "\(screen)")
        }
    }

    @Test(
        "and standard input may be closed: a copy continues, and a result that can't be written is a failure",
        arguments: [("2>&-", 0), ("<&- 2>&-", 0), (">&-", 1), ("<&- >&- 2>&-", 1)] as [(String, Int32)]
    )
    func closed(redirections: String, code: Int32) async throws {
        try await withStage { stage in
            let arguments = "copy --log-level trace \(stage.source):v1 \(stage.destination) \(redirections)"
            let ended = try await run(
                .shell,
                ["-c", "exec '\(try #require(Program.ecrReplicate.path))' \(arguments)"],
                environment: stage.environment
            )
            #expect(ended.exitCode == code, "\(ended.errors)")
            #expect(stage.tags() == ["v1": stage.image.digest])
            if code == 0 { #expect(ended.lines == ["\(stage.destination):v1@\(stage.image.digest)"]) }
        }
    }

    @Test("if closed, is occupied before a socket can get its number")
    func occupied() async throws {
        let program = try #require(Program.ecrReplicate.path)
        _ = try await withChild(.shell, ["-c", "exec '\(program)' emulator <&- 2>&-"]) { child in
            _ = try await child.output.first { $0.hasPrefix("export ") }
            for descriptor in [0, 2] {
                let place = "/proc/\(child.processID)/fd/\(descriptor)"
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place) == "/dev/null")
            }
        }
    }

    /// Returns the final content of a terminal, for the control sequences that the program uses.
    private func screen(after text: String) -> [String] {
        var lines: [String] = [""]
        var row = 0
        var rest = Substring(text)
        while let first = rest.first {
            if let sequence = rest.prefixMatch(of: /\u{1B}\[(\d*)([A-Z])/) {
                rest = rest[sequence.range.upperBound...]
                switch sequence.2 {
                case "A": row -= Int(sequence.1) ?? 1
                case "J":
                    lines = Array(lines[...row])
                    lines[row] = ""
                default: lines[row] = ""
                }
            } else if first == "\n" {
                row += 1
                if row == lines.count { lines.append("") }
                rest = rest.dropFirst()
            } else {
                lines[row].append(first)
                rest = rest.dropFirst()
            }
        }
        return lines.filter { !$0.isEmpty }
    }
}
