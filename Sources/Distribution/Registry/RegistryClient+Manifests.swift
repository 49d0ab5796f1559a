public import Content
internal import HTTPTypes
internal import Wire

/// A manifest's name within its repository: a tag or a digest.
public enum ManifestReference: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)

    public var description: String {
        switch self {
        case .tag(let tag): tag.value
        case .digest(let digest): digest.description
        }
    }
}

/// The registry's answer after it stored a manifest.
public struct StoredManifest: Sendable, Equatable {
    /// The digest in the answer; `nil` if there is none.
    public var digest: Digest?
    /// Whether the registry lists the manifest as a referrer of its subject; if not, the client must.
    public var isListed: Bool

    public init(digest: Digest?, isListed: Bool) {
        self.digest = digest
        self.isListed = isListed
    }
}

extension RegistryClient {
    /// Reads a manifest, byte for byte, and checks that it is the requested one.
    ///
    /// The digest is computed here: ECR's GET doesn't state it (docs/facts/ecr-registry.md#manifests). A stated digest
    /// must be equal. If GET of a tag states none, HEAD is sent too, because a changed byte would not be noticed
    /// otherwise. A wrong or malformed body is requested again. Redirects are followed, as for blobs.
    ///
    /// - Returns: `nil` if the repository has no such manifest.
    /// - Throws: ``RegistryError`` (``RegistryError/Kind/repositoryMissing`` if the registry says so), `ManifestError`
    ///   if the bytes are not a manifest, `WireError` `.corrupt` if the digest is wrong. A manifest of more than
    ///   `limit` bytes is `WireError` `.answerTooLarge`.
    public func manifest(
        _ reference: ManifestReference,
        of repository: RepositoryName,
        upTo limit: Int = Manifest.largestByteCount
    ) async throws -> Manifest? {
        try await content(reference, of: repository, mayAsk: true, upTo: limit)?.manifest.get()
    }

    /// The digest of the bytes that a registry returned, and the manifest if they are one.
    private struct StoredContent {
        var digest: Digest
        var manifest: Result<Manifest, ManifestError>
    }

    /// Reads the bytes of a manifest.
    ///
    /// - Parameter mayAsk: Whether to send HEAD for a digest that GET doesn't state.
    private func content(
        _ reference: ManifestReference,
        of repository: RepositoryName,
        mayAsk: Bool,
        upTo limit: Int = Manifest.largestByteCount
    ) async throws -> StoredContent? {
        var request = manifestRequest(.get, reference, repository)
        request.largestAnswer = limit
        request.decodesAnswer = true
        return try await repeatingIfDamaged {
            let (response, last) = try await performFollowing(.readManifest, request) {
                [200, 404].contains($0.status.code)
            }
            if response.status == .notFound {
                try refuseMissingRepository(.readManifest, response, to: last)
                return nil
            }
            let type = response.fields[.contentType].map { MediaType($0) }
            if let encoding = response.undecodedEncoding,
                (try? Manifest(bytes: response.body, mediaType: type)) == nil
            {
                throw ManifestError.encoded(encoding)
            }
            let digest = Digest(of: response.body)
            try check(digest, against: reference, response, at: last.url)
            let manifest: Result<Manifest, ManifestError>
            do throws(ManifestError) {
                manifest = .success(try Manifest(bytes: response.body, mediaType: type))
            } catch {
                // Some registries report a missing repository with 200.
                let unwanted = self.error(.readManifest, response, to: last)
                if unwanted.kind == .repositoryMissing { throw unwanted }
                guard !mayAsk, !error.mayBeDamage else { throw error }
                manifest = .failure(error)
            }
            if mayAsk, case .tag = reference, statedDigest(response) == nil,
                let stated = try await headDigest(reference, of: repository) ?? nil, stated != digest
            {
                throw WireError(
                    .corrupt,
                    "the manifest hashes to \(digest), but the registry says \(stated)",
                    url: last.url
                )
            }
            return StoredContent(digest: digest, manifest: manifest)
        }
    }

    /// Returns the digest of a tag, or checks that a digest exists, by HEAD if possible.
    ///
    /// If the answer to HEAD is unclear, GET is sent. The manifest need not be one that this program can read.
    ///
    /// - Returns: `nil` if there is none; HEAD has no body, so a missing repository looks the same.
    /// - Throws: as ``manifest(_:of:)``
    public func manifestDigest(_ reference: ManifestReference, of repository: RepositoryName) async throws -> Digest? {
        if let stated = try await headDigest(reference, of: repository) { return stated }
        return try await content(reference, of: repository, mayAsk: false)?.digest
    }

    /// Whether HEAD gives a clear answer for a reference.
    ///
    /// - Throws: as ``manifest(_:of:)``
    public func headTells(_ reference: ManifestReference, of repository: RepositoryName) async throws -> Bool {
        try await headDigest(reference, of: repository) != nil
    }

    /// Sends HEAD, which some registries answer with 400, 401, 403 or 405, or with a useless redirect.
    ///
    /// - Returns: `nil` if the answer is unclear; else a digest, or that there is no manifest.
    private func headDigest(_ reference: ManifestReference, of repository: RepositoryName) async throws -> Digest?? {
        let request = manifestRequest(.head, reference, repository)
        do {
            // A web page at another host says nothing about the manifest, whatever its status.
            let (response, last) = try await performFollowing(
                .readManifest,
                request,
                // The body of GET explains a 500, for example by a missing repository.
                accepting: { isOwn($1) ? isServerFault($0.status.code) : $0.status.code < 500 },
                returning: { _ in true }
            )
            switch response.status.code {
            // After a redirect to a web page, 404 means that the page is missing.
            case 404 where last.url.path.hasPrefix("/v2/"): return .some(nil)
            case 200:
                guard let digest = statedDigest(response) else { return nil }
                // A different digest is unclear, and GET can be checked.
                if case .digest(let wanted) = reference, digest != wanted { return nil }
                return digest
            default: return nil
            }
        } catch let error as WireError where error.reason == .badRedirect {
            return nil
        } catch let error as RegistryError where error.kind == .serverFault {
            return nil
        }
    }

    /// Stores a manifest under a tag or its digest; the content that it names must be there already.
    ///
    /// A repeat has no further effect.
    ///
    /// - Throws: ``RegistryError``
    @discardableResult
    public func putManifest(
        _ manifest: Manifest,
        as reference: ManifestReference,
        in repository: RepositoryName
    ) async throws -> StoredManifest {
        var request = manifestRequest(.put, reference, repository)
        request.fields = [.contentType: manifest.mediaType.rawValue]
        request.body = manifest.bytes
        var mayRenew = true
        let response = try await retrying {
            try await attempt(.writeManifest, request, mayRenew: &mayRenew) { response, _ in
                refusesForeignLayers(response, manifest)
            } returning: {
                (200...204).contains($0.status.code)
            }
        }
        if refusesForeignLayers(response, manifest) {
            throw error(.writeManifest, response, to: request, as: .foreignLayersRefused, retrying: .never)
        }
        let stated = statedDigest(response)
        guard stated == nil || stated == manifest.digest else {
            throw RegistryError(
                .writeManifest,
                .malformedAnswer,
                "the registry stored \(stated?.description ?? "") instead of \(manifest.digest)",
                url: request.url,
                status: response.status.code
            )
        }
        let subject = HTTPField.Name("OCI-Subject").flatMap { response.fields[$0] }
        return StoredManifest(digest: stated, isListed: subject != nil)
    }

    /// Whether an answer probably refuses a manifest because of its foreign layers.
    ///
    /// docker-registry always answers 500 `UNKNOWN` for layers whose `urls` its `validation.manifests.urls` does not
    /// allow; others answer that the manifest is invalid, or that the layer is missing. An overloaded registry uses
    /// another status.
    ///
    /// - Source: distribution/distribution, `registry/storage/schema2manifesthandler.go`;
    ///   google/go-containerregistry#709
    private func refusesForeignLayers(_ response: WireResponse, _ manifest: Manifest) -> Bool {
        let foreign = manifest.foreignBlobs
        guard !foreign.isEmpty else { return false }
        let text = String(decoding: response.body.prefix(RegistryError.longestBody), as: UTF8.self)
        switch response.status.code {
        case 500: return text.isEmpty || text.contains("\"UNKNOWN\"") || !text.contains("\"code\"")
        case 401, 403, 408, 429: return false
        case 400..<500:
            return text.contains("MANIFEST_INVALID") || text.lowercased().contains("url")
                || foreign.contains { text.contains($0.digest.description) }
        default: return false
        }
    }

    /// Returns the `Docker-Content-Digest`, if it is present and SHA-256.
    func statedDigest(_ response: WireResponse) -> Digest? {
        HTTPField.Name("Docker-Content-Digest")
            .flatMap { response.fields[$0] }
            .flatMap { try? Digest(parsing: $0) }
    }

    /// Throws if a 404 is about the repository and not about the manifest, or if its body was cut.
    func refuseMissingRepository(
        _ operation: RegistryError.Operation,
        _ response: WireResponse,
        to request: WireRequest
    ) throws {
        let error = error(operation, response, to: request)
        if error.kind == .repositoryMissing { throw error }
        // A 404 is never retried because of its status, so this one was cut.
        if error.retryAdvice != .never { throw malformed(operation, error.message, response, request) }
    }

    private func check(
        _ digest: Digest,
        against reference: ManifestReference,
        _ response: WireResponse,
        at url: HTTPURL
    ) throws {
        if case .digest(let wanted) = reference, digest != wanted {
            throw WireError(.corrupt, "the manifest hashes to \(digest)", url: url)
        }
        if let stated = statedDigest(response), stated != digest {
            throw WireError(.corrupt, "the manifest hashes to \(digest), but the registry says \(stated)", url: url)
        }
    }

    private func manifestRequest(
        _ method: HTTPRequest.Method,
        _ reference: ManifestReference,
        _ repository: RepositoryName
    ) -> WireRequest {
        // One field with every type: a registry converts a manifest of a type that isn't accepted, which changes the
        // digest (docs/facts/ecr-registry.md#manifests).
        let accept = MediaType.everyManifest.map(\.rawValue).joined(separator: ", ")
        return WireRequest(
            method,
            base.at(path: "/v2/\(repository)/manifests/\(reference)"),
            fields: [.accept: accept]
        )
    }
}
