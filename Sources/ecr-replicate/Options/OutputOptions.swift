public import ArgumentParser
public import Logging

/// The format of results, progress and diagnostics.
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
}

enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, bar, plain, json, none }

extension Logger.Level: @retroactive ExpressibleByArgument {}
