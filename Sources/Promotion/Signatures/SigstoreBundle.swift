internal import Content
internal import Platform

/// A Sigstore bundle: one signature, as a DSSE envelope or over a message, with what is needed to verify it.
///
/// Only its content is used: the key is given by the user, so what the bundle says about keys, certificates and
/// transparency logs proves nothing more.
///
/// - Source: docs/facts/signatures.md#sigstore-bundles
struct SigstoreBundle {
    enum Content {
        case envelope(DSSEEnvelope)
        /// A signature over the image's manifest itself, and the hash of the manifest that the bundle states.
        case message(signature: [UInt8], hash: SignatureHash, digest: [UInt8])
    }

    static let typePrefix = "application/vnd.dev.sigstore.bundle"
    /// The media types of versions 0.1 to 0.3, and the newest version that each goes with.
    static let mediaTypes: Set<String> = [
        "application/vnd.dev.sigstore.bundle+json;version=0.1", "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3", "application/vnd.dev.sigstore.bundle.v0.3+json",
    ]

    var content: Content
    /// Whether the signer had a certificate and no key of its own.
    var isKeyless: Bool

    init(json: [UInt8]) throws(SignatureProblem) {
        let document = try SignedJSON.decode(Document.self, from: json, "the bundle")
        guard Self.mediaTypes.contains(document.mediaType) else {
            throw .refused("the bundle has the unknown type '\(quotable(document.mediaType, upTo: 100))'")
        }
        let material = document.verificationMaterial
        isKeyless = material?.certificate != nil || material?.x509CertificateChain != nil
        switch (document.dsseEnvelope, document.messageSignature) {
        case (let envelope?, nil):
            guard envelope.signatures.count == 1 else {
                throw .refused("the bundle's envelope has \(envelope.signatures.count) signatures; it must have one")
            }
            content = .envelope(try DSSEEnvelope(envelope))
        case (nil, let message?): content = try Self.content(of: message)
        default: throw .refused("the bundle must have one of 'dsseEnvelope' and 'messageSignature'")
        }
    }

    private static func content(of message: Document.Message) throws(SignatureProblem) -> Content {
        let hashes: [String: SignatureHash] = ["SHA2_256": .sha256, "SHA2_384": .sha384, "SHA2_512": .sha512]
        guard let stated = message.messageDigest, let hash = hashes[stated.algorithm] else {
            throw .refused("the bundle's message digest is missing or of an unknown kind")
        }
        guard let digest = Base64Text.decode(stated.digest, .either),
            let signature = Base64Text.decode(message.signature, .either), !signature.isEmpty
        else { throw .refused("the bundle's message signature is not base64") }
        return .message(signature: signature, hash: hash, digest: digest)
    }

    private struct Document: Decodable {
        /// Is there or not; what it holds is not used.
        struct Anything: Decodable { init(from decoder: any Decoder) throws {} }

        struct Material: Decodable {
            var certificate: Anything?
            var x509CertificateChain: Anything?
        }

        struct Message: Decodable {
            struct Digest: Decodable {
                var algorithm: String
                var digest: String
            }

            var messageDigest: Digest?
            var signature: String
        }

        var mediaType: String
        var verificationMaterial: Material?
        var dsseEnvelope: DSSEEnvelope.Document?
        var messageSignature: Message?
    }
}

extension SigstoreBundle {
    /// Finds the key that made the signature.
    ///
    /// - Parameter manifest: The image's manifest, which a message signature is over.
    /// - Returns: The key, and the statement of an envelope.
    /// - Throws: ``SignatureProblem``
    func verify(
        about manifest: Manifest,
        with keys: [TrustedKey]
    ) throws(SignatureProblem) -> (key: TrustedKey, statement: InTotoStatement?) {
        switch content {
        case .envelope(let envelope):
            guard let key = keys.first(where: { envelope.isSigned(by: $0.key) }) else { throw noKey }
            let statement = try InTotoStatement(of: envelope)
            guard statement.isAbout(manifest.digest) else {
                throw .otherImage(statement.subjects.sorted().first.map { "sha256:\($0)" } ?? "no image")
            }
            return (key, statement)
        case .message(let signature, let hash, let stated):
            guard stated == hash.digest(of: manifest.bytes) else { throw .otherImage("a message with another digest") }
            guard let key = keys.first(where: { $0.key.verifies(signature, over: manifest.bytes) }) else { throw noKey }
            return (key, nil)
        }
    }

    private var noKey: SignatureProblem { isKeyless ? .keyless : .otherSigner }
}
