import Content
import Platform
import TestInputs
import TestPrograms
import Testing

@testable import Promotion

/// Keys, signatures, chains and lists of the `openssl` program, and ours checked by it.
@Suite("The openssl program", .needs(.openssl), .timeLimit(.minutes(2)))
struct OpenSSLInteropTests {
    struct Algorithm: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var generate: [String]
        var scheme: SignatureScheme
        /// The options with which the program signs and verifies.
        var options: [String]
    }

    static let algorithms: [Algorithm] =
        [
            ("P-256", SignatureHash.sha256), ("P-384", .sha384), ("P-521", .sha512), ("P-384", .sha256),
            ("P-521", .sha256),
        ].map { curve, hash in
            Algorithm(
                testDescription: "ECDSA \(curve) \(hash.rawValue)",
                generate: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)"],
                scheme: .ecdsa(hash),
                options: ["-rawin", "-digest", digestName(hash)]
            )
        }
        + [2_048, 3_072].flatMap { bits in
            SignatureHash.allCases.flatMap { hash in
                [("pkcs1", SignatureScheme.rsaPKCS1(hash)), ("pss", .rsaPSS(hash))].map { padding, scheme in
                    Algorithm(
                        testDescription: "RSA \(bits) \(padding) \(hash.rawValue)",
                        generate: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"],
                        scheme: scheme,
                        options: ["-rawin", "-digest", digestName(hash), "-pkeyopt", "rsa_padding_mode:\(padding)"]
                            + (padding == "pss" ? ["-pkeyopt", "rsa_pss_saltlen:digest"] : [])
                    )
                }
            }
        } + [
            Algorithm(
                testDescription: "Ed25519",
                generate: ["-algorithm", "ED25519"],
                scheme: .ed25519,
                options: ["-rawin"]
            )
        ]

    private static func digestName(_ hash: SignatureHash) -> String {
        switch hash {
        case .sha256: "sha256"
        case .sha384: "sha384"
        case .sha512: "sha512"
        }
    }

    private func openssl(_ arguments: [String]) async throws {
        let ended = try await run(.openssl, arguments)
        guard ended.exitCode == 0 else { throw ChildError("openssl \(arguments): \(ended.errors)") }
    }

    private func certificate(_ path: String) throws -> X509Certificate {
        try #require(try X509Certificate.all(in: contents(of: path)).first)
    }

    @Test("verifies what we sign, and we verify what it signs", arguments: algorithms)
    func bothWays(_ algorithm: Algorithm) async throws {
        try await withScratchDirectory { directory in
            let message = Array("a message ÿ".utf8)
            try DurableFile.write(message, to: "\(directory)/message")
            try await openssl(["genpkey"] + algorithm.generate + ["-out", "\(directory)/key.pem"])
            try await openssl(["pkey", "-in", "\(directory)/key.pem", "-pubout", "-out", "\(directory)/key.pub"])
            let key = try PrivateKey(pem: contents(of: "\(directory)/key.pem"))
            let publicKey = try PublicKey(pem: contents(of: "\(directory)/key.pub"))
            #expect(publicKey == key.publicKey)
            #expect(Array(publicKey.pem.utf8) == (try contents(of: "\(directory)/key.pub")))

            try DurableFile.write(key.sign(message, algorithm.scheme), to: "\(directory)/ours")
            let files = ["-in", "\(directory)/message"]
            try await openssl(
                ["pkeyutl", "-verify", "-pubin", "-inkey", "\(directory)/key.pub", "-sigfile", "\(directory)/ours"]
                    + files + algorithm.options
            )
            try await openssl(
                ["pkeyutl", "-sign", "-inkey", "\(directory)/key.pem", "-out", "\(directory)/theirs"] + files
                    + algorithm.options
            )
            let theirs = try contents(of: "\(directory)/theirs")
            #expect(publicKey.verifies(theirs, over: message, algorithm.scheme))
            #expect(!publicKey.verifies(theirs, over: message + [0], algorithm.scheme))
        }
    }

    @Test("writes private keys that we read, and says which of them we don't", .needs(.shell))
    func privateKeys() async throws {
        try await withScratchDirectory { directory in
            let script = """
                set -e
                cd "$1"
                openssl ecparam -name prime256v1 -genkey -out sec1.pem
                openssl genrsa -traditional -out pkcs1.pem 2048
                openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x -out encrypted.pem
                openssl genrsa -traditional -aes256 -passout pass:x -out older.pem 2048
                openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.pem
                openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out curve.pem
                openssl genpkey -algorithm X25519 -out exchange.pem
                """
            let made = try await run(.shell, ["-c", script, "sh", directory])
            try #require(made.exitCode == 0, "\(made.errors)")
            #expect(try PrivateKey(pem: contents(of: "\(directory)/sec1.pem")).kind == .ecdsa(.p256))
            #expect(try PrivateKey(pem: contents(of: "\(directory)/pkcs1.pem")).kind == .rsa(bits: 2_048))
            for name in ["encrypted", "older"] {
                let bytes = try contents(of: "\(directory)/\(name).pem")
                #expect(throws: KeyError.encrypted) { try PrivateKey(pem: bytes) }
            }
            for name in ["weak", "curve", "exchange"] {
                let bytes = try contents(of: "\(directory)/\(name).pem")
                let error = #expect(throws: KeyError.self) { try PrivateKey(pem: bytes) }
                if case .unsupported? = error { continue }
                Issue.record("\(name): \(error.map { "\($0)" } ?? "read")")
            }
        }
    }

    @Test("makes chains and revocation lists that we check", .needs(.shell))
    func chains() async throws {
        try await withScratchDirectory { directory in
            let script = """
                set -e
                cd "$1"
                mkdir db && touch db/index && echo 01 > db/number && echo 1000 > db/serial
                cat > config <<'END'
                [ca]
                default_ca = root
                [root]
                database = db/index
                crlnumber = db/number
                serial = db/serial
                new_certs_dir = db
                default_md = sha256
                default_crl_days = 30
                policy = any
                [any]
                commonName = supplied
                [req]
                distinguished_name = name
                [name]
                [authority]
                basicConstraints = critical, CA:TRUE
                keyUsage = critical, keyCertSign, cRLSign
                subjectKeyIdentifier = hash
                [signer]
                keyUsage = critical, digitalSignature
                extendedKeyUsage = codeSigning
                authorityKeyIdentifier = keyid
                END
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root.key -out root.pem \
                    -subj /C=DE/O=Acme/CN=root -days 30 -config config -extensions authority
                for name in one two; do
                    openssl req -newkey rsa:3072 -nodes -keyout $name.key -out $name.csr -subj /CN=$name -config config
                    openssl ca -batch -config config -cert root.pem -keyfile root.key -in $name.csr -out $name.pem \
                        -days 10 -extensions signer -notext
                done
                openssl ca -config config -cert root.pem -keyfile root.key -gencrl -out empty.crl
                openssl ca -config config -cert root.pem -keyfile root.key -revoke two.pem
                openssl ca -config config -cert root.pem -keyfile root.key -gencrl -out list.crl
                """
            let made = try await run(.shell, ["-c", script, "sh", directory])
            try #require(made.exitCode == 0, "\(made.errors)")
            let root = try certificate("\(directory)/root.pem")
            #expect(root.isSelfSigned)
            #expect(root.subjectText == "CN=root, O=Acme, C=DE")
            #expect(root.basicConstraints?.isAuthority == true)
            #expect(root.basicConstraints?.isCritical == true)
            #expect(root.basicConstraints?.pathLength == nil)
            let lists = try RevocationList.all(in: contents(of: "\(directory)/list.crl"))
            let empty = try RevocationList.all(in: contents(of: "\(directory)/empty.crl"))
            #expect(lists.allSatisfy { $0.isSigned(by: root) })
            for name in ["one", "two"] {
                let leaf = try certificate("\(directory)/\(name).pem")
                let chain = NotationChain(certificates: [leaf, root])
                try chain.checkForm()
                try chain.checkPath(to: root, at: leaf.notBefore + 60)
                #expect(throws: SignatureProblem.self) { try chain.checkPath(to: root, at: leaf.notAfter + 1) }
                let now = lists[0].thisUpdate + 60
                #expect(try chain.checkRevocation(below: root, by: empty, now: now))
                guard name == "two" else {
                    #expect(try chain.checkRevocation(below: root, by: lists, now: now))
                    continue
                }
                #expect(throws: SignatureProblem.self) { try chain.checkRevocation(below: root, by: lists, now: now) }
            }
        }
    }
}
