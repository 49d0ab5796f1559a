internal import AWSIdentity
package import FoundationEssentials
internal import Wire

/// Requires that ECR received the image long enough ago.
///
/// The time is ECR's push time of the digest. The creation time in an image's config is never used: the build can write
/// any time there.
package struct AgeGate: Gate {
    package let name = "min-age"
    let age: Duration
    let now: @Sendable () -> Date

    package init(_ age: Duration, now: @escaping @Sendable () -> Date) { (self.age, self.now) = (age, now) }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        guard let facts = candidate.source.facts else {
            return GateDecision(
                name,
                .unknown,
                "the source is not ECR, which alone says when it received an image",
                remedy: "promote from an ECR repository"
            )
        }
        do {
            guard let pushed = try await facts.pushTime(of: candidate.digest) else {
                return GateDecision(name, .unknown, "ECR does not say when it received the image")
            }
            let qualifies = pushed.addingTimeInterval(Double(age.components.seconds))
            let evidence = [GateDecision.Evidence("pushed at \(AWSTime.extended(pushed))", digest: candidate.digest)]
            guard now() >= qualifies else {
                return GateDecision(
                    name,
                    .failed,
                    "pushed at \(AWSTime.extended(pushed)), less than \(age.inWords) ago; "
                        + "qualifies at \(AWSTime.extended(qualifies))",
                    evidence: evidence,
                    remedy: "promote it after \(AWSTime.extended(qualifies))"
                )
            }
            return GateDecision(
                name,
                .passed,
                "pushed at \(AWSTime.extended(pushed)), at least \(age.inWords) ago",
                evidence: evidence
            )
        } catch {
            return try .unreadable(name, error, "the time of the push could not be read")
        }
    }
}
