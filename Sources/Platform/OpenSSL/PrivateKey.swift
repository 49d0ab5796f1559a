internal import COpenSSL

/// A private key that signs: ECDSA on P-256, P-384 or P-521, RSA from 2,048 bits, or Ed25519.
///
/// Its bytes are never shown, and there is no way to write them.
package struct PrivateKey: Sendable {
    private let key: OpenSSLObject
    package let publicKey: PublicKey
    package var kind: KeyKind { publicKey.kind }

    /// Reads a PEM file with one private key: PKCS #8 (`PRIVATE KEY`), or OpenSSL's older `EC PRIVATE KEY` and
    /// `RSA PRIVATE KEY`.
    ///
    /// - Throws: ``KeyError``; a key with a passphrase is not supported.
    package init(pem: [UInt8]) throws(KeyError) {
        let blocks = PEMBlock.blocks(in: pem)
        let keys = blocks.filter { $0.label.hasSuffix("PRIVATE KEY") }
        guard let block = keys.first else {
            throw .noBlock(wanted: "PRIVATE KEY", found: blocks.map(\.label))
        }
        guard keys.count == 1 else { throw .severalKeys(keys.count) }
        guard !block.isEncrypted, !block.label.hasPrefix("ENCRYPTED") else { throw .encrypted }
        let object: OpenSSLObject? =
            switch block.label {
            case "PRIVATE KEY": Self.pkcs8(block.der)
            case "EC PRIVATE KEY":
                unsafe objectFromDER(block.der, EVP_PKEY_free) { unsafe d2i_PrivateKey(EVP_PKEY_EC, nil, $0, $1) }
            case "RSA PRIVATE KEY":
                unsafe objectFromDER(block.der, EVP_PKEY_free) { unsafe d2i_PrivateKey(EVP_PKEY_RSA, nil, $0, $1) }
            default: throw .unsupported("a PEM block '\(block.label)'")
            }
        guard let object else { throw .malformed("the private key") }
        try self.init(object)
    }

    private init(_ key: OpenSSLObject) throws(KeyError) {
        self.key = key
        publicKey = try PublicKey(key)
    }

    private static func pkcs8(_ der: [UInt8]) -> OpenSSLObject? {
        let container = unsafe objectFromDER(der, PKCS8_PRIV_KEY_INFO_free) {
            unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, $0, $1)
        }
        defer { clearOpenSSLErrors() }
        guard let container, let key = unsafe EVP_PKCS82PKEY(container.pointer) else { return nil }
        return unsafe OpenSSLObject(owning: key, EVP_PKEY_free)
    }

    /// Makes a new key.
    package static func generated(_ kind: KeyKind) throws(KeyError) -> PrivateKey {
        defer { clearOpenSSLErrors() }
        let name =
            switch kind {
            case .ecdsa: "EC"
            case .rsa: "RSA"
            case .ed25519: "ED25519"
            }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil) else { throw .refused("make a key") }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw .refused("make a key") }
        let isSet: CInt =
            switch kind {
            case .ecdsa(let curve): unsafe EVP_PKEY_CTX_set_group_name(context, curve.group)
            case .rsa(let bits): unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, CInt(clamping: bits))
            case .ed25519: 1
            }
        var key: OpaquePointer?
        guard isSet == 1, unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key else {
            throw .refused("make a key")
        }
        return try unsafe PrivateKey(OpenSSLObject(owning: key, EVP_PKEY_free))
    }

    /// Signs a message.
    ///
    /// - Parameter scheme: `nil` for the kind's ``KeyKind/defaultScheme``.
    /// - Throws: ``KeyError/unsupported(_:)`` if the scheme is for another kind of key.
    package func sign(_ message: [UInt8], _ scheme: SignatureScheme? = nil) throws(KeyError) -> [UInt8] {
        let scheme = scheme ?? kind.defaultScheme
        guard kind.allows(scheme) else { throw .unsupported("this signature scheme with an \(kind) key") }
        defer { clearOpenSSLErrors() }
        guard let context = unsafe EVP_MD_CTX_new() else { throw .refused("sign") }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        let hash = unsafe scheme.hash?.implementation
        var size = 0
        guard unsafe EVP_DigestSignInit(context, &options, hash, nil, key.pointer) == 1,
            unsafe scheme.setPadding(options),
            unsafe EVP_DigestSign(context, nil, &size, message, message.count) == 1
        else { throw .refused("sign") }
        // The first call states the largest length; the second one writes, and states the real one.
        var isSigned = false
        let signature = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            isSigned = unsafe EVP_DigestSign(context, buffer.baseAddress, &size, message, message.count) == 1
            count = isSigned ? size : 0
        }
        guard isSigned else { throw .refused("sign") }
        guard case .ecdsaRaw = scheme, case .ecdsa(let curve) = kind else { return signature }
        guard let raw = ECDSASignature.raw(fromDER: signature, curve) else { throw .refused("sign") }
        return raw
    }
}
