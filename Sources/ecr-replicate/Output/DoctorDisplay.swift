import Content
import Doctor
import Platform
import Replicate

/// Prints the findings of `doctor` as they arrive, and shows which checks are running.
final class DoctorDisplay: Sendable {
    private struct Checks: RunningChecks {
        var text = DiagnosisText()
        var waits = WaitState()
        var findings: [Finding] = []
        /// The checks that were running when their side was interrupted.
        var unanswered: [Diagnosis.Unanswered] = []

        func lines(width: Int, at now: ContinuousClock.Instant) -> [String] { waits.lines(width: width, at: now) }
        func heartbeat(at now: ContinuousClock.Instant) -> String? { waits.heartbeat(at: now) }
    }

    private let display: CheckDisplay<Checks>

    /// - Parameter stream: The stream that shows the running checks.
    init(_ output: OutputOptions, stream: LineStream = .standardError) {
        display = CheckDisplay(Checks(), output, stream: stream)
    }

    func note(_ event: ExaminationEvent) {
        display.change { checks in
            // The task that examines the side makes this call, so `Task.isCancelled` is that task's.
            if case .ended(let side) = event, Task.isCancelled {
                checks.unanswered += checks.waits.unanswered.filter { $0.side == side }
            }
            checks.waits.note(event, at: .now)
            if case .found(let finding) = event { checks.findings.append(finding) }
            return checks.text.note(event)
        }
    }

    /// All findings so far.
    var findings: [Finding] { display.read(\.findings) }

    /// The checks that were running at an interruption, the source's first.
    var unanswered: [Diagnosis.Unanswered] {
        let (asked, found) = display.read { ($0.unanswered, $0.findings) }
        // The last answer may have arrived at the same time.
        let open = asked.filter { asked in !found.contains { $0.side == asked.side && $0.check == asked.check } }
        return open.filter { $0.side == .source } + open.filter { $0.side == .destination }
    }

    /// Prints the findings that were held back for their order, and removes the temporary lines.
    func finish() { display.finish { $0.text.rest() } }
}

/// The running check of each side as a value: events go in, lines come out.
struct WaitState: RunningChecks {
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
