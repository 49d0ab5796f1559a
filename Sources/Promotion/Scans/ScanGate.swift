internal import AWSIdentity
internal import Content
internal import ECRAPI
package import FoundationEssentials
internal import Replicate
internal import Wire

/// Requires a finished scan of ECR's whose findings are not too bad.
///
/// An index is decided by its images: each must be scanned. What has no result is not proven, and so does not pass.
///
/// - Source: docs/facts/ecr-api.md#scan-findings
package struct ScanGate: Gate {
    package let name = "scan"
    let requirement: ScanRequirement
    let now: @Sendable () -> Date
    let clock: any Clock<Duration>

    /// The most findings of one page; about a megabyte of enhanced findings.
    static let pageSize = 250
    /// The most images of one index.
    static let mostImages = 200
    /// The deepest nesting of indexes.
    private static let deepestIndex = 8
    /// The most images whose findings are read at once.
    private static let parallelImages = 4
    /// The first time between two looks at a scan that is not finished; it doubles up to the longest.
    static let firstPause: Duration = .seconds(5)
    static let longestPause: Duration = .seconds(30)

    /// - Parameter clock: The clock on which the gate waits for a scan.
    package init(
        _ requirement: ScanRequirement,
        now: @escaping @Sendable () -> Date,
        clock: any Clock<Duration>
    ) {
        (self.requirement, self.now, self.clock) = (requirement, now, clock)
    }

    /// An image that is scanned: the candidate itself, or one of an index.
    struct Subject: Sendable {
        var digest: Digest
        /// The platform, for people; `nil` for an image that is not in an index.
        var platform: String?

        /// The image for people.
        var words: String { platform.map { "\($0) (\(digest))" } ?? "the image" }
    }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        guard let facts = candidate.source.facts else {
            return unknown("the source is not ECR, which alone has scans", remedy: "promote from an ECR repository")
        }
        do {
            let subjects = try await subjects(of: candidate)
            guard !subjects.isEmpty else {
                return unknown("the index has no image that could be scanned", remedy: "promote an image")
            }
            return decision(try await states(of: subjects, facts))
        } catch let problem as ImagesUnknown {
            return unknown(problem.text)
        } catch {
            return try .unreadable(name, error, "the scan's findings could not be read")
        }
    }

    // MARK: Which images

    private struct ImagesUnknown: Error { var text: String }

    private func subjects(of candidate: GateCandidate) async throws -> [Subject] {
        guard candidate.root.kind == .index else { return [Subject(digest: candidate.digest)] }
        var (subjects, seen): ([Subject], Set<Digest>) = ([], [candidate.digest])
        var level = [candidate.root]
        for _ in 0..<Self.deepestIndex {
            var next: [Manifest] = []
            guard level.allSatisfy({ $0.oddEntries.isEmpty }) else {
                throw ImagesUnknown(text: "the index has entries that can't be read")
            }
            for child in level.flatMap(\.children) where child.isRunnable && seen.insert(child.digest).inserted {
                guard child.mediaType.isIndex else {
                    let platform = child.platform.map { printable("\($0)", upTo: 100) } ?? "an image"
                    subjects.append(Subject(digest: child.digest, platform: platform))
                    guard subjects.count <= Self.mostImages else {
                        throw ImagesUnknown(text: "the index has more than \(Self.mostImages) images")
                    }
                    continue
                }
                guard let manifest = try await candidate.source.manifest(child.digest) else {
                    throw ImagesUnknown(text: "the index names \(child.digest), which the source does not have")
                }
                next.append(manifest)
            }
            level = next
            guard !level.isEmpty else { return subjects }
        }
        throw ImagesUnknown(text: "indexes are nested more than \(Self.deepestIndex) deep")
    }

    // MARK: What their scans say

    /// Reads the scans, again and again while some may still be finished in time.
    private func states(
        of subjects: [Subject],
        _ facts: any GateFacts
    ) async throws -> [(subject: Subject, state: ScanState)] {
        var states: [Digest: ScanState] = [:]
        var (left, pause) = (requirement.wait ?? .zero, Self.firstPause)
        while true {
            let open = subjects.filter { subject in
                switch states[subject.digest] {
                case nil, .awaited: true
                case .finished, .unusable: false
                }
            }
            let read = try await open.mapConcurrently(limit: Self.parallelImages) { subject in
                (subject.digest, try await state(of: subject, facts))
            }
            for (digest, state) in read { states[digest] = state }
            let isAwaited = states.values.contains { if case .awaited = $0 { true } else { false } }
            guard isAwaited, left > .zero else { break }
            let rest = min(pause, left)
            try await clock.sleep(for: rest)
            left -= rest
            pause = min(pause * 2, Self.longestPause)
        }
        return subjects.compactMap { subject in states[subject.digest].map { (subject, $0) } }
    }

    private func state(of subject: Subject, _ facts: any GateFacts) async throws -> ScanState {
        var reading = ScanReading(limit: requirement.maxSeverity, accepted: acceptedNames)
        let isScanned = try await facts.readScan(of: subject.digest, pageSize: Self.pageSize) { reading.add($0) }
        return ScanState(isScanned ? reading : nil)
    }

    /// The names of the findings that don't count today.
    private var acceptedNames: Set<String> {
        let now = now()
        return Set(requirement.ignored.filter { $0.expiry.map { now < $0 } ?? true }.map(\.name))
    }

    // MARK: What follows

    private func decision(_ states: [(subject: Subject, state: ScanState)]) -> GateDecision {
        let now = now()
        var (failures, doubts): ([String], [(text: String, remedy: String?)]) = ([], [])
        var (named, images): ([GateDecision.Evidence], [GateDecision.Evidence]) = ([], [])
        var (above, ignored): ([FindingSeverity: Int], [String: Int]) = ([:], [:])
        var (total, worst): (Int, FindingSeverity?) = (0, nil)
        for (subject, state) in states {
            switch state {
            case .awaited(let text):
                doubts.append(("\(subject.words) \(text)", Self.waiting))
                images.append(.init("\(subject.words) \(text)", digest: subject.digest))
            case .unusable(let text, let remedy):
                doubts.append(("\(subject.words) \(text)", remedy))
                images.append(.init("\(subject.words) \(text)", digest: subject.digest))
            case .finished(let reading):
                images.append(.init("\(subject.words): \(reading.words)", digest: subject.digest))
                named += reading.named.map { .init("\($0.words) in \(subject.words)", digest: subject.digest) }
                above.merge(reading.above) { $0 + $1 }
                ignored.merge(reading.ignored) { $0 + $1 }
                total += reading.total
                worst = [worst, reading.worstSeverity].compactMap { $0 }.max()
                if reading.undecidable > 0 {
                    let text =
                        "\(counted(reading.undecidable, "finding")) in \(subject.words) "
                        + "\(reading.undecidable == 1 ? "has" : "have") no severity"
                    doubts.append((text, "look at them, and accept them with --ignore, or wait until they are rated"))
                }
                if let unlisted = reading.unlisted {
                    let text =
                        "ECR counts \(unlisted.stated) findings of severity \(unlisted.severity.rawValue) in "
                        + "\(subject.words), and lists \(unlisted.listed)"
                    doubts.append((text, "scan the image again"))
                }
                if let limit = requirement.notOlderThan, let time = reading.completedAt,
                    now.timeIntervalSince(time) > Double(limit.components.seconds)
                {
                    failures.append(
                        "the scan of \(subject.words) is of \(AWSTime.extended(time)), older than \(limit.inWords)"
                    )
                }
            }
        }
        let limit = requirement.maxSeverity?.rawValue ?? ""
        if !above.isEmpty {
            let counts = above.sorted { $0.key > $1.key }.map { "\($0.value) \($0.key.rawValue)" }
            failures.insert("\(counts.joined(separator: ", ")) above \(limit)", at: 0)
        }
        let evidence = Array(named.prefix(Self.mostEvidence)) + images.prefix(Self.mostEvidence) + notes(ignored, now)
        if !failures.isEmpty {
            let remedy =
                above.isEmpty
                ? "scan the image again, and promote it then"
                : "promote an image without these findings, or accept each one with --ignore and a reason"
            return GateDecision(name, .failed, failures.joined(separator: "; "), evidence: evidence, remedy: remedy)
        }
        if let first = doubts.first {
            let more = doubts.count > 1 ? ", and \(counted(doubts.count - 1, "more such fact"))" : ""
            return GateDecision(name, .unknown, first.text + more, evidence: evidence, remedy: first.remedy)
        }
        let count = counted(states.count, "image")
        let found =
            total == 0 ? "no findings" : "\(counted(total, "finding")), the worst \(worst?.rawValue ?? "unrated")"
        return GateDecision(
            name,
            .passed,
            "\(count) scanned: \(found)\(limit.isEmpty ? "" : "; allowed up to \(limit)")",
            evidence: evidence
        )
    }

    private static let waiting = "scan the image, or wait for its scan with --wait-scan"
    /// The most images, and the most findings, that a decision names.
    private static let mostEvidence = 20

    /// What was ignored, and what is not ignored any more.
    private func notes(_ ignored: [String: Int], _ now: Date) -> [GateDecision.Evidence] {
        requirement.ignored.compactMap { finding -> GateDecision.Evidence? in
            let name = printable(finding.name, upTo: 200)
            if let expiry = finding.expiry, now >= expiry {
                return .init("\(name) is not ignored any more, since \(AWSTime.extended(expiry))")
            }
            guard let count = ignored[finding.name] else { return nil }
            let why = finding.reason.map { ": \(printable($0, upTo: 200))" } ?? ""
            let until = finding.expiry.map { " until \(AWSTime.extended($0))" } ?? ""
            return .init("\(name) ignored\(until) (\(counted(count, "finding")))\(why)")
        }
        .prefix(Self.mostEvidence).map { $0 }
    }

    private func unknown(_ reason: String, remedy: String? = nil) -> GateDecision {
        GateDecision(name, .unknown, reason, remedy: remedy)
    }
}

extension ScanReading {
    /// The state, the time and the counts, for people.
    fileprivate var words: String {
        let time = completedAt.map { " at \(AWSTime.extended($0))" } ?? ""
        var parts = counts.sorted { $0.key > $1.key }.map { "\($0.value) \($0.key.rawValue)" }
        if unrated > 0 { parts.append("\(unrated) without a severity") }
        let found = parts.isEmpty ? "no findings" : parts.joined(separator: ", ")
        return "scanned\(time), \(found)"
    }
}

extension ScanReading.Found {
    fileprivate var words: String {
        let fixed = fixedIn.flatMap { $0.isEmpty ? nil : ", fixed in \($0)" } ?? ""
        return "\(name) \(severity?.rawValue ?? "without a severity")\(package.map { " in \($0)" } ?? "")\(fixed)"
    }
}
