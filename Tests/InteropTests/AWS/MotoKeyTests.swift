import AWSIdentity
import ECRAPI
import Foundation
import HTTPTypes
import Logging
import Platform
import TestPrograms
import Testing
import Wire

@Suite("KMS, as moto has it", .timeLimit(.minutes(1)), .needs(.moto))
struct MotoKeyTests {
    private static let config = """
        [profile hub]
        aws_access_key_id = AKIDEXAMPLE
        aws_secret_access_key = secret
        """

    private func client(_ cloud: LocalCloud) throws -> KMSClient {
        let resolver = try cloud.resolver(Self.config)
        let options = IdentityOptions(profile: "hub")
        return KMSClient(
            endpoint: try resolver.endpoint(.kms, region: LocalCloud.region, options: options).url,
            region: LocalCloud.region,
            credentials: try resolver.provider(for: options, stsRegion: LocalCloud.region),
            sender: cloud.transport,
            retry: RetryPolicy(attempts: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clocks: resolver.clocks
        )
    }

    /// Creates a key with the service itself, and returns its ARN.
    private func makeKey(_ cloud: LocalCloud, _ spec: String) async throws -> String {
        var request = WireRequest(
            .post,
            try HTTPURL(cloud.endpoint),
            body: Array(#"{"KeySpec":"\#(spec)","KeyUsage":"SIGN_VERIFY"}"#.utf8)
        )
        request.fields[.contentType] = "application/x-amz-json-1.1"
        request.fields[.amzTarget] = "TrentService.CreateKey"
        let keys = AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret", source: "test")
        RequestSigner(service: "kms", region: LocalCloud.region).sign(&request, with: keys, at: Date())
        let answer = try await cloud.transport.send(request)
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any],
            "\(answer.excerpt())"
        )
        return try #require((document["KeyMetadata"] as? [String: Any])?["Arn"] as? String)
    }

    @Test(
        "signs a digest with a key whose public half verifies the message",
        arguments: [
            ("ECC_NIST_P256", KMSSigningAlgorithm.ecdsaSHA256), ("ECC_NIST_P384", .ecdsaSHA384),
            ("ECC_NIST_P521", .ecdsaSHA512), ("RSA_2048", .rsaSHA256),
        ]
    )
    func signs(spec: String, algorithm: KMSSigningAlgorithm) async throws {
        try await LocalCloud.moto { cloud in
            let client = try client(cloud)
            let arn = try await makeKey(cloud, spec)
            let found = try await client.send(GetPublicKey(keyID: arn))
            #expect(found.keyUsage == "SIGN_VERIFY")
            let key = try PublicKey(spki: found.publicKey)
            let message = Array("message".utf8)
            let hash = try #require(key.kind.hash)
            let signed = try await client.send(
                SignDigest(keyID: arn, digest: hash.digest(of: message), algorithm: algorithm)
            )
            // moto hashes what it gets once more: its Sign knows no MessageType but RAW (the note at `sign` in its
            // kms/models.py). So the digest is what it signed as a message.
            #expect(key.verifies(signed.signature, over: hash.digest(of: message), key.kind.defaultScheme))
            #expect(signed.keyARN == arn)
        }
    }

    @Test("answers a missing key with NotFoundException")
    func missing() async throws {
        try await LocalCloud.moto { cloud in
            let arn = "arn:aws:kms:\(LocalCloud.region):123456789012:key/00000000-0000-0000-0000-000000000000"
            let error = await #expect(throws: KMSError.self) {
                try await client(cloud).send(GetPublicKey(keyID: arn))
            }
            #expect(error?.code == "NotFoundException")
        }
    }
}
