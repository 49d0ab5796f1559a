internal import HTTPTypes
internal import Wire

/// What the portal or the token's issuer answered instead of what was asked for.
struct PortalFailure: RetryAdvising, CustomStringConvertible {
    let status: Int
    let description: String
    let requestID: String?
    private let retryAfter: Duration?

    /// - Parameter words: The service's own.
    init(_ response: WireResponse, _ words: String) {
        status = response.status.code
        description = "HTTP \(status)" + (words.isEmpty ? "" : ": \(presentable(words, without: response.secrets))")
        requestID = response.quoted(.amzRequestID)
        retryAfter = response.retryAfter
    }

    /// A success that can't be read was cut on the way.
    var retryAdvice: RetryAdvice {
        guard status == 200 || status == 429 || status >= 500 else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}
