internal import Content
internal import Replicate

/// Requires that the tags by which the image was chosen at the source can't move.
///
/// An image that is named by its digest alone passes: a digest can't move.
package struct ImmutableTagGate: Gate {
    package let name = "immutable-tag"

    package init() {}

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        guard let first = candidate.tags.first else {
            return GateDecision(name, .passed, "the image is named by its digest, which can't move")
        }
        guard let facts = candidate.source.facts else {
            return GateDecision(
                name,
                .unknown,
                "the source is not ECR, which alone has immutable tags",
                remedy: "name the image by its digest"
            )
        }
        do {
            guard let fixed = try await facts.fixedTags() else {
                return GateDecision(name, .unknown, "the repository does not say whether its tags can move")
            }
            if let tag = candidate.tags.first(where: { !fixed.fixes($0) }) {
                return GateDecision(
                    name,
                    .failed,
                    "the source's tag '\(quotable(tag.value))' can be moved",
                    remedy: "make the source's tags immutable, or name the image by its digest"
                )
            }
            let words =
                candidate.tags.count == 1
                ? "the source's tag '\(quotable(first.value))' is immutable"
                : "the source's \(candidate.tags.count) tags of the image are immutable"
            return GateDecision(name, .passed, words)
        } catch {
            return try .unreadable(name, error, "the repository's settings could not be read")
        }
    }
}
