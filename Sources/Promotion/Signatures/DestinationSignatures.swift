package import Content

extension SignatureGate {
    /// Verifies the signatures of an image once more where it was copied to.
    ///
    /// - Parameters:
    ///   - report: What ``examine(_:)`` said at the source.
    ///   - copy: The image at the destination, with a source that reads there.
    /// - Returns: A decision about the copy; it passes if each signature that fits at the source is there and fits.
    /// - Throws: `CancellationError` only.
    package func confirm(_ report: SignatureReport, at copy: GateCandidate) async throws -> GateDecision {
        // A trust policy that names repositories names the source's: what it allowed there is asked of the copy.
        let there = try await examine(copy, as: report.repository)
        var decision = there.decision
        guard decision.result == .passed else { return decision }
        let arrived = Set(there.verified.map(\.identity))
        let missing = report.verified.filter { !arrived.contains($0.identity) }
        guard let first = missing.first else { return decision }
        decision.result = .failed
        decision.reason =
            "\(missing.count) of \(report.verified.count) signatures did not arrive, such as \(first.manifest)"
        decision.remedy = "copy the image again with its referrers"
        return decision
    }
}

extension SignatureReport {
    /// Where verifiers at the destination would refuse what was verified here, in words for people.
    ///
    /// - Parameters:
    ///   - destination: The repository that the image was copied to.
    ///   - keys: The keys that were required, for their trust policies.
    /// - Source: docs/facts/signatures.md#verifiers-at-the-destination
    package func notes(at destination: ImageReference, keys: [SignatureKey]) -> [String] {
        var notes: [String] = []
        let repository = destination.bare.description
        for case .store(let store) in keys.map(\.content) {
            guard let policy = store.policy, policy.statement(for: repository) == nil else { continue }
            notes.append(
                "notation refuses the signatures at '\(quotable(repository, upTo: 300))': no statement of the trust policy in "
                    + "'\(quotable(store.path, upTo: 200))' has this repository among its registryScopes"
            )
        }
        let forms = Set(verified.map(\.form))
        if forms.contains(SignatureSearch.Found.Form.bundle.rawValue),
            !forms.contains(SignatureSearch.Found.Form.tag.rawValue)
        {
            notes.append(
                "policy-controller refuses the image unless its policy has 'signatureFormat: bundle': the signatures that fit "
                    + "are Sigstore bundles, and none is under the tag 'sha256-….sig'"
            )
        }
        return notes
    }
}
