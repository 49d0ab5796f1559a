public import FoundationEssentials
internal import Logging
internal import Platform
public import Wire

/// This machine's clock, corrected by the time that a service reports.
///
/// A signature is valid for five minutes around the service's time (docs/facts/signing.md#steps), and a machine's clock
/// may be off by more: after a suspend, in a fresh virtual machine, without NTP. As in AWS's SDKs, the client learns
/// the difference from the `Date` of the refusal and signs the request again. Copies share what they learn, and so do
/// the clocks that ``ServiceClocks`` gives out for one service.
///
/// - Source: docs/facts/quotas.md#clock-skew
public struct ServiceClock: Sendable {
    /// The service that the clock belongs to.
    enum Service: Sendable {
        /// One of AWS's own hosts, by name; AWS's clocks are right.
        case aws(String)
        /// Another server, by origin; either clock may be wrong.
        case other(String)
    }

    /// How far the service's clock is ahead of this machine's, in seconds.
    typealias Offset = Lock<TimeInterval>

    private let local: @Sendable () -> Date
    private let service: Service
    private let offset: Offset
    private let logger: Logger?

    /// The largest difference that is ignored, in seconds; it is too small to cause a refusal.
    private static let tolerance: TimeInterval = 4 * 60
    /// The error codes for a signature with a wrong time; most have other causes as well.
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

    /// The service's time, as far as it is known.
    @Sendable public func now() -> Date { local().addingTimeInterval(offset.withLock { $0 }) }

    /// Learns the time from a refusal, if its code may be about the time.
    ///
    /// - Parameters:
    ///   - code: The refusal's code.
    ///   - signedAt: The value of ``now()`` for the refused request.
    /// - Returns: Whether to sign again, because the service's time differs from the request's.
    public func corrects(_ code: String, _ response: WireResponse, signedAt: Date) -> Bool {
        guard Self.refusals.contains(code), let reported = response.date,
            abs(reported.timeIntervalSince(signedAt)) > Self.tolerance
        else { return false }
        set(to: reported)
        return true
    }

    /// Learns the time from an answer to an unsigned request, which is never refused for its time.
    ///
    /// The keys in the answer expire by the service's clock, not by this machine's.
    func learn(from response: WireResponse) {
        guard let reported = response.date, abs(reported.timeIntervalSince(now())) > Self.tolerance else { return }
        set(to: reported)
    }

    private func set(to reported: Date) {
        let difference = reported.timeIntervalSince(local())
        let isNew = offset.withLock { offset in
            let isNew = abs(offset - difference) > Self.tolerance
            offset = difference
            return isNew
        }
        // Several requests may have been in flight with the old time, or a clock may have been corrected.
        guard isNew, abs(difference) > Self.tolerance else { return }
        let minutes = Int((abs(difference) / 60).rounded())
        let problem = "this machine's clock is \(minutes) minutes \(difference > 0 ? "behind" : "ahead of")"
        switch service {
        case .aws(let host): logger?.warning("\(problem) AWS's (\(host)): correct it")
        case .other(let origin):
            logger?.warning(
                "\(problem) that of \(origin); requests to it are signed with its time: correct the clock that is wrong"
            )
        }
    }
}
