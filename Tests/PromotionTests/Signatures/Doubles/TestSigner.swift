import Content
import Platform

@testable import Promotion

/// Makes signatures in the forms of cosign and Notation, with every part open to change.
enum TestSigner {
    static func encode(_ bytes: [UInt8]) -> String { Base64Text.encode(bytes) }

    static func webEncode(_ bytes: [UInt8]) -> String {
        encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// The payload that cosign signs for a tag.
    static func simplePayload(_ digest: String, type: String = "cosign container image signature") -> [UInt8] {
        Array(
            """
            {"critical":{"identity":{"docker-reference":"registry.example/app"},\
            "image":{"docker-manifest-digest":"\(digest)"},"type":"\(type)"},"optional":null}
            """.utf8
        )
    }

    /// A statement about an image.
    static func statement(
        _ hex: String,
        _ predicateType: String = InTotoStatement.cosignSignature,
        predicate: String = "{}",
        type: String = "https://in-toto.io/Statement/v1"
    ) -> [UInt8] {
        Array(
            """
            {"_type":"\(type)","subject":[{"name":"app","digest":{"sha256":"\(hex)"}}],\
            "predicateType":"\(predicateType)","predicate":\(predicate)}
            """.utf8
        )
    }

    static func envelope(
        _ payload: [UInt8],
        _ key: PrivateKey,
        _ scheme: SignatureScheme? = nil,
        type: String = DSSEEnvelope.statementType
    ) -> DSSEEnvelope {
        var envelope = DSSEEnvelope(payloadType: type, payload: payload)
        envelope.signatures = [.init(bytes: certain(try key.sign(envelope.signedBytes, scheme)))]
        return envelope
    }

    /// A bundle with an envelope.
    static func bundle(
        _ envelope: DSSEEnvelope,
        mediaType: String = "application/vnd.dev.sigstore.bundle.v0.3+json",
        material: String = #"{"publicKey":{"hint":"aGludA=="},"tlogEntries":[],"timestampVerificationData":{}}"#
    ) -> [UInt8] {
        let content = String(decoding: envelope.json, as: UTF8.self)
        return Array(
            #"{"mediaType":"\#(mediaType)","verificationMaterial":\#(material),"dsseEnvelope":\#(content)}"#.utf8
        )
    }

    /// A bundle with a signature over the manifest itself.
    static func messageBundle(_ manifest: [UInt8], _ key: PrivateKey, _ scheme: SignatureScheme? = nil) -> [UInt8] {
        let hash = encode(SignatureHash.sha256.digest(of: manifest))
        let signature = encode(certain(try key.sign(manifest, scheme)))
        return Array(
            """
            {"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.2","verificationMaterial":{"publicKey":{}},\
            "messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"\(hash)"},"signature":"\(signature)"}}
            """.utf8
        )
    }

    /// The payload that Notation signs.
    static func notationPayload(_ image: Descriptor) -> [UInt8] {
        Array(
            """
            {"targetArtifact":{"mediaType":"\(image.mediaType)","digest":"\(image.digest)","size":\(image.size)}}
            """.utf8
        )
    }
}

/// What goes into a Notation signature.
struct TestNotation {
    var chain: TestChain
    /// Replaces the certificates of the chain.
    var certificates: [[UInt8]]?
    var payload: [UInt8]
    /// The algorithm that the header states; `nil` for the key's own.
    var stated: String?
    var statedNumber: Int?
    var contentType = NotationSignature.payloadType
    var scheme = "notary.x509"
    var critical = ["io.cncf.notary.signingScheme"]
    /// Texts and times of the header, in seconds since 1970.
    var texts: [String: String] = [:]
    var times: [String: Int64] = [:]
    /// Signs with another key than the signer's certificate has.
    var key: PrivateKey?

    init(_ key: PrivateKey, of image: Descriptor) {
        chain = TestChain(key)
        payload = TestSigner.notationPayload(image)
        times["io.cncf.notary.signingTime"] = TestCertificate.now - 60
    }

    private var algorithm: NotationAlgorithm { NotationAlgorithm(for: chain.leaf.key.kind).certainly }

    private func sign(_ bytes: [UInt8]) -> [UInt8] {
        let key = key ?? chain.leaf.key
        return certain(try key.sign(bytes, NotationAlgorithm(for: key.kind).certainly.scheme))
    }

    var jwsHeader: String {
        var members = [
            #""alg":"\#(stated ?? algorithm.rawValue)""#, #""cty":"\#(contentType)""#,
            #""crit":[\#(critical.map { "\"\($0)\"" }.joined(separator: ","))]"#,
            #""io.cncf.notary.signingScheme":"\#(scheme)""#,
        ]
        members += texts.sorted { $0.key < $1.key }.map { #""\#($0.key)":"\#($0.value)""# }
        members += times.sorted { $0.key < $1.key }.map { #""\#($0.key)":"\#(Self.time($0.value))""# }
        return "{\(members.joined(separator: ","))}"
    }

    /// - Parameter header: Replaces the protected header.
    func jws(header: String? = nil) -> [UInt8] {
        let protected = TestSigner.webEncode(Array((header ?? jwsHeader).utf8))
        let body = TestSigner.webEncode(payload)
        let signature = TestSigner.webEncode(sign(Array("\(protected).\(body)".utf8)))
        let chain = (certificates ?? chain.der).map { "\"\(TestSigner.encode($0))\"" }.joined(separator: ",")
        return Array(
            """
            {"payload":"\(body)","protected":"\(protected)","header":{"x5c":[\(chain)],\
            "io.cncf.notary.signingAgent":"test"},"signature":"\(signature)"}
            """.utf8
        )
    }

    var coseHeader: [CBORValue: CBORValue] {
        var members: [CBORValue: CBORValue] = [
            .init(1): .init(statedNumber ?? Int(algorithm.coseNumber)), .init(2): .array(critical.map { .text($0) }),
            .init(3): .text(contentType), .text("io.cncf.notary.signingScheme"): .text(scheme),
        ]
        for (name, text) in texts { members[.text(name)] = .text(text) }
        for (name, time) in times { members[.text(name)] = .tagged(1, .init(Int(time))) }
        return members
    }

    /// - Parameters:
    ///   - header: Replaces the protected header.
    ///   - unprotected: Members beside the chain.
    func cose(header: [UInt8]? = nil, unprotected: [CBORValue: CBORValue] = [:]) -> [UInt8] {
        let protected = header ?? CBORValue.map(coseHeader).encoded
        let signed = CBORValue.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded
        var outer: [CBORValue: CBORValue] = [.init(33): .array((certificates ?? chain.der).map { .bytes($0) })]
        outer.merge(unprotected) { $1 }
        let parts: [CBORValue] = [.bytes(protected), .map(outer), .bytes(payload), .bytes(sign(signed))]
        return CBORValue.tagged(18, .array(parts)).encoded
    }

    func envelope(_ type: MediaType) -> [UInt8] { type == NotationSignature.jwsType ? jws() : cose() }

    /// A time as RFC 3339, in UTC.
    static func time(_ seconds: Int64) -> String {
        let digits = String(decoding: TestDER.time(seconds)[2...], as: UTF8.self)
        let parts = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)].map { from, to in
            String(digits.dropFirst(from).prefix(to - from))
        }
        return "\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):\(parts[4]):\(parts[5])Z"
    }
}
