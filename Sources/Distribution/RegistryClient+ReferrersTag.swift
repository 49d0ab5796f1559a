public import Content
internal import Wire

extension RegistryClient {
    /// How often a list is changed anew because somebody else changed it at the same time.
    static let mostListTries = 5

    /// What the fallback tag of `subject` lists.
    ///
    /// - Returns: Nothing if there is no such tag.
    /// - Throws: as ``manifest(_:of:)``; ``RegistryError`` if the tag holds something else than a list.
    public func listedReferrers(of subject: Digest, in repository: RepositoryName) async throws -> [Descriptor] {
        try await referrersList(try Tag(listingReferrersTo: subject), repository)?.children ?? []
    }

    /// Puts `entries` on the list of what refers to `subject`, under its fallback tag.
    ///
    /// It is a duty of clients where the registry keeps no such list. What is listed already stays, in its place. The
    /// registry offers no way to say "only if nobody was faster": this process goes one at a time, and whether another
    /// one was faster is seen by reading the tag again.
    ///
    /// - Parameter whole: A list that will do as it is, if the registry has nothing that it leaves out: that of the
    ///   source, whose digest then stays the same.
    /// - Throws: ``RegistryError``
    /// - Source: OCI distribution-spec 1.1, "Pushing Manifests with Subject"
    public func list(
        _ entries: [Descriptor],
        asReferrersTo subject: Digest,
        in repository: RepositoryName,
        preferring whole: Manifest? = nil
    ) async throws {
        let tag = try Tag(listingReferrersTo: subject)
        try await turns.inTurn("\(repository):\(tag)") {
            for _ in 0..<Self.mostListTries {
                let current = try await referrersList(tag, repository)
                let next = try (current ?? .emptyList()).listing(entries, preferring: whole)
                guard next.digest != current?.digest else { return }
                try await putManifest(next, as: .tag(tag), in: repository)
                // If it is another one by now, ours may not be in it.
                if try await manifestDigest(.tag(tag), of: repository) == next.digest { return }
            }
            throw RegistryError(
                .writeManifest,
                .other,
                "others keep changing the list of referrers \(tag) as well; run again",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
    }

    private func referrersList(_ tag: Tag, _ repository: RepositoryName) async throws -> Manifest? {
        guard let current = try await manifest(.tag(tag), of: repository) else { return nil }
        guard current.kind == .index else {
            throw RegistryError(
                .writeManifest,
                .other,
                "the tag \(tag) should list referrers and holds \(current.mediaType)",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
        return current
    }
}
