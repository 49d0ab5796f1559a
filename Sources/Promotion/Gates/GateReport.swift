package import Content
package import Replicate
package import Reporting

/// What all gates decided about one image.
package struct GateReport: Sendable, Hashable {
    /// The image at the source, with its tag if it was named by one.
    package var image: ImageReference
    package var digest: Digest
    /// One decision for each gate, in the order of the gates.
    package var decisions: [GateDecision]
    /// What the gate on signatures found; `nil` if there is no such gate.
    package var signatures: SignatureReport?

    package init(
        image: ImageReference,
        digest: Digest,
        decisions: [GateDecision],
        signatures: SignatureReport? = nil
    ) {
        (self.image, self.digest, self.decisions, self.signatures) = (image, digest, decisions, signatures)
    }

    /// The decisions that keep the image from passing.
    package var denials: [GateDecision] { decisions.filter { $0.result != .passed } }

    /// Whether every gate passed.
    package var isPassed: Bool { denials.isEmpty }

    /// The error of the image if it does not pass; `nil` if it does.
    package var refusal: CopyError? {
        guard !denials.isEmpty else { return nil }
        let reasons = denials.map { "\($0.gate) \($0.result == .failed ? "failed" : "is unknown"): \($0.reason)" }
        let text =
            "\(denials.count) of \(counted(decisions.count, "gate")) denied the image: \(reasons.joined(separator: "; "))"
        return CopyError(
            .gateDenied(.init(text: text, remedy: denials.lazy.compactMap(\.remedy).first)),
            side: .source,
            image: image,
            operation: "evaluating the gates"
        )
    }

    /// The report for people: a line for each gate, and below it the evidence that the line doesn't quote and what to
    /// do.
    package var lines: [String] {
        var lines = ["gates for \(image.tagged(image.tag, digest: digest)):"]
        for decision in decisions {
            lines.append(
                "  \(decision.result.rawValue.padded(to: 7)) \(decision.gate): \(printable(decision.reason, upTo: Self.mostOfText))"
            )
            for evidence in decision.evidence where !decision.reason.contains(evidence.text) {
                lines.append("            \(printable(evidence.text, upTo: Self.mostOfText))")
            }
            if decision.result != .passed, let remedy = decision.remedy {
                lines.append("            next: \(printable(remedy, upTo: Self.mostOfText))")
            }
        }
        return lines
    }

    /// The longest text of a line, in bytes.
    private static let mostOfText = 2_000

    /// The report for programs.
    package var document: CopyDocument.GateReport {
        CopyDocument.GateReport(
            image: "\(image.tagged(image.tag, digest: digest))",
            digest: digest,
            passed: isPassed,
            gates: decisions.map { decision in
                .init(
                    gate: decision.gate,
                    result: decision.result.rawValue,
                    reason: decision.reason,
                    evidence: decision.evidence.map { .init(text: $0.text, digest: $0.digest) },
                    remedy: decision.result == .passed ? nil : decision.remedy
                )
            }
        )
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
