public import Content
public import Wire

/// An error that a registry answered.
///
/// Code branches on ``kind``; people read ``description``, which contains no query, no header value and at most
/// ``longestQuote`` bytes of the server's text, ``longestDenial`` of a denial.
///
/// - Source: OCI distribution-spec 1.1, "Error codes"; docs/facts/ecr-registry.md#authentication and #error-answers
public struct RegistryError: Error, Sendable, Equatable {
    /// The operation that failed.
    public enum Operation: String, Sendable {
        case ping = "asking for the API"
        case readManifest = "reading a manifest"
        case writeManifest = "writing a manifest"
        case findBlob = "looking for a blob"
        case readBlob = "reading a blob"
        case startUpload = "starting an upload"
        case upload = "uploading a blob"
        case listTags = "listing tags"
        case listRepositories = "listing repositories"
        case listReferrers = "listing referrers"
        /// A request to the registry's token server.
        case authorize = "asking for a token"
    }

    public enum Kind: String, Sendable {
        /// `NAME_UNKNOWN`: the repository doesn't exist.
        case repositoryMissing
        case manifestUnknown
        /// A manifest was refused because content that it names isn't in the repository.
        case manifestBlobUnknown
        /// A manifest was refused, probably because it has layers with `urls`.
        case foreignLayersRefused
        /// The registry answered a request over https with an http address.
        case insecureAddress
        case blobUnknown
        /// The action is not allowed: `DENIED`, or 403 without a better reason.
        case denied
        /// The credentials are missing or wrong.
        case unauthorized
        case tokenExpired
        case tooManyRequests
        /// 429 for a limit that is counted over hours (``Wire/WireResponse/namesPullLimit``).
        case pullLimit
        /// The tag is immutable and points at another digest.
        case tagImmutable
        /// `UNSUPPORTED` with any status, or 405: the registry does not support the request; at ECR, a bad parameter or
        /// manifest.
        case unsupported
        /// The upload session is broken or gone; the upload needs a new one.
        case blobUploadInvalid
        /// The answer contradicts itself, or lacks something required.
        case malformedAnswer
        /// 5xx.
        case serverFault
        case other
    }

    /// One entry of `errors`.
    public struct Code: Sendable, Equatable {
        public let code: String
        public let message: String
    }

    public let operation: Operation
    public let kind: Kind
    /// The status of the answer; 0 if the connection was closed without one.
    public let status: Int
    public let codes: [Code]
    /// The server's message, cleaned and shortened, or the fault of the answer.
    public let message: String
    /// The URL without its query.
    public let url: String
    /// The request's id, for a support case.
    public let requestID: String?
    public let retryAdvice: RetryAdvice
    /// The program that stored the login that was sent; `nil` if none was.
    public let login: LoginTool?
    /// The digests in the answer's message or details, for example of missing content.
    public let digests: Set<Digest>

    /// The longest quote of a message, in bytes.
    public static let longestQuote = 300
    /// The longest quote of a denial, in bytes: its reason is at the end of a sentence with two ARNs.
    static let longestDenial = longestPrintable
    /// The longest part of an error's body that is read, in bytes.
    public static let longestBody = 65_536

    init(
        _ operation: Operation,
        _ kind: Kind,
        _ message: String,
        url: HTTPURL,
        status: Int = 0,
        codes: [Code] = [],
        requestID: String? = nil,
        retryAdvice: RetryAdvice = .never,
        login: LoginTool? = nil,
        digests: Set<Digest> = []
    ) {
        self.operation = operation
        self.kind = kind
        self.status = status
        self.codes = codes
        self.message = message
        self.url = url.description
        self.requestID = requestID
        self.retryAdvice = retryAdvice
        self.login = login
        self.digests = digests
    }
}

extension RegistryError: RetryAdvising {}

extension RegistryError: CustomStringConvertible {
    public var description: String {
        var text = "\(operation.rawValue) at \(url): "
        if status != 0 { text += "HTTP \(status)" }
        if let code = codes.first?.code { text += " \(code)" }
        if !message.isEmpty { text += status == 0 ? message : ": \(message)" }
        if let requestID { text += " (request \(requestID))" }
        if let remedy { text += "; \(remedy)" }
        return text
    }

    /// The next thing to do, if it is known.
    public var remedy: String? {
        switch kind {
        case .repositoryMissing: "create the repository first, or check its name"
        case .denied: "check the permissions of this identity there"
        case .unauthorized: "check the stored login, and that the token is for this registry's region"
        case .tokenExpired: "get a new token"
        case .tooManyRequests: "run fewer transfers at once, or later"
        case .pullLimit: "log in, because the limit is higher then, or wait until the limit is reset"
        case .tagImmutable: "use a new tag, or leave this one out"
        case .unsupported: "check whether the registry supports this request and the type of its manifest"
        case .foreignLayersRefused: "leave out the platform whose layers have urls"
        case .insecureAddress: "configure the proxy in front of the registry to send X-Forwarded-Proto"
        case .manifestBlobUnknown: "run again to copy the missing content"
        case .blobUploadInvalid: "start the upload again"
        case .manifestUnknown, .blobUnknown, .malformedAnswer, .serverFault, .other: nil
        }
    }
}
