internal import Platform

/// Refuses redirects, and other addresses that a registry names, to services of this machine.
///
/// A registry may name a loopback or link-local address only if the registry itself was reached at a loopback address.
/// No flag turns this off. Behind a proxy the resolved address is unknown, so the name or the literal address decides,
/// and a registry behind a proxy never counts as loopback.
final class RedirectGuard: Sendable {
    /// Whether the last connection to an origin was to a loopback address.
    private let seen = Lock<[String: Bool]>([:])

    /// The most origins that are remembered, which is more than a run needs; forgetting one makes the check stricter.
    private static let mostOrigins = 10_000

    /// Notes the address of the connection for a request that is not a redirect.
    func note(_ url: HTTPURL, isLoopback: Bool) {
        seen.withLock { seen in
            if seen.count >= Self.mostOrigins { seen.removeAll() }
            seen[url.origin] = isLoopback
        }
    }

    private func isAtLoopback(_ url: HTTPURL) -> Bool { seen.withLock { $0[url.origin] } ?? url.isLoopback }

    /// Refuses a request to a guarded host.
    ///
    /// - Throws: ``WireError/Reason/badRedirect``
    func permit(_ request: WireRequest) throws(WireError) {
        guard let from = request.namedBy, from.origin != request.url.origin else { return }
        guard GuardedAddress.isGuarded(host: request.url.host), !isAtLoopback(from) else { return }
        throw refusal(request, from, request.url.host)
    }

    /// Refuses to send a request on a connection to a guarded address.
    ///
    /// - Parameter address: The address of the other end; that of a proxy is not passed.
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
