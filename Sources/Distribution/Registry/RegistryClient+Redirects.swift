internal import HTTPTypes
public import Wire

/// Redirects, which every request that only reads follows.
///
/// `WireRequest.following(_:)` makes each further request and has the rules for its URL.
extension RegistryClient {
    /// Returns the next request if an answer is a redirect; credentials stay within their origin.
    ///
    /// - Parameter hops: The number of redirects before this one.
    /// - Returns: `nil` if it isn't a redirect.
    /// - Throws: `WireError` `.badRedirect` from https to http, after `WireRequest.mostRedirects`, or without a valid URL.
    public func follow(_ answer: WireResponse, of request: WireRequest, hops: Int) throws -> WireRequest? {
        guard answer.isRedirect else { return nil }
        guard hops < WireRequest.mostRedirects else {
            throw WireError(.badRedirect, "more than \(WireRequest.mostRedirects) redirects", url: request.url)
        }
        guard let location = answer.fields[.location], !location.isEmpty else {
            throw WireError(.badRedirect, "a redirect without a Location", url: request.url)
        }
        return try request.following(location)
    }

    /// Sends a request that only reads, follows redirects, and retries by the policy.
    ///
    /// - Parameters:
    ///   - isFinal: Whether to return an answer at once, even if it would be retried or thrown.
    ///   - isWanted: Whether to return any other answer; the rest are thrown as ``RegistryError``.
    /// - Returns: The answer, and the request that it answers.
    /// - Throws: also `WireError` as ``follow(_:of:hops:)``
    func performFollowing(
        _ operation: RegistryError.Operation,
        _ request: WireRequest,
        accepting isFinal: (WireResponse, WireRequest) -> Bool = { _, _ in false },
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> (WireResponse, WireRequest) {
        var mayRenew = true
        return try await retrying {
            try await attemptFollowing(
                operation,
                request,
                mayRenew: &mayRenew,
                accepting: isFinal,
                returning: isWanted
            )
        }
    }

    /// Makes one attempt of a request that only reads; credentials stay within their origin.
    ///
    /// - Parameter toRegistriesOnly: Whether to return a redirect that leads to storage instead of following it.
    /// - Returns: The answer, and the request that it answers.
    /// - Throws: also `WireError` as ``follow(_:of:hops:)``
    func attemptFollowing(
        _ operation: RegistryError.Operation,
        _ first: WireRequest,
        mayRenew: inout Bool,
        toRegistriesOnly: Bool = false,
        accepting isFinal: (WireResponse, WireRequest) -> Bool = { _, _ in false },
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> (WireResponse, WireRequest) {
        var request = first
        var hops = 0
        while true {
            let response = try await attempt(operation, request, mayRenew: &mayRenew, accepting: isFinal) {
                $0.isRedirect || isWanted($0)
            }
            if toRegistriesOnly, response.isRedirect, !leadsToRegistry(response, from: request) {
                return (response, request)
            }
            guard let next = try follow(response, of: request, hops: hops) else { return (response, request) }
            request = next
            hops += 1
        }
    }

    private func leadsToRegistry(_ answer: WireResponse, from request: WireRequest) -> Bool {
        guard let location = answer.fields[.location], let next = try? request.url.resolving(location) else {
            return false
        }
        return next.path.hasPrefix("/v2/")
    }
}

extension WireResponse {
    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status.code) }
}
