internal import Content

/// Decides whether a tag may be set, before a byte is moved and again right before it is.
///
/// - Source: docs/security.md#a-tag-that-moves-meanwhile
struct TagGuard: Sendable {
    let session: DestinationSession
    let options: CopyOptions

    /// - Throws: ``CopyError`` of kind `refused`, naming both digests.
    func decide(
        _ tags: [Tag],
        for wanted: Digest,
        isReferrer: Bool,
        isList: Bool = false
    ) async throws -> [Plan.PlannedTag] {
        var planned: [Plan.PlannedTag] = []
        for tag in tags.unique() {
            var one = Plan.PlannedTag(tag: tag, digest: wanted, action: .keep, isReferrer: isReferrer, isList: isList)
            one.action = try action(for: one, holding: await session.holds(tag))
            planned.append(one)
        }
        return planned
    }

    /// Refuses if a tag that would move is fixed at the destination.
    ///
    /// Costs a request only when something would move. Where the question is not allowed, `PutImage` decides.
    ///
    /// - Returns: Why tags of referrers can't move, which is no refusal of the image.
    func checkImmutability(of tags: [Plan.PlannedTag]) async throws -> [Tag: CopyError] {
        let moving = tags.filter { if case .move = $0.action { true } else { false } }
        guard !moving.isEmpty, let immutability = try await session.tagImmutability() else { return [:] }
        var refused: [Tag: CopyError] = [:]
        for planned in moving where immutability.fixes(planned.tag) {
            guard case .move(let held) = planned.action else { continue }
            let error = refusal(.tagImmutable(tag: planned.tag, holds: held, wanted: planned.digest), planned.tag)
            guard planned.isReferrer else { throw error }
            refused[planned.tag] = error
        }
        return refused
    }

    /// Reads guarded tags once more, after bytes had to move; the window that is left is documented.
    ///
    /// - Returns: The tags that still have to be set.
    func confirm(_ tags: [Plan.PlannedTag]) async throws -> [Plan.PlannedTag] {
        let ids = tags.map { ManifestID.tag($0.tag) }
        let reading = try await session.repository.read(manifests: [], digests: ids)
        return try tags.map { planned in
            var confirmed = planned
            confirmed.action = try action(for: planned, holding: reading.digests[.tag(planned.tag)])
            return confirmed
        }
    }

    private func action(for planned: Plan.PlannedTag, holding held: Digest?) throws -> Plan.TagAction {
        let (tag, wanted) = (planned.tag, planned.digest)
        if held == wanted { return .keep }
        if planned.isList { return held.map { .move(from: $0) } ?? .set }
        // What must be current is the tag that was asked for; signatures' tags follow it.
        if let expected = options.ifCurrent, !planned.isReferrer {
            guard let held, held == expected else {
                throw refusal(.tagMoved(tag: tag, expected: expected, holds: held), tag)
            }
            return .move(from: held)
        }
        guard let held else { return .set }
        switch options.ifExists {
        case .move: return .move(from: held)
        case .skip: return .skip(holds: held)
        case .fail: throw refusal(.tagHolds(tag: tag, holds: held, wanted: wanted), tag)
        }
    }

    private func refusal(_ reason: CopyError.Reason, _ tag: Tag) -> CopyError {
        session.failure(reason, .tag(tag), "checking the tag")
    }
}
