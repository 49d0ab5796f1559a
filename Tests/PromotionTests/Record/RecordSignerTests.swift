import AWSIdentity
import Content
import ECRAPI
import FoundationEssentials
import Glibc
import HTTPTypes
import Logging
import Platform
import TestDoubles
import TestPrograms
import Testing
import Wire

@testable import Promotion

@Suite("Keys that sign records", .timeLimit(.minutes(1)))
struct RecordSignerTests {
    private static let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"

    @Test(
        "a PEM file that only its owner may use signs, and any other file is refused with what to do",
        .enabled(if: Program.missing(among: [.openssl]) == nil)
    )
    func files() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/key.pem"
            _ = try await run(.openssl, ["genpkey", "-algorithm", "ED25519", "-out", path])
            #expect(chmod(path, 0o600) == 0)
            let signer = try FileSigner(file: path)
            let message = Array("message".utf8)
            #expect(signer.publicKey.verifies(try await signer.sign(message), over: message))

            #expect(chmod(path, 0o644) == 0)
            let open = #expect(throws: RecordSignerError.self) { try FileSigner(file: path) }
            #expect(open?.problem.contains("mode 0644") == true)
            #expect(open?.remedy.hasPrefix("run: chmod 600 \(path)") == true)
            try DurableFile.write(Array("nothing".utf8), to: path)
            #expect(chmod(path, 0o600) == 0)
            let empty = #expect(throws: RecordSignerError.self) { try FileSigner(file: path) }
            #expect(empty?.problem.contains("there is no PEM block") == true)
            let missing = #expect(throws: RecordSignerError.self) { try FileSigner(file: "\(directory)/none") }
            #expect(missing?.description.contains("\n  next: name a PEM file") == true)
        }
    }

    private func client(_ sender: any HTTPSending) throws -> KMSClient {
        KMSClient(
            endpoint: try HTTPURL("https://kms.eu-west-1.amazonaws.com/"),
            region: "eu-west-1",
            credentials: StaticCredentials(
                AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "s", source: "test")
            ),
            sender: sender,
            retry: RetryPolicy(attempts: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Answers as KMS does for a key, with `sign` as the signing.
    private func service(
        _ key: PublicKey,
        usage: String = "SIGN_VERIFY",
        _ sign: @escaping @Sendable (_ body: String) -> [UInt8] = { _ in [1] }
    ) -> RecordingSender {
        RecordingSender { request, _ in
            let body = String(decoding: request.body, as: UTF8.self)
            let isSigning = request.fields[.amzTarget]?.hasSuffix(".Sign") == true
            let text =
                isSigning
                ? #"{"KeyId":"\#(Self.arn)","Signature":"\#(Data(sign(body)).base64EncodedString())"}"#
                : #"{"KeyId":"\#(Self.arn)","KeyUsage":"\#(usage)","PublicKey":"\#(Data(key.spki).base64EncodedString())"}"#
            return WireResponse(status: .ok, fields: [:], body: Array(text.utf8))
        }
    }

    @Test(
        "KMS gets the digest that goes with the key",
        arguments: [
            (KeyKind.ecdsa(.p256), "ECDSA_SHA_256", 32), (.ecdsa(.p384), "ECDSA_SHA_384", 48),
            (.ecdsa(.p521), "ECDSA_SHA_512", 64), (.rsa(bits: 2_048), "RSASSA_PKCS1_V1_5_SHA_256", 32),
        ]
    )
    func keyService(_ kind: KeyKind, algorithm: String, length: Int) async throws {
        let key = try PrivateKey.generated(kind)
        let message = Array("message".utf8)
        let signature = try key.sign(message)
        let sender = service(key.publicKey) { _ in signature }
        let reference = try #require(try KMSKeyReference("awskms:///arn:aws:kms:eu-west-1:111122223333:alias/promoter"))
        let signer = try await KMSSigner(reference, client(sender))
        #expect(try await signer.sign(message) == signature)
        let body = try #require(sender.requests.last.map { String(decoding: $0.body, as: UTF8.self) })
        let hash = try #require(kind.hash)
        let digest = Data(hash.digest(of: message)).base64EncodedString()
        // The key's ARN, not the alias, which may be moved meanwhile.
        #expect(
            body
                == #"{"KeyId":"\#(Self.arn)","Message":"\#(digest)","MessageType":"DIGEST","SigningAlgorithm":"\#(algorithm)"}"#
        )
        #expect(try #require(Data(base64Encoded: digest)).count == length)
    }

    @Test("a key that can't sign, a key of another kind, and a signature of another key are refused")
    func refused() async throws {
        let reference = try #require(try KMSKeyReference("awskms:///\(Self.arn)"))
        let key = try PrivateKey.generated(.ecdsa(.p256))
        let usage = await #expect(throws: RecordSignerError.self) {
            try await KMSSigner(reference, client(service(key.publicKey, usage: "ENCRYPT_DECRYPT")))
        }
        #expect(usage?.problem.contains("is for ENCRYPT_DECRYPT, not for signing") == true)
        let edwards = await #expect(throws: RecordSignerError.self) {
            try await KMSSigner(reference, client(service(try PrivateKey.generated(.ed25519).publicKey)))
        }
        #expect(edwards?.problem.contains("is an Ed25519 key") == true)
        let other = try PrivateKey.generated(.ecdsa(.p256)).sign(Array("message".utf8))
        let signer = try await KMSSigner(reference, client(service(key.publicKey) { _ in other }))
        let wrong = await #expect(throws: RecordSignerError.self) { try await signer.sign(Array("message".utf8)) }
        #expect(wrong?.problem.contains("does not verify") == true)
    }
}
