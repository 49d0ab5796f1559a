public import Content

/// One blob to be carried from a URL to another, hashed on the way.
public struct RelayRequest: Sendable {
    /// A `GET`.
    public var source: WireRequest
    /// The upload that takes the bytes, usually a `PUT`; its `body` is not used and its `Content-Length` is set
    /// from ``size``.
    public var destination: WireRequest
    /// What the bytes must hash to before the last of them is handed over.
    public var digest: Digest
    /// In bytes, exactly.
    public var size: Int64
    /// How long neither end may move a byte.
    public var stallLimit: Duration
    /// Told how many bytes were accepted by the destination's socket since the last call; called on a driver's
    /// thread, so it must be quick.
    public var progress: (@Sendable (Int) -> Void)?

    public static let usualStallLimit: Duration = .seconds(60)

    public init(
        source: WireRequest,
        destination: WireRequest,
        digest: Digest,
        size: Int64,
        stallLimit: Duration = usualStallLimit,
        progress: (@Sendable (Int) -> Void)? = nil
    ) {
        self.source = source
        self.destination = destination
        self.digest = digest
        self.size = size
        self.stallLimit = stallLimit
        self.progress = progress
    }
}

/// How a relay ended, as far as both servers answered.
public enum RelayOutcome: Sendable {
    /// The destination answered 2xx, and every byte it got hashed to what was wanted.
    case stored(WireResponse)
    /// The source answered something else than content: a redirect, an expired URL, a missing blob. The
    /// destination was sent nothing that it could keep.
    case sourceAnswered(WireResponse)
    /// The destination answered something else than 2xx.
    case destinationAnswered(WireResponse)
}

/// Whoever can carry a blob.
public protocol BlobRelaying: Sendable {
    /// - Throws: ``WireError`` with its ``WireError/end`` set, or `CancellationError`.
    func relay(_ request: RelayRequest) async throws -> RelayOutcome
}
