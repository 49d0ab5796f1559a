public import ArgumentParser
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

    func validate() throws {
        guard jobs.map({ (1...64).contains($0) }) ?? true else {
            throw ValidationError("--jobs takes a number from 1 to 64")
        }
    }
}

enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, bar, plain, json, none }

extension Logger.Level: @retroactive ExpressibleByArgument {}
