import Content
import FoundationEssentials
import Platform
import TestInputs
import TestPrograms
import Testing

@testable import Promotion

/// COSE signatures in Notation's form that pycose makes, with certificates of Python's `cryptography`.
@Suite("COSE signatures of others", .timeLimit(.minutes(3)))
struct COSEInteropTests {
    private static let fetch = """
        timeout 120 "$2" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --target "$1/library" \
            pycose==1.1.0 cbor2==5.6.5 attrs==24.2.0 ecdsa==0.19.0 six==1.16.0 certvalidator==0.11.1
        """

    private static let sign = """
        import datetime, sys
        sys.path.insert(0, sys.argv[2])
        import cbor2
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
        from pycose.algorithms import Es256, Es384, Es512, Ps256, Ps384
        from pycose.headers import Algorithm, Critical, ContentType, X5chain
        from pycose.keys import CoseKey
        from pycose.messages import Sign1Message

        now = datetime.datetime.now(datetime.timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pycose")])
        payload = b'{"targetArtifact":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:' + b"a" * 64 + b'","size":7}}'
        made = [
            ("0", ec.generate_private_key(ec.SECP256R1()), Es256, hashes.SHA256()),
            ("1", ec.generate_private_key(ec.SECP384R1()), Es384, hashes.SHA384()),
            ("2", ec.generate_private_key(ec.SECP521R1()), Es512, hashes.SHA512()),
            ("3", rsa.generate_private_key(65537, 2048), Ps256, hashes.SHA256()),
            ("4", rsa.generate_private_key(65537, 3072), Ps384, hashes.SHA256()),
        ]
        for number, key, algorithm, hash in made:
            usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
            certificate = (
                x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                .serial_number(int(number) + 1).not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=1)).add_extension(usage, critical=True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
                .sign(key, hash)
            )
            der = certificate.public_bytes(serialization.Encoding.DER)
            message = Sign1Message(
                phdr={
                    Algorithm: algorithm, Critical: ["io.cncf.notary.signingScheme"],
                    ContentType: "application/vnd.cncf.notary.payload.v1+json",
                    "io.cncf.notary.signingScheme": "notary.x509",
                    "io.cncf.notary.signingTime": cbor2.CBORTag(1, int(now.timestamp())),
                },
                uhdr={X5chain: [der], "io.cncf.notary.signingAgent": "pycose"},
                payload=payload,
            )
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            message.key = CoseKey.from_pem_private_key(pem.decode())
            open(f"{sys.argv[1]}/{number}.cose", "wb").write(message.encode())
            open(f"{sys.argv[1]}/{number}.cer", "wb").write(der)
        """

    @Test("are verified, with their certificates", .needs(.shell, .botocore))
    func pycose() async throws {
        try await withScratchDirectory { directory in
            let python = try #require(Program.botocore.path)
            let fetched = try await run(.shell, ["-c", "set -e; \(Self.fetch)", "sh", directory, python])
            guard fetched.exitCode == 0 else {
                return reportFigure("PyPI's pycose can't be fetched, so its signatures were not tried")
            }
            let made = try await run(.botocore, ["-c", Self.sign, directory, "\(directory)/library"])
            try #require(made.exitCode == 0, "\(made.errors)")
            let image = Descriptor(
                mediaType: .ociManifest,
                digest: try Digest(parsing: "sha256:\(String(repeating: "a", count: 64))"),
                size: 7
            )
            for number in 0..<5 {
                try makeDirectory("\(directory)/\(number)")
                let certificate = try contents(of: "\(directory)/\(number).cer")
                try DurableFile.write(certificate, to: "\(directory)/\(number)/root.cer")
                let store = try TrustStore(directory: "\(directory)/\(number)")
                let bytes = try contents(of: "\(directory)/\(number).cose")
                func verify(_ bytes: [UInt8]) throws(SignatureProblem) -> String {
                    try store.verify(
                        NotationSignature(bytes, type: NotationSignature.coseType),
                        of: image,
                        in: "a/b",
                        identities: [],
                        now: Int64(Date().timeIntervalSince1970)
                    ).text
                }
                let words = try verify(bytes)
                #expect(words.contains("CN=pycose"))
                var changed = bytes
                changed[changed.count - 1] ^= 1
                #expect(throws: SignatureProblem.self) { try verify(changed) }
            }
            reportCases("outside signers, Notation COSE (pycose of PyPI)", 5)
        }
    }
}
