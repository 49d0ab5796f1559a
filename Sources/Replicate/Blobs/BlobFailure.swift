internal import Content
internal import Distribution
internal import HTTPTypes
internal import Wire

/// One try at one blob, or at a part of it, and whether another makes sense.
struct BlobFailure: RetryAdvising, CustomStringConvertible {
    var error: CopyError
    var retryAdvice: RetryAdvice
    /// Whether it is about a destination that was let go because it kept others waiting.
    var isOutpaced = false

    init(_ error: CopyError, _ retryAdvice: RetryAdvice, isOutpaced: Bool = false) {
        self.error = error
        self.retryAdvice = retryAdvice
        self.isOutpaced = isOutpaced
    }

    /// What those are told who show it: the reason, where it won't be told otherwise.
    func event(_ digest: Digest, to destination: ImageReference) -> CopyEvent {
        if case .never = retryAdvice { return .blobGivenUp(digest, to: destination) }
        return .blobRestarted(digest, to: destination, reason: error.cause)
    }

    /// What a source's answer means that is neither content nor a redirect.
    ///
    /// - Parameter url: Who answered.
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
            // The body stays out: S3 repeats the request in it, key id and signature included.
            default: (.rejected(code: "HTTP \(code)", text: Self.storageCode(answer)), .never)
            }
        var error = CopyError(
            reason,
            side: source.side,
            image: source.reference.description,
            operation: "downloading \(blob.digest)"
        )
        if answer.namesPullLimit, case .plain(let registry) = source.reference.registry {
            error.circumstance = .pullLimit(registry, wait: answer.retryAfter)
        }
        self.init(error, retryAdvice)
    }

    /// What S3 says to an address of ECR's that is good: the policy of the VPC endpoint on the way forbids it, most likely.
    ///
    /// Where it isn't S3 that says so, something else on the way does. An address that has run out is `AccessDenied` too,
    /// and says so; and so is a key that ECR may not use any more.
    private static func endpointDenial(
        _ answer: WireResponse,
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ url: HTTPURL
    ) -> CopyError? {
        let image = source.reference.description
        guard answer.status.code == 403, case .ecr = source.reference.registry else { return nil }
        let text = answer.excerpt(1_000)
        guard text.contains("<Code>") else {
            // S3 says what it forbids; a proxy or firewall that looks into TLS has words of its own.
            var error = CopyError(
                .denied(
                    action: "s3:GetObject",
                    text: "the layers' host \(url.authority) answered 403, and in other words than S3's"
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

    /// What S3 says of the trouble; not the rest, in which it repeats the request.
    private static func storageMessage(_ text: String) -> String? {
        guard let start = text.firstRange(of: "<Message>"),
            let end = text[start.upperBound...].firstRange(of: "</Message>")
        else { return nil }
        let message = text[start.upperBound..<end.lowerBound].replacing("&quot;", with: "\"")
        let isPlain = message.unicodeScalars.allSatisfy { $0.value >= 32 } && !message.contains("X-Amz-")
        return isPlain && !message.isEmpty ? String(message) : nil
    }

    /// What S3 calls the trouble, for example `AccessDenied`.
    private static func storageCode(_ answer: WireResponse) -> String {
        let parts = answer.excerpt(1_000).split(separator: "<Code>", maxSplits: 1)
        let code = (parts.count == 2 ? parts[1] : "").prefix { $0.isASCII && $0.isLetter }
        return code.isEmpty || code.count > 60 ? "the layer's host refuses" : "the layer's host says \(code)"
    }
}
