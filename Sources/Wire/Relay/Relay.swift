public import Content
public import Platform

/// The source of a blob's bytes.
public enum RelaySource: Sendable {
    /// A download: the request, usually a `GET`.
    case request(WireRequest)
    /// A file on this machine, or a part of one.
    case file(FileRegion)
    /// The bytes of a small blob that is inline in a manifest.
    case bytes([UInt8])
}

/// A destination of a blob's bytes.
public enum RelaySink: Sendable {
    /// An upload: the request, usually a `PUT`, whose `body` is ignored and whose `Content-Length` is set.
    case request(WireRequest)
    /// A file on this machine, written under a temporary name and renamed when all bytes are verified.
    case file(String)
    /// Nothing: the bytes are verified and then discarded.
    case discard
}

/// A request to move one blob from a source to one or several sinks and to verify its hash on the way.
public struct RelayRequest: Sendable {
    public var source: RelaySource
    /// The destinations, which all get the bytes of one download.
    public var sinks: [RelaySink]
    /// The digest that the bytes must have before the last byte is passed on.
    public var digest: Digest
    /// The exact size, in bytes.
    public var size: Int64
    /// Called with the index of a sink and the number of further bytes that it has accepted; must be quick, because it
    /// runs on a driver's thread.
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

    /// The number of its ends that are requests, not files.
    var requestCount: Int {
        let isRequest = if case .request = source { 1 } else { 0 }
        return isRequest + sinks.count { if case .request = $0 { true } else { false } }
    }
}

/// The result of a relay at one sink, if the servers answered.
public enum RelayOutcome: Sendable {
    /// The destination answered 2xx, and its bytes had the digest. A file answers 201.
    case stored(WireResponse)
    /// The source's answer was not content: a redirect, an expired URL, a missing blob. No destination got bytes that it
    /// could store.
    case sourceAnswered(WireResponse)
    /// The destination's answer was not 2xx.
    case destinationAnswered(WireResponse)
}

/// The result of a relay at one sink; an error has its ``WireError/end`` set.
public typealias RelayResult = Result<RelayOutcome, WireError>

/// Moves blobs from a source to sinks.
public protocol BlobRelaying: Sendable {
    /// Reads the source once and feeds every sink.
    ///
    /// A sink that fails doesn't stop the others. A sink that keeps the buffer full for too long while another waits is
    /// dropped with ``WireError/Reason/outpaced``, and needs a relay of its own.
    ///
    /// - Returns: The result at each sink, in order.
    /// - Throws: ``WireError`` if the relay could not begin, or `CancellationError`.
    func relay(_ request: RelayRequest) async throws -> [RelayResult]
}
