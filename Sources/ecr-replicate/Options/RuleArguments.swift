import AWSIdentity
import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Promotion
import Reporting
import Rules

/// The rates by which a plan estimates time and cost.
struct RateArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bytes a second that a plan's estimate reckons with (default: 100MB).",
            valueName: "rate"
        ),
        transform: parseByteCount
    )
    var transferRate = ByteCount(100_000_000)

    @Option(
        name: .customLong("price"),
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            Dollars for a GB from one region to another, FROM:TO=DOLLARS (repeatable; default: 0 within a region, 0.02 \
            between regions of AWS, 0.09 out of AWS). Instead of a region, * stands for any, and - for registries other than \
            ECR.
            """,
            valueName: "price"
        ),
        transform: parsePrice
    )
    var prices: [TransferPrice] = []

    var rates: TransferEstimate.Rates {
        TransferEstimate.Rates(bytesPerSecond: Double(max(1, transferRate.bytes)), prices: prices)
    }
}

/// The page that a command over whole registries writes.
struct ReportArguments: ParsableArguments {
    @Option(
        name: .customLong("report"),
        help: ArgumentHelp(
            """
            Also write a page in HTML: a table of repositories and destinations, what changes, and each error with its \
            remedy. It needs no other file and no server.
            """,
            valueName: "file"
        ),
        completion: .file(extensions: ["html"])
    )
    var file: String?

    func validate() throws {
        guard let file else { return }
        guard !file.isEmpty, file != "-" else {
            throw ValidationError(
                "--report needs a file: standard output has the result\n  next: name one, as in --report report.html"
            )
        }
    }

    /// Opens the page; a file that can't be written is wrong usage.
    func open(_ command: ReportedCommand, of subject: String) throws -> ReportPage? {
        guard let file else { return nil }
        let facts = ReportPage.Facts(command, of: subject, version: Build.version, started: Date())
        return try usage { try ReportPage(file, facts) }
    }
}

private func parsePrice(_ text: String) throws -> TransferPrice { try usage { try TransferPrice(parsing: text) } }

/// Reads a rule file, and ends with exit status 64 if it has mistakes.
///
/// - Parameter names: The rules to take; all, if there are none.
func readRules(
    _ file: String,
    named names: [String],
    for command: String,
    _ output: OutputOptions.Format
) throws -> (file: RuleFile, rules: [Rule]) {
    do {
        let bytes = try usage { try RuleFileBytes.read(file) }
        let read = try RuleFile(parsing: bytes, name: file, variables: .current)
        let rules = try usage { try read.rules(named: names) }
        return (read, rules)
    } catch let error as RuleFileError {
        LineStream.standardError.say("\(error)")
        if output == .json { printJSON(RuleProblemDocument(command: command, error)) }
        throw ExitCode(ExitStatus.wrongUsage)
    }
}

/// Sets up the gates of rules; a key or a list that can't be read is wrong usage.
///
/// - Parameter announce: Called with each report as soon as it is known, on any thread.
func ruleGates(
    of rules: [Rule],
    keepsReports: Bool = false,
    announce: @escaping @Sendable (GateReport) -> Void = { _ in }
) throws -> RuleAdmissions {
    try usage {
        try RuleAdmissions(
            rules,
            in: GateSet.Surroundings(variables: AWSEnvironment.current().variables),
            keepsReports: keepsReports,
            announce: { _, report in announce(report) }
        )
    }
}
