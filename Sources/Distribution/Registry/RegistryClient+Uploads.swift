public import Content
internal import HTTPTypes
internal import Logging
public import Wire

/// Where one blob is being uploaded to.
///
/// It serves one attempt: a broken one starts over with a new session, since ECR answers 416 to a second start
/// in the old one (docs/facts/ecr-registry.md#uploads).
public struct UploadSession: Sendable, Hashable {
    /// As the registry gave it; its query is the registry's and may be a secret.
    public let location: HTTPURL
    public let repository: RepositoryName

    public init(location: HTTPURL, repository: RepositoryName) {
        self.location = location
        self.repository = repository
    }

    var access: RegistryAccess { RegistryAccess(repository, isWriting: true) }
}

/// What became of a wish to upload.
public enum UploadStart: Sendable, Hashable {
    /// The blob is there; nothing needs to be sent.
    case mounted
    case session(UploadSession)
}

/// What it means that a registry closes the connection on the wish to upload.
public enum CutExplanation: Sendable {
    /// There is no such repository, and this is how it is said.
    case missing(any Error)
    /// The upload isn't allowed; asking again won't help.
    case refused(any Error)
    /// As far as anybody knows, a cut is a cut.
    case nothing
}

/// Asked after each cut, which are counted from 1.
public typealias CutExplaining = @Sendable (_ cuts: Int) async throws -> CutExplanation

extension RegistryClient {
    /// Asks for an upload, or for the blob to be taken over from a sibling repository.
    ///
    /// A mount that is declined is an upload session already; one that is refused is followed by a plain request.
    ///
    /// - Parameters:
    ///   - digest: The blob to mount, if mounting is wanted.
    ///   - sibling: A repository of the same registry that holds it.
    ///   - explain: Asks what it means that the registry closed the connection, where somebody can say it better than the
    ///     registry, which is asked otherwise.
    /// - Throws: ``RegistryError``; ``RegistryError/Kind/repositoryMissing`` also where the registry closes the
    ///   connection instead of saying so, as ECR does.
    public func startUpload(
        in repository: RepositoryName,
        mounting digest: Digest? = nil,
        from sibling: RepositoryName? = nil,
        explaining explain: CutExplaining? = nil
    ) async throws -> UploadStart {
        let explain =
            explain ?? { cuts in
                guard cuts == 1, let missing = try await missingRepository(repository) else { return .nothing }
                return .missing(missing)
            }
        var plain = WireRequest(.post, base.at(path: "/v2/\(repository)/blobs/uploads/"))
        plain.travelsWithBlobs = true
        guard let digest else { return try await open(plain, repository, explain) }
        var mount = plain
        // Names and digests hold nothing that a query would need encoded (RFC 3986, section 3.4).
        mount.url = plain.url.appending(query: "mount=\(digest)" + (sibling.map { "&from=\($0)" } ?? ""))
        let response = try await knock(mount, explain) { (200..<500).contains($0.status.code) }
        let hasLocation = response.fields[.location]?.isEmpty == false
        switch response.status.code {
        case 201 where statedDigest(response).map({ $0 == digest }) ?? true: return .mounted
        case 200, 202, 204:
            return try hasLocation ? session(response, mount, repository) : await open(plain, repository, explain)
        default: return try await open(plain, repository, explain)
        }
    }

    /// The request that sends the whole blob, for the destination end of a relay, which sets the length.
    ///
    /// - Source: OCI distribution-spec 1.1, "POST then PUT"
    public func uploadRequest(_ session: UploadSession, digest: Digest) async throws -> WireRequest {
        var request = WireRequest(
            .put,
            session.location.appending(query: "digest=\(digest)"),
            fields: [.contentType: "application/octet-stream"]
        )
        request.namedBy = base
        return try await authorize(request, for: session.access)
    }

    /// Reads the answer to an upload.
    ///
    /// A token that turns out stale is renewed here, and the error then advises to try again, with a new session.
    ///
    /// - Throws: ``RegistryError`` unless the blob was stored.
    public func interpretUpload(
        _ response: WireResponse,
        to request: WireRequest,
        in repository: RepositoryName
    ) async throws {
        // 201 by the specification; 204 and others were seen (docs/facts/ecr-registry.md#uploads).
        guard !(200...204).contains(response.status.code) else { return }
        throw await failure(.upload, response, to: request, for: RegistryAccess(repository, isWriting: true))
    }

    /// Tells the registry to forget an upload, whatever it makes of that.
    ///
    /// Done even when the caller has been cancelled: that is when most uploads are left behind.
    public func cancelUpload(_ session: UploadSession) async {
        await Task {
            var request = WireRequest(.delete, session.location, deadline: Self.cancelDeadline)
            request.namedBy = base
            do {
                let first = try await authorize(request, for: session.access)
                let answer = try await sender.send(first)
                // A token that has expired may be why the upload is given up.
                guard RegistryAnswer(answer, to: first).namesTheToken,
                    try await renew(after: answer, to: first, for: session.access)
                else { return }
                _ = try await sender.send(try await authorize(request, for: session.access))
            } catch {
                logger.debug("an upload was left behind", metadata: ["url": "\(session.location)"])
            }
        }.value
    }

    /// How long giving up an upload may take.
    static let cancelDeadline: Duration = .seconds(5)

    private func open(
        _ request: WireRequest,
        _ repository: RepositoryName,
        _ explain: CutExplaining
    ) async throws -> UploadStart {
        try await soundly {
            let response = try await knock(request, explain) { (200...204).contains($0.status.code) }
            return try session(response, request, repository)
        }
    }

    /// Sends a POST, minding that ECR hangs up where the repository is missing
    /// (docs/facts/ecr-registry.md#error-answers).
    ///
    /// The first cut is followed by a question. If the answer is that there is no such repository, one more POST is
    /// made all the same, because many registries create a repository on its first upload; a second cut settles it.
    private func knock(
        _ request: WireRequest,
        _ explain: CutExplaining,
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> WireResponse {
        var mayRenew = true
        var cuts = 0
        var missing: (any Error)?
        return try await retrying {
            do {
                return try await attempt(.startUpload, request, mayRenew: &mayRenew, returning: isWanted)
            } catch let cut as WireError where cut.reason == .disconnected {
                if let missing { throw missing }
                cuts += 1
                switch try await explain(cuts) {
                case .missing(let error): missing = error
                case .refused(let error): throw error
                case .nothing: break
                }
                throw cut
            }
        }
    }

    /// The registry's word that a repository is missing; `nil` if it is there, or if that can't be found out.
    private func missingRepository(_ repository: RepositoryName) async throws -> RegistryError? {
        let question = WireRequest(.get, base.at(path: "/v2/\(repository)/tags/list", query: "n=1"))
        do {
            var mayRenew = true
            _ = try await attempt(.startUpload, question, mayRenew: &mayRenew) { $0.status == .ok }
            return nil
        } catch let error as RegistryError {
            return error.kind == .repositoryMissing ? error : nil
        } catch is WireError {
            return nil
        }
    }

    private func session(
        _ response: WireResponse,
        _ request: WireRequest,
        _ repository: RepositoryName
    ) throws -> UploadStart {
        guard let location = response.fields[.location], !location.isEmpty else {
            throw RegistryError(
                .startUpload,
                .malformedAnswer,
                "the answer has no Location to upload to",
                url: request.url,
                status: response.status.code
            )
        }
        // Same rules as for a redirect: https stays https.
        do {
            return .session(UploadSession(location: try request.following(location).url, repository: repository))
        } catch let error where error.leadsToPlainHTTP {
            throw RegistryError(
                .startUpload,
                .insecureAddress,
                "asked over https, the registry gives an upload address that begins with http: "
                    + cleaned(error.detail, without: request.secrets),
                url: request.url,
                status: response.status.code
            )
        }
    }
}
