import AWSIdentity
import ArgumentParser
import Content
import FoundationEssentials
import Logging
import Platform
import Promotion
import Replicate
import Reporting
import Rules
import Wire

/// One run of one subcommand: opens its resources, watches for signals, prints the results, sets the exit code.
struct Session {
    let command: String
    let output: OutputOptions
    /// The identity and endpoints of the source, or of the only side.
    let source: SideOptions
    private(set) var destination: SideOptions
    /// The identities and endpoints of the registries that a rule file names.
    private(set) var registries: [RuleRegistry] = []
    let caBundle: String?
    private(set) var attempts: Int?
    let transfers: TransferArguments?
    let uploads: UploadOptions
    let announcesPlan: Bool
    let namesDestinations: Bool
    /// The destination whose caller is looked up and printed.
    let callerDestination: DestinationReference?
    /// The gates of a promotion; `nil` if there are none.
    private(set) var admission: GateAdmission?

    /// Makes a session for a command that moves blobs from one side to another.
    init(
        command: String,
        _ output: OutputOptions,
        _ connection: ConnectionOptions,
        _ transfers: TransferArguments,
        uploads: UploadOptions,
        announcesPlan: Bool = false,
        namesDestinations: Bool = false,
        callerDestination: DestinationReference? = nil,
        admission: GateAdmission? = nil
    ) {
        self.command = command
        self.output = output
        self.admission = admission
        source = connection.common.source
        destination = connection.destination
        caBundle = connection.common.caBundle
        self.transfers = transfers
        self.uploads = uploads
        self.announcesPlan = announcesPlan
        self.namesDestinations = namesDestinations
        self.callerDestination = callerDestination
    }

    /// Makes a session for a command that only reads both sides.
    ///
    /// - Parameter attempts: The number of attempts for a request; a diagnosis must not retry for minutes. `nil` is the
    ///   usual number.
    init(command: String, _ output: OutputOptions, _ connection: ConnectionOptions, attempts: Int?) {
        self.init(command: command, output, connection.common)
        destination = connection.destination
        self.attempts = attempts
    }

    /// Makes a session for a command with one side only.
    init(command: String, _ output: OutputOptions, _ connection: SourceOptions) {
        self.command = command
        self.output = output
        source = connection.source
        destination = connection.source
        caBundle = connection.caBundle
        transfers = nil
        uploads = UploadOptions()
        (announcesPlan, namesDestinations, callerDestination) = (false, false, nil)
    }

    /// Makes a session for a command that takes its registries from a rule file or from a plan.
    ///
    /// - Parameter attempts: The number of attempts for a request; `nil` is the usual number.
    init(
        command: String,
        _ output: OutputOptions,
        _ registries: [RuleRegistry],
        caBundle: String?,
        _ transfers: TransferArguments? = nil,
        uploads: UploadOptions = UploadOptions(),
        attempts: Int? = nil
    ) {
        self.command = command
        self.output = output
        self.attempts = attempts
        self.registries = registries
        self.caBundle = caBundle
        self.transfers = transfers
        self.uploads = uploads
        (source, destination) = (SideOptions(), SideOptions())
        (announcesPlan, namesDestinations, callerDestination) = (false, false, nil)
    }

    /// Runs a command that copies.
    ///
    /// - Throws: `ExitCode`, after everything has been printed.
    func run(_ body: @escaping @Sendable (CopyRun) async throws -> [CopyResult]) async throws {
        try await runNamingCaller { run, _ in try await body(run) }
    }

    /// Runs a command that copies, and tells it who writes to ``callerDestination``; `nil` if that is unknown.
    ///
    /// - Throws: `ExitCode`, after everything has been printed.
    func runNamingCaller(
        _ body: @escaping @Sendable (CopyRun, _ caller: String?) async throws -> [CopyResult]
    ) async throws {
        let started = ContinuousClock.now
        let display = ProgressDisplay(
            mode: output.progress,
            announcesPlans: !announcesPlan,
            namesDestinations: namesDestinations,
            stream: .standardError
        )
        let announcement = Announcement(isWanted: announcesPlan && output.output == .text)
        let results = Lock<[CopyResult]>([])
        let caller = Lock<String?>(nil)
        let requests = Lock(0)
        let tagged = Lock<[String]>([])
        let tagsListed = Lock<Int?>(nil)
        let notices = Lock<[String]>([])
        let drain = Drain()
        let stop: @Sendable () -> String = {
            drain.begin()
            let underWay = display.underWay.map { " (\($0))" } ?? ""
            return "stopping after the running transfers\(underWay); send the signal again to stop at once"
        }
        let ending = await end(stop: stop) { report in
            try await withReplicator(drain) { replicator in
                defer { requests.withLock { $0 = replicator.requestsSent } }
                let run = replicator.run(drain: drain, report: report)
                if let callerDestination {
                    let name = await run.caller(at: CopyDestination(callerDestination, destination))
                    caller.withLock { $0 = name }
                    announcement.caller(name)
                }
                let done = try await body(run, caller.withLock { $0 })
                results.withLock { $0 = done }
            }
        } reporting: { event in
            announcement.note(event)
            if case .manifestPut(let digest, let tag?, let place) = event {
                tagged.withLock { $0.append("\(place.tagged(tag))@\(digest)") }
            }
            if case .nothingSelected(_, let count) = event { tagsListed.withLock { $0 = count } }
            if case .notice(let text) = event { notices.withLock { $0.append(text) } }
            display.note(event)
        }
        display.finish()
        let printedNotices = notices.withLock { $0 } + (admission?.notes ?? [])
        printedNotices.forEach { LineStream.standardError.writeLine("note: \($0)") }
        let all = results.withLock { $0 }
        let code = exitCode(all, ending)
        let note = tagsListed.withLock { $0 }.map { Self.nothingMatched(of: $0, true) }
        // Tags that were set before the failure stay set, so standard output must list them.
        let unreported = code == 0 ? [] : all.unreported(of: tagged.withLock { $0 })
        let seconds = (ContinuousClock.now - started).seconds
        let count = requests.withLock { $0 }
        var isPrinted = true
        switch output.output {
        case .json:
            isPrinted = printJSON(
                CopyDocument(
                    command: command,
                    exitCode: Int(code),
                    results: all,
                    error: ending.failure?.documented(for: command),
                    requests: count,
                    seconds: seconds,
                    caller: caller.withLock { $0 },
                    note: note,
                    setBeforeFailure: unreported,
                    notices: printedNotices,
                    gates: admission?.reports.map(\.document) ?? []
                )
            )
            printFailures(all, ending)
            Summary(results: all, requests: count, seconds: seconds).warnings
                .forEach(LineStream.standardError.say)
        case .text:
            unreported.forEach(LineStream.standardOutput.writeLine)
            printText(all, ending, count, seconds, note: note)
        }
        try leave(code, isPrinted)
    }

    /// Returns the note for an empty selection.
    ///
    /// - Parameter isFiltered: Whether the tags had to match a pattern.
    static func nothingMatched(of count: Int, _ isFiltered: Bool) -> String {
        count == 0 || !isFiltered
            ? "the repository has no tags"
            : "nothing selected: none of the repository's \(counted(count, "tag")) passes --match and --exclude"
    }

    /// Ends the command with `code`, or with a failure if the result couldn't be written.
    func leave(_ code: Int32, _ isPrinted: Bool) throws {
        guard isPrinted else { throw ExitCode(code == 0 ? ExitStatus.failed : code) }
        if let failure = LineStream.standardOutput.failure {
            LineStream.standardError.writeLine("ecr-replicate: the result could not be written: \(failure)")
            throw ExitCode(code == 0 ? 1 : code)
        }
        if code != 0 { throw ExitCode(code) }
    }

    /// Runs a command that only reads, and prints what `body` returns.
    ///
    /// - Parameter interrupted: The JSON to print if a signal arrives first and ends the process.
    func read(
        _ body: @escaping @Sendable (Replicator) async throws -> Answer,
        interrupted: ((_ exitCode: Int32) -> any Encodable & Sendable)? = nil
    ) async throws {
        let started = ContinuousClock.now
        let requests = Lock(0)
        let answer = Lock<Answer?>(nil)
        let ending = await end(stop: nil) { _ in
            try await withReplicator(Drain()) { replicator in
                defer { requests.withLock { $0 = replicator.requestsSent } }
                let value = try await body(replicator)
                answer.withLock { $0 = value }
            }
        } reporting: { _ in
        }
        var isPrinted = true
        if case .failed(let failure) = ending {
            let failure = failure.ofReading
            if output.output == .json {
                isPrinted = printJSON(
                    CopyDocument(
                        command: command,
                        exitCode: Int(exitCode([], ending)),
                        results: [],
                        error: failure.documented(for: command),
                        requests: requests.withLock { $0 },
                        seconds: (ContinuousClock.now - started).seconds
                    )
                )
            }
            LineStream.standardError.say("ecr-replicate: \(failure.explanation)")
        } else if case .interrupted = ending, let interrupted {
            let document = interrupted(exitCode([], ending))
            if output.output == .json { isPrinted = printJSON(document) }
        } else if case .interrupted = ending, output.output == .json {
            // Standard output gets one document in every case.
            isPrinted = printJSON(
                CopyDocument(
                    command: command,
                    exitCode: Int(exitCode([], ending)),
                    results: [],
                    error: nil,
                    requests: requests.withLock { $0 },
                    seconds: (ContinuousClock.now - started).seconds
                )
            )
        } else if let answer = answer.withLock({ $0 }) {
            if output.output == .json {
                isPrinted = printJSON(answer.document)
            } else {
                LineStream.standardOutput.write(answer.isVerbatim ? answer.text : printableLines(answer.text))
            }
            if let note = answer.note { LineStream.standardError.writeLine("note: \(note)") }
        }
        let code = exitCode([], ending)
        try leave(code == 0 ? answer.withLock { $0 }?.exitCode ?? 0 : code, isPrinted)
    }

    /// The result of a reading subcommand, as text and as JSON.
    struct Answer: Sendable {
        var text: String
        var document: any Encodable & Sendable
        /// Whether the text is a file or a manifest, which is printed byte for byte.
        var isVerbatim = false
        /// A note for standard error, with either format.
        var note: String?
        /// The exit code if nothing fails.
        var exitCode: Int32 = 0
    }

    /// Runs `body`; the first signal stops it, and a second one ends the process at once.
    ///
    /// - Parameter stop: Called at the first signal; it requests the stop and returns the line to print. `nil` cancels
    ///   `body`, which must then leave nothing half done.
    func end(
        stop: (@Sendable () -> String)?,
        _ body: @escaping @Sendable (@escaping @Sendable (CopyEvent) -> Void) async throws -> Void,
        reporting: @escaping @Sendable (CopyEvent) -> Void
    ) async -> Ending {
        let stopped = Lock<Termination.Signal?>(nil)
        // Signals are caught before the work begins, because an uncaught signal would kill the process during its work.
        let terminations = Signals.terminations()
        // This function owns the task and waits for it below.
        let work = Task { try await body(reporting) }
        let watch = Task {
            for await termination in terminations {
                if termination.ordinal > 1 { ProcessFacts.exitNow(termination.signal.exitCode) }
                stopped.withLock { $0 = termination.signal }
                if let stop {
                    LineStream.standardError.writeLine(stop())
                } else {
                    LineStream.standardError.writeLine("stopping")
                    work.cancel()
                }
            }
        }
        defer { watch.cancel() }
        do {
            try await work.value
            return stopped.withLock { $0 }.map { .interrupted($0) } ?? .finished
        } catch {
            return Ending(error, after: stopped.withLock { $0 })
        }
    }

    private func exitCode(_ results: [CopyResult], _ ending: Ending) -> Int32 {
        switch ending {
        case .interrupted(let signal, _): signal.exitCode
        case .failed(let failure): failure.exitCode
        case .finished: ExitStatus.of(results)
        }
    }
}
