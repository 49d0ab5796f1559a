internal import Content
internal import Wire

/// A blob as the destination that receives it sees it: what it is, where it can be mounted from, and its bytes.
///
/// ``BlobReceiver/receive(_:)`` gets one. The destination keeps its upload protocol to itself, and the source stays
/// unknown to it.
protocol IncomingBlob: Sendable {
    var blob: Descriptor { get }

    /// A repository of the destination's registry that holds the blob, so that it can be mounted from there.
    var sibling: RepositoryName? { get }

    /// Notes that the destination has opened an upload, so that it has not mounted the blob.
    ///
    /// - Throws: An error if no bytes will be sent; the destination then closes the upload.
    func noteOpened() throws

    /// Sends all bytes to the upload that was opened.
    ///
    /// The last byte is sent only if digest and size match the descriptor.
    ///
    /// - Returns: The destination's answer, whatever its status; 201 for a file.
    /// - Throws: `WireError` if the connection to the destination fails; ``BlobFailure`` or ``CopyError`` if the source
    ///   fails; `CancellationError`.
    func send(to sink: RelaySink) async throws -> WireResponse
}

/// How a destination received a blob.
enum BlobReception: Sendable {
    /// It stored the bytes that were sent.
    case stored
    /// It took the blob from another repository, and no bytes were sent.
    case mounted
}

/// A blob without bytes, for a mount that must not become an upload, and for a check that uploads are allowed.
struct MountOnly: IncomingBlob {
    /// The error for an upload that was opened: the registry has not mounted the blob.
    struct NotMounted: Error {}

    let blob: Descriptor
    let sibling: RepositoryName?

    func noteOpened() throws { throw NotMounted() }

    func send(to sink: RelaySink) async throws -> WireResponse { throw NotMounted() }
}

extension RepositoryPlace {
    /// The error to report when an upload to this repository has failed.
    ///
    /// Failures of the source, cancellations and a drain stay as they are.
    func uploadFailure(_ error: any Error, _ blob: Descriptor) -> any Error {
        switch error {
        case is CancellationError, is Drained, is BlobFailure, is MountOnly.NotMounted, is SharedDownload.TooLate:
            return error
        case let error as CopyError where error.side != side: return error
        default:
            let explained = CopyError(explaining: error, repository: self, "uploading \(blob.digest)")
            let advice = (error as? any RetryAdvising)?.retryAdvice ?? .never
            return BlobFailure(explained, advice, isOutpaced: (error as? WireError)?.reason == .outpaced)
        }
    }
}
