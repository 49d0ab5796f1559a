internal import FoundationEssentials

/// One call of the KMS JSON API as a value.
///
/// - Source: docs/facts/kms.md#protocol
public protocol KMSOperation: AWSJSONOperation {}

/// Signs a message digest with an asymmetric key, which never leaves KMS.
///
/// - IAM: `kms:Sign` on the key.
/// - Source: KMS API Reference, version 2014-11-01, `Sign`; docs/facts/kms.md#sign
public struct SignDigest: KMSOperation {
    public static let name = "Sign"

    /// The key's ARN, id, alias ARN or alias.
    public var keyID: String
    /// The digest, of the length of the algorithm's hash.
    public var digest: [UInt8]
    public var algorithm: KMSSigningAlgorithm

    public init(keyID: String, digest: [UInt8], algorithm: KMSSigningAlgorithm) {
        (self.keyID, self.digest, self.algorithm) = (keyID, digest, algorithm)
    }

    enum CodingKeys: String, CodingKey {
        case keyID = "KeyId"
        case message = "Message"
        case messageType = "MessageType"
        case algorithm = "SigningAlgorithm"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(keyID, forKey: .keyID)
        try container.encode(Data(digest).base64EncodedString(), forKey: .message)
        // Without it KMS would hash the digest again.
        try container.encode("DIGEST", forKey: .messageType)
        try container.encode(algorithm.rawValue, forKey: .algorithm)
    }

    public struct Response: Decodable, Sendable {
        /// An ECDSA signature in DER, or an RSA signature.
        public var signature: [UInt8]
        /// The ARN of the key that signed.
        public var keyARN: String?

        enum CodingKeys: String, CodingKey {
            case signature = "Signature"
            case keyARN = "KeyId"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            signature = try container.decode(base64: .signature)
            keyARN = try container.decodeIfPresent(String.self, forKey: .keyARN)
        }
    }
}

/// Returns the public part of an asymmetric key, and what the key can do.
///
/// - IAM: `kms:GetPublicKey` on the key.
/// - Source: KMS API Reference, version 2014-11-01, `GetPublicKey`; docs/facts/kms.md#getpublickey
public struct GetPublicKey: KMSOperation {
    public static let name = "GetPublicKey"

    /// The key's ARN, id, alias ARN or alias.
    public var keyID: String

    public init(keyID: String) { self.keyID = keyID }

    enum CodingKeys: String, CodingKey { case keyID = "KeyId" }

    public struct Response: Decodable, Sendable {
        /// The SubjectPublicKeyInfo in DER.
        public var publicKey: [UInt8]
        /// For example `ECC_NIST_P256`.
        public var keySpec: String?
        /// `SIGN_VERIFY` for a key that signs.
        public var keyUsage: String?
        public var signingAlgorithms: [KMSSigningAlgorithm]
        /// The ARN of the key, also if it was asked for by an alias.
        public var keyARN: String?

        enum CodingKeys: String, CodingKey {
            case publicKey = "PublicKey"
            case keySpec = "KeySpec"
            case keyUsage = "KeyUsage"
            case signingAlgorithms = "SigningAlgorithms"
            case keyARN = "KeyId"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            publicKey = try container.decode(base64: .publicKey)
            keySpec = try container.decodeIfPresent(String.self, forKey: .keySpec)
            keyUsage = try container.decodeIfPresent(String.self, forKey: .keyUsage)
            let algorithms = try container.decodeIfPresent([String].self, forKey: .signingAlgorithms) ?? []
            signingAlgorithms = algorithms.map(KMSSigningAlgorithm.init(rawValue:))
            keyARN = try container.decodeIfPresent(String.self, forKey: .keyARN)
        }
    }
}

/// A signing algorithm as KMS names it; an open set, since AWS adds some.
///
/// - Source: docs/facts/kms.md#sign
public struct KMSSigningAlgorithm: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let ecdsaSHA256 = Self(rawValue: "ECDSA_SHA_256")
    public static let ecdsaSHA384 = Self(rawValue: "ECDSA_SHA_384")
    public static let ecdsaSHA512 = Self(rawValue: "ECDSA_SHA_512")
    public static let rsaSHA256 = Self(rawValue: "RSASSA_PKCS1_V1_5_SHA_256")
}

extension KeyedDecodingContainer {
    /// Decodes a member that is standard base64.
    fileprivate func decode(base64 key: Key) throws -> [UInt8] {
        let text = try decode(String.self, forKey: key)
        guard let data = Data(base64Encoded: text), !data.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "it is not base64")
        }
        return Array(data)
    }
}
