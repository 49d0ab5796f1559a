internal import COpenSSL

/// The hash in a signature scheme.
package enum SignatureHash: String, Sendable, Hashable, CaseIterable {
    case sha256 = "SHA-256"
    case sha384 = "SHA-384"
    case sha512 = "SHA-512"

    /// The hash of bytes in memory.
    package func digest(of bytes: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 64) { output, count in
            var written: UInt32 = 0
            let done = unsafe EVP_Digest(bytes, bytes.count, output.baseAddress, &written, implementation, nil)
            precondition(done == 1, "OpenSSL refused to hash")
            count = Int(written)
        }
    }

    /// OpenSSL's implementation, which lives as long as the process.
    var implementation: OpaquePointer? {
        switch self {
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }
}

/// How a message is signed with a key.
///
/// - Source: docs/facts/signatures.md#algorithms
package enum SignatureScheme: Sendable, Hashable {
    /// ECDSA; the signature is the DER of the two numbers.
    case ecdsa(SignatureHash)
    /// ECDSA; the signature is the two numbers one after the other, each as long as the curve's order, as JWS and COSE
    /// have it.
    case ecdsaRaw(SignatureHash)
    case rsaPKCS1(SignatureHash)
    /// RSA-PSS with the same hash in the mask, and a salt as long as the hash.
    case rsaPSS(SignatureHash)
    /// Ed25519 over the message itself, not over its hash.
    case ed25519

    /// The hash; `nil` for Ed25519, which has none to choose.
    package var hash: SignatureHash? {
        switch self {
        case .ecdsa(let hash), .ecdsaRaw(let hash), .rsaPKCS1(let hash), .rsaPSS(let hash): hash
        case .ed25519: nil
        }
    }
}

/// A kind of key, with its size.
package enum KeyKind: Sendable, Hashable {
    package enum Curve: String, Sendable, Hashable, CaseIterable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"

        /// The length of one of the two numbers of a signature, in bytes.
        package var numberLength: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }

        /// OpenSSL's name of the curve.
        var group: String {
            switch self {
            case .p256: "prime256v1"
            case .p384: "secp384r1"
            case .p521: "secp521r1"
            }
        }
    }

    case ecdsa(Curve)
    /// The length of the modulus, in bits.
    case rsa(bits: Int)
    case ed25519

    /// The smallest RSA modulus, in bits (docs/facts/signatures.md#algorithms).
    package static let leastBits = 2_048
    /// The largest RSA modulus that OpenSSL verifies with, in bits (`OPENSSL_RSA_MAX_MODULUS_BITS`).
    package static let mostBits = 16_384

    /// The hash that goes with the key: a curve's own, and SHA-256 for RSA; `nil` for Ed25519.
    ///
    /// - Source: docs/facts/signatures.md#algorithms
    package var hash: SignatureHash? {
        switch self {
        case .ecdsa(.p256), .rsa: .sha256
        case .ecdsa(.p384): .sha384
        case .ecdsa(.p521): .sha512
        case .ed25519: nil
        }
    }

    /// The scheme with which Sigstore's programs sign with such a key: ECDSA in DER, RSA with PKCS #1 v1.5, Ed25519.
    package var defaultScheme: SignatureScheme { scheme(hash ?? .sha256) }

    /// The scheme of ``defaultScheme`` with another hash, which Ed25519 ignores.
    package func scheme(_ hash: SignatureHash) -> SignatureScheme {
        switch self {
        case .ecdsa: .ecdsa(hash)
        case .rsa: .rsaPKCS1(hash)
        case .ed25519: .ed25519
        }
    }

    /// Whether a key of this kind can be used with a scheme.
    package func allows(_ scheme: SignatureScheme) -> Bool {
        switch (self, scheme) {
        case (.ecdsa, .ecdsa), (.ecdsa, .ecdsaRaw), (.rsa, .rsaPKCS1), (.rsa, .rsaPSS), (.ed25519, .ed25519): true
        default: false
        }
    }
}

extension KeyKind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ecdsa(let curve): "ECDSA \(curve.rawValue)"
        case .rsa(let bits): "RSA \(bits)"
        case .ed25519: "Ed25519"
        }
    }
}

extension KeyKind {
    /// Reads the kind from OpenSSL's key.
    init(of key: OpenSSLObject) throws(KeyError) {
        let identifier = unsafe EVP_PKEY_get_base_id(key.pointer)
        let bits = unsafe Int(EVP_PKEY_get_bits(key.pointer))
        switch identifier {
        case EVP_PKEY_RSA:
            guard bits >= Self.leastBits, bits <= Self.mostBits else {
                throw .unsupported("an RSA key of \(bits) bits")
            }
            guard Self.hasUsableExponent(key) else {
                throw .unsupported("an RSA key whose public exponent is even or 1")
            }
            self = .rsa(bits: bits)
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            var length = 0
            let found = unsafe EVP_PKEY_get_group_name(key.pointer, &name, name.count, &length)
            let group =
                found == 1 ? String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
            guard let curve = Curve.allCases.first(where: { $0.group == group || $0.rawValue == group }) else {
                throw .unsupported("an elliptic curve other than P-256, P-384 and P-521")
            }
            self = .ecdsa(curve)
        case EVP_PKEY_ED25519: self = .ed25519
        default: throw .unsupported("a key that is not ECDSA, RSA or Ed25519")
        }
    }

    /// Whether the public exponent is odd and more than 1; with 1 every text would be its own signature, and OpenSSL
    /// verifies with it.
    private static func hasUsableExponent(_ key: OpenSSLObject) -> Bool {
        var exponent: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key.pointer, "e", &exponent) == 1, let number = unsafe exponent else {
            return false
        }
        defer { unsafe BN_free(number) }
        return unsafe BN_is_odd(number) == 1 && BN_num_bits(number) > 1
    }
}
