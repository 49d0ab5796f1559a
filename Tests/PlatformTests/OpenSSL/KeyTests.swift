import Platform
import Testing

@Suite("Keys", .timeLimit(.minutes(1)))
struct KeyTests {
    static let kinds: [KeyKind] = [
        .ecdsa(.p256), .ecdsa(.p384), .ecdsa(.p521), .rsa(bits: 2_048), .rsa(bits: 3_072), .ed25519,
    ]
    static let schemes: [SignatureScheme] =
        SignatureHash.allCases.flatMap { hash in
            [SignatureScheme.ecdsa(hash), .ecdsaRaw(hash), .rsaPKCS1(hash), .rsaPSS(hash)]
        } + [.ed25519]

    @Test("sign in each scheme of their kind, and in no other", arguments: kinds)
    func schemes(_ kind: KeyKind) throws {
        let key = try PrivateKey.generated(kind)
        #expect(key.kind == kind)
        let message = Array("message".utf8)
        for scheme in Self.schemes {
            guard kind.allows(scheme) else {
                #expect(throws: KeyError.self) { try key.sign(message, scheme) }
                #expect(!key.publicKey.verifies([1, 2, 3], over: message, scheme))
                continue
            }
            let signature = try key.sign(message, scheme)
            for other in Self.schemes {
                #expect(
                    key.publicKey.verifies(signature, over: message, other) == (other == scheme),
                    "\(scheme) \(other)"
                )
            }
            #expect(!key.publicKey.verifies(signature, over: message + [0], scheme))
            #expect(!key.publicKey.verifies(signature.dropLast(), over: message, scheme))
            #expect(!key.publicKey.verifies(signature + [0], over: message, scheme))
            #expect(!key.publicKey.verifies([], over: message, scheme))
        }
        #expect(try key.publicKey.verifies(key.sign([]), over: [], kind.defaultScheme))
    }

    @Test("are read from their SubjectPublicKeyInfo and from PEM, as one encoding only", arguments: kinds)
    func encodings(_ kind: KeyKind) throws {
        let key = try PrivateKey.generated(kind).publicKey
        #expect(try PublicKey(spki: key.spki) == key)
        #expect(try PublicKey(pem: Array(key.pem.utf8)) == key)
        #expect(key.fingerprint.count == 32)
        #expect(throws: KeyError.self) { try PublicKey(spki: key.spki + [0]) }
        #expect(throws: KeyError.self) { try PublicKey(spki: key.spki.dropLast()) }
        #expect(throws: KeyError.self) { try PublicKey(spki: []) }
        // The same key with a length in two bytes, which DER does not allow.
        if key.spki[1] < 0x80 {
            #expect(throws: KeyError.self) { try PublicKey(spki: [0x30, 0x81, key.spki[1]] + key.spki[2...]) }
        }
        #expect(throws: KeyError.severalKeys(2)) { try PublicKey(pem: Array((key.pem + key.pem).utf8)) }
    }

    @Test("of RSA with a public exponent that is even or 1 are refused: with 1 each text is its own signature")
    func exponents() throws {
        let key = try PrivateKey.generated(.rsa(bits: 2_048)).publicKey.spki
        #expect(Array(key.suffix(5)) == [0x02, 0x03, 0x01, 0x00, 0x01], "the exponent ends the key")
        let unsupported = KeyError.unsupported("an RSA key whose public exponent is even or 1")
        #expect(throws: unsupported) { try PublicKey(spki: key.dropLast() + [0x00]) }
        // With an exponent of one byte, three lengths are two less.
        var one = Array(key.dropLast(4)) + [0x01, 0x01]
        for place in [3, 22, 27] { one[place] -= 2 }
        #expect(throws: unsupported) { try PublicKey(spki: one) }
    }

    @Test("say what a file holds instead")
    func others() {
        let certificate = PEMBlock.text(label: "CERTIFICATE", der: [1, 2, 3])
        #expect(throws: KeyError.noBlock(wanted: "PUBLIC KEY", found: ["CERTIFICATE"])) {
            try PublicKey(pem: Array(certificate.utf8))
        }
        #expect(throws: KeyError.noBlock(wanted: "PUBLIC KEY", found: [])) { try PublicKey(pem: []) }
        let secret = PEMBlock.text(label: "EC PRIVATE KEY", der: [1, 2, 3])
        #expect(throws: KeyError.isPrivate) { try PublicKey(pem: Array(secret.utf8)) }
        #expect(throws: KeyError.malformed("the private key")) { try PrivateKey(pem: Array(secret.utf8)) }
        let encrypted = PEMBlock.text(label: "ENCRYPTED SIGSTORE PRIVATE KEY", der: [1, 2, 3])
        #expect(throws: KeyError.encrypted) { try PrivateKey(pem: Array(encrypted.utf8)) }
    }

    @Test("sign from many tasks at once")
    func parallel() async throws {
        let key = try PrivateKey.generated(.ecdsa(.p256))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let message = [UInt8](repeating: UInt8(number), count: 1_000)
                    return try key.publicKey.verifies(key.sign(message), over: message, .ecdsa(.sha256))
                }
            }
            for try await isVerified in group { #expect(isVerified) }
        }
    }

    @Test("turn an ECDSA signature into numbers of fixed length and back")
    func forms() throws {
        for curve in KeyKind.Curve.allCases {
            let key = try PrivateKey.generated(.ecdsa(curve))
            let hash = try #require(key.kind.hash)
            // Among many, some have numbers that begin with zeros.
            for number in 0..<300 {
                let message = Array("\(number)".utf8)
                let raw = try key.sign(message, .ecdsaRaw(hash))
                #expect(raw.count == 2 * curve.numberLength)
                let der = try #require(ECDSASignature.der(fromRaw: raw, curve))
                #expect(ECDSASignature.raw(fromDER: der, curve) == raw)
                #expect(key.publicKey.verifies(der, over: message, .ecdsa(hash)))
            }
        }
        #expect(ECDSASignature.der(fromRaw: [1, 2, 3], .p256) == nil)
        #expect(ECDSASignature.raw(fromDER: [0x30, 0x03, 0x02, 0x01, 0x01], .p256) == nil)
    }

    @Test("are hashed as the standard's examples are")
    func hashes() {
        // FIPS 180-4, the message "abc".
        let abc = Array("abc".utf8)
        #expect(SignatureHash.sha256.digest(of: abc).prefix(4) == [0xBA, 0x78, 0x16, 0xBF])
        #expect(SignatureHash.sha384.digest(of: abc).prefix(4) == [0xCB, 0x00, 0x75, 0x3F])
        #expect(SignatureHash.sha512.digest(of: abc).prefix(4) == [0xDD, 0xAF, 0x35, 0xA1])
    }
}

@Suite("Places in DER", .timeLimit(.minutes(1)))
struct DERElementTests {
    @Test("are found for short and long lengths")
    func lengths() throws {
        for count in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let bytes = [0x04] + DERElement.length(count) + [UInt8](repeating: 7, count: count)
            let element = try #require(DERElement(wholly: bytes, tag: 0x04))
            #expect(element.content.count == count)
            #expect(DERElement(wholly: bytes + [0], tag: 0x04) == nil)
        }
    }

    @Test(
        "are not found in what is not DER",
        arguments: [
            [], [0x30], [0x30, 0x80], [0x30, 0x81, 0x7F], [0x30, 0x82, 0x00, 0x80], [0x30, 0x01], [0x1F, 0x00],
            [0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], [0x30, 0x85, 1, 0, 0, 0, 0], [0x30, 0xFF],
        ] as [[UInt8]]
    )
    func malformed(_ bytes: [UInt8]) {
        #expect(DERElement(in: bytes, at: 0) == nil)
        #expect(DERElement(in: bytes, at: 100) == nil)
    }
}
