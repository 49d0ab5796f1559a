import AWSIdentity
import FoundationEssentials
import HTTPTypes
import TestDoubles
import TestInputs
import Testing
import Wire

@testable import ECRAPI

@Suite("Mutated answers", .timeLimit(.minutes(1)))
struct AnswerFuzzTests {
    private static let bodies = [
        #"{"__type":"com.amazonaws.ecr#ImageNotFoundException:http://x","message":"The image 'é' does not exist"}"#,
        #"{"__type":"InvalidLayerPartException","message":"m","lastValidByteReceived":11304959,"kmsError":"k"}"#,
        #"{"message":"The Canonical String for this request should have been 'x-amz-security-token:hidden'"}"#,
        "<html><body>502 Bad Gateway</body></html>",
    ]

    @Test("that are refusals are limited, on one line, and without the signed request", arguments: bodies)
    func refusals(_ text: String) {
        var random = Seeded(UInt64(text.utf8.count))
        let count = 1_500
        for _ in 0..<count {
            var fields: HTTPFields = [.contentType: "application/x-amz-json-1.1"]
            fields[.amzErrorType] =
                Bool.random(using: &random) ? mutated("ValidationException:http://x", using: &random) : nil
            fields[.retryAfter] = mutated(
                ["7", "Sun, 06 Nov 2994 08:49:37 GMT"][Int.random(in: 0...1, using: &random)],
                using: &random
            )
            let status = [400, 403, 429, 500, 503].randomElement(using: &random) ?? 400
            let response = WireResponse(
                status: .init(code: status),
                fields: fields,
                body: mutated(Array(text.utf8), using: &random)
            )
            let error = ECRError("PutImage", response)
            #expect(error.message.unicodeScalars.count <= 8_192)
            #expect(!error.message.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) })
            #expect(!error.message.lowercased().contains("x-amz-security-token"))
            // The retry policy decides about a wait that is too long.
            if case .wait(let wait) = error.retryAdvice { #expect(wait >= .zero) }
        }
        reportCases("fuzz, ECR's refusals", count)
    }

    @Test("that are successes are decoded or rejected")
    func successes() async throws {
        let whole =
            #"{"images":[{"imageId":{"imageDigest":"\#(digest)","imageTag":"v1"},"imageManifest":"{}","#
            + #""imageManifestMediaType":"a/b"}],"failures":[{"imageId":{"imageTag":"v2"},"#
            + #""failureCode":"ImageNotFound","failureReason":"Requested image not found"}]}"#
        let question = BatchGetImage(registryId: account, repositoryName: repository, imageIds: [.init(tag: v1)])
        var random = Seeded(7)
        var decoded = 0
        let count = 2_000
        for _ in 0..<count {
            let text = mutated(whole, using: &random)
            let sender = RecordingSender { _, _ in answer(text) }
            do {
                _ = try await client(sender, attempts: 1).send(question)
                decoded += 1
            } catch let error as ECRError {
                #expect(error.code == .unreadableAnswer)
                #expect(error.message.hasPrefix("the answer was not complete: "))
            }
        }
        #expect(decoded > 100 && decoded < count - 100)
        reportCases("fuzz, ECR's answers", count)
    }
}
