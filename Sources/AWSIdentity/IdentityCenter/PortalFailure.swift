internal import HTTPTypes
internal import Wire

/// An error that IAM Identity Center's portal or token service answered.
struct PortalFailure: RetryAdvising, CustomStringConvertible {
    let status: Int
    let description: String
    let requestID: String?
    private let retryAfter: Duration?

    /// - Parameter message: The service's own message; may be empty.
    init(_ response: WireResponse, _ message: String) {
        status = response.status.code
        description = "HTTP \(status)" + (message.isEmpty ? "" : ": \(presentable(message, without: response.secrets))")
        requestID = response.quoted(.amzRequestID)
        retryAfter = response.retryAfter
    }

    /// Whether to retry: after a throttle, a server error, or a success that was cut in transit.
    var retryAdvice: RetryAdvice {
        guard status == 200 || status == 429 || status >= 500 else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}
