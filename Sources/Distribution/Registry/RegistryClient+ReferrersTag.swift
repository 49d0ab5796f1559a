public import Content
internal import Logging
internal import Platform
internal import Wire

extension RegistryClient {
    /// The most tries at changing a list that other clients change at the same time.
    static let mostListTries = 5

    /// The referrers of `subject` under its fallback tag.
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
    /// Clients must do so at a registry without the referrers API. Present entries keep their places. Registries have
    /// no compare-and-swap: this process changes a list one entry after the other, and reads the tag again to detect a
    /// change by another process.
    ///
    /// - Parameter whole: A list to put unchanged if it has every entry of the registry's list: the source's, so that
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
                "others keep changing the list of referrers \(tag) as well; run again",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
    }

    /// Puts a list.
    ///
    /// If the registry refuses it because of missing entries, puts it without those.
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
                "entries of a list of referrers are left out: what they name is gone",
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
        /// The image itself, because the registry reads `sha256-HEX` as `sha256:HEX`.
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
                "the tag \(tag) should list referrers and holds \(current.mediaType)",
                url: base.at(path: "/v2/\(repository)/manifests/\(tag)")
            )
        }
        return .list(current)
    }

    /// - Source: oras-project/oras-go issue 1396: GitLab's registry takes `sha256-HEX` for the digest
    private func aliased(_ tag: Tag, _ repository: RepositoryName) -> RegistryError {
        RegistryError(
            .writeManifest,
            .other,
            "this registry has no referrers API, and under the tag \(tag), which would list referrers, it gives the image "
                + "itself; so nothing leads from the image to its referrers there",
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
