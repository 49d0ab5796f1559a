internal import AWSIdentity
public import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// An error that ECR answered.
///
/// Code branches on ``code``; ECR's HTTP statuses say little (docs/facts/ecr-api.md#errors).
public struct ECRError: Error, Sendable, Equatable {
    /// The call, for example `"PutImage"`.
    public let operation: String
    public let code: Code
    /// ECR's own message.
    public let message: String
    public let status: Int
    /// The id of the request, for a support case; `nil` if the answer had none.
    public let requestID: String?
    /// The wait that the service asked for.
    public let retryAfter: Duration?
    /// With `InvalidLayerPartException`: the upload continues at the byte after this one.
    public let lastValidByteReceived: Int64?
    /// With `KmsException`: the message of the key service.
    public let kmsError: String?
    /// The keys that signed the refused request: the end of the key id, and the keys' source.
    public let credentials: String?
    /// The advice for signing keys whose form shows that they don't belong together.
    package let pairingAdvice: String?
    /// The digests that the message names, for example of missing layers.
    public let digests: Set<Digest>

    public init(
        operation: String,
        code: Code,
        message: String,
        status: Int,
        requestID: String? = nil,
        retryAfter: Duration? = nil,
        lastValidByteReceived: Int64? = nil,
        kmsError: String? = nil,
        credentials: String? = nil,
        pairingAdvice: String? = nil,
        digests: Set<Digest> = []
    ) {
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status
        self.requestID = requestID
        self.retryAfter = retryAfter
        self.lastValidByteReceived = lastValidByteReceived
        self.kmsError = kmsError
        self.credentials = credentials
        self.pairingAdvice = pairingAdvice
        self.digests = digests
    }
}

extension ECRError: CustomStringConvertible {
    public var description: String {
        "\(operation): \(code.rawValue): \(message)" + (kmsError.map { " (\($0))" } ?? "")
            + (requestID.map { " (request \($0))" } ?? "")
    }
}

extension ECRError {
    /// Parses an answer that isn't a success.
    ///
    /// - Source: docs/facts/ecr-api.md#errors
    init(_ operation: String, _ response: WireResponse, signedWith keys: AWSCredentials? = nil) {
        let refusal = AWSJSONRefusal(response)
        let more = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        self.init(
            operation: operation,
            code: Code(rawValue: refusal.code),
            message: refusal.message,
            status: response.status.code,
            requestID: response.quoted(.amzRequestID),
            retryAfter: response.retryAfter,
            lastValidByteReceived: more?.lastValidByteReceived,
            kmsError: (more?.kmsError).map { presentable($0, without: response.secrets) },
            credentials: keys.map { "\($0)" },
            pairingAdvice: keys?.pairingAdvice,
            digests: Digest.named(in: Array(refusal.wholeMessage.utf8))
        )
    }

    /// Makes the error for a success with an unreadable body, which isn't quoted, since it may hold a token or a
    /// presigned URL.
    init(unreadable operation: String, _ response: WireResponse, because reason: String) {
        self.init(
            operation: operation,
            code: .unreadableAnswer,
            message: "the answer was not complete: \(reason)",
            status: response.status.code,
            requestID: response.quoted(.amzRequestID)
        )
    }

    /// The members that only ECR's errors have.
    private struct Body: Decodable {
        var lastValidByteReceived: Int64?
        var kmsError: String?

        enum CodingKeys: String, CodingKey { case lastValidByteReceived, kmsError }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            lastValidByteReceived = try? container.decodeIfPresent(Int64.self, forKey: .lastValidByteReceived)
            kmsError = try? container.decodeIfPresent(String.self, forKey: .kmsError)
        }
    }
}
