public import FoundationEssentials
internal import Platform
public import Wire

/// This machine's clock, put right by what a service says of its own.
///
/// Signatures are good for five minutes around the service's time (facts/ecr.md E.1), and a machine's clock may be off
/// by more: after a suspend, in a fresh virtual machine, without NTP. As AWS's SDKs do, the difference is learned from the
/// `Date` of the refusal, and the request signed again.
///
/// - Source: facts/ecr.md C.3, clock skew
public struct ServiceClock: Sendable {
    private let local: @Sendable () -> Date
    /// In seconds, what the service is ahead of us.
    private let offset = Lock<TimeInterval>(0)

    /// In seconds: less than this is no reason for a refusal.
    private static let tolerance: TimeInterval = 4 * 60
    /// The names that services have for a signature of another time; most mean other things as well.
    private static let refusals: Set<String> = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired",
        "RequestInTheFuture", "AuthFailure",
    ]

    public init(_ local: @escaping @Sendable () -> Date) { self.local = local }

    /// What the service's clock shows, as far as anybody knows.
    public func now() -> Date { local().addingTimeInterval(offset.withLock { $0 }) }

    /// Learns from a refusal, if it may be about the time.
    ///
    /// - Parameters:
    ///   - code: The refusal's name.
    ///   - signedAt: What ``now()`` was for the refused request.
    /// - Returns: Whether to sign anew: the service's clock is another than the request's was.
    public func corrects(_ code: String, _ response: WireResponse, signedAt: Date) -> Bool {
        guard Self.refusals.contains(code), let theirs = response.date,
            abs(theirs.timeIntervalSince(signedAt)) > Self.tolerance
        else { return false }
        let difference = theirs.timeIntervalSince(local())
        offset.withLock { $0 = difference }
        return true
    }
}
