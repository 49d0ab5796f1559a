internal import AWSIdentity
public import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// What ECR answered instead of what was asked for.
///
/// Code branches on ``code``; ECR's HTTP statuses say little (docs/facts/ecr-api.md#errors).
public struct ECRError: Error, Sendable, Equatable {
    /// The call, for example `"PutImage"`.
    public let operation: String
    public let code: Code
    /// In ECR's words.
    public let message: String
    public let status: Int
    /// For a support case; `nil` if none came back.
    public let requestID: String?
    /// The wait that the service asked for.
    public let retryAfter: Duration?
    /// With `InvalidLayerPartException`: the upload goes on at the byte after this one.
    public let lastValidByteReceived: Int64?
    /// With `KmsException`: what the key service said.
    public let kmsError: String?
    /// Whose signature was refused, or what it is good for: the end of the key's id, and where it is from.
    public let credentials: String?
    /// What to do, where the form of the keys that signed tells that they don't belong together.
    package let pairingAdvice: String?
    /// What the message names by digest: layers that are missing, for example.
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
    /// Reads an answer that isn't a success.
    ///
    /// - Source: docs/facts/ecr-api.md#errors
    init(_ operation: String, _ response: WireResponse, signedWith keys: AWSCredentials? = nil) {
        let said = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        let type = said?.type ?? response.fields[.amzErrorType]
        // What calls itself JSON and can't be read as such was cut on the way: whatever it said, it may be asked again.
        let isCut = said == nil && response.fields[.contentType]?.contains("json") == true
        self.init(
            operation: operation,
            code: type.map { Code(type: presentable($0, without: response.secrets, upTo: Self.longestCode)) }
                ?? (isCut ? .unreadableAnswer : Code(rawValue: String(response.status.code))),
            message: presentable(
                said.map { $0.message ?? "" } ?? response.excerpt(),
                without: response.secrets,
                upTo: longestServiceText
            ),
            status: response.status.code,
            requestID: response.quoted(.amzRequestID),
            retryAfter: response.retryAfter,
            lastValidByteReceived: said?.lastValidByteReceived,
            kmsError: (said?.kmsError).map { presentable($0, without: response.secrets) },
            credentials: keys.map { "\($0)" },
            pairingAdvice: keys?.pairingAdvice,
            digests: Digest.named(in: Array((said?.message ?? "").utf8))
        )
    }

    /// A success whose body can't be read; it isn't quoted, for it may be a token or a presigned address.
    init(unreadable operation: String, _ response: WireResponse, because reason: String) {
        self.init(
            operation: operation,
            code: .unreadableAnswer,
            message: "the answer was not complete: \(reason)",
            status: response.status.code,
            requestID: response.quoted(.amzRequestID)
        )
    }

    /// In bytes; AWS's longest code has 50.
    private static let longestCode = 200

    private struct Body: Decodable {
        var type: String?
        var message: String?
        var lastValidByteReceived: Int64?
        var kmsError: String?

        enum CodingKeys: String, CodingKey {
            case type = "__type"
            case message, lastValidByteReceived, kmsError
            case capitalMessage = "Message"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try? container.decodeIfPresent(String.self, forKey: .type)
            message =
                (try? container.decodeIfPresent(String.self, forKey: .message))
                ?? (try? container.decodeIfPresent(String.self, forKey: .capitalMessage))
            lastValidByteReceived = try? container.decodeIfPresent(Int64.self, forKey: .lastValidByteReceived)
            kmsError = try? container.decodeIfPresent(String.self, forKey: .kmsError)
        }
    }
}
