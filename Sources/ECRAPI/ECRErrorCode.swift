public import Wire

extension ECRError {
    /// The code of an error; an open set, since AWS adds codes and gateways have their own.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public var description: String { rawValue }

        public static let repositoryNotFound = Self(rawValue: "RepositoryNotFoundException")
        public static let repositoryAlreadyExists = Self(rawValue: "RepositoryAlreadyExistsException")
        public static let imageNotFound = Self(rawValue: "ImageNotFoundException")
        public static let imageAlreadyExists = Self(rawValue: "ImageAlreadyExistsException")
        /// The tag is immutable; it may already point at this very image (docs/facts/ecr-api.md#putimage).
        public static let imageTagAlreadyExists = Self(rawValue: "ImageTagAlreadyExistsException")
        public static let imageDigestDoesNotMatch = Self(rawValue: "ImageDigestDoesNotMatchException")
        public static let referencedImagesNotFound = Self(rawValue: "ReferencedImagesNotFoundException")
        public static let layersNotFound = Self(rawValue: "LayersNotFoundException")
        public static let layerInaccessible = Self(rawValue: "LayerInaccessibleException")
        public static let layerAlreadyExists = Self(rawValue: "LayerAlreadyExistsException")
        public static let layerPartTooSmall = Self(rawValue: "LayerPartTooSmallException")
        public static let invalidLayer = Self(rawValue: "InvalidLayerException")
        public static let invalidLayerPart = Self(rawValue: "InvalidLayerPartException")
        public static let emptyUpload = Self(rawValue: "EmptyUploadException")
        /// The image has never been scanned, or its result was deleted.
        public static let scanNotFound = Self(rawValue: "ScanNotFoundException")
        public static let uploadNotFound = Self(rawValue: "UploadNotFoundException")
        /// A hard quota, not a throttle, although SDKs treat it as one.
        public static let limitExceeded = Self(rawValue: "LimitExceededException")
        public static let invalidParameter = Self(rawValue: "InvalidParameterException")
        public static let validation = Self(rawValue: "ValidationException")
        public static let kms = Self(rawValue: "KmsException")
        public static let server = Self(rawValue: "ServerException")
        public static let unableToGetUpstreamImage = Self(rawValue: "UnableToGetUpstreamImageException")
        public static let unableToGetUpstreamLayer = Self(rawValue: "UnableToGetUpstreamLayerException")
        public static let unableToListUpstreamReferrers =
            Self(rawValue: "UnableToListUpstreamImageReferrersException")
        public static let accessDenied = Self(rawValue: "AccessDeniedException")
        public static let unrecognizedClient = Self(rawValue: "UnrecognizedClientException")
        public static let invalidSignature = Self(rawValue: "InvalidSignatureException")
        public static let expiredToken = Self(rawValue: "ExpiredTokenException")
        public static let incompleteSignature = Self(rawValue: "IncompleteSignatureException")
        public static let missingAuthenticationToken = Self(rawValue: "MissingAuthenticationTokenException")
        public static let optInRequired = Self(rawValue: "OptInRequired")
        public static let throttling = Self(rawValue: "ThrottlingException")
        public static let unknownOperation = Self(rawValue: "UnknownOperationException")
        /// What some stand-ins for AWS answer to an operation that they don't know, as AWS's query protocol does.
        public static let invalidAction = Self(rawValue: "InvalidAction")
        /// This program's own code for a cut answer, or a 2xx that doesn't match the operation.
        public static let unreadableAnswer = Self(rawValue: AWSJSONRefusal.unreadable)
        /// Whether the service doesn't know the operation.
        public var isUnknownOperation: Bool { self == .unknownOperation || self == .invalidAction }
        /// This program's own code for a page that names an earlier page as the next.
        public static let repeatedPage = Self(rawValue: "RepeatedPage")
    }

    /// Whether the service throttles the caller.
    public var isThrottling: Bool { status == 429 || Self.throttles.contains(code.rawValue) }

    /// Whether the service rejects the credentials for any request: exit code 4.
    public var isAuthentication: Bool {
        [
            .unrecognizedClient, .invalidSignature, .expiredToken, .incompleteSignature, .missingAuthenticationToken,
            .optInRequired, Code(rawValue: "InvalidClientTokenId"), Code(rawValue: "SignatureDoesNotMatch"),
        ].contains(code)
    }

    /// Whether the registry behind a pull-through cache rule failed, or ECR failed to use it.
    ///
    /// Some of these codes belong to a failed image in a `BatchGetImage` that succeeds, others to errors of whole
    /// calls.
    ///
    /// - Source: ECR API Reference, `ImageFailure` and the errors of `BatchGetImage`, `GetDownloadUrlForLayer`,
    ///   `ListImageReferrers`, `CreatePullThroughCacheRule`
    public var isUpstream: Bool { Self.upstream.contains(code.rawValue.replacing("Exception", with: "")) }

    private static let upstream: Set<String> = [
        "UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable", "UnableToGetUpstreamImage",
        "UnableToGetUpstreamLayer", "UnableToListUpstreamImageReferrers", "UnableToAccessSecret", "SecretNotFound",
        "UnableToDecryptSecretValue", "UnsupportedUpstreamRegistry",
    ]

    /// Whether the upstream registry is only throttling or temporarily unavailable.
    private var isPassingUpstream: Bool {
        ["UpstreamTooManyRequests", "UpstreamUnavailable"].contains(code.rawValue.replacing("Exception", with: ""))
    }

    /// - Source: docs/facts/quotas.md#throttles; `LimitExceededException` is left out on purpose
    static let throttles: Set<String> = [
        "Throttling", "ThrottlingException", "ThrottleException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
        "EC2ThrottledException",
    ]

    /// - Source: docs/facts/quotas.md#retries
    static let transient: Set<String> = [
        "ServerException", "RequestTimeout", "RequestTimeoutException", "InternalFailure", "InternalServerError",
        "InternalServerException", "ServiceUnavailable", "ServiceUnavailableException", "UnreadableAnswer",
    ]
}

extension ECRError: RetryAdvising {
    /// Whether to retry: by the code for client errors, by the status if the code is unknown (429, 5xx, a proxy's body).
    public var retryAdvice: RetryAdvice {
        guard code != .limitExceeded, code != .kms, code != .repeatedPage else { return .never }
        let isTransient =
            isPassingUpstream || isThrottling || Self.transient.contains(code.rawValue) || status >= 500
            || status == 408
        guard isTransient else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}
