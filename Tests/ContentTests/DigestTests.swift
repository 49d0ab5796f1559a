import Content
import Foundation
import Testing

@Suite("Digests")
struct DigestTests {
    static let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

    @Test("of the empty JSON object and of zero bytes are right")
    func known() throws {
        #expect(Digest(of: Array("{}".utf8)).hex == Self.hex)
        #expect(
            Digest.ofNothing.description == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }

    @Test("are found in sentences, lists and members, each once, and nothing else is")
    func named() throws {
        let (one, two) = (Digest(of: [1]), Digest(of: [2]))
        let text = """
            Layers with digests '[\(one), \(two)]' are missing: {"detail":"\(one)"} sha256:\(one.hex.dropLast()) \
            sha256:\(Digest(of: [3]).hex)0 sha256:\(Digest(of: [4]).hex.uppercased()) sha256:sha256: sha256
            """
        #expect(Digest.named(in: Array(text.utf8)) == [one, two])
        #expect(Digest.named(in: Array("\(two)".utf8)) == [two])
        #expect(Digest.named(in: []) == [])
        let many = (0..<50).map { "\(Digest(of: [UInt8($0)]))" }.joined(separator: " ")
        #expect(Digest.named(in: Array(many.utf8), atMost: 7).count == 7)
    }

    @Test("are parsed from their own text")
    func roundTrip() throws {
        let digest = try Digest(parsing: "sha256:\(Self.hex)")
        #expect(digest.hex == Self.hex)
        #expect(try Digest(parsing: digest.description) == digest)
        #expect(digest.short == "44136fa355b3")
        let encoded = try JSONEncoder().encode([digest])
        #expect(String(decoding: encoded, as: UTF8.self) == #"["sha256:\#(Self.hex)"]"#)
        #expect(try JSONDecoder().decode([Digest].self, from: encoded) == [digest])
    }

    @Test(
        "are refused when malformed, and the error quotes them",
        arguments: [
            "", "sha256", "sha256:", hex, "sha256:\(hex.dropLast())", "sha256:\(hex)0", "sha256:\(hex.uppercased())",
            "SHA256:\(hex)", "sha512:\(hex)\(hex)", " sha256:\(hex)", "sha256:\(hex)\n", "sha256: \(hex.dropFirst())",
            "sha256:\(hex.dropLast())g", "sha256:\(hex.dropLast())\u{0663}", "sha256:\u{0301}\(hex)", "sha256-\(hex)",
        ]
    )
    func malformed(text: String) {
        #expect(throws: ReferenceError.malformedDigest(text)) { try Digest(parsing: text) }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Digest].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test("are ordered like their text")
    func order() {
        let digests = (0..<50).map { Digest(of: [UInt8($0)]) }
        #expect(digests.sorted().map(\.description) == digests.map(\.description).sorted())
    }
}

@Suite("Hashing")
struct HashingTests {
    /// Test vectors of NIST FIPS 180-2, appendix B, and of NESSIE.
    @Test(
        "gives the published SHA-256 values",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ]
    )
    func sha256(message: String, expected: String) {
        #expect(sha256Hex(message.utf8) == expected)
        #expect(Digest(of: message.utf8).hex == expected)
    }

    @Test("is the same for any division of the bytes", arguments: [1, 3, 63, 64, 65, 1_000, 100_000])
    func chunks(size: Int) {
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var hasher = SHA256Hasher()
        for start in stride(from: 0, to: bytes.count, by: size) {
            hasher.update(bytes[start..<min(start + size, bytes.count)])
            hasher.update([UInt8]())
            [UInt8]().withUnsafeBytes { hasher.update($0) }
        }
        #expect(hasher.finishDigest() == Digest(of: bytes))
    }

    @Test("accepts raw buffers and sequences")
    func buffers() {
        let bytes = Array("raw".utf8)
        var hasher = SHA256Hasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        #expect(hasher.finish() == Digest(of: bytes).hex.bytesOfHexadecimal)
    }

    struct Authenticated: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: String
        /// The number of characters that the RFC prints.
        var length = 64
    }

    /// Test vectors of RFC 4231, section 4, and an empty key, for which OpenSSL must not reuse an old one.
    @Test(
        "gives the HMACs of RFC 4231",
        arguments: [
            Authenticated(
                key: [UInt8](repeating: 0x0b, count: 20),
                message: Array("Hi There".utf8),
                code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            Authenticated(
                key: Array("Jefe".utf8),
                message: Array("what do ya want for nothing?".utf8),
                code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            Authenticated(
                key: [UInt8](repeating: 0xaa, count: 20),
                message: [UInt8](repeating: 0xdd, count: 50),
                code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            Authenticated(
                key: Array(1...25),
                message: [UInt8](repeating: 0xcd, count: 50),
                code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            Authenticated(
                key: [UInt8](repeating: 0x0c, count: 20),
                message: Array("Test With Truncation".utf8),
                code: "a3b6167473100ee06e0c796c2955552b",
                length: 32
            ),
            Authenticated(
                key: [UInt8](repeating: 0xaa, count: 131),
                message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            Authenticated(
                key: [UInt8](repeating: 0xaa, count: 131),
                message: Array(
                    ("This is a test using a larger than block-size key and a larger than block-size data. "
                        + "The key needs to be hashed before being used by the HMAC algorithm.").utf8
                ),
                code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
            ),
            Authenticated(
                key: [],
                message: [],
                code: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
            ),
        ]
    )
    func hmac(vector: Authenticated) {
        let code = hmacSHA256(key: vector.key, vector.message)
        #expect(code.count == 32)
        #expect(hexadecimal(code).prefix(vector.length) == vector.code)
    }

    @Test("writes bytes as lowercase hexadecimal")
    func hexadecimalText() {
        #expect(hexadecimal([]) == "")
        #expect(hexadecimal([0, 1, 15, 16, 127, 128, 255]) == "00010f107f80ff")
    }
}

extension String {
    fileprivate var bytesOfHexadecimal: [UInt8] {
        stride(from: 0, to: utf8.count, by: 2).compactMap { UInt8(dropFirst($0).prefix(2), radix: 16) }
    }
}
