import Content
import Platform
import TestInputs
import Testing

@testable import Promotion

/// Each signature is verified as it is, and refused after each single change of what it protects.
@Suite("Changed signatures", .timeLimit(.minutes(5)))
struct AlterationTests {
    let scene = SignatureScene()
    private var digest: Digest { scene.image.digest }
    private var trusted: [TrustedKey] { [TrustedKey(name: "key", key: TestKeys.p256.publicKey)] }

    /// All copies of some bytes with one byte changed.
    private func changes(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.indices.map { place in
            var changed = bytes
            changed[place] ^= [1, 0x20, 0x80, 0xFF][place % 4]
            return changed
        }
    }

    private func isSimple(_ payload: [UInt8], _ signature: [UInt8], _ keys: [TrustedKey]) -> Bool {
        let layer = Descriptor(
            mediaType: SimpleSigning.layerType,
            digest: digest,
            size: 1,
            annotations: [SimpleSigning.signatureAnnotation: TestSigner.encode(signature)]
        )
        return (try? SimpleSigning.verify(payload, of: layer, about: digest, with: keys)) != nil
    }

    @Test("of cosign's tag are refused for each byte of payload, signature and key", arguments: TestKeys.all.indices)
    func simple(_ index: Int) throws {
        let key = TestKeys.all[index]
        let keys = [TrustedKey(name: "key", key: key.publicKey)]
        let payload = TestSigner.simplePayload(digest.description)
        let signature = try key.sign(payload)
        #expect(isSimple(payload, signature, keys))
        var tried = 0
        for changed in changes(payload) {
            #expect(!isSimple(changed, signature, keys))
            tried += 1
        }
        for changed in changes(signature) {
            #expect(!isSimple(payload, changed, keys))
            tried += 1
        }
        for changed in changes(key.publicKey.spki) {
            // Most changes are no key at all.
            guard let other = try? PublicKey(spki: changed) else { continue }
            #expect(other != key.publicKey)
            #expect(!isSimple(payload, signature, [TrustedKey(name: "key", key: other)]))
        }
        reportCases("changed bytes refused, cosign tag", tried + key.publicKey.spki.count)
    }

    @Test("of bundles are refused for each byte of payload, signature, type and key", arguments: TestKeys.all.indices)
    func bundle(_ index: Int) throws {
        let key = TestKeys.all[index]
        let keys = [TrustedKey(name: "key", key: key.publicKey)]
        let envelope = TestSigner.envelope(TestSigner.statement(digest.hex), key)
        func isGood(_ envelope: DSSEEnvelope, _ keys: [TrustedKey]) -> Bool {
            (try? SigstoreBundle(json: TestSigner.bundle(envelope)).verify(about: scene.image, with: keys)) != nil
        }
        #expect(isGood(envelope, keys))
        var tried = 0
        for changed in changes(envelope.payload) {
            var other = envelope
            other.payload = changed
            #expect(!isGood(other, keys))
            tried += 1
        }
        for changed in changes(envelope.signatures[0].bytes) {
            var other = envelope
            other.signatures[0].bytes = changed
            #expect(!isGood(other, keys))
            tried += 1
        }
        for changed in changes(Array(envelope.payloadType.utf8)) {
            guard let type = String(validating: changed, as: UTF8.self) else { continue }
            var other = envelope
            other.payloadType = type
            #expect(!isGood(other, keys))
            tried += 1
        }
        for changed in changes(key.publicKey.spki) {
            tried += 1
            guard let other = try? PublicKey(spki: changed) else { continue }
            #expect(!isGood(envelope, [TrustedKey(name: "key", key: other)]))
        }
        reportCases("changed bytes refused, bundle", tried)
    }

    private func isNotation(_ envelope: [UInt8], _ type: MediaType, _ store: TrustStore) -> Bool {
        guard let signature = try? NotationSignature(envelope, type: type) else { return false }
        let verdict = try? store.verify(
            signature,
            of: scene.image.descriptor,
            in: "registry.example/team/app",
            identities: [],
            now: TestCertificate.now
        )
        return verdict != nil
    }

    @Test(
        "of Notation are refused for each byte of payload, header, signature and every certificate below the root",
        arguments: TestKeys.notation.indices,
        [NotationSignature.jwsType, NotationSignature.coseType]
    )
    func notation(_ index: Int, _ type: MediaType) throws {
        let made = TestNotation(TestKeys.notation[index], of: scene.image.descriptor)
        let store = TrustStore.test([made.chain.root])
        let whole = made.envelope(type)
        #expect(isNotation(whole, type, store))
        let parts = try TestEnvelope(whole, type)
        var tried = 0
        func refuse(_ changed: TestEnvelope) {
            #expect(!isNotation(changed.bytes, type, store))
            tried += 1
        }
        for changed in changes(parts.payload) { refuse(parts.with(payload: changed)) }
        for changed in changes(parts.header) { refuse(parts.with(header: changed)) }
        for changed in changes(parts.signature) { refuse(parts.with(signature: changed)) }
        for place in 0..<2 {
            // Every fifth byte, because a certificate of an RSA key has 900; the next test has every byte.
            for (offset, changed) in changes(parts.chain[place]).enumerated() where offset % 5 == index % 5 {
                refuse(parts.with(certificate: changed, at: place))
            }
        }
        reportCases("changed bytes refused, Notation \(type == NotationSignature.jwsType ? "JWS" : "COSE")", tried)
    }

    @Test("of Notation are refused for each byte of the certificates' bodies")
    func bodies() throws {
        let made = TestNotation(TestKeys.p256, of: scene.image.descriptor)
        let store = TrustStore.test([made.chain.root])
        let parts = try TestEnvelope(made.jws(), NotationSignature.jwsType)
        var tried = 0
        for place in 0..<2 {
            let certificate = try X509Certificate(der: parts.chain[place])
            let start = try #require(DERElement(wholly: certificate.der, tag: 0x30)).content.lowerBound
            for (offset, changed) in changes(certificate.der).enumerated()
            where offset >= start && offset < start + certificate.tbs.count {
                let other = parts.with(certificate: changed, at: place)
                #expect(!isNotation(other.bytes, NotationSignature.jwsType, store))
                tried += 1
            }
        }
        reportCases("changed bytes refused, certificate bodies", tried)
    }
}

/// The parts of a Notation envelope, which can be put together again with one part changed.
private struct TestEnvelope {
    var type: MediaType
    var payload: [UInt8]
    var header: [UInt8]
    var signature: [UInt8]
    var chain: [[UInt8]]

    init(_ envelope: [UInt8], _ type: MediaType) throws {
        self.type = type
        if type == NotationSignature.jwsType {
            let members = try SignedJSON.decode(JSONValue.self, from: envelope, "it")
            func part(_ name: String) -> [UInt8] {
                Base64Text.decode(members[name]?.text ?? "", .webUnpadded).certainly
            }
            (payload, header, signature) = (part("payload"), part("protected"), part("signature"))
            chain = (members["header"]?["x5c"]?.texts).certainly.map { Base64Text.decode($0, .standard).certainly }
        } else {
            guard case .tagged(18, .array(let parts)) = try CBORValue(reading: envelope, "it"),
                case .map(let outer) = parts[1], case .array(let list)? = outer[.init(33)]
            else { fatalError("tests made another envelope") }
            (header, payload, signature) = (
                parts[0].bytes.certainly, parts[2].bytes.certainly, parts[3].bytes.certainly
            )
            chain = list.map { $0.bytes.certainly }
        }
    }

    func with(payload: [UInt8]? = nil, header: [UInt8]? = nil, signature: [UInt8]? = nil) -> TestEnvelope {
        var other = self
        other.payload = payload ?? self.payload
        other.header = header ?? self.header
        other.signature = signature ?? self.signature
        return other
    }

    func with(certificate: [UInt8], at place: Int) -> TestEnvelope {
        var other = self
        other.chain[place] = certificate
        return other
    }

    var bytes: [UInt8] {
        guard type == NotationSignature.jwsType else {
            let outer: CBORValue = .map([.init(33): .array(chain.map { .bytes($0) })])
            return CBORValue.tagged(18, .array([.bytes(header), outer, .bytes(payload), .bytes(signature)])).encoded
        }
        let list = chain.map { "\"\(TestSigner.encode($0))\"" }.joined(separator: ",")
        return Array(
            """
            {"payload":"\(TestSigner.webEncode(payload))","protected":"\(TestSigner.webEncode(header))",\
            "header":{"x5c":[\(list)]},"signature":"\(TestSigner.webEncode(signature))"}
            """.utf8
        )
    }
}
