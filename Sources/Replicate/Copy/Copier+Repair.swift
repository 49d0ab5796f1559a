internal import Content

/// Sends content again that a registry has lost: it refuses a manifest and says what is missing.
extension Copier {
    /// Puts a manifest, and copies what the registry says is missing.
    ///
    /// Each digest is copied once; some registries name one at a time.
    func putRepairing(_ manifest: Manifest, tag: Tag?) async throws {
        var named: Set<Digest> = []
        for refusals in 0... {
            do {
                return try await state.repository.put(manifest, tag: tag)
            } catch let error as CopyError {
                let isNew = refusals == 0 || !error.digests.isSubset(of: named)
                guard isNew, refusals < Self.mostRefusals, error.isAboutMissingContent(of: manifest) else {
                    throw explained(error, manifest)
                }
                named.formUnion(error.digests)
                try await sendAgain(what: error, saysIsMissingOf: manifest)
            }
        }
    }

    /// The most refusals of one manifest; ECR takes images of at most 4,200 layers, and real ones have at most a
    /// hundred.
    static let mostRefusals = 256

    /// The error for a refused manifest, which says so if the manifest is an index of blobs.
    private func explained(_ error: CopyError, _ manifest: Manifest) -> CopyError {
        guard case .rejected(let code, let text) = error.reason, !manifest.blobEntries.isEmpty else { return error }
        var error = error
        error.reason = .refusedIndexOfBlobs(manifest, answer: printable("\(code) \(text)", upTo: 300))
        return error
    }

    /// Copies the content that a refusal names again, whatever the registry said about it before.
    ///
    /// If the refusal names nothing, the registry is asked again for everything, and what is missing is copied. If it
    /// claims to have everything, everything is copied.
    ///
    /// - Source: docs/architecture.md#trust-in-registries
    private func sendAgain(what error: CopyError, saysIsMissingOf manifest: Manifest) async throws {
        let named = error.digests.intersection(manifest.content)
        let all = manifest.blobs.map(\.digest) + manifest.children.map(\.digest)
        var wanted = named
        if named.isEmpty {
            wanted = try await state.repository.missing(manifest.blobs)
            let children = manifest.children.map(\.digest)
            wanted.formUnion(Set(children).subtracting(try await state.repository.holding(children.unique())))
            // If the registry claims to have everything, a child may have lost content below it.
            if wanted.isEmpty { wanted = Set(children) }
            // Without children, it must be one of the blobs, even if the registry claims to have them.
            if wanted.isEmpty { wanted = Set(manifest.blobs.map(\.digest)) }
        }
        // A registry may check more than one level.
        let deeper = plan.manifests.map(\.manifest).flatMap(\.blobs)
        var seen = Set(all)
        for blob in deeper where error.digests.contains(blob.digest) && seen.insert(blob.digest).inserted {
            count(try await mover.moveAgain(BlobTransfer(blob, from: source, to: state.repository)), blob)
        }
        for digest in all.unique() where wanted.contains(digest) {
            if let blob = manifest.blobs.first(where: { $0.digest == digest }) {
                count(try await mover.moveAgain(BlobTransfer(blob, from: source, to: state.repository)), blob)
            } else if let child = try await known(digest) {
                // This must not queue for the slot of large manifests, which the caller may hold.
                try await putWhole(child, tag: nil)
            }
        }
    }

    /// A manifest of the plan, or one that the plan left out because the destination seemed to have it.
    private func known(_ digest: Digest) async throws -> Manifest? {
        if let planned = plan.manifest(digest) { return planned }
        return try await source.read([.digest(digest)]).manifests[.digest(digest)]
    }
}

extension Manifest {
    /// Everything that the registry must hold before this manifest.
    fileprivate var content: Set<Digest> { Set(blobs.map(\.digest) + children.map(\.digest)) }
}

extension CopyError {
    /// Whether a registry rejected a manifest because content that it names is missing.
    ///
    /// Registries use different codes for this; an error that names content of the manifest counts as being about that
    /// content.
    ///
    /// - Source: OCI distribution-spec 1.1, "Error Codes"; docs/facts/ecr-api.md#putimage
    func isAboutMissingContent(of manifest: Manifest) -> Bool {
        switch reason {
        case .rejected(let code, _):
            Self.missingContent.contains(code) || !digests.isDisjoint(with: manifest.content)
        case .imageMissing, .blobMissing: side == .destination
        default: false
        }
    }

    private static let missingContent: Set<String> = [
        "LayersNotFoundException", "ReferencedImagesNotFoundException", "MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN",
        "MANIFEST_UNKNOWN",
    ]
}
