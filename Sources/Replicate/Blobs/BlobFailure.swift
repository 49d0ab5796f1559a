internal import Content
internal import Distribution
internal import HTTPTypes
internal import Wire

/// A failed attempt to move one blob, or a part of it, and whether another attempt makes sense.
struct BlobFailure: RetryAdvising, CustomStringConvertible {
    var error: CopyError
    var retryAdvice: RetryAdvice
    /// Whether a destination was dropped because it kept the others waiting.
    var isOutpaced = false

    init(_ error: CopyError, _ retryAdvice: RetryAdvice, isOutpaced: Bool = false) {
        self.error = error
        self.retryAdvice = retryAdvice
        self.isOutpaced = isOutpaced
    }

    /// The event to report, which carries the reason unless the error itself will be reported.
    func event(_ digest: Digest, to destination: ImageReference) -> CopyEvent {
        if case .never = retryAdvice { return .blobGivenUp(digest, to: destination) }
        return .blobRestarted(digest, to: destination, reason: error.cause)
    }

    /// Creates the failure for a source's response that is neither the content nor a redirect.
    ///
    /// - Parameter url: The address that responded.
    init(
        sourceAnswered answer: WireResponse,
        _ blob: Descriptor,
        _ source: any BlobReader,
        from url: HTTPURL? = nil
    ) {
        if let url, let denied = Self.endpointDenial(answer, blob, source, url) {
            self.init(denied, .never)
            return
        }
        let code = answer.status.code
        let advice = answer.retryAfter.map { RetryAdvice.wait($0) } ?? .backOff
        let (reason, retryAdvice): (CopyError.Reason, RetryAdvice) =
            switch code {
            case 404: (.blobMissing(blob.digest), .never)
            case 429 where answer.namesPullLimit:
                (
                    .throttled("HTTP 429: the registry's limit for pulls is used up"),
                    answer.retryAfter == nil ? .never : advice
                )
            case 408, 429, 503: (.throttled("HTTP \(code)"), advice)
            case 500...599: (.rejected(code: "HTTP \(code)", text: ""), advice)
            // The body is left out: S3 repeats the request in it, including the key id and the signature.
            default: (.rejected(code: "HTTP \(code)", text: Self.storageCode(answer)), .never)
            }
        var error = CopyError(
            reason,
            side: source.side,
            image: source.reference,
            operation: "downloading \(blob.digest)"
        )
        if answer.namesPullLimit, case .plain(let registry) = source.reference.registry {
            error.circumstance = .pullLimit(registry, wait: answer.retryAfter)
        }
        self.init(error, retryAdvice)
    }

    /// The error for a 403 at an address that ECR gave, most likely because the policy of a VPC endpoint forbids it.
    ///
    /// If the response isn't S3's, another server on the way sent it. An expired address and a KMS key that ECR may no
    /// longer use are `AccessDenied` too, and their messages say so.
    private static func endpointDenial(
        _ answer: WireResponse,
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ url: HTTPURL
    ) -> CopyError? {
        let image = source.reference
        guard answer.status.code == 403, case .ecr = source.reference.registry else { return nil }
        let text = answer.excerpt(1_000)
        guard text.contains("<Code>") else {
            // S3 sends its own error document; a proxy or firewall that inspects TLS sends a different text.
            var error = CopyError(
                .denied(
                    action: "s3:GetObject",
                    text: "the layers' host \(url.authority) answered 403, but not in S3's format"
                ),
                side: source.side,
                image: image,
                operation: "downloading \(blob.digest)"
            )
            error.circumstance = .layerIntercepted(url)
            return error
        }
        guard text.contains("<Code>AccessDenied<"), !text.contains("Request has expired") else { return nil }
        let message = storageMessage(text)
        let isAboutKey = text.contains("kms:")
        let said = "the layers' host \(url.authority) says AccessDenied\(message.map { ": \($0)" } ?? "")"
        var error = CopyError(
            isAboutKey ? .keyUnusable(said) : .denied(action: "s3:GetObject", text: said),
            side: source.side,
            image: image,
            operation: "downloading \(blob.digest)",
            requestID: HTTPField.Name("x-amz-request-id").flatMap { answer.quoted($0) }
        )
        if !isAboutKey { error.circumstance = .layerDenied }
        return error
    }

    var description: String { "\(error.operation) at the \(error.side.rawValue) \(error.place): \(error.cause)" }

    /// The message of S3's error document, without the rest, which repeats the request.
    private static func storageMessage(_ text: String) -> String? {
        guard let start = text.firstRange(of: "<Message>"),
            let end = text[start.upperBound...].firstRange(of: "</Message>")
        else { return nil }
        let message = text[start.upperBound..<end.lowerBound].replacing("&quot;", with: "\"")
        let isPlain = message.unicodeScalars.allSatisfy { $0.value >= 32 } && !message.contains("X-Amz-")
        return isPlain && !message.isEmpty ? String(message) : nil
    }

    /// The code of S3's error document, for example `AccessDenied`.
    private static func storageCode(_ answer: WireResponse) -> String {
        let parts = answer.excerpt(1_000).split(separator: "<Code>", maxSplits: 1)
        let code = (parts.count == 2 ? parts[1] : "").prefix { $0.isASCII && $0.isLetter }
        return code.isEmpty || code.count > 60 ? "the layer's host refuses" : "the layer's host says \(code)"
    }
}
