internal import AWSIdentity
internal import HTTPTypes
public import Wire

/// An error that AWS's Key Management Service answered.
///
/// - Source: docs/facts/kms.md#errors
public struct KMSError: Error, Sendable, Equatable {
    /// The call, for example `"Sign"`.
    public let operation: String
    /// KMS's code, for example `NotFoundException`; the HTTP status if the answer isn't from KMS.
    public let code: String
    /// KMS's own message.
    public let message: String
    public let status: Int
    /// The id of the request, for a support case; `nil` if the answer had none.
    public let requestID: String?
    /// The wait that the service asked for.
    public let retryAfter: Duration?
    /// The keys that signed the refused request: the end of the key id, and the keys' source.
    public let credentials: String?

    public init(
        operation: String,
        code: String,
        message: String,
        status: Int,
        requestID: String? = nil,
        retryAfter: Duration? = nil,
        credentials: String? = nil
    ) {
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status
        self.requestID = requestID
        self.retryAfter = retryAfter
        self.credentials = credentials
    }
}

extension KMSError: CustomStringConvertible {
    public var description: String {
        "\(operation): \(code): \(message)" + (requestID.map { " (request \($0))" } ?? "")
    }
}

extension KMSError: AWSJSONError {
    init(_ operation: String, _ response: WireResponse, signedWith keys: AWSCredentials?) {
        let refusal = AWSJSONRefusal(response)
        self.init(
            operation: operation,
            code: refusal.code,
            message: refusal.message,
            status: response.status.code,
            requestID: response.quoted(.amzRequestID),
            retryAfter: response.retryAfter,
            credentials: keys.map { "\($0)" }
        )
    }

    init(unreadable operation: String, _ response: WireResponse, because reason: String) {
        self.init(
            operation: operation,
            code: AWSJSONRefusal.unreadable,
            message: "the answer was not complete: \(reason)",
            status: response.status.code,
            requestID: response.quoted(.amzRequestID)
        )
    }

    var codeText: String { code }
    var isExpiredToken: Bool { code == "ExpiredTokenException" }

    /// Whether the service throttles the caller.
    public var isThrottling: Bool { status == 429 || ECRError.throttles.contains(code) }

    /// Whether the service rejects the credentials for any request.
    public var isAuthentication: Bool {
        ECRError(operation: operation, code: .init(rawValue: code), message: "", status: status).isAuthentication
    }

    /// The denied permission; `nil` unless the service denies one.
    public var denial: ECRError.Denial? {
        guard code == "AccessDeniedException" || code == "AccessDenied" else { return nil }
        return ECRError.Denial(sentence: message, action: "kms:\(operation)")
    }
}

extension KMSError: RetryAdvising {
    /// KMS asks to repeat a request after these codes, whatever their status.
    ///
    /// - Source: docs/facts/kms.md#errors
    private static let transient: Set<String> = [
        "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException",
    ]

    public var retryAdvice: RetryAdvice {
        let isTransient =
            isThrottling || Self.transient.contains(code) || ECRError.transient.contains(code) || status >= 500
            || status == 408
        guard isTransient else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}
