public import Content
internal import Logging
internal import Platform
internal import Wire

extension RegistryClient {
    /// The most attempts to change a list that other clients change at the same time.
    static let mostListTries = 5

    /// Returns the referrers of `subject` under its fallback tag.
    ///
    /// - Returns: Empty if the tag or the repository doesn't exist.
    /// - Throws: as ``manifest(_:of:)``; ``RegistryError`` if the tag does not hold a list.
    public func listedReferrers(of subject: Digest, in repository: RepositoryName) async throws -> [Descriptor] {
        let tag = try Tag(listingReferrersTo: subject)
        switch try await held(by: tag, of: subject, repository) {
        case .nothing, .subject: return []
        case .list(let list): return list.children.filter { $0.digest != subject }
        }
    }

    /// Adds `entries` to the list of referrers under the fallback tag of `subject`.
    ///
    /// Clients must do so at a registry without the referrers API. Entries that are listed already keep their position.
    /// Registries have no compare-and-swap: this process makes one change at a time, and reads the tag again to detect a
    /// change by another process.
    ///
    /// - Parameter whole: The source's list, which is put unchanged if it has every entry of the registry's list, so that
    ///   its digest stays the same.
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
                let current: Manifest?
                switch try await held(by: tag, of: subject, repository) {
                case .nothing: current = nil
                case .list(let list): current = list
                case .subject: throw aliased(tag, repository)
                }
                let next = try (current ?? .emptyList()).listing(entries, preferring: whole)
                guard next.digest != current?.digest else { return }
                let stored = try await put(next, as: tag, in: repository)
                // If the tag holds another list by now, our entries may be missing.
                let held = try await manifestDigest(.tag(tag), of: repository)
                if held == stored { return }
                if held == subject { throw aliased(tag, repository) }
            }
            throw RegistryError(
                .writeManifest,
                .other,
                "other clients keep changing the list of referrers \(tag); run again",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
    }

    /// Puts a list, without its missing entries if the registry refuses it because of them.
    ///
    /// - Returns: The digest of the list that was put.
    private func put(_ next: Manifest, as tag: Tag, in repository: RepositoryName) async throws -> Digest {
        do {
            try await putManifest(next, as: .tag(tag), in: repository)
            return next.digest
        } catch let error as RegistryError where error.isAboutTheContent {
            var gone: Set<Digest> = []
            for entry in next.children where !gone.contains(entry.digest) {
                if try await manifestDigest(.digest(entry.digest), of: repository) == nil { gone.insert(entry.digest) }
            }
            let rest = try next.listing { gone.contains($0.digest) }
            guard rest.digest != next.digest else { throw error }
            logger.notice(
                "entries of a list of referrers are left out: their manifests no longer exist",
                metadata: ["tag": "\(tag)", "repository": "\(repository)", "count": "\(gone.count)"]
            )
            try await putManifest(rest, as: .tag(tag), in: repository)
            return rest.digest
        }
    }

    /// The content of a fallback tag.
    private enum Held {
        case nothing
        case list(Manifest)
        /// The image itself, because the registry treats `sha256-HEX` as `sha256:HEX`.
        case subject
    }

    private func held(by tag: Tag, of subject: Digest, _ repository: RepositoryName) async throws -> Held {
        let current: Manifest?
        do {
            current = try await manifest(.tag(tag), of: repository)
        } catch let error as RegistryError where error.kind == .repositoryMissing {
            return .nothing
        }
        guard let current else { return .nothing }
        guard current.digest != subject else { return .subject }
        guard current.kind == .index else {
            throw RegistryError(
                .writeManifest,
                .other,
                "the tag \(tag) holds \(current.mediaType) instead of a list of referrers",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
        return .list(current)
    }

    /// Makes the error for a fallback tag that is an alias of the image.
    ///
    /// - Source: oras-project/oras-go issue 1396: GitLab's registry treats `sha256-HEX` as the digest
    private func aliased(_ tag: Tag, _ repository: RepositoryName) -> RegistryError {
        RegistryError(
            .writeManifest,
            .other,
            "this registry has no referrers API, and for the tag \(tag), which should list referrers, it returns the image "
                + "itself; so the image's referrers can't be found there",
            url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
        )
    }
}

extension RegistryError {
    /// Whether the refusal may be about the content that was sent.
    fileprivate var isAboutTheContent: Bool {
        (400..<500).contains(status) && ![401, 403].contains(status) && retryAdvice == .never
            && kind != .repositoryMissing
    }
}
