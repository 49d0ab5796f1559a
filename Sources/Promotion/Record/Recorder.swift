package import Content
package import FoundationEssentials
internal import Platform
package import Replicate

/// Records what a run decides about an image, beside the image.
///
/// One decision is the image, the tag, what the tag held before, and the policy. A tag that holds the image already, and
/// for which there is a record under the same policy, is not recorded again.
///
/// - Source: docs/records.md#when-a-record-is-written
package struct Recorder: ReferrerMaking {
    package var action = PromotionRecord.Action.promote
    /// The ARN of the identity that writes to a repository; `nil` if it is unknown.
    package var caller: @Sendable (_ destination: ImageReference) async -> String? = { _ in nil }
    /// The user's words.
    package var reason: String?
    package var policy: PromotionRecord.Policy?
    /// What the gates said about an image; `nil` if there are none.
    package var gates: (@Sendable (Digest) -> [GateDecision]?)?
    /// Signs the record; `nil` leaves it unsigned.
    package var signer: (any RecordSigning)?
    /// The manifest of the record that is undone.
    package var undoes: Digest?
    package var toolVersion: String
    private let now: @Sendable () -> Date

    package init(toolVersion: String, now: @escaping @Sendable () -> Date = { Date() }) {
        (self.toolVersion, self.now) = (toolVersion, now)
    }

    package func referrers(for tagging: Tagging) async throws -> [AddedReferrer] {
        guard !tagging.destination.registry.isLayout else { return [] }
        let known = try await tagging.referrers(of: tagging.root.digest, where: RecordArtifact.mayBeRecord)
            .compactMap { manifest in RecordDecision(manifest).map { (decision: $0, manifest: manifest) } }
            .filter { $0.decision.repository == tagging.destination.recordName && answersFor($0.decision, $0.manifest) }
        let wanted = changes(tagging, recorded: Set(known.flatMap { $0.decision.tags.map(\.tag) }))
        if wanted.isEmpty, !tagging.tags.isEmpty || known.contains(where: { $0.decision.tags.isEmpty }) { return [] }
        var record = record(of: wanted, tagging, by: await caller(tagging.destination))
        let decision = RecordDecision(record)
        record.repeats =
            known.filter { $0.decision == decision }.map(\.manifest).max {
                created($0) < created($1)
            }?.digest
        do {
            return [try await referrer(record, to: tagging.root.descriptor, at: tagging.destination)]
        } catch let error as RecordSignerError {
            throw CopyError(
                .rejected(code: "not recorded", text: "\(error.problem); \(error.remedy)"),
                side: .destination,
                image: tagging.destination.tagged(nil, digest: tagging.root.digest),
                operation: "recording the promotion"
            )
        }
    }

    /// Whether an earlier record is one of the same action under the same policy, and signed if this one would be.
    private func answersFor(_ decision: RecordDecision, _ manifest: Manifest) -> Bool {
        decision.action == action && decision.policy == policy?.digest && decision.undoes == undoes
            && (signer == nil || manifest.artifactType == RecordFormat.bundleType)
    }

    private func created(_ manifest: Manifest) -> String {
        manifest.annotations[RecordFormat.Annotation.created] ?? ""
    }

    /// The tags to record: those that are set or moved, and those that hold the image without a record.
    private func changes(_ tagging: Tagging, recorded: Set<String>) -> [PromotionRecord.TagChange] {
        tagging.tags.compactMap { planned in
            let tag = planned.tag.value
            switch planned.action {
            case .set: return .init(tag: tag, outcome: .set, before: nil)
            case .move(let held): return .init(tag: tag, outcome: .moved, before: held)
            case .keep:
                return recorded.contains(tag) ? nil : .init(tag: tag, outcome: .kept, before: tagging.root.digest)
            case .skip, .refuse: return nil
            }
        }
    }

    private func record(
        of tags: [PromotionRecord.TagChange],
        _ tagging: Tagging,
        by caller: String?
    ) -> PromotionRecord {
        let root = tagging.root
        let source = tagging.source
        return PromotionRecord(
            formatVersion: RecordFormat.version,
            action: action,
            decidedAt: RecordTime.text(now()),
            by: caller,
            reason: reason,
            image: .init(digest: root.digest, mediaType: root.mediaType.rawValue, size: Int64(root.byteCount)),
            from: .init(repository: source.recordName, tag: source.tag?.value),
            to: .init(repository: tagging.destination.recordName, tag: nil),
            tags: tags,
            policy: policy,
            gates: gates.flatMap { $0(root.digest) }.map { $0.map(PromotionRecord.Gate.init) },
            undoes: undoes,
            repeats: nil,
            tool: .init(name: "ecr-replicate", version: toolVersion)
        )
    }

    private func referrer(
        _ record: PromotionRecord,
        to subject: Descriptor,
        at place: ImageReference
    ) async throws -> AddedReferrer {
        let statement = RecordStatement(record)
        let payload = try statement.json()
        guard payload.count <= RecordFormat.largest / 2 else {
            throw RecordSignerError(
                "the record would have \(ByteCount(Int64(payload.count))), more than is ever read",
                remedy: "promote with fewer tags at a time"
            )
        }
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.statementType, payload: payload)
        if let signer {
            envelope.signatures.append(.init(bytes: try await signer.sign(envelope.signedBytes)))
        }
        var made = try RecordArtifact.referrer(
            statement,
            in: envelope,
            signedBy: signer?.publicKey.fingerprint,
            to: subject
        )
        let digest = made.manifest.digest
        made.note =
            "recorded in \(place.tagged(nil, digest: digest)), "
            + (signer.map { "signed with \(quotable($0.name))" } ?? "unsigned; pass --sign-record KEY to sign records")
        return made
    }
}
