import Content
import ECRAPI
import ECREmulator
import FoundationEssentials
import HTTPTypes
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Answers `BatchGetImage` with an upstream's failure, and lists the rule that covers the repository.
final class CachingECR: HTTPSending {
    enum UpstreamFailure: Sendable {
        /// A failure of each image, in a successful answer.
        case failure(String)
        /// An error of the whole request.
        case error(String)
    }

    private let upstream: UpstreamFailure
    private let left: Lock<Int>
    private let rules: String?
    private let seen = Lock<[String]>([])

    init(_ upstream: UpstreamFailure, times: Int, rules: String? = CachingECR.rule) {
        (self.upstream, self.rules, left) = (upstream, rules, Lock(times))
    }

    static let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf"
    static let rule =
        #"{"pullThroughCacheRules":[{"ecrRepositoryPrefix":"hub","upstreamRegistryUrl":"registry-1.docker.io","#
        + #""credentialArn":"\#(secret)"},{"ecrRepositoryPrefix":"ROOT","upstreamRegistryUrl":"quay.io"}]}"#

    var operations: [String] { seen.withLock { $0 } }

    static let manifest =
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
        + #""application/vnd.oci.image.config.v1+json","digest":"\#(Digest.ofNothing)","size":2},"layers":[]}"#

    func send(_ request: WireRequest) async throws -> WireResponse {
        let target = HTTPField.Name("X-Amz-Target").flatMap { request.fields[$0] } ?? ""
        let operation = target.split(separator: ".").last.map(String.init) ?? ""
        seen.withLock { $0.append(operation) }
        guard operation == "BatchGetImage" || operation == "DescribeImages" else {
            guard let rules else { return answer(400, #"{"__type":"AccessDeniedException","message":"no"}"#) }
            return answer(200, rules)
        }
        let fails = left.withLock { left in
            left -= 1
            return left >= 0
        }
        let digest = Digest(of: Array(Self.manifest.utf8))
        guard fails else {
            let text = try JSONEncoder().encode(Self.manifest)
            return answer(
                200,
                #"{"images":[{"imageId":{"imageTag":"v1","imageDigest":"\#(digest)"},"imageManifest":"#
                    + String(decoding: text, as: UTF8.self) + "}],\"failures\":[]}"
            )
        }
        switch upstream {
        case .failure(let code):
            return answer(
                200,
                #"{"images":[],"failures":[{"imageId":{"imageTag":"v1"},"failureCode":"\#(code)","failureReason":"why"}]}"#
            )
        case .error(let code): return answer(400, #"{"__type":"\#(code)","message":"why"}"#)
        }
    }

    private func answer(_ status: Int, _ body: String) -> WireResponse {
        WireResponse(status: .init(code: status), body: Array(body.utf8))
    }
}

@Suite("Errors under a pull-through cache rule")
struct CacheRuleTests {
    private static let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hub/library/alpine:v1"

    private func inspect(_ ecr: CachingECR, waits: Lock<Int> = Lock(0)) async throws -> Inspection {
        let retry = RetryPolicy(
            attempts: 4,
            clock: InstantClock(),
            jitter: { 1 },
            onRetry: { _, _, _ in waits.withLock { $0 += 1 } }
        )
        let replicator = TestEngine(
            opener: .forTests(ecr, retry, variables: staticKeys),
            relay: FakeRelay(CallLog()),
            retry: retry,
            source: SideOptions(),
            destination: SideOptions()
        )
        return try await replicator.inspect(ImageReference(parsing: Self.image), referrers: .none)
    }

    @Test(
        "A busy or unavailable upstream is retried",
        arguments: [
            CachingECR.UpstreamFailure.failure("UpstreamTooManyRequests"), .failure("UpstreamUnavailable"),
            .error("UpstreamUnavailableException"),
        ]
    )
    func passing(upstream: CachingECR.UpstreamFailure) async throws {
        let (ecr, waits) = (CachingECR(upstream, times: 2), Lock(0))
        #expect(try await inspect(ecr, waits: waits).manifest.layers.isEmpty)
        #expect(ecr.operations == ["BatchGetImage", "BatchGetImage", "BatchGetImage"])
        #expect(waits.withLock { $0 } == 2)
    }

    @Test(
        "A lasting upstream failure names the rule, and its secret where that matters",
        arguments: [
            (.failure("UpstreamTooManyRequests"), "has no login for its upstream", 4),
            (.failure("UpstreamUnavailable"), "copy from the upstream itself", 4),
            (.failure("UpstreamAccessDenied"), "uses the secret \(CachingECR.secret)", 1),
            (.error("UnableToGetUpstreamImageException"), "uses the secret \(CachingECR.secret)", 1),
            (.error("UnableToAccessSecretException"), "its name must begin with ecr-pullthroughcache/", 1),
            (.error("SecretNotFoundException"), "create the secret \(CachingECR.secret)", 1),
            (.error("UnableToDecryptSecretValueException"), "that ECR may decrypt with it", 1),
            (.error("UnsupportedUpstreamRegistryException"), "use an upstream that ECR supports", 1),
        ] as [(CachingECR.UpstreamFailure, String, Int)]
    )
    func lasting(upstream: CachingECR.UpstreamFailure, words: String, tries: Int) async throws {
        let ecr = CachingECR(upstream, times: 99)
        let error = await #expect(throws: CopyError.self) { try await inspect(ecr) }
        #expect(
            error?.reason.name == "upstream" && error?.cause.hasSuffix(": why") == true,
            "\(String(describing: error))"
        )
        #expect(error?.remedy.contains("the pull-through cache rule 'hub' (upstream registry-1.docker.io)") == true)
        #expect(error?.remedy.contains(words) == true, "\(error?.remedy ?? "")")
        #expect(
            ecr.operations == Array(repeating: "BatchGetImage", count: tries) + ["DescribePullThroughCacheRules"]
        )
    }

    @Test("The error does not name the rule if the caller can't list rules")
    func unnamed() async throws {
        let ecr = CachingECR(.failure("UpstreamAccessDenied"), times: 99, rules: nil)
        let error = await #expect(throws: CopyError.self) { try await inspect(ecr) }
        #expect(error?.remedy.contains("the pull-through cache rule of the repository") == true)
        #expect(error?.remedy.contains("ecr-pullthroughcache/…") == true)
    }

    @Test("The error for a missing source names the rule that covers it and the pull that imports the image")
    func missing() async throws {
        let ecr = CachingECR(.error("RepositoryNotFoundException"), times: 99)
        let error = await #expect(throws: CopyError.self) { try await inspect(ecr) }
        #expect(error?.reason == .repositoryMissing)
        #expect(
            error?.remedy.hasPrefix("the pull-through cache rule 'hub' (upstream registry-1.docker.io) covers it")
                == true
        )
        #expect(error?.remedy.hasSuffix("docker pull \(Self.image)") == true)
        #expect(ecr.operations == ["BatchGetImage", "DescribePullThroughCacheRules"])

        let denied = CachingECR(.error("RepositoryNotFoundException"), times: 99, rules: nil)
        let plain = await #expect(throws: CopyError.self) { try await inspect(denied) }
        #expect(plain?.reason == .repositoryMissing && plain?.kind == .failed)
        #expect(plain?.remedy.contains("pull-through") == false)
    }
}
