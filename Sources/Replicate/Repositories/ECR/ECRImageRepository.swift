internal import Content
internal import Distribution
internal import ECRAPI
internal import FoundationEssentials
internal import Platform
internal import Wire

/// A repository in ECR: manifests and questions go through the API, and bytes through the registry.
///
/// - Source: docs/architecture.md#one-copy; docs/facts/ecr-api.md#batchgetimage, #putimage;
///   docs/facts/ecr-registry.md#blobs
struct ECRImageRepository: ImageRepository {
    let reference: ImageReference
    let side: CopyError.Side
    let host: ECRHost
    let registryKey: String
    let api: ECRClient
    let pacer: Pacer
    /// The client of the registry's host, created only when bytes must be sent there: a retag needs no token.
    let registry: @Sendable () async throws -> RegistryClient

    /// The template by which ECR creates the repository on push, once it is known.
    let knownTemplate = Lock<CreationTemplate?>(nil)
    /// The repository's settings, once they are known.
    let knownSettings = SingleFlight<RepositoryName, RepositorySettings?>()
    /// The push that creates the repository, for which many blobs may wait.
    let creation = SingleFlight<RepositoryName, Bool>()

    var credentials: String? { api.credentialsInUse }

    var answersInBulk: Bool { true }

    /// Always false, since the budget is one `ListImageReferrers` for each manifest of the image and each listed
    /// referrer (docs/architecture.md#request-budgets).
    var asksAboutTaggedReferrers: Bool { false }

    /// Always false, since ECR checks that each entry of an index is a manifest it holds
    /// (docs/facts/ecr-api.md#putimage).
    var takesIndexesOfBlobs: Bool { false }

    /// The most ids in a `BatchGetImage`, and digests in a `BatchCheckLayerAvailability`
    /// (docs/facts/ecr-api.md#fields).
    static let idsPerCall = 100
    /// The most calls in flight for one bulk question.
    static let parallelCalls = 4
    /// How often a manifest with the wrong hash is read before it counts as damaged.
    static let mostManifestReads = 3

    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading {
        let ids = (manifests + digests).unique()
        let wanted = Set(manifests)
        let parts = try await ids.chunked(Self.idsPerCall).mapConcurrently(limit: Self.parallelCalls) { chunk in
            try await namingCacheRule {
                try await explained("BatchGetImage", chunk.count == 1 ? chunk.first : nil) {
                    try await read(chunk, manifests: wanted)
                }
            }
        }
        var whole = Reading()
        for part in parts { whole.merge(part) }
        return whole
    }

    /// Reads manifests, and splits the request in half if the response is too long, as it is with manifests of
    /// megabytes.
    private func read(_ ids: [ManifestID], manifests wanted: Set<ManifestID>) async throws -> Reading {
        do {
            return try await readAtOnce(ids, manifests: wanted)
        } catch let error as WireError where error.reason == .answerTooLarge && ids.count > 1 {
            var whole = try await read(Array(ids[..<(ids.count / 2)]), manifests: wanted)
            var rest = Array(ids[(ids.count / 2)...])
            if whole.isFull {
                whole.postponed.formUnion(rest.filter(wanted.contains))
                rest.removeAll(where: wanted.contains)
            }
            if !rest.isEmpty { whole.merge(try await read(rest, manifests: wanted)) }
            return whole
        }
    }

    private func readAtOnce(_ ids: [ManifestID], manifests wanted: Set<ManifestID>) async throws -> Reading {
        var tries = 1
        while true {
            let answer = try await answer(
                to: BatchGetImage(
                    registryId: host.account,
                    repositoryName: reference.repository,
                    imageIds: ids.map { ImageIdentifier(digest: $0.digest, tag: $0.tag) }
                )
            )
            do {
                return try await reading(answer, ids, wanted).namingCacheRule(self)
            } catch let error as CopyError where tries < Self.mostManifestReads && error.mayBeOnTheWay {
                tries += 1
            }
        }
    }

    /// Asks again, as after a throttle, while an upstream registry behind a pull-through cache rule is busy or
    /// unavailable.
    private func answer(to question: BatchGetImage) async throws -> BatchGetImage.Response {
        var last: BatchGetImage.Response?
        do {
            return try await api.send(question) { answer in
                last = answer
                if let failure = answer.failures.lazy.compactMap(\.passingUpstreamError).first { throw failure }
            }
        } catch {
            // The other images of the response are still valid.
            guard let last, error is ECRError || error is RetryBudgetSpent, error.isUpstream else { throw error }
            return last
        }
    }

    private func reading(
        _ answer: BatchGetImage.Response,
        _ ids: [ManifestID],
        _ wanted: Set<ManifestID>
    ) throws -> Reading {
        var reading = Reading()
        // Images arrive in any order, and twice for two tags of one digest, so each is matched by the id it names.
        var byTag: [Tag: ECRImage] = [:]
        var byDigest: [Digest: ECRImage] = [:]
        for image in answer.images {
            guard let digest = image.imageId?.digest else { continue }
            byDigest[digest] = image
            if let tag = image.imageId?.tag { byTag[tag] = image }
        }
        for id in ids {
            let found: ECRImage? =
                switch id {
                case .tag(let tag), .both(let tag, _): byTag[tag]
                case .digest(let digest): byDigest[digest]
                }
            guard let found, let digest = found.imageId?.digest else { continue }
            reading.digests[id] = digest
            guard wanted.contains(id) else { continue }
            // An image without its manifest is an error; if it counted as absent, a referrer would be left out.
            guard let bytes = found.manifestBytes else { throw incomplete("the answer for \(id) has no manifest", id) }
            let received = Digest(of: bytes)
            guard received == digest, id.digest == nil || id.digest == digest else {
                throw CopyError(
                    .corrupt(expected: id.digest ?? digest, detail: "the manifest hashes to \(received)"),
                    side: side,
                    image: reference.tagged(id.tag, digest: id.digest),
                    operation: "BatchGetImage"
                )
            }
            do {
                reading.manifests[id] = try Manifest(bytes: bytes, mediaType: found.imageManifestMediaType)
            } catch {
                throw CopyError(explaining: error, repository: self, "BatchGetImage", id)
            }
        }
        var absent: Set<ManifestID> = []
        for failure in answer.failures {
            guard let id = ids.first(where: { failure.imageId?.names($0) ?? false }) else { continue }
            absent.insert(id)
            if let reason = failure.reason { reading.failures[id] = reason }
        }
        // ECR answers for every id; if a missing answer counted as absence, a guarded tag could move.
        if let silent = ids.first(where: { reading.digests[$0] == nil && !absent.contains($0) }) {
            throw incomplete("the answer does not mention \(silent)", silent)
        }
        return reading
    }

    private func incomplete(_ text: String, _ id: ManifestID) -> CopyError {
        CopyError(
            .rejected(code: CopyError.incompleteAnswer, text: text),
            side: side,
            image: reference.tagged(id.tag, digest: id.digest),
            operation: "BatchGetImage"
        )
    }

    func put(_ manifest: Manifest, tag: Tag?) async throws {
        let id: ManifestID = tag.map { .both($0, manifest.digest) } ?? .digest(manifest.digest)
        try await explained("PutImage", id) {
            do {
                let answer = try await api.send(
                    PutImage(
                        registryId: host.account,
                        repositoryName: reference.repository,
                        manifest: manifest,
                        tag: tag
                    )
                )
                // Success is taken from the digest in the response, not from the status alone.
                if let stored = answer.image.imageId?.digest, stored != manifest.digest {
                    throw CopyError(
                        .corrupt(expected: manifest.digest, detail: "ECR stored \(stored)"),
                        side: side,
                        image: reference.tagged(tag),
                        operation: "PutImage"
                    )
                }
            } catch let error as ECRError where error.code == .imageAlreadyExists {
                // The tag already points at this digest, or the digest exists and no tag was given, as intended.
                return
            } catch let error as ECRError where error.code == .imageTagAlreadyExists {
                guard let tag else { throw error }
                // ECR also reports this for the same digest (docs/facts/ecr-api.md#putimage), so the tag is read.
                let held = try await read(manifests: [], digests: [.tag(tag)]).digests[.tag(tag)]
                guard held != manifest.digest else { return }
                throw CopyError(
                    .tagImmutable(tag: tag, holds: held, wanted: manifest.digest),
                    side: side,
                    image: reference.tagged(tag),
                    operation: "PutImage",
                    requestID: error.requestID
                )
            }
        }
    }

    func immutability() async throws -> TagImmutability? {
        try await explained("DescribeRepositories") {
            do {
                let answer = try await api.send(
                    DescribeRepositories(registryId: host.account, repositoryNames: [reference.repository])
                )
                guard let repository = answer.repositories.first else { return nil }
                return TagImmutability(
                    repository.imageTagMutability,
                    repository.imageTagMutabilityExclusionFilters
                )
            } catch let error as ECRError where error.code == .accessDenied {
                // The caller may not ask, so `PutImage` decides (docs/architecture.md#request-budgets).
                return nil
            }
        }
    }
}

extension CopyError {
    /// The error code for a response that lacks an answer.
    static let incompleteAnswer = "IncompleteAnswer"

    /// Whether a repeated request may get a correct response, because the content was wrong or incomplete.
    fileprivate var mayBeOnTheWay: Bool {
        switch reason {
        case .corrupt, .rejected(code: Self.incompleteAnswer, _): true
        default: false
        }
    }
}

extension ImageFailure {
    /// The reason for the failure; `nil` for an image that doesn't exist (docs/facts/ecr-api.md#batchgetimage).
    var reason: CopyError.Reason? {
        switch failureCode {
        case .imageNotFound: nil
        case .imageTagDoesNotMatchDigest: .tagMismatch
        case .imageInaccessible: .archived
        case .kmsError: .keyUnusable(failureReason ?? "")
        case let code? where ECRError(code).isUpstream:
            .upstream(CopyError.Upstream(code: code.rawValue, text: failureReason ?? ""))
        case let code: .rejected(code: code?.rawValue ?? "failure", text: failureReason ?? "")
        }
    }
}

extension ImageFailure {
    /// The error if the failure may pass, because the upstream registry is busy or unavailable for a while.
    fileprivate var passingUpstreamError: ECRError? {
        guard let failureCode else { return nil }
        let error = ECRError(failureCode, failureReason ?? "")
        return error.isUpstream && error.retryAdvice != .never ? error : nil
    }
}

extension ECRError {
    /// Creates the error for one image of a `BatchGetImage` that succeeded as a whole.
    fileprivate init(_ code: ImageFailure.Code, _ reason: String = "") {
        self.init(operation: "BatchGetImage", code: Code(rawValue: code.rawValue), message: reason, status: 200)
    }
}

extension Error {
    fileprivate var isUpstream: Bool {
        switch self {
        case let error as ECRError: error.isUpstream
        case let spent as RetryBudgetSpent: (spent.reason as? ECRError)?.isUpstream ?? false
        default: false
        }
    }
}

extension Reading {
    /// Adds the pull-through cache rule to images that failed because of their upstream registry.
    fileprivate func namingCacheRule(_ repository: ECRImageRepository) async throws -> Reading {
        let failed = failures.filter { if case .upstream = $0.value { true } else { false } }
        guard !failed.isEmpty, let rule = try await repository.cacheRule() else { return self }
        var named = self
        for (id, reason) in failed {
            guard case .upstream(var upstream) = reason else { continue }
            upstream.rule = rule
            named.failures[id] = .upstream(upstream)
        }
        return named
    }
}

extension ImageIdentifier {
    func names(_ id: ManifestID) -> Bool {
        switch id {
        case .tag(let tag): imageTag == tag.value && (imageDigest == nil || imageDigest == "")
        case .digest(let digest): imageDigest == digest.description && (imageTag == nil || imageTag == "")
        case .both(let tag, let digest): imageTag == tag.value && imageDigest == digest.description
        }
    }
}
