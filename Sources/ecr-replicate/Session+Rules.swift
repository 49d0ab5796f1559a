import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Promotion
import Replicate
import Reporting
import Rules

/// How a command over whole registries prints what it did.
struct RuleReporting: Sendable {
    /// Whether nothing is carried out, so that differences are the result.
    var isPlan: Bool
    /// The rule file's name; `nil` if there is none.
    var file: String?
    var rates = TransferEstimate.Rates()
    /// Whether the two sides were compared, so that the summary counts differences.
    var isComparison = false
    /// Whether content may be copied or downloaded.
    var movesBytes: Bool
    /// The page for `--report`.
    var page: ReportPage?
    /// Whether it is a dry run, which ends with the status of a run and not with that of a plan.
    var isDryRun = false
    /// The gates whose reports the JSON document shows.
    var admissions = RuleAdmissions.none
}

extension RuleReporting {
    init(
        isPlan: Bool,
        file: String? = nil,
        rates: TransferEstimate.Rates = TransferEstimate.Rates(),
        page: ReportPage? = nil
    ) {
        self.init(isPlan: isPlan, file: file, rates: rates, movesBytes: !isPlan, page: page)
    }

    /// The reporting of `verify`.
    static func comparison(file: String? = nil, repairs: Bool, page: ReportPage? = nil) -> RuleReporting {
        RuleReporting(isPlan: true, file: file, isComparison: true, movesBytes: repairs, page: page)
    }
}

extension Session {
    /// Runs a command over whole registries, and prints each repository as soon as it and those before it are done.
    ///
    /// Standard output is written piece by piece, so that memory doesn't grow with the number of images.
    ///
    /// - Parameter body: Reports repositories in the order of rules.
    /// - Throws: `ExitCode`, after everything has been printed.
    func runRules(
        _ reporting: RuleReporting,
        _ body:
            @escaping @Sendable (
                Replicator, CopyRun, _ report: @escaping @Sendable (RepositoryOutcome) async throws -> Void
            ) async throws -> Void
    ) async throws {
        let started = ContinuousClock.now
        let display = ProgressDisplay(
            mode: reporting.movesBytes ? output.progress : .none,
            announcesPlans: true,
            namesDestinations: true,
            stream: .standardError
        )
        let drain = Drain()
        let requests = Lock(0)
        let printer = OutcomePrinter(output.output, isPlan: reporting.isPlan)
        let stop: @Sendable () -> String = {
            drain.begin()
            return "stopping after the running transfers; send the signal again to stop at once"
        }
        let ending = await end(stop: stop) { report in
            try await withReplicator(drain) { replicator in
                defer { requests.withLock { $0 = replicator.requestsSent } }
                let run = replicator.run(drain: drain, report: report)
                try await body(replicator, run) {
                    try printer.add($0)
                    reporting.page?.add($0)
                }
                await run.settle()
            }
        } reporting: { event in
            display.note(event)
        }
        display.finish()
        let seconds = (ContinuousClock.now - started).seconds
        let (totals, bytes) = printer.totals
        let estimate =
            reporting.isPlan && !reporting.isComparison
            ? TransferEstimate(bytes: bytes, requests: totals.work.requests, reporting.rates) : nil
        var code = reporting.isPlan ? totals.planExitStatus : totals.exitStatus
        if reporting.isDryRun { code = totals.dryRunExitStatus }
        switch ending {
        case .interrupted(let signal, _): code = signal.exitCode
        case .failed(let failure): code = failure.exitCode
        case .finished: break
        }
        let sent = requests.withLock { $0 }
        var isPrinted = printer.finish(
            OutcomeSummary(
                command: command,
                exitCode: Int(code),
                rules: reporting.file,
                totals,
                estimate,
                requests: sent,
                seconds: seconds
            ),
            failure: ending.failure?.documented(for: command),
            gates: reporting.admissions.reports.map(\.document)
        )
        printFailures([], ending)
        for note in reporting.admissions.notes { LineStream.standardError.say("note: \(note)") }
        if let page = reporting.page {
            let end = ReportPage.End(
                ending.onPage(of: command),
                exitCode: Int(code),
                requests: sent,
                seconds: seconds,
                estimate: estimate
            )
            do {
                try page.finish(end)
            } catch {
                LineStream.standardError.say("ecr-replicate: \(error)")
                isPrinted = false
            }
        }
        if output.progress != .none {
            let time = "\((seconds * 100).rounded() / 100) s"
            LineStream.standardError.say(
                reporting.isComparison
                    ? totals.verifyLine(requests: sent, seconds: time)
                    : reporting.isPlan
                        ? totals.planLine(estimate) : totals.runLine(requests: sent, seconds: time)
            )
            if reporting.isComparison, totals.differences > 0, !reporting.movesBytes {
                LineStream.standardError.say("  next: copy what is missing with --repair")
            }
        }
        try leave(code, isPrinted)
    }
}

extension Session.Ending {
    /// The ending as a page shows it.
    fileprivate func onPage(of command: String) -> ReportPage.End.Kind {
        switch self {
        case .finished: .whole
        case .interrupted(let signal, _): .interrupted(signal == .interrupt ? "SIGINT" : "SIGTERM")
        case .failed(.copy(let error)): .failed(error.headline, remedy: error.remedy)
        case .failed(let failure): .failed(failure, of: command)
        }
    }
}

extension ReportPage.End.Kind {
    fileprivate static func failed(_ failure: Session.Failure, of command: String) -> Self {
        let document = failure.documented(for: command)
        return .failed(document.cause, remedy: document.remedy)
    }
}

/// Prints outcomes on standard output, and their failures on standard error.
final class OutcomePrinter: Sendable {
    private struct State {
        var totals = OutcomeTotals()
        var bytes: OutcomeTotals.RegionBytes = [:]
        var spool = SectionSpool { LineStream.standardOutput.write($0) }
        var isFirst = true
        var saidRemedies: Set<String> = []
        var isEncoded = true
    }

    private let format: OutputOptions.Format
    private let isPlan: Bool
    private let state = Lock(State())

    init(_ format: OutputOptions.Format, isPlan: Bool) { (self.format, self.isPlan) = (format, isPlan) }

    var totals: (OutcomeTotals, OutcomeTotals.RegionBytes) { state.withLock { ($0.totals, $0.bytes) } }

    /// - Throws: What ``SectionSpool`` and the encoder throw.
    func add(_ outcome: RepositoryOutcome) throws {
        try state.withLock { state in
            state.totals.add(outcome)
            outcome.add(to: &state.bytes)
            Self.sayFailures(of: outcome, &state.saidRemedies)
            let text: String
            switch format {
            case .text: text = printableLines(outcome.lines.joined(separator: "\n") + "\n")
            case .json:
                if state.isFirst { LineStream.standardOutput.write("{\n  \"repositories\" : [") }
                // Every entry but the first of the document follows a comma, whichever section it is written in.
                text = "\(state.isFirst ? "" : ",")\n" + (try jsonText(OutcomeEntry(outcome))).indented
            }
            state.isFirst = false
            try state.spool.add(text, rule: outcome.ruleIndex, destination: outcome.destinationIndex)
        }
    }

    /// Writes what waits and, in JSON, the rest of the document.
    ///
    /// - Returns: Whether everything could be encoded.
    func finish(
        _ summary: OutcomeSummary,
        failure: CopyDocument.Failure?,
        gates: [CopyDocument.GateReport] = []
    ) -> Bool {
        state.withLock { state in
            do {
                try state.spool.finish()
                guard format == .json else { return true }
                let rest = try jsonText(
                    OutcomeDocumentEnd(summary: summary, error: failure, gates: gates.isEmpty ? nil : gates)
                )
                let start = state.isFirst ? "{\n  \"repositories\" : [" : ""
                LineStream.standardOutput.write(start + "\n  ],\n" + rest.dropFirst(2) + "\n")
                return true
            } catch {
                LineStream.standardError.writeLine("ecr-replicate: the result could not be written: \(error)")
                return false
            }
        }
    }

    /// Prints each failure on standard error, with a remedy that was printed already left out.
    static func sayFailures(of outcome: RepositoryOutcome, _ said: inout Set<String>) {
        var problems = outcome.problems
        if outcome.hasTooFewTags { problems.append(.tooFewTags(at: outcome.source)) }
        for image in outcome.images {
            switch image.state {
            case .failed(let problem): problems.append(problem)
            case .refused(let refusals): problems += refusals
            case .planned, .done, .stopped: break
            }
        }
        for problem in problems {
            let remedy = problem.remedy.flatMap { said.insert($0).inserted ? "\n  next: \($0)" : nil } ?? ""
            LineStream.standardError.say("ecr-replicate: \(problem.text)\(remedy)")
        }
        for left in outcome.images.flatMap(\.leftOut) {
            let remedy = left.remedy.flatMap { said.insert($0).inserted ? "\n  next: \($0)" : nil } ?? ""
            LineStream.standardError.say("warning: \(left.text)\(remedy)")
        }
    }
}

/// The members of the JSON document after `repositories`.
private struct OutcomeDocumentEnd: Encodable {
    var summary: OutcomeSummary
    var error: CopyDocument.Failure?
    /// What the gates of `promote -f` decided.
    var gates: [CopyDocument.GateReport]?

    enum CodingKeys: CodingKey { case error, gates }

    func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(error, forKey: .error)
        try container.encodeIfPresent(gates, forKey: .gates)
    }
}

extension String {
    /// The text with every line indented for a member of an array.
    fileprivate var indented: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
    }
}
