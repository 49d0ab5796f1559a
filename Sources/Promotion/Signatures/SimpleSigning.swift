internal import Content

/// The payload that cosign signs for a tag `sha256-….sig`: a short JSON text that names the image's digest.
///
/// - Source: docs/facts/signatures.md#simple-signing
enum SimpleSigning {
    static let layerType = MediaType("application/vnd.dev.cosign.simplesigning.v1+json")
    /// The artifact type of the experimental referrer with the same layers.
    static let artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json"
    /// The annotation of a layer that holds the signature in base64.
    static let signatureAnnotation = "dev.cosignproject.cosign/signature"
    /// The annotation with the certificate of a keyless signature.
    static let certificateAnnotation = "dev.sigstore.cosign/certificate"
    static let payloadType = "cosign container image signature"

    /// Checks one layer: the signature is one of the keys', and the payload is about the image.
    ///
    /// - Returns: The key that fits.
    /// - Throws: ``SignatureProblem``
    static func verify(
        _ payload: [UInt8],
        of layer: Descriptor,
        about digest: Digest,
        with keys: [TrustedKey]
    ) throws(SignatureProblem) -> TrustedKey {
        guard let text = layer.annotations[signatureAnnotation] else {
            throw .refused("the layer has no annotation '\(signatureAnnotation)'")
        }
        guard let signature = Base64Text.decode(text, .standard), !signature.isEmpty else {
            throw .refused("the annotation '\(signatureAnnotation)' is not base64")
        }
        guard let key = keys.first(where: { $0.key.verifies(signature, over: payload) }) else {
            throw layer.annotations[certificateAnnotation] == nil ? .otherSigner : .keyless
        }
        try check(payload, about: digest)
        return key
    }

    /// Checks what a verified payload says.
    private static func check(_ payload: [UInt8], about digest: Digest) throws(SignatureProblem) {
        let document = try SignedJSON.decode(Document.self, from: payload, "the signed payload")
        guard document.critical.type == payloadType else {
            throw .refused("the signed payload has the type '\(quotable(document.critical.type, upTo: 100))'")
        }
        let image = document.critical.image
        guard let signed = image.digest ?? image.olderDigest else {
            throw .refused("the signed payload has no member 'docker-manifest-digest'")
        }
        guard signed == digest.description else { throw .otherImage(signed) }
    }

    private struct Document: Decodable {
        struct Critical: Decodable {
            var type: String
            var image: Image
        }

        struct Image: Decodable {
            var digest: String?
            /// The spelling of older writers.
            var olderDigest: String?

            enum CodingKeys: String, CodingKey {
                case digest = "docker-manifest-digest"
                case olderDigest = "Docker-manifest-digest"
            }
        }

        var critical: Critical
    }
}

extension SignatureProblem {
    static let otherSigner = SignatureProblem(.otherSigner, "by a key that was not given")

    /// A signature with a short-lived certificate and no key that could be given.
    static let keyless = SignatureProblem(
        .otherSigner,
        "keyless (a certificate of Fulcio's), which is not verified here; verify it with 'cosign verify'"
    )

    static func otherImage(_ signed: String) -> SignatureProblem {
        .refused("it is a signature of another image: '\(quotable(signed, upTo: 100))'")
    }
}
