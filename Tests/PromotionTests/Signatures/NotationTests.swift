import Content
import Platform
import Testing

@testable import Promotion

@Suite("Notation signatures", .timeLimit(.minutes(2)))
struct NotationTests {
    static let types = [NotationSignature.jwsType, NotationSignature.coseType]
    let image = SignatureScene().image.descriptor
    private var made: TestNotation { TestNotation(TestKeys.p256, of: image) }

    private func problem(
        _ envelope: [UInt8],
        _ type: MediaType,
        _ store: TrustStore? = nil,
        identities: [String] = [],
        now: Int64 = TestCertificate.now
    ) -> SignatureProblem? {
        do throws(SignatureProblem) {
            let signature = try NotationSignature(envelope, type: type)
            _ = try (store ?? .test([made.chain.root])).verify(
                signature,
                of: image,
                in: "registry.example/team/app",
                identities: identities,
                now: now
            )
            return nil
        } catch {
            return error
        }
    }

    private func expect(
        _ reason: String,
        _ made: TestNotation,
        _ store: TrustStore? = nil,
        identities: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for type in Self.types {
            let problem = problem(made.envelope(type), type, store, identities: identities)
            #expect(
                problem?.reason.contains(reason) == true,
                "\(problem?.reason ?? "accepted")",
                sourceLocation: sourceLocation
            )
        }
    }

    private func expectAccepted(
        _ made: TestNotation,
        _ store: TrustStore? = nil,
        identities: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for type in Self.types {
            let problem = problem(made.envelope(type), type, store, identities: identities)
            #expect(problem == nil, "\(problem?.reason ?? "")", sourceLocation: sourceLocation)
        }
    }

    @Test("take the algorithm from the key, whatever the header says")
    func algorithms() throws {
        for stated in ["none", "None", "", "HS256", "RS256", "PS256", "ES384", "EdDSA"] {
            var changed = made
            changed.stated = stated
            #expect(problem(changed.jws(), NotationSignature.jwsType) != nil, "\(stated)")
        }
        for number in [0, -8, -37, -35, 5, -257] {
            var changed = made
            changed.statedNumber = number
            #expect(problem(changed.cose(), NotationSignature.coseType) != nil, "\(number)")
        }
        let none = made.jwsHeader.replacing(#""alg":"ES256","#, with: "")
        #expect(problem(made.jws(header: none), NotationSignature.jwsType) != nil)
    }

    @Test("are refused when another key made them")
    func otherKey() {
        var changed = made
        changed.key = TestKeys.other
        expect("does not belong to the signer's certificate", changed)
    }

    @Test("are refused when the protected header is not what the format wants")
    func headers() {
        var changed = made
        changed.contentType = "application/json"
        expect("content type", changed)
        changed = made
        changed.scheme = "notary.x509.other"
        expect("signing scheme", changed)
        changed = made
        changed.critical = []
        expect("must have", changed)
        changed.critical = ["io.cncf.notary.signingScheme", "io.cncf.notary.signingScheme"]
        expect("twice", changed)
        changed.critical = ["io.cncf.notary.signingScheme", "not.there"]
        expect("not there", changed)
        changed.critical = ["io.cncf.notary.signingScheme", "acme.rule"]
        changed.texts["acme.rule"] = "new"
        expect("'acme.rule' is not known", changed)
        changed.critical = ["io.cncf.notary.signingScheme"]
        expectAccepted(changed)
        changed = made
        changed.times["io.cncf.notary.expiry"] = TestCertificate.now + 60
        expect("must have", changed)
        changed.critical.append("io.cncf.notary.expiry")
        expectAccepted(changed)
        changed.times["io.cncf.notary.expiry"] = TestCertificate.now - 60
        expect("has expired", changed)
        changed = made
        changed.texts["io.cncf.notary.expiry"] = "soon"
        expect("not a time", changed)
    }

    @Test("of JWS are refused with members that are there twice")
    func doubled() {
        let header = made.jwsHeader
        let twice = [
            header.replacing(#"{"alg":"ES256""#, with: #"{"alg":"none","alg":"ES256""#),
            header.replacing(#"{"alg":"ES256""#, with: #"{"Alg":"none","alg":"ES256""#),
            header.replacing(#"{"alg":"ES256""#, with: #"{"al\u0067":"none","alg":"ES256""#),
        ]
        for text in twice {
            #expect(text != header)
            let problem = problem(made.jws(header: text), NotationSignature.jwsType)
            #expect(problem?.reason.contains("twice") == true)
        }
        let outer = String(decoding: made.jws(), as: UTF8.self).replacing(
            #"{"payload":"#,
            with: #"{"payload":"","payload":"#
        )
        #expect(problem(Array(outer.utf8), NotationSignature.jwsType)?.reason.contains("twice") == true)
    }

    @Test("of COSE are refused with a label that is in both headers, or twice")
    func labels() {
        let both = made.cose(unprotected: [.init(1): .init(-35)])
        #expect(problem(both, NotationSignature.coseType)?.reason.contains("in the protected header and") == true)
        let header = CBORValue.map(made.coseHeader).encoded
        let twice = [header[0] + 1] + header[1...] + CBORValue.init(3).encoded + CBORValue.text("x").encoded
        #expect(problem(made.cose(header: twice), NotationSignature.coseType)?.reason.contains("twice") == true)
        let untagged = Array(made.cose()[1...])
        #expect(problem(untagged, NotationSignature.coseType) != nil)
    }

    @Test("state media type and size of the image as well")
    func descriptor() {
        var other = image
        other.size += 1
        var changed = made
        changed.payload = TestSigner.notationPayload(other)
        expect("another media type or size", changed)
        other = image
        other.mediaType = .dockerManifest
        changed.payload = TestSigner.notationPayload(other)
        expect("another media type or size", changed)
    }

    @Test("are by another signer when the root is not in the store")
    func untrusted() {
        let store = TrustStore.test([.authority("root", TestKeys.other)])
        for type in Self.types {
            #expect(problem(made.envelope(type), type, store)?.kind == .otherSigner)
        }
        // An intermediate authority may be trusted itself, the signer's certificate only if it is the whole chain.
        let chain = made.chain
        let inner = certain(try X509Certificate(der: chain.intermediate.der(issuedBy: chain.root)))
        let leaf = certain(try X509Certificate(der: chain.leaf.der(issuedBy: chain.intermediate)))
        var trusting = store
        trusting.anchors = [.init(certificate: inner, kind: nil, store: nil)]
        var fixed = made
        fixed.certificates = [leaf.der, inner.der, chain.root.der()]
        expectAccepted(fixed, trusting)
        trusting.anchors = [.init(certificate: leaf, kind: nil, store: nil)]
        for type in Self.types { #expect(problem(fixed.envelope(type), type, trusting)?.kind == .otherSigner) }
    }

    @Test("by a signing authority are verified at the time that it states")
    func authority() {
        var changed = made
        changed.scheme = "notary.x509.signingAuthority"
        changed.times = ["io.cncf.notary.authenticSigningTime": TestCertificate.now - TestCertificate.year / 2]
        changed.critical = ["io.cncf.notary.signingScheme", "io.cncf.notary.authenticSigningTime"]
        changed.chain.leaf.notAfter = TestCertificate.now - 86_400
        let root = changed.chain.root
        expectAccepted(changed, .test([root], kind: .signingAuthority))
        // A root that is just in the directory doesn't vouch for times, and one for the other scheme doesn't count.
        expect("x509/signingAuthority", changed, .test([root]))
        expect("no certificate of the trust store", changed, .test([root], kind: .authority))
        expect("no certificate of the trust store", made, .test([root], kind: .signingAuthority))
        changed.times = ["io.cncf.notary.authenticSigningTime": TestCertificate.now + 3_600]
        expect("in the future", changed, .test([root], kind: .signingAuthority))
        changed.times["io.cncf.notary.signingTime"] = TestCertificate.now
        expect("not those of the signing scheme", changed, .test([root], kind: .signingAuthority))
        (changed.times, changed.critical) = ([:], ["io.cncf.notary.signingScheme"])
        expect("not those of the signing scheme", changed, .test([root], kind: .signingAuthority))
    }

    @Test("of AWS Signer need a signing profile that is trusted")
    func awsSigner() {
        var changed = TestNotation(TestKeys.p384, of: image)
        let profile = "arn:aws:signer:eu-west-1:000011112222:/signing-profiles/release"
        changed.scheme = "notary.x509.signingAuthority"
        changed.times = ["io.cncf.notary.authenticSigningTime": TestCertificate.now - 60]
        changed.texts = [
            "io.cncf.notary.verificationPlugin": "com.amazonaws.signer.notation.plugin",
            "com.amazonaws.signer.signingProfileVersion": "\(profile)/AbCdEfGhIj",
            "com.amazonaws.signer.signingJob": "arn:aws:signer:eu-west-1:000011112222:/signing-jobs/1",
        ]
        let base = ["io.cncf.notary.signingScheme", "io.cncf.notary.authenticSigningTime"]
        changed.critical = base + changed.texts.keys.sorted()
        let store = TrustStore.test([changed.chain.root], kind: .signingAuthority)
        expectAccepted(changed, store, identities: [profile])
        expectAccepted(changed, store, identities: ["\(profile)/AbCdEfGhIj"])
        for identities in [[], ["*"], ["\(profile)/Other"], ["\(profile)s"], [profile.replacing("0000", with: "9999")]]
        {
            expect("not among the trusted identities", changed, store, identities: identities)
        }
        var other = changed
        other.texts["io.cncf.notary.verificationPlugin"] = "acme.plugin"
        expect("'acme.plugin'", other, store, identities: [profile])
        other = changed
        other.texts["com.amazonaws.signer.signingJob"] = nil
        other.critical.removeAll { $0 == "com.amazonaws.signer.signingJob" }
        expect("incomplete", other, store, identities: [profile])
        other = changed
        other.critical = base
        expect("incomplete", other, store, identities: [profile])
        other = changed
        other.texts["com.amazonaws.signer.signingProfileVersion"] = "\(profile)"
        expect("incomplete", other, store, identities: [profile])
    }

    @Test("of COSE may have times without a tag, as older writers have them")
    func bareTimes() {
        var header = made.coseHeader
        header[.text("io.cncf.notary.signingTime")] = .init(Int(TestCertificate.now))
        #expect(problem(made.cose(header: CBORValue.map(header).encoded), NotationSignature.coseType) == nil)
    }

    @Test("of JWS may state times with an offset")
    func offsets() {
        let header = made.jwsHeader.replacing(#"Z""#, with: #"-07:00""#)
        #expect(header != made.jwsHeader)
        #expect(problem(made.jws(header: header), NotationSignature.jwsType) == nil)
    }
}
