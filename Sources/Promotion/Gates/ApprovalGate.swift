internal import Content

/// Requires that the image is on a list of approved digests.
package struct ApprovalGate: Gate {
    package let name = "approved"
    let approval: Approval

    package init(_ approval: Approval) { self.approval = approval }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        let file = "'\(quotable(approval.file, upTo: 200))'"
        guard approval.digests.contains(candidate.digest) else {
            return GateDecision(
                name,
                .failed,
                "\(candidate.digest) is not in \(file)",
                remedy: "have the image approved, and add its digest to \(file)"
            )
        }
        let signed = approval.signer.map { ", signed by \($0)" } ?? ""
        return GateDecision(
            name,
            .passed,
            "\(candidate.digest) is in \(file)\(signed)",
            evidence: [.init("approved by \(file) (\(approval.fileDigest))\(signed)", digest: candidate.digest)]
        )
    }
}
