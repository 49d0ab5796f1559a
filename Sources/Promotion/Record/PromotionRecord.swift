package import Content

/// What was decided about an image: who put it under which tags, when, from where, and what the gates said.
///
/// It is the predicate of a record, or a member of it: see ``RecordStatement``.
///
/// - Source: docs/records.md#format
package struct PromotionRecord: Codable, Sendable, Hashable {
    /// What was done; an open set, since later versions may do more.
    package struct Action: RawRepresentable, Codable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package static let promote = Action(rawValue: "promote")
        package static let undo = Action(rawValue: "undo")
    }

    package struct Image: Codable, Sendable, Hashable {
        package var digest: Digest
        package var mediaType: String
        /// The size of the manifest, in bytes.
        package var size: Int64
    }

    package struct Place: Codable, Sendable, Hashable {
        /// The repository, without tag and digest.
        package var repository: String
        /// The tag that the source was named by, if any.
        package var tag: String?
    }

    /// A tag of the destination.
    package struct TagChange: Codable, Sendable, Hashable {
        package struct Outcome: RawRepresentable, Codable, Sendable, Hashable {
            package let rawValue: String
            package init(rawValue: String) { self.rawValue = rawValue }
            /// The tag did not exist.
            package static let set = Outcome(rawValue: "set")
            /// The tag held another image.
            package static let moved = Outcome(rawValue: "moved")
            /// The tag held the image already.
            package static let kept = Outcome(rawValue: "kept")
        }

        package var tag: String
        package var outcome: Outcome
        /// The digest that the tag held when the plan was made; `nil` if there was no such tag.
        package var before: Digest?

        package init(tag: String, outcome: Outcome, before: Digest?) {
            (self.tag, self.outcome, self.before) = (tag, outcome, before)
        }
    }

    /// The rules that were applied.
    package struct Policy: Codable, Sendable, Hashable {
        /// The rule file and the rule, or `command line`.
        package var name: String
        /// The digest of the rule file; for gates of the command line, the digest of their text.
        package var digest: Digest

        package init(name: String, digest: Digest) { (self.name, self.digest) = (name, digest) }
    }

    /// What one gate said.
    package struct Gate: Codable, Sendable, Hashable {
        package var gate: String
        package var result: String
        package var reason: String
        package var evidence: [Evidence]
        /// The number of pieces of evidence that the record leaves out; absent if there are none.
        package var evidenceLeftOut: Int?
    }

    package struct Evidence: Codable, Sendable, Hashable {
        package var text: String
        package var digest: Digest?
    }

    package struct Tool: Codable, Sendable, Hashable {
        package var name: String
        package var version: String
    }

    package var formatVersion: Int
    package var action: Action
    /// The time of the decision: `2026-01-15T12:00:00.000Z`.
    package var decidedAt: String
    /// The ARN of the identity that wrote to the destination, as STS reports it; `nil` if it is unknown.
    package var by: String?
    /// The user's words (`--reason`).
    package var reason: String?
    package var image: Image
    package var from: Place
    package var to: Place
    package var tags: [TagChange]
    package var policy: Policy?
    /// `nil` if there were none.
    package var gates: [Gate]?
    /// The manifest of the record that is undone.
    package var undoes: Digest?
    /// The manifest of an earlier record of the same decision, after which the tags did not hold the image.
    package var repeats: Digest?
    package var tool: Tool
}

extension PromotionRecord.Gate {
    package init(_ decision: GateDecision) {
        gate = printable(decision.gate, upTo: RecordFormat.longestText)
        result = decision.result.rawValue
        reason = printable(decision.reason, upTo: RecordFormat.longestText)
        evidence = decision.evidence.prefix(RecordFormat.mostEvidence).map {
            PromotionRecord.Evidence(text: printable($0.text, upTo: RecordFormat.longestText), digest: $0.digest)
        }
        let leftOut = decision.evidence.count - evidence.count
        evidenceLeftOut = leftOut > 0 ? leftOut : nil
    }
}
