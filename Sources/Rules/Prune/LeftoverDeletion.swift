internal import Content
internal import Replicate

/// Deletes leftovers of one destination repository: what needs others before what others need.
struct LeftoverDeletion: Sendable {
    let run: CopyRun
    let listing: DestinationListing
    /// Called with each line about a deletion, before it happens.
    let announce: @Sendable (String) -> Void

    /// Says what is deleted, then deletes it.
    ///
    /// - Parameters:
    ///   - leftovers: By their level, as in a selection.
    ///   - outcomes: One for each of the leftovers, in their order.
    func carryOut(
        _ leftovers: [PruneSelection.Leftover],
        _ outcomes: inout [ImageOutcome],
        at repository: ImageReference
    ) async {
        announce("pruning \(repository):")
        for outcome in outcomes { outcome.deletionLines.forEach(announce) }
        // The images that are still there, each with how its deletion ended.
        var present: [Digest: ImageOutcome.State] = [:]
        let levels = Dictionary(grouping: leftovers.indices) { leftovers[$0].level }
        for (_, indices) in levels.sorted(by: { $0.key < $1.key }) {
            var tried: [Int] = []
            for index in indices {
                let leftover = leftovers[index]
                guard leftover.isWhole, let needing = leftover.neededBy.first(where: { present[$0] != nil }) else {
                    tried.append(index)
                    continue
                }
                let isStopped = present[needing] == .stopped
                outcomes[index].state = isStopped ? .stopped : .failed(.notDeleted(leftover.digest, for: needing))
                present[leftover.digest] = outcomes[index].state
            }
            let results = await run.delete(tried.flatMap { leftovers[$0].ids }, at: listing)
            for index in tried {
                outcomes[index].state = .done
                for id in leftovers[index].ids {
                    switch results[id] {
                    case .deleted: continue
                    case .failed(let error): outcomes[index].state = .failed(OutcomeProblem(error))
                    case .stopped, nil: outcomes[index].state = .stopped
                    }
                }
                if leftovers[index].isWhole, outcomes[index].state != .done {
                    present[leftovers[index].digest] = outcomes[index].state
                }
            }
        }
    }
}

extension ImageOutcome {
    /// The deletion of a leftover, before it happens.
    init(deleting leftover: PruneSelection.Leftover, at repository: ImageReference, restore: String?) {
        self.init(
            source: repository.tagged(leftover.tags.first, digest: leftover.digest),
            digest: leftover.digest,
            mediaType: leftover.mediaType,
            tags: leftover.tags.map { .init($0, .delete, before: leftover.digest) },
            action: .delete,
            state: .planned
        )
        self.restore = restore
        deletesImage = leftover.isWhole
    }

    /// A deletion for people, before it happens.
    fileprivate var deletionLines: [String] {
        let what = tags.isEmpty ? "" : tags.map(\.tag.value).joined(separator: ", ") + "  "
        return ["  - \(what)\(digest.map(\.description) ?? "")", "      \(restoreText)"]
    }

    /// How to undo a deletion, in words.
    var restoreText: String { restore.map { "to restore it: \($0)" } ?? "cannot be restored" }
}

extension OutcomeProblem {
    /// The reason of ``tooManyDeletions(_:_:at:)``.
    static let tooManyDeletions = "maxDelete"

    static func tooManyDeletions(
        _ count: Int,
        _ most: Int,
        at repository: ImageReference
    ) -> OutcomeProblem {
        OutcomeProblem(
            reason: tooManyDeletions,
            "\(counted(count, "deletion")) at \(repository) would be more than maxDelete, \(most): nothing is deleted",
            remedy: "look at what the rule selects, then raise maxDelete, or delete by hand what has to go"
        )
    }

    /// The failure of an image that stays because another that needs it could not be deleted.
    fileprivate static func notDeleted(_ image: Digest, for needing: Digest) -> OutcomeProblem {
        OutcomeProblem(
            reason: notDeleted,
            "\(image) is not deleted, because \(needing) needs it and could not be deleted",
            kind: .failed
        )
    }

    /// The reason of deletions that were not tried.
    static let notDeleted = "notDeleted"

    /// Whether it is about deletions alone, so that every copy was made all the same.
    var isAboutPruning: Bool { reason == Self.tooManyDeletions }
}
