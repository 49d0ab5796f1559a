import Content
import Doctor
import Platform
import Replicate

/// Prints the parts of a rule file's diagnosis as they are finished, and shows which checks are running.
final class RuleDoctorDisplay: Sendable {
    private struct Checks: RunningChecks {
        var waits = PartWaits()
        var findings: [Finding] = []
        /// The checks that were running when their part was interrupted.
        var unanswered: [RuleDiagnosis.Unanswered] = []

        func lines(width: Int, at now: ContinuousClock.Instant) -> [String] { waits.lines(width: width, at: now) }
        func heartbeat(at now: ContinuousClock.Instant) -> String? { waits.heartbeat(at: now) }
    }

    private let display: CheckDisplay<Checks>

    /// - Parameter stream: The stream that shows the running checks.
    init(_ output: OutputOptions, stream: LineStream = .standardError) {
        display = CheckDisplay(Checks(), output, stream: stream)
    }

    func note(_ event: RuleExaminationEvent) {
        display.change { checks in
            switch event {
            case .asking(let part, let side, let check): checks.waits.begin(check, of: part, side, at: .now)
            case .finished(let section):
                checks.findings += section.findings
                return section.text
            case .ended(let part):
                // The task that examines the part makes this call, so `Task.isCancelled` is that task's.
                let open = checks.waits.end(part)
                if Task.isCancelled, let open { checks.unanswered.append(open) }
            }
            return ""
        }
    }

    /// All findings so far.
    var findings: [Finding] { display.read(\.findings) }

    /// The checks that had no answer at an interruption.
    var unanswered: [RuleDiagnosis.Unanswered] {
        let (asked, found) = display.read { ($0.unanswered, $0.findings) }
        // The last answer may have arrived at the same time.
        return asked.filter { open in
            !found.contains { finding in
                finding.check == open.check && finding.side == open.side
                    && open.part == (finding.rule.map { "rule \($0)" } ?? finding.registry.map { "registry \($0)" })
            }
        }
    }

    /// Removes the temporary lines.
    func finish() { display.finish() }
}

/// The running check of each part of a rule file as a value: events go in, lines come out.
struct PartWaits: RunningChecks {
    typealias Instant = ContinuousClock.Instant

    private struct Wait: Sendable {
        var side: CopyError.Side
        var check: String
        var since: Instant
    }

    private var waits: [String: Wait] = [:]

    mutating func begin(_ check: String, of part: String, _ side: CopyError.Side, at now: Instant) {
        waits[part] = Wait(side: side, check: check, since: now)
    }

    /// - Returns: The check that was running, which has no answer.
    mutating func end(_ part: String) -> RuleDiagnosis.Unanswered? {
        waits.removeValue(forKey: part).map { .init(part: part, side: $0.side, check: $0.check) }
    }

    /// A line for each part whose check has been running for a while.
    func lines(width: Int, at now: Instant) -> [String] {
        noticed(at: now).map { String("\($0)…".prefix(max(1, width - 1))) }
    }

    /// Returns a heartbeat line, if a check has been running for a while.
    func heartbeat(at now: Instant) -> String? {
        let parts = noticed(at: now)
        return parts.isEmpty ? nil : "waiting for " + parts.joined(separator: ", ")
    }

    private func noticed(at now: Instant) -> [String] {
        waits.sorted { $0.key < $1.key }.filter { now - $0.value.since >= WaitState.noticeable }.map { part, wait in
            "\(part): \(wait.check) (\((now - wait.since).components.seconds) s)"
        }
    }
}
