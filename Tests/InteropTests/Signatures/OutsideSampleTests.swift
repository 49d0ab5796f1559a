import Content
import FoundationEssentials
import Platform
import TestInputs
import TestPrograms
import Testing

@testable import Promotion

/// Signatures that other programs made, fetched from Debian and PyPI when the test runs.
///
/// docs/facts/signatures.md#samples lists them, and the formats for which no package has one.
@Suite("Signatures of others", .timeLimit(.minutes(3)))
struct OutsideSampleTests {
    /// Runs a script that fetches something; `nil` if it can't be fetched, which is said on standard output.
    private func fetched(_ script: String, in directory: String, _ what: String) async throws -> Bool {
        let ended = try await run(.shell, ["-c", "set -e; cd \"$1\"; \(script)", "sh", directory])
        if ended.exitCode != 0 { reportFigure("\(what) can't be fetched, so its signatures were not tried") }
        return ended.exitCode == 0
    }

    @Test(
        "of cosign, in the tests of containers/image from Debian, are verified",
        .needs(.shell, Program("apt-get"), Program("dpkg-deb"))
    )
    func cosign() async throws {
        try await withScratchDirectory { directory in
            let script = """
                timeout 100 apt-get download golang-github-containers-image-dev
                dpkg-deb -x golang-github-containers-image-dev_*.deb .
                """
            guard try await fetched(script, in: directory, "Debian's golang-github-containers-image-dev") else {
                return
            }
            let fixtures = "\(directory)/usr/share/gocode/src/github.com/containers/image/signature/fixtures"
            let key = try TrustedKey(name: "cosign.pub", key: PublicKey(pem: contents(of: "\(fixtures)/cosign.pub")))
            let manifest = try contents(of: "\(fixtures)/dir-img-cosign-valid/manifest.json")
            let digest = Digest(of: manifest)
            for name in [
                "dir-img-cosign-valid/signature-1", "dir-img-cosign-valid-2/signature-2",
                "dir-img-cosign-valid-with-tag/signature-1",
            ] {
                let about =
                    name.contains("with-tag")
                    ? Digest(of: try contents(of: "\(fixtures)/dir-img-cosign-valid-with-tag/manifest.json")) : digest
                #expect(try problem("\(fixtures)/\(name)", about: about, key) == nil, "\(name)")
            }
            let changed = Digest(of: try contents(of: "\(fixtures)/dir-img-cosign-modified-manifest/manifest.json"))
            #expect(try problem("\(fixtures)/dir-img-cosign-valid/signature-1", about: changed, key)?.kind == .refused)
            #expect(try problem("\(fixtures)/unknown-cosign-key.signature", about: digest, key)?.kind == .otherSigner)
            reportCases("outside samples, cosign tag (containers/image of Debian)", 5)
        }
    }

    /// A signature as containers/image stores it in a file: a mark, then JSON.
    private struct Stored: Decodable {
        var payload: Data
        var annotations: [String: String]

        init(_ path: String) throws {
            let file = try contents(of: path)
            let start = try #require(file.firstIndex(of: UInt8(ascii: "{")))
            self = try JSONDecoder().decode(Self.self, from: Data(file[start...]))
        }
    }

    /// Why a stored signature is not accepted; `nil` if it is.
    private func problem(_ path: String, about digest: Digest, _ key: TrustedKey) throws -> SignatureProblem? {
        let stored = try Stored(path)
        let layer = Descriptor(
            mediaType: SimpleSigning.layerType,
            digest: Digest(of: stored.payload),
            size: Int64(stored.payload.count),
            annotations: stored.annotations
        )
        do throws(SignatureProblem) {
            _ = try SimpleSigning.verify([UInt8](stored.payload), of: layer, about: digest, with: [key])
            return nil
        } catch {
            return error
        }
    }

    private static let fetchLibrary = """
        timeout 150 python3 -m pip download --quiet --disable-pip-version-check --no-input --no-deps --no-binary :all: \
            securesystemslib==1.6.0
        tar xzf securesystemslib-*.tar.gz
        """

    @Test("of securesystemslib's tests, from PyPI, are verified in each scheme that we have", .needs(.shell, .python))
    func schemes() async throws {
        try await withScratchDirectory { directory in
            guard try await fetched(Self.fetchLibrary, in: directory, "PyPI's securesystemslib") else { return }
            // The list is in the text of a test, as tuples of key identifier, type, scheme, public key, signature.
            let script = """
                import ast, sys
                tree = ast.parse(open(sys.argv[1]).read())
                test = next(n for n in ast.walk(tree) if getattr(n, "name", "") == "test_key_verify_signature")
                names = {}
                for node in test.body:
                    if not isinstance(node, ast.Assign): continue
                    if node.targets[0].id == "key_sig_data":
                        for row in node.value.elts:
                            row = [names[e.id] if isinstance(e, ast.Name) else e.value for e in row.elts]
                            print(row[2], row[3].encode().hex(), row[4])
                    else: names[node.targets[0].id] = ast.literal_eval(node.value)
                """
            let file = "\(directory)/securesystemslib-1.6.0/tests/test_signer.py"
            let listed = try await run(.python, ["-c", script, file])
            try #require(listed.exitCode == 0, "\(listed.errors)")
            let schemes: [String: SignatureScheme] = [
                "ed25519": .ed25519, "rsassa-pss-sha256": .rsaPSS(.sha256), "rsassa-pss-sha384": .rsaPSS(.sha384),
                "rsassa-pss-sha512": .rsaPSS(.sha512), "rsa-pkcs1v15-sha256": .rsaPKCS1(.sha256),
                "rsa-pkcs1v15-sha384": .rsaPKCS1(.sha384), "rsa-pkcs1v15-sha512": .rsaPKCS1(.sha512),
                "ecdsa-sha2-nistp256": .ecdsa(.sha256), "ecdsa-sha2-nistp384": .ecdsa(.sha384),
                "ecdsa-sha2-nistp521": .ecdsa(.sha512),
            ]
            var verified: [String] = []
            for line in listed.lines {
                let parts = line.split(separator: " ")
                guard parts.count == 3, let scheme = schemes[String(parts[0])] else { continue }
                let text = bytes(parts[1])
                // Ed25519 keys are the bare 32 bytes there, in hexadecimal.
                let header: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
                let key =
                    scheme == .ed25519
                    ? try PublicKey(spki: header + bytes(Substring(String(decoding: text, as: UTF8.self))))
                    : try PublicKey(pem: text + [0x0A])
                let signature = bytes(parts[2])
                #expect(!key.verifies(signature, over: Array("NOT DATA".utf8), scheme))
                if key.verifies(signature, over: Array("DATA".utf8), scheme) { verified.append(String(parts[0])) }
            }
            // One of the list has the longest salt that fits, which no image signature may have.
            #expect(Set(verified) == Set(schemes.keys))
            #expect(listed.lines.count { $0.hasPrefix("rsassa-pss-sha256 ") } == 2)
            #expect(verified.count { $0 == "rsassa-pss-sha256" } == 1)
            reportCases("outside samples, signature schemes (securesystemslib of PyPI)", verified.count)
        }
    }

    @Test("that securesystemslib makes as DSSE envelopes are verified", .needs(.shell, .python, .botocore))
    func envelopes() async throws {
        try await withScratchDirectory { directory in
            guard try await fetched(Self.fetchLibrary, in: directory, "PyPI's securesystemslib") else { return }
            let script = """
                import json, sys
                from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
                from cryptography.hazmat.primitives import serialization as s
                from securesystemslib.dsse import Envelope
                from securesystemslib.signer import CryptoSigner, SSlibKey
                for number, key in enumerate([
                    ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1()),
                    ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate(),
                    rsa.generate_private_key(65537, 2048),
                ]):
                    envelope = Envelope(b"\\x00payload \\xff", "application/vnd.in-toto+json", {})
                    envelope.sign(CryptoSigner(key))
                    open(f"{sys.argv[1]}/{number}.json", "w").write(json.dumps(envelope.to_dict()))
                    pem = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
                    open(f"{sys.argv[1]}/{number}.pub", "wb").write(pem)
                """
            let made = try await run(
                .botocore,
                ["-c", script, directory],
                environment: ["PYTHONPATH": "\(directory)/securesystemslib-1.6.0"]
            )
            try #require(made.exitCode == 0, "\(made.errors)")
            for number in 0..<5 {
                let envelope = try DSSEEnvelope(json: contents(of: "\(directory)/\(number).json"))
                let key = try PublicKey(pem: contents(of: "\(directory)/\(number).pub"))
                #expect(envelope.payload == [0] + Array("payload ".utf8) + [0xFF])
                #expect(envelope.isSigned(by: key), "\(key.kind)")
                var changed = envelope
                changed.payload[0] = 1
                #expect(!changed.isSigned(by: key))
            }
            reportCases("outside signers, DSSE (securesystemslib of PyPI)", 5)
        }
    }

    private func bytes(_ hex: Substring) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}

/// Samples that no package has, from a directory that the person who runs the tests has filled.
///
/// docs/facts/signatures.md#samples says where they are.
@Suite("Signatures from a directory", .timeLimit(.minutes(1)))
struct GivenSampleTests {
    static let directory = EnvironmentVariables.current["ECR_REPLICATE_SIGNATURE_SAMPLES"]
    private static let isGiven = ConditionTrait.enabled(
        if: directory != nil,
        "needs ECR_REPLICATE_SIGNATURE_SAMPLES: a directory with the samples of docs/facts/signatures.md"
    )

    @Test("in a Sigstore bundle of the Sigstore project are verified", isGiven)
    func bundle() throws {
        let directory = try #require(Self.directory)
        let bundle = try SigstoreBundle(json: contents(of: "\(directory)/bundle.json"))
        let key = try PublicKey(pem: contents(of: "\(directory)/bundle-key.pub"))
        guard case .envelope(var envelope) = bundle.content else { throw ChildError("no envelope") }
        #expect(envelope.isSigned(by: key))
        #expect(try InTotoStatement(of: envelope).subjects.count == 1)
        envelope.payload[10] ^= 1
        #expect(!envelope.isSigned(by: key))
        reportCases("outside samples, bundle (sigstore-conformance)", 1)
    }

    @Test("in a JWS of the Notary Project are verified", isGiven)
    func notation() throws {
        let directory = try #require(Self.directory)
        let bytes = try contents(of: "\(directory)/notation-ca.json")
        let signature = try NotationSignature(bytes, type: NotationSignature.jwsType)
        try signature.checkSignature()
        try signature.checkPayload(
            names: Descriptor(
                mediaType: .dockerManifest,
                digest: Digest(parsing: "sha256:60043cf45eaebc4c0867fea485a039b598f52fd09fd5b07b0b2d2f88fad9d74e"),
                size: 528
            )
        )
        #expect(signature.statedAlgorithm == .ps384)
        #expect(signature.attributes.scheme == .x509)
        reportCases("outside samples, Notation JWS (notation-go)", 1)
    }

    @Test("with a certificate that notation made for tests are verified as a whole", isGiven)
    func selfSigned() throws {
        let directory = try #require(Self.directory)
        let bytes = try contents(of: "\(directory)/notation-self-signed.json")
        let signature = try NotationSignature(bytes, type: NotationSignature.jwsType)
        let image = Descriptor(
            mediaType: .dockerManifest,
            digest: try Digest(parsing: "sha256:5a07385af4e6b6af81b0ebfd435aedccdfa3507f0609c658209e1aba57159b2b"),
            size: 942
        )
        let identity = "x509.subject: C=US, ST=WA, L=Seattle, O=Notary, CN=wabbit-networks.io"
        let policy = """
            {"version":"1.0","trustPolicies":[{"name":"a","registryScopes":["*"],"trustStores":["ca:a"],\
            "signatureVerification":{"level":"strict"},"trustedIdentities":["\(identity)"]}]}
            """
        let leaf = signature.chain[0]
        let store = TrustStore(
            path: "trust",
            anchors: [.init(certificate: leaf, kind: .authority, store: "a")],
            lists: [],
            policy: try TrustPolicy(json: Array(policy.utf8))
        )
        _ = try store.verify(signature, of: image, in: "a/b", identities: [], now: leaf.notBefore + 3_600)
        #expect(throws: SignatureProblem.self) {
            try store.verify(signature, of: image, in: "a/b", identities: [], now: leaf.notAfter + 1)
        }
        reportCases("outside samples, Notation JWS, the whole chain (notation-go)", 1)
    }
}
