internal import HTTPTypes
internal import Wire

/// A failure that IAM Identity Center's portal or token service answered.
struct PortalFailure: RetryAdvising, CustomStringConvertible {
    let status: Int
    let description: String
    let requestID: String?
    private let retryAfter: Duration?

    /// - Parameter words: The service's own words.
    init(_ response: WireResponse, _ words: String) {
        status = response.status.code
        description = "HTTP \(status)" + (words.isEmpty ? "" : ": \(presentable(words, without: response.secrets))")
        requestID = response.quoted(.amzRequestID)
        retryAfter = response.retryAfter
    }

    /// An unreadable success was cut in transit, so it is retried.
    var retryAdvice: RetryAdvice {
        guard status == 200 || status == 429 || status >= 500 else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}
