import Content
import Doctor
import Platform
import Replicate

/// What a check display draws: the checks that are running, as a value.
protocol RunningChecks: Sendable {
    /// A line for each check that has been running for a while, to be pinned below the output.
    ///
    /// - Parameter width: The columns of the terminal.
    func lines(width: Int, at now: ContinuousClock.Instant) -> [String]

    /// One line about these checks; `nil` if there are none.
    func heartbeat(at now: ContinuousClock.Instant) -> String?
}

/// Prints text on standard output while the checks that are running are shown on another stream.
///
/// On a terminal they are lines that are redrawn and removed at the end; elsewhere they are a line now and then.
final class CheckDisplay<Checks: RunningChecks>: Sendable {
    private struct State: Sendable {
        var checks: Checks
        var isFinished = false
    }

    private let printsLines: Bool
    private let isPinned: Bool
    private let stream: LineStream
    private let state: Lock<State>
    private let ticker: Task<Void, Never>?

    /// - Parameter stream: The stream that shows the running checks.
    init(_ checks: Checks, _ output: OutputOptions, stream: LineStream) {
        printsLines = output.output == .text
        self.stream = stream
        let state = Lock(State(checks: checks))
        self.state = state
        let form = ProgressForm(output.progress, on: stream)
        isPinned = form == .bar
        switch form {
        case .bar:
            ticker = ProgressDisplay.every(ProgressDisplay.frame) {
                // The lock is held while drawing too: both streams may be one terminal.
                state.withLock { state in
                    guard !state.isFinished else { return }
                    stream.pin(state.checks.lines(width: Terminal.width(of: stream), at: .now))
                }
            }
        case .plain:
            ticker = ProgressDisplay.every(ProgressDisplay.heartbeat) {
                if let line = state.withLock({ $0.checks.heartbeat(at: .now) }) { stream.writeLine(line) }
            }
        case .json, .none: ticker = nil
        }
    }

    /// Changes the checks, and prints the text that comes of it.
    func change(_ body: (inout Checks) -> String) {
        state.withLock { state in write(body(&state.checks)) }
    }

    func read<Value>(_ body: (Checks) -> Value) -> Value { state.withLock { body($0.checks) } }

    /// Prints what is left, and removes the temporary lines.
    func finish(_ rest: (inout Checks) -> String = { _ in "" }) {
        ticker?.cancel()
        state.withLock { state in
            state.isFinished = true
            if isPinned { stream.pin([]) }
            write(rest(&state.checks))
        }
    }

    private func write(_ text: String) {
        guard printsLines, !text.isEmpty else { return }
        if isPinned { stream.pin([]) }
        LineStream.standardOutput.write(printableLines(text))
    }
}
