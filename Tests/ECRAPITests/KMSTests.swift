import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

@Suite("KMS")
struct KMSTests {
    private static let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    private func client(_ sender: any HTTPSending, attempts: Int = 4) throws -> KMSClient {
        KMSClient(
            endpoint: try HTTPURL("https://kms.eu-west-1.amazonaws.com/"),
            region: "eu-west-1",
            credentials: StaticCredentials(
                AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "s", source: "test")
            ),
            sender: sender,
            retry: RetryPolicy(attempts: attempts, clock: RecordingClock(), jitter: { 1 }),
            logger: quiet,
            now: { noon }
        )
    }

    @Test("Sign sends a digest as such, and returns the signature's bytes")
    func sign() async throws {
        let sender = RecordingSender { _, _ in
            answer(#"{"KeyId":"\#(Self.arn)","Signature":"MAYCAQECAQE=","SigningAlgorithm":"ECDSA_SHA_256"}"#)
        }
        let signed = try await client(sender).send(
            SignDigest(keyID: Self.arn, digest: Array("digest".utf8), algorithm: .ecdsaSHA256)
        )
        #expect(signed.signature == [0x30, 6, 2, 1, 1, 2, 1, 1] && signed.keyARN == Self.arn)
        let request = try #require(sender.requests.first)
        #expect(request.fields[.amzTarget] == "TrentService.Sign")
        #expect(request.fields[.contentType] == "application/x-amz-json-1.1")
        #expect(request.fields[.authorization]?.contains("/20260115/eu-west-1/kms/aws4_request") == true)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"KeyId":"\#(Self.arn)","Message":"ZGlnZXN0","MessageType":"DIGEST","SigningAlgorithm":"ECDSA_SHA_256"}"#
        )
    }

    @Test("GetPublicKey returns what the key is and can do")
    func publicKey() async throws {
        let sender = RecordingSender { _, _ in
            answer(
                #"{"KeyId":"\#(Self.arn)","PublicKey":"AAEC","KeySpec":"ECC_NIST_P256","KeyUsage":"SIGN_VERIFY","#
                    + #""SigningAlgorithms":["ECDSA_SHA_256","NEW_ONE"]}"#
            )
        }
        let key = try await client(sender).send(GetPublicKey(keyID: "alias/promoter"))
        #expect(key.publicKey == [0, 1, 2] && key.keySpec == "ECC_NIST_P256" && key.keyUsage == "SIGN_VERIFY")
        #expect(key.signingAlgorithms == [.ecdsaSHA256, KMSSigningAlgorithm(rawValue: "NEW_ONE")])
        #expect(
            sender.requests.first.map { String(decoding: $0.body, as: UTF8.self) } == #"{"KeyId":"alias/promoter"}"#
        )
    }

    @Test("an answer without its bytes is an error", arguments: ["{}", #"{"Signature":"%"}"#, #"{"Signature":""}"#])
    func incomplete(_ body: String) async throws {
        let sender = RecordingSender { _, _ in answer(body) }
        let error = await #expect(throws: KMSError.self) {
            try await client(sender, attempts: 1).send(SignDigest(keyID: "k", digest: [1], algorithm: .ecdsaSHA256))
        }
        #expect(error?.code == "UnreadableAnswer")
    }

    @Test(
        "what may pass is retried, and nothing else is",
        arguments: [
            ("DependencyTimeoutException", 500, 3), ("KMSInternalException", 500, 3),
            ("KeyUnavailableException", 500, 3),
            ("ThrottlingException", 400, 3), ("NotFoundException", 400, 1), ("DisabledException", 400, 1),
            ("KMSInvalidStateException", 400, 1), ("AccessDeniedException", 400, 1),
        ]
    )
    func retries(code: String, status: Int, requests: Int) async throws {
        let sender = RecordingSender { _, _ in fault(status, code) }
        let error = await #expect(throws: KMSError.self) {
            try await client(sender, attempts: 3).send(GetPublicKey(keyID: "k"))
        }
        #expect(error?.code == code && error?.operation == "GetPublicKey")
        #expect(sender.requests.count == requests)
    }

    @Test("a denial names the action of KMS")
    func denial() {
        let sentence =
            "User: arn:aws:sts::111122223333:assumed-role/ci/me is not authorized to perform: kms:Sign on resource: "
            + "\(Self.arn) because no resource-based policy allows the kms:Sign action"
        let error = KMSError(operation: "Sign", code: "AccessDeniedException", message: sentence, status: 400)
        #expect(error.denial?.action == "kms:Sign" && error.denial?.reason == .resourcePolicy)
        let unnamed = KMSError(operation: "Sign", code: "AccessDeniedException", message: "no", status: 400)
        #expect(unnamed.denial?.action == "kms:Sign")
        #expect(KMSError(operation: "Sign", code: "NotFoundException", message: sentence, status: 400).denial == nil)
    }

    @Test("awskms:///ARN names a key and its region")
    func references() throws {
        let key = try #require(try KMSKeyReference("awskms:///\(Self.arn)"))
        #expect(key.arn == Self.arn && key.region == "eu-west-1" && "\(key)" == "awskms:///\(Self.arn)")
        #expect(
            try KMSKeyReference("awskms:///arn:aws-cn:kms:cn-north-1:111122223333:alias/a/b_c")?.region == "cn-north-1"
        )
        #expect(try KMSKeyReference("promoter.pem") == nil)
        for wrong in [
            "awskms://", "awskms:///", "awskms://localhost:4566/\(Self.arn)", "awskms:///alias/promoter",
            "awskms:///arn:aws:sns:eu-west-1:111122223333:key/1", "awskms:///arn:aws:kms:EU:111122223333:key/1",
            "awskms:///arn:aws:kms:eu-west-1:1111:key/1", "awskms:///\(Self.arn)?x", "awskms:///\(Self.arn)\n",
        ] {
            #expect(throws: KMSKeyError.self, "\(wrong)") { try KMSKeyReference(wrong) }
        }
    }
}
