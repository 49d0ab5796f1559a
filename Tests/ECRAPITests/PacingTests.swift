import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

@Suite("The client's pace")
struct PacingTests {
    private let put = DescribeRepositories(registryId: account)

    private func client(_ sender: any HTTPSending, _ pacer: Pacer) throws -> ECRClient {
        ECRClient(
            endpoint: try HTTPURL("https://api.ecr.eu-west-1.amazonaws.com/"),
            region: "eu-west-1",
            credentials: RotatingCredentials(last: 2),
            sender: sender,
            retry: RetryPolicy(attempts: 4, clock: RecordingClock(), jitter: { 1 }),
            pacer: pacer,
            logger: quiet,
            now: { noon }
        )
    }

    @Test("follows its operation's bucket, which counts each attempt")
    func waits() async throws {
        let clock = RecordingClock()
        let pacer = Pacer(seeds: ["DescribeRepositories": 2], clock: clock)
        let sender = RecordingSender { _, number in
            number == 1 ? fault(400, "ExpiredTokenException") : answer(#"{"repositories":[],"imageIds":[]}"#)
        }
        let client = try client(sender, pacer)
        _ = try await client.send(put)
        #expect(clock.waits == [.milliseconds(500)], "the attempt with other credentials is a request too")
        _ = try await client.send(ListImages(registryId: account, repositoryName: repository))
        #expect(clock.waits.count == 1, "another operation, another bucket")
    }

    @Test("slows down after a throttle with any status, and after no other error")
    func throttles() async throws {
        for (status, code, isThrottle) in [
            (400, "ThrottlingException", true), (429, "Odd", true), (500, "ServerException", false),
            (400, "LimitExceededException", false), (503, "ServiceUnavailable", false),
        ] {
            let pacer = Pacer(clock: RecordingClock())
            let sender = RecordingSender { _, number in
                number == 1 ? fault(status, code) : answer(#"{"repositories":[],"imageIds":[]}"#)
            }
            _ = try? await client(sender, pacer).send(put)
            #expect((pacer.rate(of: "DescribeRepositories") != nil) == isThrottle, "\(status) \(code)")
        }
    }

    @Test("pauses the operation for the wait that an answer asks for")
    func holds() async throws {
        let clock = RecordingClock()
        let pacer = Pacer(clock: clock)
        let name = try #require(HTTPField.Name("x-amz-retry-after"))
        let sender = RecordingSender { _, number in
            number == 1 ? answer(429, "", [name: "1500"]) : answer(#"{"repositories":[],"imageIds":[]}"#)
        }
        _ = try await client(sender, pacer).send(put)
        // The retry has another clock, so this one records the bucket's waits only.
        #expect(clock.waits == [.milliseconds(1_500)])
    }

    @Test(
        "counts requests to the registry as operations",
        arguments: [
            ("HEAD", "/v2/a/b/blobs/sha256:0", "BatchCheckLayerAvailability"),
            ("GET", "/v2/a/b/blobs/sha256:0", "GetDownloadUrlForLayer"),
            ("GET", "/v2/a/b/manifests/v1", "BatchGetImage"), ("HEAD", "/v2/a/manifests/v1", "BatchGetImage"),
            ("GET", "/v2/a/b/referrers/sha256:0", "BatchGetImage"), ("PUT", "/v2/a/b/manifests/v1", "PutImage"),
            ("POST", "/v2/a/b/blobs/uploads/", "InitiateLayerUpload"),
            ("POST", "/v2/a/b/blobs/uploads/?mount=sha256:0&from=c", "InitiateLayerUpload"),
            ("PATCH", "/v2/a/b/blobs/uploads/u", "UploadLayerPart"),
            ("PUT", "/v2/a/b/blobs/uploads/u?digest=sha256:0", "CompleteLayerUpload"),
            ("GET", "/v2/a/b/tags/list?n=1000", "ListImages"), ("GET", "/v2/", nil),
            ("DELETE", "/v2/a/b/blobs/uploads/u", nil), ("GET", "/v2/a/b/blobs/uploads/u", nil),
        ] as [(String, String, String?)]
    )
    func operations(method: String, target: String, operation: String?) throws {
        let request = WireRequest(
            try #require(HTTPRequest.Method(rawValue: method)),
            try HTTPURL("https://111122223333.dkr.ecr.eu-west-1.amazonaws.com\(target)")
        )
        #expect(ECRQuotas.operation(of: request) == operation)
    }
}
