internal import Content
internal import Replicate

/// The gates that an image must pass, evaluated together.
package struct GateSet: Sendable {
    package let gates: [any Gate]

    package init(_ gates: [any Gate]) { self.gates = gates }

    /// Evaluates all gates side by side.
    ///
    /// Each gate decides, whatever the others say, so that a report names everything that is wrong.
    ///
    /// - Throws: `CancellationError`
    package func evaluate(_ candidate: GateCandidate) async throws -> GateReport {
        let results = try await gates.mapConcurrently(limit: max(gates.count, 1)) { gate in
            do {
                if let gate = gate as? SignatureGate {
                    let report = try await gate.examine(candidate)
                    return (report.decision, Optional(report))
                }
                return (try await gate.decide(about: candidate), nil)
            } catch {
                return (try GateDecision.unreadable(gate.name, error, "the gate could not be evaluated"), nil)
            }
        }
        return GateReport(
            image: candidate.image,
            digest: candidate.digest,
            decisions: results.map(\.0),
            signatures: results.lazy.compactMap(\.1).first
        )
    }
}
