import Content
import ECREmulator
import Replicate
import TestClouds
import Testing
import Wire

/// A copy with one fault still succeeds, and a permanent fault is a clear error.
@Suite("Single faults", .timeLimit(.minutes(1)))
struct ScenarioFaultTests {
    /// Every request of a copy; ``kinds`` has every way in which one may fail once.
    static let operations = [
        "BatchGetImage", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "GET layer",
        "GetAuthorizationToken", "POST upload", "PUT blob", "PutImage",
    ]
    static let kinds: [Fault.Kind] = [
        .throttle(retryAfter: nil), .throttle(retryAfter: 2), .status(500), .status(503), .resetBefore, .loseAnswer,
        .cutBody(afterBytes: 10), .truncate, .expireToken, .expireURL,
    ]

    @Test("Any single fault on any request ends with the complete image", arguments: operations, kinds)
    func survives(operation: String, kind: Fault.Kind) async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [40_000, 70_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: operation, kind))
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.tag("v1") == image.digest)
            #expect(cloud.holds(image))
        }
    }

    @Test("A byte changed on the way from the source is noticed, and the blob is read again")
    func corruptLayer() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [70_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "GET layer", .corruptByte(at: 5)))
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.holds(image))
            #expect(cloud.counts["GET layer"] == 3, "one of the two was read twice")
            #expect(cloud.openUploads() == 0)
        }
    }

    @Test("A permanently damaged source is named, and no tag is set")
    func damagedLayer() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [70_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, .corruptByte(at: 5)))
            let error = try #require(try await cloud.copy().firstError)
            guard case .corrupt(let expected, _) = error.reason else {
                Issue.record("not corrupt: \(error)")
                return
            }
            #expect(image.blobs.map(\.digest).contains(expected))
            #expect(error.side == .source)
            #expect(cloud.tag("v1") == nil)
            #expect(cloud.openUploads() == 0)
        }
    }

    @Test("A token that expires during the copy is renewed once for all requests")
    func tokenExpires() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: (0..<20).map { 1_000 + $0 })
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "PUT blob", at: 5...5, .expireToken))
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.holds(image))
            #expect(cloud.emulator.requests.filter { $0.operation == "GetAuthorizationToken" }.count == 2)
            #expect(cloud.openUploads() == 0)
        }
    }

    @Test("Retry-After is obeyed")
    func obeysRetryAfter() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [10])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "PutImage", .throttle(retryAfter: 7)))
            #expect(try await cloud.copy().receipt != nil)
            #expect(cloud.waits.withLock { $0 }.contains { $0 >= .seconds(7) })
        }
    }

    @Test(
        "A side that keeps failing is given up as a whole, and the error says so",
        arguments: [("PutImage", CopyError.Side.destination), ("POST upload", .destination), ("GET layer", .source)]
    )
    func budgetSpent(operation: String, side: CopyError.Side) async throws {
        try await withCloud(budget: 50) { cloud in
            let images = (0..<30).map { SeedImage.oci("app \($0)", layers: [10]) }
            for (number, image) in images.enumerated() { try cloud.seed(image, tag: "v\(number)") }
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: operation, at: nil, .status(500)))
            let results = try await cloud.replicator.copy(
                cloud.source(),
                .many(TagFilter()),
                to: [cloud.destination()],
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(results.count == 30 && results.allSatisfy { $0.error != nil })
            // One attempt for each image and ten retries for all, instead of eight attempts for each.
            #expect(cloud.counts[operation, default: 0] <= 100, "\(cloud.counts)")
            let spent = results.compactMap(\.error).filter { $0.reason.name == "retriesUsedUp" }
            #expect(!spent.isEmpty)
            #expect(spent.allSatisfy { $0.side == side })
            // The cause names the side and the failing registry.
            let isSaid = spent.first?.cause.contains("; the retry budget of the \(side) 111122223333.dkr.ecr.") == true
            #expect(isSaid, "\(spent)")
        }
    }

    @Test("A request throttled on every attempt fails with that reason")
    func throttledForGood() async throws {
        try await withCloud(attempts: 3) { cloud in
            let image = SeedImage.oci("app", layers: [10])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "PutImage", at: nil, .throttle(retryAfter: nil)))
            let error = try #require(try await cloud.copy().firstError)
            #expect(error.operation == "PutImage" && error.side == .destination)
            guard case .throttled = error.reason else {
                Issue.record("not throttled: \(error)")
                return
            }
            #expect(error.requestID != nil)
            #expect(cloud.counts["PutImage"] == 3)
            #expect(cloud.tag("v1") == nil)
        }
    }

    @Test("A destination deleted during the copy fails, with no tag set")
    func destinationDisappears() async throws {
        try await withCloud(attempts: 2) { cloud in
            let image = SeedImage.oci("app", layers: [10])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(
                Fault(
                    on: "POST upload",
                    at: nil,
                    .error(code: "RepositoryNotFoundException", message: "The repository does not exist", status: 400)
                )
            )
            let error = try #require(try await cloud.copy().firstError)
            #expect(error.side == .destination)
            #expect(cloud.tag("v1") == nil)
        }
    }
}
