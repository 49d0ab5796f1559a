import Content
import Doctor
import Platform
import Replicate

/// Prints the parts of a rule file's diagnosis as they are finished, and shows which checks are running.
final class RuleDoctorDisplay: Sendable {
    private struct State: Sendable {
        var waits: [String: Wait] = [:]
        var findings: [Finding] = []
        /// The checks that were running when their part was interrupted.
        var unanswered: [RuleDiagnosis.Unanswered] = []
        var isFinished = false
    }

    private struct Wait: Sendable {
        var side: CopyError.Side
        var check: String
        var since: ContinuousClock.Instant
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
                    let width = max(1, Terminal.width(of: stream) - 1)
                    stream.pin(Self.lines(state.waits, at: .now).map { String("\($0)…".prefix(width)) })
                }
            }
        case .plain:
            ticker = ProgressDisplay.every(ProgressDisplay.heartbeat) {
                let lines = state.withLock { Self.lines($0.waits, at: .now) }
                if !lines.isEmpty { stream.writeLine("waiting for \(lines.joined(separator: ", "))") }
            }
        case .json, .none: ticker = nil
        }
    }

    /// The checks that have been running for a while, each with its part.
    private static func lines(_ waits: [String: Wait], at now: ContinuousClock.Instant) -> [String] {
        waits.sorted { $0.key < $1.key }.filter { now - $0.value.since >= WaitState.noticeable }.map { part, wait in
            "\(part): \(wait.check) (\((now - wait.since).components.seconds) s)"
        }
    }

    func note(_ event: RuleExaminationEvent) {
        state.withLock { state in
            switch event {
            case .asking(let part, let side, let check): state.waits[part] = Wait(side: side, check: check, since: .now)
            case .finished(let section):
                state.findings += section.findings
                write(section.text)
            case .ended(let part):
                // The task that examines the part makes this call, so `Task.isCancelled` is that task's.
                if Task.isCancelled, let wait = state.waits[part] {
                    state.unanswered.append(.init(part: part, side: wait.side, check: wait.check))
                }
                state.waits[part] = nil
            }
        }
    }

    /// All findings so far.
    var findings: [Finding] { state.withLock { $0.findings } }

    /// The checks that had no answer at an interruption.
    var unanswered: [RuleDiagnosis.Unanswered] {
        state.withLock { state in
            // The last answer may have arrived at the same time.
            state.unanswered.filter { open in
                !state.findings.contains { finding in
                    finding.check == open.check && finding.side == open.side
                        && open.part == (finding.rule.map { "rule \($0)" } ?? finding.registry.map { "registry \($0)" })
                }
            }
        }
    }

    /// Removes the temporary lines.
    func finish() {
        ticker?.cancel()
        state.withLock { state in
            state.isFinished = true
            if isPinned { stream.pin([]) }
        }
    }

    private func write(_ text: String) {
        guard printsLines, !text.isEmpty else { return }
        if isPinned { stream.pin([]) }
        LineStream.standardOutput.write(printableLines(text))
    }
}
