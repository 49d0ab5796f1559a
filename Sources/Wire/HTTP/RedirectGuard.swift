internal import Platform

/// Keeps what a registry names, redirects above all, away from this machine's own services.
///
/// A registry may lead to a loopback or link-local address only if it is itself at a loopback address, which is decided by
/// the address that was connected to. No flag turns this off. Behind a proxy nobody here knows what a name resolves to,
/// so there the name or the literal address decides, and a registry that is reached through a proxy is not at loopback.
final class RedirectGuard: Sendable {
    /// Whether the last connection to an origin led to a loopback address.
    private let seen = Lock<[String: Bool]>([:])

    /// More origins than one run meets; then it begins anew, which only makes it stricter.
    private static let mostOrigins = 10_000

    /// Notes where a request that nobody redirected has got to.
    func note(_ url: HTTPURL, isLoopback: Bool) {
        seen.withLock { seen in
            if seen.count >= Self.mostOrigins { seen.removeAll() }
            seen[url.origin] = isLoopback
        }
    }

    private func isAtLoopback(_ url: HTTPURL) -> Bool { seen.withLock { $0[url.origin] } ?? url.isLoopback }

    /// Whether a request may go to its host, as far as that can be told by the host's name.
    ///
    /// - Throws: ``WireError/Reason/badRedirect``
    func permit(_ request: WireRequest) throws(WireError) {
        guard let from = request.namedBy, from.origin != request.url.origin else { return }
        guard GuardedAddress.isGuarded(host: request.url.host), !isAtLoopback(from) else { return }
        throw refusal(request, from, request.url.host)
    }

    /// Whether a request may be sent on a connection that was made for it.
    ///
    /// - Parameter address: Of the other end; a proxy's doesn't count.
    func refusal(of request: WireRequest, at address: String) -> WireError? {
        guard let from = request.namedBy, from.origin != request.url.origin else { return nil }
        guard GuardedAddress.isGuarded(address), !isAtLoopback(from) else { return nil }
        return refusal(request, from, address)
    }

    private func refusal(_ request: WireRequest, _ from: HTTPURL, _ address: String) -> WireError {
        WireError(
            .badRedirect,
            "\(from.authority) leads to \(address), an address of this machine or its network link, where it is not "
                + "itself",
            url: request.url
        )
    }
}
