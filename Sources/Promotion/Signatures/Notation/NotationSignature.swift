internal import Content
internal import FoundationEssentials
internal import Platform

/// A signature of the Notary Project, read from its JWS or COSE envelope and not yet verified.
///
/// - Source: docs/facts/signatures.md#notation
struct NotationSignature {
    static let artifactType = "application/vnd.cncf.notary.signature"
    static let jwsType = MediaType("application/jose+json")
    static let coseType = MediaType("application/cose")
    static let payloadType = "application/vnd.cncf.notary.payload.v1+json"

    /// How the signer's certificate came about.
    enum Scheme: String, Hashable {
        /// The signer has a certificate, and nothing vouches for the time of the signature.
        case x509 = "notary.x509"
        /// A signing authority, such as AWS Signer, signs and vouches for the time.
        case signingAuthority = "notary.x509.signingAuthority"
    }

    /// The bytes that are signed, exactly as they came.
    var signedBytes: [UInt8]
    var signature: [UInt8]
    var payload: [UInt8]
    /// The algorithm that the protected header states; it must be the one that the key demands.
    var statedAlgorithm: NotationAlgorithm
    /// The certificates from the signer's to the root.
    var chain: [X509Certificate]
    var attributes: NotationAttributes

    init(_ envelope: [UInt8], type: MediaType) throws(SignatureProblem) {
        switch type {
        case Self.jwsType: self = try Self(jws: envelope)
        case Self.coseType: self = try Self(cose: envelope)
        default: throw .refused("the envelope has the unknown type '\(quotable(type.rawValue, upTo: 100))'")
        }
    }

    init(
        signedBytes: [UInt8],
        signature: [UInt8],
        payload: [UInt8],
        algorithm: NotationAlgorithm,
        chain: [[UInt8]],
        attributes: NotationAttributes
    ) throws(SignatureProblem) {
        guard (1...SignatureLimits.certificates).contains(chain.count) else {
            throw .refused(
                "the chain has \(chain.count) certificates; 1 to \(SignatureLimits.certificates) are allowed"
            )
        }
        self.chain = []
        for (place, der) in chain.enumerated() {
            do {
                self.chain.append(try X509Certificate(der: der))
            } catch {
                throw .refused("certificate \(place + 1) of the chain: \(error)")
            }
        }
        (self.signedBytes, self.signature, self.payload) = (signedBytes, signature, payload)
        (statedAlgorithm, self.attributes) = (algorithm, attributes)
    }

    /// Checks that the signer's key made the signature, with the algorithm that belongs to the key.
    func checkSignature() throws(SignatureProblem) {
        guard let key = chain[0].publicKey, let algorithm = NotationAlgorithm(for: key.kind) else {
            throw .refused("the signer's certificate has a key that the format doesn't allow")
        }
        guard statedAlgorithm == algorithm else {
            throw .refused("the header states \(statedAlgorithm.rawValue), but the key is for \(algorithm.rawValue)")
        }
        guard key.verifies(signature, over: signedBytes, algorithm.scheme) else {
            throw .refused("the signature does not belong to the signer's certificate, or the content was changed")
        }
    }

    /// Checks that the payload names the image, by all three members of its descriptor.
    func checkPayload(names image: Descriptor) throws(SignatureProblem) {
        let target = try SignedJSON.decode(Payload.self, from: payload, "the signed payload").targetArtifact
        guard target.digest == image.digest.description else { throw .otherImage(target.digest) }
        guard target.mediaType == image.mediaType.rawValue, target.size == image.size else {
            throw .refused("the signed payload states another media type or size than the image has")
        }
    }

    private struct Payload: Decodable {
        struct Target: Decodable {
            var mediaType: String
            var digest: String
            var size: Int64
        }

        var targetArtifact: Target
    }
}

/// The signature algorithms that Notation allows.
///
/// - Source: docs/facts/signatures.md#algorithms
enum NotationAlgorithm: String, Hashable, CaseIterable {
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"

    /// The one algorithm for a key; `nil` if the format doesn't allow the key.
    init?(for kind: KeyKind) {
        switch kind {
        case .rsa(bits: 2_048): self = .ps256
        case .rsa(bits: 3_072): self = .ps384
        case .rsa(bits: 4_096): self = .ps512
        case .ecdsa(.p256): self = .es256
        case .ecdsa(.p384): self = .es384
        case .ecdsa(.p521): self = .es512
        case .rsa, .ed25519: return nil
        }
    }

    /// - Parameter number: The number in COSE (RFC 9053, RFC 8230).
    init?(cose number: Int64) {
        guard let found = Self.allCases.first(where: { $0.coseNumber == number }) else { return nil }
        self = found
    }

    var coseNumber: Int64 {
        switch self {
        case .es256: -7
        case .es384: -35
        case .es512: -36
        case .ps256: -37
        case .ps384: -38
        case .ps512: -39
        }
    }

    var scheme: SignatureScheme {
        switch self {
        case .ps256: .rsaPSS(.sha256)
        case .ps384: .rsaPSS(.sha384)
        case .ps512: .rsaPSS(.sha512)
        case .es256: .ecdsaRaw(.sha256)
        case .es384: .ecdsaRaw(.sha384)
        case .es512: .ecdsaRaw(.sha512)
        }
    }
}

/// What the protected header says beside the algorithm, the same for both envelopes.
struct NotationAttributes: Hashable {
    static let schemeName = "io.cncf.notary.signingScheme"
    static let signingTimeName = "io.cncf.notary.signingTime"
    static let authenticTimeName = "io.cncf.notary.authenticSigningTime"
    static let expiryName = "io.cncf.notary.expiry"
    static let pluginName = "io.cncf.notary.verificationPlugin"
    /// The oldest program version of the plug-in that should verify; it says nothing about the signature.
    static let pluginVersionName = "io.cncf.notary.verificationPluginMinVersion"

    var scheme: NotationSignature.Scheme
    /// Seconds since 1970, as are the others.
    var authenticSigningTime: Int64?
    var expiry: Int64?
    /// The attributes of AWS Signer; `nil` if another program signed.
    var signer: SignerAttributes?

    /// - Parameters:
    ///   - contentType: What the header calls the payload.
    ///   - critical: The names that a verifier must understand.
    ///   - texts: The values that are text.
    ///   - times: The values that are times.
    ///   - names: All names in the header.
    /// - Throws: ``SignatureProblem``, also for a critical name that is not understood.
    init(
        contentType: String?,
        critical: [String],
        texts: [String: String],
        times: [String: Int64],
        names: Set<String>
    ) throws(SignatureProblem) {
        guard contentType == NotationSignature.payloadType else {
            throw .refused("the header states the content type '\(quotable(contentType ?? "", upTo: 100))'")
        }
        guard Set(critical).count == critical.count, names.isSuperset(of: critical) else {
            throw .refused("the list 'crit' names a member twice, or one that is not there")
        }
        guard let scheme = texts[Self.schemeName].flatMap(NotationSignature.Scheme.init) else {
            throw .refused("the header has no known signing scheme")
        }
        self.scheme = scheme
        for name in [Self.authenticTimeName, Self.expiryName, Self.signingTimeName] where names.contains(name) {
            guard times[name] != nil else { throw .refused("the member '\(name)' is not a time") }
        }
        authenticSigningTime = times[Self.authenticTimeName]
        expiry = times[Self.expiryName]
        let isAuthority = scheme == .signingAuthority
        guard names.contains(Self.authenticTimeName) == isAuthority,
            !(isAuthority && names.contains(Self.signingTimeName))
        else { throw .refused("the times in the header are not those of the signing scheme") }
        signer = try SignerAttributes(texts: texts, critical: Set(critical))

        var required: Set = [Self.schemeName]
        if expiry != nil { required.insert(Self.expiryName) }
        if isAuthority { required.insert(Self.authenticTimeName) }
        guard required.isSubset(of: critical) else {
            throw .refused("the list 'crit' must have \(required.sorted().joined(separator: ", "))")
        }
        let understood = required.union(signer == nil ? [] : SignerAttributes.names)
        if let unknown = critical.first(where: { !understood.contains($0) }) {
            throw SignatureProblem(.undecided, "the critical attribute '\(quotable(unknown, upTo: 100))' is not known")
        }
    }
}
