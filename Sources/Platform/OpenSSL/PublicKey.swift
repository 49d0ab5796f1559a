internal import COpenSSL

/// A public key that verifies signatures: ECDSA on P-256, P-384 or P-521, RSA from 2,048 bits, or Ed25519.
///
/// Two keys are equal if their SubjectPublicKeyInfo is.
package struct PublicKey: Sendable {
    private let key: OpenSSLObject
    package let kind: KeyKind
    /// The key as SubjectPublicKeyInfo, in DER.
    package let spki: [UInt8]

    /// Reads a PEM file with one block `PUBLIC KEY`.
    ///
    /// - Throws: ``KeyError``; of a private key, a certificate or several keys it says so.
    package init(pem: [UInt8]) throws(KeyError) {
        let blocks = PEMBlock.blocks(in: pem)
        let keys = blocks.filter { $0.label == "PUBLIC KEY" }
        guard let first = keys.first else {
            if blocks.contains(where: { $0.label.hasSuffix("PRIVATE KEY") }) { throw .isPrivate }
            throw .noBlock(wanted: "PUBLIC KEY", found: blocks.map(\.label))
        }
        guard keys.count == 1 else { throw .severalKeys(keys.count) }
        try self.init(spki: first.der)
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    package init(spki: [UInt8]) throws(KeyError) {
        let key = unsafe objectFromDER(spki, EVP_PKEY_free) { unsafe d2i_PUBKEY(nil, $0, $1) }
        guard let key else { throw .malformed("the public key") }
        try self.init(key)
        // Other encodings of the same key are refused, so that a key has one fingerprint.
        guard self.spki == spki else { throw .malformed("the public key, which is not in DER,") }
    }

    init(_ key: OpenSSLObject) throws(KeyError) {
        kind = try KeyKind(of: key)
        guard let spki = unsafe derFromObject({ unsafe i2d_PUBKEY(key.pointer, $0) }) else {
            throw .malformed("the public key")
        }
        self.key = key
        self.spki = spki
    }

    /// SHA-256 of ``spki``, 32 bytes.
    package var fingerprint: [UInt8] { SignatureHash.sha256.digest(of: spki) }

    /// The key as a PEM block `PUBLIC KEY`.
    package var pem: String { PEMBlock.text(label: "PUBLIC KEY", der: spki) }

    /// Whether `signature` was made over `message` with this key's private half.
    ///
    /// - Parameter scheme: Must be one for this kind of key; the result is `false` otherwise.
    package func verifies(_ signature: [UInt8], over message: [UInt8], _ scheme: SignatureScheme) -> Bool {
        guard kind.allows(scheme) else { return false }
        var signature = signature
        if case .ecdsaRaw = scheme {
            guard case .ecdsa(let curve) = kind, let der = ECDSASignature.der(fromRaw: signature, curve) else {
                return false
            }
            signature = der
        }
        defer { clearOpenSSLErrors() }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        let hash = unsafe scheme.hash?.implementation
        guard unsafe EVP_DigestVerifyInit(context, &options, hash, nil, key.pointer) == 1,
            unsafe scheme.setPadding(options)
        else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The object, for the checks of certificates.
    var object: OpenSSLObject { key }
}

extension PublicKey: Hashable {
    package static func == (left: PublicKey, right: PublicKey) -> Bool { left.spki == right.spki }
    package func hash(into hasher: inout Hasher) { hasher.combine(spki) }
}

extension SignatureScheme {
    /// Tells OpenSSL's operation about RSA's padding; other keys need nothing.
    func setPadding(_ options: OpaquePointer?) -> Bool {
        switch self {
        case .ecdsa, .ecdsaRaw, .ed25519: true
        case .rsaPKCS1: unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) == 1
        case .rsaPSS:
            unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1
        }
    }
}
