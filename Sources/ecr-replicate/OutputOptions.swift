public import ArgumentParser
internal import Content
public import Logging
import Replicate

/// How results, progress and diagnostics are shown.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "What standard output gets: lines, or one JSON document (on failure too).")
    var output: Format = .text

    @Option(help: "What standard error shows meanwhile; auto is bars on a terminal and lines elsewhere.")
    var progress: ProgressMode = .auto

    @Option(
        help: ArgumentHelp(
            "Diagnostics on standard error; debug shows every request of the API.",
            valueName: "level"
        )
    )
    var logLevel: Logger.Level = .warning

    @Option(
        help: ArgumentHelp("Blobs in flight at once; by default 8 large ones, and small ones up to 32.", valueName: "n")
    )
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "Bytes a second that all blobs together may move, as 50MB (10⁶) or 50MiB (2²⁰).",
            valueName: "rate"
        ),
        transform: parseRate
    )
    var limitRate: ByteCount?

    func validate() throws {
        guard jobs.map({ (1...64).contains($0) }) ?? true else {
            throw ValidationError("--jobs takes a number from 1 to 64")
        }
    }
}

enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, bar, plain, json, none }

private func parseRate(_ text: String) throws -> ByteCount {
    let rate = try usage { try ByteCount(parsing: text) }
    guard rate.bytes > 0 else { throw ValidationError("at --limit-rate \(text) nothing would ever arrive") }
    return rate
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
