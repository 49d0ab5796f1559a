import Content
import Doctor
import Platform
import Replicate

/// Prints the findings of `doctor` as they arrive, and shows which checks are running.
final class DoctorDisplay: Sendable {
    private struct State: Sendable {
        var text = DiagnosisText()
        var waits = WaitState()
        var findings: [Finding] = []
        /// The checks that were running when their side was interrupted.
        var unanswered: [Diagnosis.Unanswered] = []
        var isFinished = false
    }

    private let printsLines: Bool
    private let isPinned: Bool
    private let stream: LineStream
    private let state: Lock<State>
    private let ticker: Task<Void, Never>?

    /// - Parameter stream: The stream that shows the running checks.
    init(_ output: OutputOptions, stream: LineStream = .standardError) {
        printsLines = output.output == .text
        self.stream = stream
        let state = Lock(State())
        self.state = state
        let form = ProgressForm(output.progress, on: stream)
        isPinned = form == .bar
        switch form {
        case .bar:
            ticker = ProgressDisplay.every(ProgressDisplay.frame) {
                // The lock is held while drawing too: both streams may be one terminal.
                state.withLock { state in
                    guard !state.isFinished else { return }
                    stream.pin(state.waits.lines(width: Terminal.width(of: stream), at: .now))
                }
            }
        case .plain:
            ticker = ProgressDisplay.every(ProgressDisplay.heartbeat) {
                if let line = state.withLock({ $0.waits.heartbeat(at: .now) }) { stream.writeLine(line) }
            }
        case .json, .none: ticker = nil
        }
    }

    func note(_ event: ExaminationEvent) {
        state.withLock { state in
            // The task that examines the side makes this call, so `Task.isCancelled` is that task's.
            if case .ended(let side) = event, Task.isCancelled {
                state.unanswered += state.waits.unanswered.filter { $0.side == side }
            }
            state.waits.note(event, at: .now)
            if case .found(let finding) = event { state.findings.append(finding) }
            write(state.text.note(event))
        }
    }

    /// All findings so far.
    var findings: [Finding] { state.withLock { $0.findings } }

    /// The checks that were running at an interruption, the source's first.
    var unanswered: [Diagnosis.Unanswered] {
        let (asked, found) = state.withLock { ($0.unanswered, $0.findings) }
        // The last answer may have arrived at the same time.
        let open = asked.filter { asked in !found.contains { $0.side == asked.side && $0.check == asked.check } }
        return open.filter { $0.side == .source } + open.filter { $0.side == .destination }
    }

    /// Prints the findings that were held back for their order, and removes the temporary lines.
    func finish() {
        ticker?.cancel()
        state.withLock { state in
            state.isFinished = true
            if isPinned { stream.pin([]) }
            write(state.text.rest())
        }
    }

    private func write(_ text: String) {
        guard printsLines, !text.isEmpty else { return }
        if isPinned { stream.pin([]) }
        LineStream.standardOutput.write(printableLines(text))
    }
}

/// The running check of each side as a value: events go in, lines come out.
struct WaitState: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Wait: Sendable {
        var check: String
        var since: Instant
    }

    private var waits: [CopyError.Side: Wait] = [:]

    /// A shorter wait isn't shown.
    static let noticeable: Duration = .seconds(1)

    mutating func note(_ event: ExaminationEvent, at now: Instant) {
        switch event {
        case .asking(let side, let check): waits[side] = Wait(check: check, since: now)
        case .ended(let side): waits[side] = nil
        case .found, .permissionsTried: break
        }
    }

    /// A line for each side whose check has been running for a while.
    func lines(width: Int, at now: Instant) -> [String] {
        noticed(at: now).map { side, wait in
            let line = "\(side.rawValue): waiting for \(wait.check)… \((now - wait.since).components.seconds) s"
            return String(line.prefix(max(1, width - 1)))
        }
    }

    /// Returns a heartbeat line, if a check has been running for a while.
    func heartbeat(at now: Instant) -> String? {
        let parts = noticed(at: now).map { side, wait in
            "\(wait.check) of the \(side.rawValue) (\((now - wait.since).components.seconds) s)"
        }
        return parts.isEmpty ? nil : "waiting for " + parts.joined(separator: ", ")
    }

    /// All running checks, however short.
    var unanswered: [Diagnosis.Unanswered] { ordered.map { Diagnosis.Unanswered($0, $1.check) } }

    private var ordered: [(CopyError.Side, Wait)] {
        [CopyError.Side.source, .destination].compactMap { side in waits[side].map { (side, $0) } }
    }

    private func noticed(at now: Instant) -> [(CopyError.Side, Wait)] {
        ordered.filter { now - $0.1.since >= Self.noticeable }
    }
}
