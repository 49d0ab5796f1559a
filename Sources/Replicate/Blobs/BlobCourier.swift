internal import Content
internal import HTTPTypes
internal import Wire

/// Carries one blob once: from a source, over its redirects and with fresh addresses, to open uploads.
///
/// - Source: docs/architecture.md#one-blob
struct BlobCourier: Sendable {
    let relay: any BlobRelaying
    let report: @Sendable (CopyEvent) -> Void

    /// Fresh URLs for one try, when the source says that the one it gave is no longer good.
    static let mostURLs = 3

    /// - Returns: How it ended at each upload, in order.
    /// - Throws: `CancellationError`, or what the source answers when it is asked for a fresh address.
    func carry(
        _ blob: Descriptor,
        _ first: RelaySource,
        _ source: any ImageRepository,
        _ uploads: [(upload: OpenUpload, destination: any ImageRepository)]
    ) async throws -> [Result<Void, BlobFailure>] {
        for (_, destination) in uploads { report(.blobStarted(blob, to: destination.reference)) }
        var trail = Trail(at: first)
        var results = [Result<Void, BlobFailure>?](repeating: nil, count: uploads.count)
        while true {
            let open = uploads.indices.filter { results[$0] == nil }
            var sinks: [RelaySink] = []
            for index in open {
                sinks.append(try await uploads[index].destination.upload(blob, to: uploads[index].upload))
            }
            let answers = try await relayed(blob, trail.source, sinks, open.map { uploads[$0].destination })
            var asked: WireResponse?
            for ((index, sink), answer) in zip(zip(open, sinks), answers) {
                let destination = uploads[index].destination
                switch answer {
                case .success(.stored): results[index] = .success(())
                case .success(.sourceAnswered(let answer)): asked = answer
                case .success(.destinationAnswered(let answer)):
                    results[index] = try await refusal(answer, blob, sink, destination)
                case .failure(let error):
                    results[index] = .failure(
                        BlobFailure(
                            explain(error, blob, source, destination),
                            error.retryAdvice,
                            isOutpaced: error.reason == .outpaced
                        )
                    )
                }
            }
            guard let asked else { return results.compactMap { $0 } }
            do {
                try await follow(asked, &trail, blob, source)
            } catch let failure as BlobFailure {
                return results.map { $0 ?? .failure(failure) }
            }
        }
    }

    /// A wire that never got to either end is as bad for all.
    private func relayed(
        _ blob: Descriptor,
        _ from: RelaySource,
        _ sinks: [RelaySink],
        _ destinations: [any ImageRepository]
    ) async throws -> [RelayResult] {
        do {
            return try await relay.relay(
                RelayRequest(source: from, sinks: sinks, digest: blob.digest, size: blob.size) { sink, bytes in
                    report(.blobProgress(blob.digest, to: destinations[sink].reference, bytes: bytes))
                }
            )
        } catch let error as WireError {
            return sinks.map { _ in .failure(error) }
        }
    }

    private func refusal(
        _ answer: WireResponse,
        _ blob: Descriptor,
        _ sink: RelaySink,
        _ destination: any ImageRepository
    ) async throws -> Result<Void, BlobFailure> {
        guard case .request(let sent) = sink,
            let refusal = try await destination.explainUpload(answer, of: blob, sent: sent)
        else { return .success(()) }
        return .failure(BlobFailure(refusal.error, refusal.retryAdvice))
    }

    // MARK: The source's side

    /// Where the bytes are, and how we came to look there.
    private struct Trail {
        var source: RelaySource
        var hops = 0
        var urls = 1

        init(at source: RelaySource) { self.source = source }
    }

    /// Goes where the source's answer says: after a redirect, or to a fresh address.
    ///
    /// - Throws: ``BlobFailure`` when there is nowhere to go.
    private func follow(
        _ answer: WireResponse,
        _ trail: inout Trail,
        _ blob: Descriptor,
        _ source: any ImageRepository
    ) async throws {
        if answer.status.kind != .redirection, case .request(let request) = trail.source {
            await source.sourceRefused(answer, to: request)
        }
        if answer.status.kind == .redirection, let location = answer.fields[.location],
            case .request(let request) = trail.source
        {
            trail.hops += 1
            guard trail.hops <= WireRequest.mostRedirects else {
                let words = CopyError.Reason.rejected(
                    code: "redirect not followed",
                    text: "more than \(WireRequest.mostRedirects) redirects"
                )
                throw BlobFailure(failure(words, source, "downloading \(blob.digest)"), .never)
            }
            do {
                trail.source = .request(try request.following(location))
            } catch {
                throw BlobFailure(explain(error.at(.source), blob, source, source), .never)
            }
        } else if answer.status.kind == .clientError, ![404, 408, 429].contains(answer.status.code),
            trail.urls < Self.mostURLs
        {
            // An address that has expired, or a token: ask for a fresh one. Nothing was uploaded yet.
            trail.urls += 1
            trail.hops = 0
            trail.source = try await source.source(of: blob)
        } else {
            let asked: HTTPURL? = if case .request(let request) = trail.source { request.url } else { nil }
            throw BlobFailure(sourceAnswered: answer, blob, source, from: asked)
        }
    }

    private func explain(
        _ error: WireError,
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) -> CopyError {
        let repository = error.end == .destination ? destination : source
        let operation = error.end == .destination ? "uploading \(blob.digest)" : "downloading \(blob.digest)"
        return switch error.reason {
        case .corrupt, .tooShort, .tooLong:
            failure(.corrupt(expected: blob.digest, detail: error.detail), repository, operation)
        default: CopyError(explaining: error, repository: repository, operation)
        }
    }

    private func failure(
        _ reason: CopyError.Reason,
        _ repository: any ImageRepository,
        _ operation: String
    ) -> CopyError {
        CopyError(reason, side: repository.side, image: repository.reference.description, operation: operation)
    }
}
