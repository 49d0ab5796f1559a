internal import Content

/// Decides about each tag, before any byte is moved and again right before the tag is set.
///
/// ECR has no compare-and-swap, so there is a short time in which another writer can move the tag.
struct TagGuard: Sendable {
    let state: DestinationState
    let options: CopyOptions

    /// What to do with each of `tags`, given what the destination's tag points at.
    func decide(
        _ tags: [Tag],
        for wanted: Digest,
        isReferrer: Bool,
        isList: Bool = false
    ) async -> [Plan.PlannedTag] {
        var planned: [Plan.PlannedTag] = []
        for tag in tags.unique() {
            var one = Plan.PlannedTag(tag: tag, digest: wanted, action: .keep, isReferrer: isReferrer, isList: isList)
            one.action = action(for: one, holding: await state.holds(tag))
            planned.append(one)
        }
        return planned
    }

    /// Refuses every tag that would move and is immutable at the destination.
    ///
    /// This costs a request only if a tag would move. If the caller may not ask, `PutImage` decides.
    ///
    /// - Returns: The referrers' tags that can't move, with the reason; this doesn't refuse the image.
    func refuseImmutable(_ tags: inout [Plan.PlannedTag]) async throws -> [Tag: CopyError] {
        let moves = tags.contains { if case .move = $0.action { true } else { false } }
        guard moves, let immutability = try await state.tagImmutability() else { return [:] }
        var referrers: [Tag: CopyError] = [:]
        for index in tags.indices where immutability.fixes(tags[index].tag) {
            let planned = tags[index]
            guard case .move(let held) = planned.action else { continue }
            let error = refusal(.tagImmutable(tag: planned.tag, holds: held, wanted: planned.digest), planned.tag)
            if planned.isReferrer { referrers[planned.tag] = error } else { tags[index].action = .refuse(error) }
        }
        return referrers
    }

    /// Reads guarded tags again, after bytes had to move.
    ///
    /// - Returns: The tags with what to do with them now.
    /// - Throws: ``CopyError`` of kind `refused` if a tag must no longer be set.
    func confirm(_ tags: [Plan.PlannedTag]) async throws -> [Plan.PlannedTag] {
        let ids = tags.map { ManifestID.tag($0.tag) }
        let reading = try await state.repository.read(manifests: [], digests: ids)
        return try tags.map { planned in
            var confirmed = planned
            confirmed.action = action(for: planned, holding: reading.digests[.tag(planned.tag)])
            if let refusal = confirmed.refusal { throw refusal }
            return confirmed
        }
    }

    private func action(for planned: Plan.PlannedTag, holding held: Digest?) -> Plan.TagAction {
        let (tag, wanted) = (planned.tag, planned.digest)
        if held == wanted { return .keep }
        if planned.isList { return held.map { .move(from: $0) } ?? .set }
        if !planned.isReferrer, let expected = options.expected[tag] {
            guard held == expected else { return .refuse(refusal(unexpected(tag, expected, held, wanted), tag)) }
            return held.map { .move(from: $0) } ?? .set
        }
        // `--if-current` is about the tag that was asked for; the tags of signatures follow it.
        if let expected = options.ifCurrent, !planned.isReferrer {
            guard let held, held == expected else {
                return .refuse(refusal(.tagMoved(tag: tag, expected: expected, holds: held), tag))
            }
            return .move(from: held)
        }
        guard let held else { return .set }
        switch options.ifExists {
        case .move: return .move(from: held)
        case .skip: return .skip(holds: held)
        case .fail: return .refuse(refusal(.tagHolds(tag: tag, holds: held, wanted: wanted), tag))
        }
    }

    private func unexpected(_ tag: Tag, _ expected: Digest?, _ held: Digest?, _ wanted: Digest) -> CopyError.Reason {
        if let expected { return .tagMoved(tag: tag, expected: expected, holds: held) }
        return .tagHolds(tag: tag, holds: held ?? wanted, wanted: wanted)
    }

    private func refusal(_ reason: CopyError.Reason, _ tag: Tag) -> CopyError {
        state.failure(reason, .tag(tag), "checking the tag")
    }
}
