public import Content
internal import HTTPTypes
internal import Logging
public import Wire

/// An upload of one blob at a registry.
///
/// It is for one attempt: after a failure the upload starts over in a new session, because ECR answers 416 to a second
/// start in the old one (docs/facts/ecr-registry.md#uploads).
public struct UploadSession: Sendable, Hashable {
    /// The registry's `Location`, whose query may be a secret.
    public let location: HTTPURL
    public let repository: RepositoryName

    public init(location: HTTPURL, repository: RepositoryName) {
        self.location = location
        self.repository = repository
    }

    var access: RegistryAccess { RegistryAccess(repository, isWriting: true) }
}

/// The result of starting an upload.
public enum UploadStart: Sendable, Hashable {
    /// The blob was mounted, so it needs no upload.
    case mounted
    case session(UploadSession)
}

/// The reason why a registry closed the connection instead of starting an upload.
public enum CutExplanation: Sendable {
    /// The repository doesn't exist; the error says so.
    case missing(any Error)
    /// The upload isn't allowed; a retry won't help.
    case refused(any Error)
    /// The reason is unknown.
    case nothing
}

/// Finds out why the connection was closed; it gets the number of closed connections, from 1.
public typealias CutExplaining = @Sendable (_ cuts: Int) async throws -> CutExplanation

extension RegistryClient {
    /// Starts an upload, or mounts the blob from a sibling repository.
    ///
    /// A registry that declines a mount opens an upload session in the same answer; after one that refuses it, a plain
    /// request is sent. A redirect that keeps the method (307, 308) is followed, since nothing has been sent yet.
    ///
    /// - Parameters:
    ///   - digest: The blob to mount; `nil` for an upload without a mount.
    ///   - sibling: A repository of the same registry that holds it.
    ///   - explain: Finds out why the registry closed the connection; `nil` asks the registry itself.
    /// - Throws: ``RegistryError``; ``RegistryError/Kind/repositoryMissing`` also if the registry closes the connection
    ///   instead of answering, as ECR does.
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
        // Names and digests need no encoding in a query (RFC 3986, section 3.4).
        mount.url = plain.url.appending(query: "mount=\(digest)" + (sibling.map { "&from=\($0)" } ?? ""))
        var faults = 0
        let (response, last) = try await sendStart(mount, explain) { answer, _ in
            // Mounting is optional: a registry that fails at it twice may still accept the blob.
            guard isServerFault(answer.status.code) else { return false }
            faults += 1
            return faults > 1
        } returning: {
            (200..<500).contains($0.status.code)
        }
        let hasLocation = response.fields[.location]?.isEmpty == false
        switch response.status.code {
        case 201 where statedDigest(response).map({ $0 == digest }) ?? true: return .mounted
        case 200, 202, 204:
            return try hasLocation ? session(response, last, repository) : await open(plain, repository, explain)
        default: return try await open(plain, repository, explain)
        }
    }

    /// Makes the request that sends the whole blob, for the destination end of a relay, which sets the length.
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
    /// A stale token is renewed here, and the error then advises a retry with a new session.
    ///
    /// - Throws: ``RegistryError`` unless the blob was stored.
    public func interpretUpload(
        _ response: WireResponse,
        to request: WireRequest,
        in repository: RepositoryName
    ) async throws {
        // 201 by the specification; 204 and others occur (docs/facts/ecr-registry.md#uploads).
        guard !(200...204).contains(response.status.code) else { return }
        throw await failure(.upload, response, to: request, for: RegistryAccess(repository, isWriting: true))
    }

    /// Cancels an upload at the registry, and ignores the answer.
    ///
    /// It runs even if the caller was cancelled, because most uploads are cancelled then.
    public func cancelUpload(_ session: UploadSession) async {
        await Task {
            var request = WireRequest(.delete, session.location, deadline: Self.cancelDeadline)
            request.namedBy = base
            do {
                let first = try await authorize(request, for: session.access)
                let answer = try await sender.send(first)
                // An expired token may be the reason why the upload is cancelled.
                guard RegistryAnswer(answer, to: first).refusesToken,
                    try await renew(after: answer, to: first, for: session.access)
                else { return }
                _ = try await sender.send(try await authorize(request, for: session.access))
            } catch {
                logger.debug("an upload could not be cancelled", metadata: ["url": "\(session.location)"])
            }
        }.value
    }

    /// The longest time for cancelling an upload.
    static let cancelDeadline: Duration = .seconds(5)

    private func open(
        _ request: WireRequest,
        _ repository: RepositoryName,
        _ explain: CutExplaining
    ) async throws -> UploadStart {
        try await repeatingIfDamaged {
            let (response, last) = try await sendStart(request, explain) { (200...204).contains($0.status.code) }
            return try session(response, last, repository)
        }
    }

    /// Sends the POST that starts an upload; ECR closes the connection if the repository is missing
    /// (docs/facts/ecr-registry.md#error-answers).
    ///
    /// After the first closed connection the reason is looked up. If the repository is missing, one more POST is sent all
    /// the same, because many registries create a repository on its first upload; a second closed connection confirms
    /// that it is missing.
    ///
    /// - Parameter isFinal: Whether to return an answer whatever its status.
    /// - Returns: The answer, and the request that it answers.
    private func sendStart(
        _ first: WireRequest,
        _ explain: CutExplaining,
        accepting isFinal: (WireResponse, WireRequest) -> Bool = { _, _ in false },
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> (WireResponse, WireRequest) {
        var mayRenew = true
        var cuts = 0
        var missing: (any Error)?
        return try await retrying {
            var request = first
            var hops = 0
            do {
                while true {
                    let answer = try await attempt(.startUpload, request, mayRenew: &mayRenew, accepting: isFinal) {
                        keepsMethod($0) || isWanted($0)
                    }
                    guard keepsMethod(answer), let next = try follow(answer, of: request, hops: hops) else {
                        return (answer, request)
                    }
                    request = next
                    hops += 1
                }
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

    /// Whether an answer is a redirect of the same request to another URL.
    private func keepsMethod(_ answer: WireResponse) -> Bool { [307, 308].contains(answer.status.code) }

    /// Returns the registry's error for a missing repository; `nil` if it exists, or if the answer is unclear.
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
                "the answer has no Location for the upload",
                url: request.url,
                status: response.status.code
            )
        }
        // The rules are those of a redirect: https stays https.
        do {
            return .session(UploadSession(location: try request.following(location).url, repository: repository))
        } catch let error where error.leadsToPlainHTTP {
            throw RegistryError(
                .startUpload,
                .insecureAddress,
                "the registry answered over https with an upload address that begins with http: "
                    + cleaned(error.detail, without: request.secrets),
                url: request.url,
                status: response.status.code
            )
        }
    }
}
