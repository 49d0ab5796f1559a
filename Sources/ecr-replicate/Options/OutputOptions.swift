public import ArgumentParser
public import Logging

/// The format of results, progress and diagnostics.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "Format of standard output: text lines, or one JSON document (also on failure).")
    var output: Format = .text

    @Option(help: "Progress on standard error; auto shows bars on a terminal and lines elsewhere.")
    var progress: ProgressMode = .auto

    @Option(
        help: ArgumentHelp(
            "Lowest level of diagnostics on standard error; debug shows every API request.",
            valueName: "level"
        )
    )
    var logLevel: Logger.Level = .warning
}

enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, bar, plain, json, none }

extension Logger.Level: @retroactive ExpressibleByArgument {}
