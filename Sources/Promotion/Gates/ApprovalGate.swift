internal import Content
internal import Platform

/// Requires that the image is approved: that its digest is on a list, or a subject of a signed statement.
package struct ApprovalGate: Gate {
    package let name = "approved"
    let approval: Approval
    /// The keys of which one must have signed a statement.
    let keys: [SignatureKey]

    package init(_ approval: Approval, keys: [SignatureKey] = []) { (self.approval, self.keys) = (approval, keys) }

    private var file: String { "'\(quotable(approval.file, upTo: 200))'" }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        guard let envelope = approval.statement else {
            guard approval.digests.contains(candidate.digest) else { return denied("is not in \(file)", candidate) }
            return passed("is in \(file)", candidate)
        }
        do {
            guard let signer = try await signer(of: envelope, candidate) else {
                return GateDecision(
                    name,
                    .failed,
                    "the statement in \(file) is not signed by \(keys.map(\.argument).joined(separator: ", "))",
                    remedy: "have the statement signed by one of these keys"
                )
            }
            let statement = try InTotoStatement(of: envelope)
            guard statement.predicateType == Approval.predicateType else {
                return GateDecision(
                    name,
                    .failed,
                    "the statement in \(file) claims '\(quotable(statement.predicateType, upTo: 100))', and no approval",
                    remedy: "sign a statement of the predicate type \(Approval.predicateType)"
                )
            }
            guard statement.isAbout(candidate.digest) else {
                return denied("is not a subject of the statement in \(file)", candidate)
            }
            return passed("is approved by the statement in \(file), signed by \(signer)", candidate)
        } catch let problem as SignatureProblem {
            let remedy = "name a DSSE envelope with an in-toto statement about approved images"
            return GateDecision(name, .unknown, "the statement in \(file): \(problem.reason)", remedy: remedy)
        } catch {
            return try .unreadable(name, error, "the key for \(file) could not be read")
        }
    }

    /// The first of the keys that has signed; `nil` for none.
    private func signer(of envelope: DSSEEnvelope, _ candidate: GateCandidate) async throws -> String? {
        let loader = candidate.source as? any SignatureKeyLoading
        for key in keys {
            let loaded = try await LoadedKey(key, loader)
            if let fitting = loaded.keys.first(where: { envelope.isSigned(by: $0.key) }) {
                return quotable(fitting.name, upTo: 200)
            }
        }
        return nil
    }

    private func passed(_ text: String, _ candidate: GateCandidate) -> GateDecision {
        GateDecision(
            name,
            .passed,
            "\(candidate.digest) \(text)",
            evidence: [.init("approved by \(file), \(approval.fileDigest)", digest: candidate.digest)]
        )
    }

    private func denied(_ text: String, _ candidate: GateCandidate) -> GateDecision {
        GateDecision(
            name,
            .failed,
            "\(candidate.digest) \(text)",
            remedy: "have the image approved, and add its digest to \(file)"
        )
    }
}
