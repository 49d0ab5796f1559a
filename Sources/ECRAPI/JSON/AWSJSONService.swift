internal import AWSIdentity
internal import Wire

/// An AWS service that speaks JSON: how its requests are named and signed.
struct AWSJSONService: Sendable {
    /// The service's name in signatures, for example `ecr`.
    let signingName: String
    /// The part of `X-Amz-Target` before the operation's name.
    let targetPrefix: String
    /// The content type, which says the protocol's version.
    let contentType: String

    /// - Source: docs/facts/ecr-api.md#protocol
    static let ecr = AWSJSONService(
        signingName: "ecr",
        targetPrefix: "AmazonEC2ContainerRegistry_V20150921",
        contentType: "application/x-amz-json-1.1"
    )

    /// - Source: docs/facts/kms.md#protocol
    static let kms = AWSJSONService(
        signingName: "kms",
        targetPrefix: "TrentService",
        contentType: "application/x-amz-json-1.1"
    )
}

/// An error that a JSON service answered, as far as ``AWSJSONClient`` must understand it.
protocol AWSJSONError: RetryAdvising {
    /// Parses an answer that isn't a success.
    init(_ operation: String, _ response: WireResponse, signedWith keys: AWSCredentials?)

    /// Makes the error for a success with an unreadable body, which isn't quoted.
    init(unreadable operation: String, _ response: WireResponse, because reason: String)

    /// The service's code.
    var codeText: String { get }
    /// Whether fresh credentials may help.
    var isExpiredToken: Bool { get }
    /// Whether the service throttles the caller.
    var isThrottling: Bool { get }
    /// The wait that the service asked for.
    var retryAfter: Duration? { get }
}

extension ECRError: AWSJSONError {
    var codeText: String { code.rawValue }
    var isExpiredToken: Bool { code == .expiredToken }
}
