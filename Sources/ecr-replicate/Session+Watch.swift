import AWSIdentity
import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Replicate
import Reporting
import Rules

/// `sync --watch`: rounds on a clock, until a signal ends them.
struct RuleWatch: Sendable {
    /// From the start of a round to the start of the next.
    var interval: Duration
    /// The rules to carry out; all, if none is named.
    var names: [String]
    var file: ReloadedFile
    /// Makes the page of a round; each round replaces that of the last.
    var page: @Sendable (RuleFile) throws -> ReportPage?
    /// Makes the session for the registries of a file.
    var session: @Sendable (RuleFile) -> Session
}

extension RuleWatch {
    /// Carries the rules out again and again, with one line a round on standard output.
    ///
    /// A replicator is used until the rule file changes, so that credentials, tokens and connections are kept.
    ///
    /// - Throws: `ExitCode` of the signal, or of a failure that keeps any round from starting.
    func run() async throws {
        let drain = Drain()
        let stop: @Sendable () -> String = {
            drain.begin()
            return "stopping after the running transfers; send the signal again to stop at once"
        }
        let first = session(file.file)
        let ending = await first.end(stop: stop) { _ in
            var (reloaded, number) = (file, 1)
            while !drain.isDraining {
                let session = session(reloaded.file)
                let state = Lock((reloaded: reloaded, number: number))
                try await session.withReplicator(drain) { replicator in
                    try await rounds(session, replicator, drain, state)
                }
                (reloaded, number) = state.withLock { ($0.reloaded, $0.number) }
            }
        } reporting: { _ in
        }
        first.printFailures([], ending)
        switch ending {
        case .interrupted(let signal, _): throw ExitCode(signal.exitCode)
        case .failed(let failure): throw ExitCode(failure.exitCode)
        case .finished: return
        }
    }

    /// Runs rounds until the drain begins or the file has changed.
    private func rounds(
        _ session: Session,
        _ replicator: Replicator,
        _ drain: Drain,
        _ state: Lock<(reloaded: ReloadedFile, number: Int)>
    ) async throws {
        let start = state.withLock { $0.number }
        try await Rounds(every: interval, on: ContinuousClock(), until: drain).run(from: start) { number in
            if number > 1 {
                switch state.withLock({ $0.reloaded.reload() }) {
                case .none: break
                case .reloaded:
                    LineStream.standardError.say("the rule file has changed, and is used from now on")
                    // The registries may be others, so the next round has a replicator of its own.
                    state.withLock { $0.number = number }
                    return false
                case .unusable(let error):
                    LineStream.standardError.say("ecr-replicate: \(error)")
                    LineStream.standardError.say(
                        "warning: the rule file can't be used; the rules of before stay in use"
                    )
                }
            }
            let file = state.withLock { $0.reloaded.file }
            try await round(number, file, session, replicator, drain)
            return true
        }
    }

    private func round(
        _ number: Int,
        _ file: RuleFile,
        _ session: Session,
        _ replicator: Replicator,
        _ drain: Drain
    ) async throws {
        let (started, clock) = (Date(), ContinuousClock.now)
        let before = replicator.requestsSent
        let printer = RoundPrinter(session.output.output)
        let rules = try file.rules(named: names)
        let page = try page(file)
        let run = replicator.run(drain: drain)
        var stopped = false
        // Without its gates, a rule copies nothing in this round.
        var admissions = RuleAdmissions.none
        do { admissions = try ruleGates(of: rules) } catch { LineStream.standardError.say("ecr-replicate: \(error)") }
        do {
            try await RuleRun(
                rules,
                .carryOut,
                by: replicator,
                in: run,
                now: started,
                beside: file.rules(beside: rules),
                admissions: admissions,
                announce: { LineStream.standardError.say($0) }
            )
            .outcomes { outcome in
                page?.add(outcome)
                try printer.add(outcome)
            }
        } catch is Drained {
            stopped = true
        }
        await run.settle()
        guard !stopped else { return }
        let (requests, seconds) = (replicator.requestsSent - before, (ContinuousClock.now - clock).seconds)
        try printer.finish(number, at: started, rules: file.name, requests: requests, seconds: seconds)
        do {
            try page?.finish(
                ReportPage.End(
                    drain.isDraining ? .interrupted("a signal") : .whole,
                    exitCode: Int(printer.totals.exitStatus),
                    requests: requests,
                    seconds: seconds
                )
            )
        } catch {
            LineStream.standardError.say("warning: the report could not be written: \(error)")
        }
    }
}

/// Prints one line for a round: a summary, or a JSON document of what was not in sync.
final class RoundPrinter: Sendable {
    private struct State {
        var totals = OutcomeTotals()
        var isFirst = true
        var saidRemedies: Set<String> = []
    }

    private let format: OutputOptions.Format
    private let state = Lock(State())

    init(_ format: OutputOptions.Format) { self.format = format }

    var totals: OutcomeTotals { state.withLock { $0.totals } }

    /// - Throws: `EncodingError`
    func add(_ outcome: RepositoryOutcome) throws {
        try state.withLock { state in
            state.totals.add(outcome)
            OutcomePrinter.sayFailures(of: outcome, &state.saidRemedies)
            guard format == .json, outcome.isWorthALine else { return }
            var shown = outcome
            shown.images.removeAll { $0.action == .keep && $0.state == .done && $0.leftOut.isEmpty }
            // The stages name every tag that was left out, which a line for each round must not repeat.
            shown.selection = nil
            let text = try compactJSON(OutcomeEntry(shown))
            LineStream.standardOutput.write((state.isFirst ? "{\"repositories\":[" : ",") + text)
            state.isFirst = false
        }
    }

    /// - Throws: `EncodingError`
    func finish(_ round: Int, at started: Date, rules: String, requests: Int, seconds: Double) throws {
        try state.withLock { state in
            switch format {
            case .text:
                let line = state.totals.runLine(requests: requests, seconds: "\((seconds * 100).rounded() / 100) s")
                LineStream.standardOutput.say("\(AWSTime.extended(started)) round \(round) \(line)")
            case .json:
                let summary = OutcomeSummary(
                    command: "sync",
                    exitCode: Int(state.totals.exitStatus),
                    rules: rules,
                    state.totals,
                    nil,
                    requests: requests,
                    seconds: seconds
                )
                let rest = try compactJSON(
                    RoundEnd(summary: summary, round: round, startedAt: AWSTime.extended(started))
                )
                LineStream.standardOutput.write(
                    (state.isFirst ? "{\"repositories\":[" : "") + "]," + rest.dropFirst() + "\n"
                )
            }
        }
    }
}

/// The members of a round's document after `repositories`.
private struct RoundEnd: Encodable {
    var summary: OutcomeSummary
    var round: Int
    var startedAt: String

    enum CodingKeys: CodingKey { case round, startedAt }

    func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(round, forKey: .round)
        try container.encode(startedAt, forKey: .startedAt)
    }
}

extension RepositoryOutcome {
    /// Whether anything was done, or went wrong.
    fileprivate var isWorthALine: Bool {
        hasDifferences || !problems.isEmpty || hasTooFewTags || isStopped
            || images.contains { $0.action != .keep || $0.state != .done || !$0.leftOut.isEmpty }
    }
}

/// - Throws: `EncodingError`
private func compactJSON(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return printableJSON(String(decoding: try encoder.encode(document), as: UTF8.self))
}
