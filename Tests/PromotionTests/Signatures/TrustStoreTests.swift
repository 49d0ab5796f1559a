import Content
import Platform
import TestPrograms
import Testing

@testable import Promotion

@Suite("Keys and trust stores from files", .timeLimit(.minutes(1)))
struct TrustStoreTests {
    private let root = TestCertificate.authority("root", TestKeys.rsa2048)
    private var pem: String { PEMBlock.text(label: "CERTIFICATE", der: root.der()) }

    private func write(_ bytes: [UInt8], _ path: String) throws { try DurableFile.write(bytes, to: path) }

    @Test("are read beside each other, in PEM and DER, with lists and the policy")
    func flat() async throws {
        try await withScratchDirectory { directory in
            try write(Array((pem + pem).utf8), "\(directory)/a.pem")
            try write(root.der(), "\(directory)/b.CER")
            try write(TestChain.list(of: root, revoking: [1]), "\(directory)/c.crl")
            let list = PEMBlock.text(label: "X509 CRL", der: TestChain.list(of: root, revoking: [2]))
            try write(Array(list.utf8), "\(directory)/d.crl")
            try write(Array(TrustPolicyTests.policy().utf8), "\(directory)/trustpolicy.json")
            try write(Array("notes".utf8), "\(directory)/README")
            let store = try TrustStore(directory: directory)
            #expect(store.anchors.count == 3)
            #expect(store.anchors.allSatisfy { $0.kind == nil })
            #expect(store.lists.map(\.revokedSerials) == [["01"], ["02"]])
            #expect(store.policy?.statements.map(\.name) == ["release"])
        }
    }

    @Test("are read in Notation's own layout", arguments: ["", "/trust-store"])
    func layout(_ prefix: String) async throws {
        try await withScratchDirectory { directory in
            for store in ["ca/acme", "signingAuthority/aws-signer-ts", "tsa/other"] {
                try makeDirectory("\(directory)\(prefix)/x509/\(store)")
                try write(Array(pem.utf8), "\(directory)\(prefix)/x509/\(store)/root.crt")
            }
            let store = try TrustStore(directory: directory)
            #expect(store.anchors.map(\.kind) == [.authority, .signingAuthority])
            #expect(store.anchors.map(\.store) == ["acme", "aws-signer-ts"])
        }
    }

    @Test("that can't be used name the file and the remedy")
    func refused() async throws {
        try await withScratchDirectory { directory in
            let empty = #expect(throws: TrustStore.Failure.self) { try TrustStore(directory: directory) }
            #expect(empty?.description.contains("no certificate") == true)
            #expect(empty?.description.contains("\nnext: ") == true)
            try write(Array("no certificate".utf8), "\(directory)/a.pem")
            let bad = #expect(throws: TrustStore.Failure.self) { try TrustStore(directory: directory) }
            #expect(bad?.description.contains("\(directory)/a.pem") == true)
            try write(Array(pem.utf8), "\(directory)/a.pem")
            try write(Array("{}".utf8), "\(directory)/trustpolicy.json")
            #expect(throws: TrustStore.Failure.self) { try TrustStore(directory: directory) }
        }
    }

    @Test("are keys in PEM files, one or several, or names in KMS")
    func keys() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/cosign.pub"
            try write(Array(TestKeys.p256.publicKey.pem.utf8), path)
            guard case .keys(let one) = try SignatureKey(argument: path).content else { throw ChildError("no key") }
            #expect(one == [TestKeys.p256.publicKey])
            try write(Array((TestKeys.p256.publicKey.pem + TestKeys.ed25519.publicKey.pem).utf8), path)
            guard case .keys(let two) = try SignatureKey(argument: path).content else { throw ChildError("no key") }
            #expect(two == [TestKeys.p256.publicKey, TestKeys.ed25519.publicKey])
            guard case .kms(let name) = try SignatureKey(argument: "awskms:///arn:aws:kms:eu-west-1:1:key/2").content
            else {
                throw ChildError("no key")
            }
            #expect(name == "arn:aws:kms:eu-west-1:1:key/2")
            for wrong in [
                "\(directory)/none", "awskms://", "awskms:///", "awskms://host/key", "awskms:///a b", "/dev/null", "",
            ] {
                let failure = #expect(throws: SignatureKey.Failure.self) { try SignatureKey(argument: wrong) }
                #expect(failure?.description.contains("\nnext: ") == true)
            }
            try write(Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8), path)
            let failure = #expect(throws: SignatureKey.Failure.self) { try SignatureKey(argument: path) }
            #expect(failure?.description.contains("private key") == true)
        }
    }
}
