import Content
import Platform
import TestInputs
import Testing

@testable import Promotion

/// Changed envelopes, certificates and lists are read or refused, and never end the process.
@Suite("Mutated signatures", .timeLimit(.minutes(5)))
struct SignatureFuzzTests {
    static let image = SignatureScene().image
    static let notation = TestNotation(TestKeys.p256, of: image.descriptor)
    static let envelope = TestSigner.envelope(TestSigner.statement(image.digest.hex), TestKeys.p256)
    static let keys = [TrustedKey(name: "key", key: TestKeys.p256.publicKey)]

    static let texts: [(name: String, bytes: [UInt8], read: @Sendable ([UInt8]) throws -> Bool)] = [
        ("DSSE", envelope.json, { try DSSEEnvelope(json: $0).isSigned(by: TestKeys.p256.publicKey) }),
        (
            "bundle", TestSigner.bundle(envelope),
            { try SigstoreBundle(json: $0).verify(about: image, with: keys).statement?.predicateType == "" }
        ),
        (
            "statement", TestSigner.statement(image.digest.hex),
            { try InTotoStatement(json: $0).isAbout(image.digest) && false }
        ),
        ("JWS", notation.jws(), { try verify($0, NotationSignature.jwsType) }),
        ("COSE", notation.cose(), { try verify($0, NotationSignature.coseType) }),
        ("CBOR", CBORValue.map(notation.coseHeader).encoded, { try CBORValue(reading: $0, "it") == .null }),
        (
            "trust policy", Array(TrustPolicyTests.policy().utf8),
            { try TrustPolicy(json: $0).statements.isEmpty && false }
        ),
        ("certificate", notation.chain.leaf.der(issuedBy: notation.chain.intermediate), { try read(certificate: $0) }),
        (
            "revocation list", TestChain.list(of: notation.chain.root, revoking: [1, 2, 3]),
            { try RevocationList.all(in: $0).contains { $0.answer(about: root) == .revoked } && false }
        ),
        ("public key", TestKeys.rsa2048.publicKey.spki, { try PublicKey(spki: $0).verifies([1, 2, 3], over: [4]) }),
        ("PEM", Array(TestKeys.p256.publicKey.pem.utf8), { try PublicKey(pem: $0).verifies([1, 2, 3], over: [4]) }),
        (
            "private key", Array("-----BEGIN PRIVATE KEY-----\nMC4CAQA=\n-----END PRIVATE KEY-----".utf8),
            {
                try PrivateKey(pem: $0).sign([1]).isEmpty
            }
        ),
    ]

    static let root = certain(try X509Certificate(der: notation.chain.root.der()))

    static func read(certificate der: [UInt8]) throws -> Bool {
        let certificate = try X509Certificate(der: der)
        #expect(certificate.tbs.count < der.count)
        _ = (certificate.subjectText, certificate.isSelfSigned, certificate.isIssued(by: root))
        return CertificatePath.problem(of: certificate, through: [], to: root, at: TestCertificate.now) == nil
    }

    static func verify(_ bytes: [UInt8], _ type: MediaType) throws -> Bool {
        let signature = try NotationSignature(bytes, type: type)
        _ = try TrustStore.test([notation.chain.root]).verify(
            signature,
            of: image.descriptor,
            in: "r/a",
            identities: [],
            now: TestCertificate.now
        )
        // Whatever is accepted has the signed bytes of the original.
        return signature.payload != notation.payload
    }

    @Test("are read or refused", arguments: texts.indices)
    func mutated(_ index: Int) {
        let (name, bytes, read) = Self.texts[index]
        var random = Seeded(UInt64(index))
        for _ in 0..<1_500 {
            let changed = TestInputs.mutated(bytes, using: &random)
            do {
                let isWrong = try read(changed)
                #expect(!isWrong || changed == bytes || name == "DSSE" && isSameEnvelope(changed))
            } catch {
                #expect("\(error)".utf8.count < 2_000)
            }
        }
        reportCases("fuzz, \(name)", 1_500)
    }

    private func isSameEnvelope(_ bytes: [UInt8]) -> Bool {
        guard let read = try? DSSEEnvelope(json: bytes) else { return false }
        return read.signedBytes == Self.envelope.signedBytes
    }

    @Test("of great size or depth are refused before they cost memory")
    func large() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        let wide =
            Array("[".utf8) + Array(repeating: Array("{},".utf8), count: 500_000).flatMap { $0 } + Array("{}]".utf8)
        for text in [deep, wide] {
            #expect(throws: SignatureProblem.self) { try DSSEEnvelope(json: text) }
            #expect(throws: SignatureProblem.self) { try InTotoStatement(json: text) }
            #expect(throws: SignatureProblem.self) { try NotationSignature(text, type: NotationSignature.jwsType) }
        }
        let array: [UInt8] = [0x9A, 0x00, 0x10, 0x00, 0x00] + [UInt8](repeating: 0, count: 1 << 20)
        #expect(throws: SignatureProblem.self) { try CBORValue(reading: array, "it") }
        let der = [UInt8](repeating: 0x30, count: 1 << 20)
        #expect(throws: KeyError.self) { try X509Certificate(der: der) }
        #expect(PEMBlock.blocks(in: der).isEmpty)
    }

    @Test("with too many subjects are refused")
    func subjects() {
        let subject = #"{"digest":{"sha256":"\#(Self.image.digest.hex)"}}"#
        let list = Array(repeating: subject, count: SignatureLimits.subjects + 1).joined(separator: ",")
        let text = #"{"_type":"https://in-toto.io/Statement/v1","subject":[\#(list)],"predicateType":"p"}"#
        #expect(throws: SignatureProblem.self) { try InTotoStatement(json: Array(text.utf8)) }
        let digests = (0...SignatureLimits.digestsPerSubject).map { #""d\#($0)":"0""# }.joined(separator: ",")
        let many =
            #"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{\#(digests)}}],"predicateType":"p"}"#
        #expect(throws: SignatureProblem.self) { try InTotoStatement(json: Array(many.utf8)) }
    }
}
