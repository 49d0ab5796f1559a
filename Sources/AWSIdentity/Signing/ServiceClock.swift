public import FoundationEssentials
internal import Logging
internal import Platform
public import Wire

/// This machine's clock, put right by what a service says of its own.
///
/// Signatures are good for five minutes around the service's time (docs/facts/signing.md#steps), and a machine's clock
/// may be off by more: after a suspend, in a fresh virtual machine, without NTP. As AWS's SDKs do, the difference is
/// learned from the `Date` of the refusal, and the request signed again. Copies share what they learn, and so do those
/// that ``ServiceClocks`` gives out for one service.
///
/// - Source: docs/facts/quotas.md#clock-skew
public struct ServiceClock: Sendable {
    /// Whose clock it is.
    enum Service: Sendable {
        /// The host's name: AWS's clocks are right.
        case aws(String)
        /// The origin: nobody knows whose clock is right.
        case somebody(String)
    }

    /// In seconds, what the service is ahead of us.
    typealias Offset = Lock<TimeInterval>

    private let local: @Sendable () -> Date
    private let service: Service
    private let offset: Offset
    private let logger: Logger?

    /// In seconds: less than this is no reason for a refusal.
    private static let tolerance: TimeInterval = 4 * 60
    /// The names that services have for a signature of another time; most mean other things as well.
    private static let refusals: Set<String> = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired",
        "RequestInTheFuture", "AuthFailure",
    ]

    init(_ local: @escaping @Sendable () -> Date, of service: Service, offset: Offset, logger: Logger?) {
        self.local = local
        self.service = service
        self.offset = offset
        self.logger = logger
    }

    /// What the service's clock shows, as far as anybody knows.
    @Sendable public func now() -> Date { local().addingTimeInterval(offset.withLock { $0 }) }

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
        set(to: theirs)
        return true
    }

    /// Learns from an answer to a request that isn't signed, and so is never refused for its time.
    ///
    /// The keys that it brings end in the service's time, not in ours.
    func learn(from response: WireResponse) {
        guard let theirs = response.date, abs(theirs.timeIntervalSince(now())) > Self.tolerance else { return }
        set(to: theirs)
    }

    private func set(to theirs: Date) {
        let difference = theirs.timeIntervalSince(local())
        let isNews = offset.withLock { offset in
            let isNews = abs(offset - difference) > Self.tolerance
            offset = difference
            return isNews
        }
        // Several requests may have been on their way with the old time, and a clock may have been set right.
        guard isNews, abs(difference) > Self.tolerance else { return }
        let minutes = Int((abs(difference) / 60).rounded())
        let off = "this machine's clock is \(minutes) minutes \(difference > 0 ? "behind" : "ahead of")"
        switch service {
        case .aws(let host): logger?.warning("\(off) AWS's (\(host)): set it right")
        case .somebody(let origin):
            logger?.warning(
                "\(off) that of \(origin), whose time requests there are signed with: set right whichever is wrong"
            )
        }
    }
}
