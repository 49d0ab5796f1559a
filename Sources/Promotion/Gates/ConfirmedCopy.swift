package import Content
package import Replicate

/// Verifies the signatures of an image once more at its destination, before a tag is set there.
struct ConfirmedCopy: ReferrerMaking {
    let admission: GateAdmission
    let gate: SignatureGate
    /// Makes the referrers that are added after that.
    let next: (any ReferrerMaking)?
    /// Opens the destination.
    let open: @Sendable (ImageReference) async throws -> OpenedRepository

    func referrers(for tagging: Tagging) async throws -> [AddedReferrer] {
        if let report = admission.report(of: tagging.root.digest)?.signatures {
            let place = try await open(tagging.destination)
            let copy = GateCandidate(
                image: tagging.destination.tagged(nil, digest: tagging.root.digest),
                root: tagging.root,
                source: RunSource(place.access)
            )
            // The destination's identity need not have a right to the keys that were used at the source.
            var gate = gate
            gate.loader = gate.loader ?? admission.keyLoader
            let decision = try await gate.confirm(report, at: copy)
            guard decision.result == .passed else {
                throw CopyError(
                    .gateDenied(
                        .init(text: "the signatures of the copy: \(decision.reason)", remedy: decision.remedy)
                    ),
                    side: .destination,
                    image: copy.image,
                    operation: "verifying the copy"
                )
            }
            admission.note(report.notes(at: tagging.destination, keys: gate.keys))
        }
        return try await next?.referrers(for: tagging) ?? []
    }
}

extension GateAdmission {
    /// Adds to what a run does before it sets a tag that signatures are verified once more at the destination.
    ///
    /// - Parameters:
    ///   - next: Makes the referrers that the run adds; `nil` if it adds none.
    ///   - open: Opens a destination.
    /// - Returns: `next` itself if no gate is about signatures.
    package func confirming(
        _ next: (any ReferrerMaking)?,
        _ open: @escaping @Sendable (ImageReference) async throws -> OpenedRepository
    ) -> (any ReferrerMaking)? {
        guard let gate = gates.gates.lazy.compactMap({ $0 as? SignatureGate }).first else { return next }
        return ConfirmedCopy(admission: self, gate: gate, next: next, open: open)
    }
}
