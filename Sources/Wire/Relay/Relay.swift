public import Content
public import Platform

/// Where a blob's bytes come from.
public enum RelaySource: Sendable {
    /// A `GET`.
    case request(WireRequest)
    /// A file on this machine, or a part of one.
    case file(FileRegion)
    /// The bytes themselves, of a small blob that a manifest carries along.
    case bytes([UInt8])
}

/// Where a blob's bytes go.
public enum RelaySink: Sendable {
    /// The upload that takes the bytes, usually a `PUT`; its `body` is not used, and its `Content-Length` is set.
    case request(WireRequest)
    /// A file on this machine: written beside that name, and given it when all bytes are there and right.
    case file(String)
}

/// One blob to be carried from a source to one or several sinks, hashed on the way.
public struct RelayRequest: Sendable {
    public var source: RelaySource
    /// Each gets the same bytes, from one reading of the source.
    public var sinks: [RelaySink]
    /// What the bytes must hash to before the last of them is handed over.
    public var digest: Digest
    /// In bytes, exactly.
    public var size: Int64
    /// Told how many more bytes a sink, named by its index, has accepted; called on a driver's thread, so it must
    /// be quick.
    public var progress: (@Sendable (_ sink: Int, _ bytes: Int) -> Void)?

    public init(
        source: RelaySource,
        sinks: [RelaySink],
        digest: Digest,
        size: Int64,
        progress: (@Sendable (_ sink: Int, _ bytes: Int) -> Void)? = nil
    ) {
        self.source = source
        self.sinks = sinks
        self.digest = digest
        self.size = size
        self.progress = progress
    }
}

/// How a relay ended at one sink, as far as both servers answered.
public enum RelayOutcome: Sendable {
    /// The destination answered 2xx, and every byte it got hashed to what was wanted. A file answers 201.
    case stored(WireResponse)
    /// The source answered something else than content: a redirect, an expired URL, a missing blob. No destination
    /// was sent anything that it could keep.
    case sourceAnswered(WireResponse)
    /// The destination answered something else than 2xx.
    case destinationAnswered(WireResponse)
}

/// How a relay ended at one sink; an error has its ``WireError/end`` set.
public typealias RelayResult = Result<RelayOutcome, WireError>

/// Whoever can carry a blob.
public protocol BlobRelaying: Sendable {
    /// Reads the source once and feeds every sink.
    ///
    /// A sink that fails doesn't stop the others. One that keeps the buffer full for long while another waits is
    /// let go with ``WireError/Reason/outpaced``, and must be served by itself.
    ///
    /// - Returns: How it ended at each sink, in order.
    /// - Throws: ``WireError`` when nothing could be begun, or `CancellationError`.
    func relay(_ request: RelayRequest) async throws -> [RelayResult]
}
