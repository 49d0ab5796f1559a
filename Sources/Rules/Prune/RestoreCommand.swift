internal import AWSIdentity
internal import Content
internal import Replicate

/// The command that brings back what a deletion takes away.
enum RestoreCommand {
    /// The command for a leftover; `nil` if nothing holds the image after the deletion.
    ///
    /// - Parameters:
    ///   - side: How the repository is reached.
    ///   - sources: Where the image may be, each with how it is reached.
    static func text(
        for leftover: PruneSelection.Leftover,
        in repository: ImageReference,
        _ side: SideOptions,
        from sources: [(listing: SourceListing, side: SideOptions)]
    ) -> String? {
        guard leftover.isWhole else { return retag(leftover.digest, leftover.tags, in: repository, side) }
        let holding = sources.first { source, _ in
            source.images?.contains { $0.digest == leftover.digest && !$0.isArchived } ?? false
        }
        return holding.map { source, options in
            copy(leftover.digest, leftover.tags, from: source.reference, options, to: repository, side)
        }
    }

    /// Sets deleted tags again on an image that stays.
    private static func retag(_ image: Digest, _ tags: [Tag], in repository: ImageReference, _ side: SideOptions)
        -> String
    {
        (["ecr-replicate", "retag"] + flags(side, "") + ["\(repository.tagged(nil, digest: image))"]
            + tags.map(\.value)).joined(separator: " ")
    }

    /// Copies a deleted image again.
    private static func copy(
        _ image: Digest,
        _ tags: [Tag],
        from source: ImageReference,
        _ sourceSide: SideOptions,
        to repository: ImageReference,
        _ side: SideOptions
    ) -> String {
        let more = tags.dropFirst().flatMap { ["--tag", $0.value] }
        return
            (["ecr-replicate", "copy"] + flags(sourceSide, "source-") + flags(side, "destination-") + more
            + ["\(source.tagged(nil, digest: image))", "\(repository.tagged(tags.first))"]).joined(separator: " ")
    }

    /// The identity of a side; an external id is not shown.
    private static func flags(_ side: SideOptions, _ prefix: String) -> [String] {
        let identity = side.identity
        return (identity.profile.map { ["--\(prefix)profile", quoted($0)] } ?? [])
            + (identity.roleARN.map { ["--\(prefix)role-arn", quoted($0)] } ?? [])
    }

    /// A word as a shell reads it.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-", "/", ":", "@", "+", "=", ",": true
            default: false
            }
        }
        return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
    }
}
