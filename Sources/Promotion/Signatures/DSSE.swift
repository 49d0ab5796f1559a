internal import Content
internal import FoundationEssentials
package import Platform

/// A DSSE envelope: a payload with its type, and signatures over both.
///
/// - Source: docs/facts/signatures.md#dsse
package struct DSSEEnvelope: Sendable, Hashable {
    package struct Signature: Sendable, Hashable {
        /// A hint at the key that the signer wrote; nothing vouches for it.
        package var keyID: String?
        package var bytes: [UInt8]

        package init(keyID: String? = nil, bytes: [UInt8]) { (self.keyID, self.bytes) = (keyID, bytes) }
    }

    /// The payload type of in-toto statements.
    package static let statementType = "application/vnd.in-toto+json"
    /// The media type of an envelope.
    package static let mediaType = "application/vnd.dsse.envelope.v1+json"

    package var payloadType: String
    /// The payload, decoded.
    package var payload: [UInt8]
    package var signatures: [Signature]

    package init(payloadType: String, payload: [UInt8], signatures: [Signature] = []) {
        (self.payloadType, self.payload, self.signatures) = (payloadType, payload, signatures)
    }

    /// Reads an envelope from JSON; unknown members are ignored.
    ///
    /// - Throws: ``SignatureProblem``, also for a member that is there twice.
    package init(json: [UInt8]) throws(SignatureProblem) {
        try self.init(SignedJSON.decode(Document.self, from: json, "the DSSE envelope"))
    }

    init(_ document: Document) throws(SignatureProblem) {
        payloadType = document.payloadType
        guard let payload = Base64Text.decode(document.payload, .either) else {
            throw .refused("the payload of the DSSE envelope is not base64")
        }
        self.payload = payload
        guard document.signatures.count <= SignatureLimits.signaturesPerEnvelope else {
            throw .refused("the DSSE envelope has more than \(SignatureLimits.signaturesPerEnvelope) signatures")
        }
        signatures = []
        for signature in document.signatures {
            guard let bytes = Base64Text.decode(signature.sig, .either), !bytes.isEmpty else {
                throw .refused("a signature of the DSSE envelope is not base64")
            }
            signatures.append(Signature(keyID: signature.keyid, bytes: bytes))
        }
    }

    /// The bytes that a signature is made over.
    package var signedBytes: [UInt8] { Self.preAuthenticationEncoding(payloadType, payload) }

    /// The type and the payload, each with its length before it, as DSSE signs them.
    package static func preAuthenticationEncoding(_ payloadType: String, _ payload: [UInt8]) -> [UInt8] {
        let type = Array(payloadType.utf8)
        return Array("DSSEv1 \(type.count) ".utf8) + type + Array(" \(payload.count) ".utf8) + payload
    }

    /// Adds a signature.
    ///
    /// - Parameter keyID: A hint for readers; Sigstore's programs leave it empty.
    package mutating func sign(with key: PrivateKey, keyID: String? = nil) throws(KeyError) {
        signatures.append(Signature(keyID: keyID, bytes: try key.sign(signedBytes)))
    }

    /// Whether one of the signatures is the key's, in one of the schemes that Sigstore's programs use.
    package func isSigned(by key: PublicKey) -> Bool {
        let message = signedBytes
        return signatures.contains { key.verifies($0.bytes, over: message) }
    }

    /// The envelope as JSON, in standard base64.
    package var json: [UInt8] {
        // Base64 and the escaped texts need no further escapes, and the order of members is always the same.
        let list = signatures.map { signature in
            let hint = signature.keyID.map { "\"keyid\":\(Self.quoted($0))," } ?? ""
            return "{\(hint)\"sig\":\"\(Base64Text.encode(signature.bytes))\"}"
        }
        let type = Self.quoted(payloadType)
        let text = """
            {"payload":"\(Base64Text.encode(payload))","payloadType":\(type),"signatures":[\(list.joined(separator: ","))]}
            """
        return Array(text.utf8)
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// The members of an envelope, named as in JSON.
    struct Document: Decodable {
        struct Entry: Decodable {
            var sig: String
            var keyid: String?
        }

        var payload: String
        var payloadType: String
        var signatures: [Entry]
    }
}

extension PublicKey {
    /// The schemes that Sigstore's programs use with such a key, the usual one first.
    ///
    /// The scheme depends on the key alone: nothing in a message chooses it.
    ///
    /// - Source: docs/facts/signatures.md#algorithms
    package var sigstoreSchemes: [SignatureScheme] {
        switch kind {
        case .ecdsa(.p256): [.ecdsa(.sha256)]
        case .ecdsa(.p384): [.ecdsa(.sha384), .ecdsa(.sha256)]
        case .ecdsa(.p521): [.ecdsa(.sha512), .ecdsa(.sha256)]
        case .rsa: [.rsaPKCS1(.sha256), .rsaPSS(.sha256)]
        case .ed25519: [.ed25519]
        }
    }

    /// Whether a signature over a message is this key's, in one of the schemes that Sigstore's programs use.
    package func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        sigstoreSchemes.contains { verifies(signature, over: message, $0) }
    }
}
