import Content
import ECREmulator
import Platform
import Replicate
import TestClouds
import Testing
import Wire

/// Against an emulator that enforces quotas, on the real clock: pacing is about time.
@Suite("Quotas", .timeLimit(.minutes(1)), .serialized)
struct ScenarioPacingTests {
    private static let images = 30

    @Test("two runs at once against one account both finish, though each takes the quota for its own")
    func twoRuns() async throws {
        // Tighter than AWS's own for PutImage's companions, so that a few seconds are enough to meet them all.
        let rates: [String: Double] = ["PutImage": 20, "InitiateLayerUpload": 50, "CompleteLayerUpload": 50]
        try await withQuotas(rates) { emulator in
            async let first = copyAll(emulator, to: "team/one", quotas: rates)
            async let second = copyAll(emulator, to: "team/two", quotas: rates)
            let results = try await (first, second)

            for (results, name) in [(results.0, "team/one"), (results.1, "team/two")] {
                #expect(results.count == Self.images)
                #expect(results.allSatisfy { $0.error == nil }, "\(results.compactMap(\.error).first as Any)")
                let tags = emulator.tags(account: ScenarioCloud.build, region: ScenarioCloud.far, repository: name)
                #expect(tags.count == Self.images)
            }
            let throttled = emulator.requests.count {
                $0.errorCode?.contains("Throttling") ?? false || $0.status == 429
            }
            #expect(throttled > 0, "the quotas were never met")
            #expect(throttled < emulator.requests.count / 10, "\(throttled) of \(emulator.requests.count)")
        }
    }

    @Test("one run that knows the quotas keeps within them")
    func oneRun() async throws {
        let rates: [String: Double] = ["PutImage": 40, "InitiateLayerUpload": 100, "CompleteLayerUpload": 100]
        try await withQuotas(rates) { emulator in
            let results = try await copyAll(emulator, to: "team/one", quotas: rates)
            #expect(results.allSatisfy { $0.error == nil })
            let throttled = emulator.requests.count { $0.errorCode == "ThrottlingException" || $0.status == 429 }
            #expect(throttled == 0, "\(throttled)")
        }
    }

    @Test("requests to the registry use up the same quota as the API's own")
    func sharedBucket() async throws {
        try await withQuotas(["InitiateLayerUpload": 5]) { emulator in
            let started = ContinuousClock.now
            let results = try await copyAll(emulator, to: "team/one", quotas: ["InitiateLayerUpload": 50], images: 4)
            #expect(results.allSatisfy { $0.error == nil })
            // Twelve uploads by POST, five at once and then five a second at best.
            #expect(ContinuousClock.now - started >= .seconds(1))
            #expect(emulator.requests.contains { $0.operation == "POST upload" && $0.status == 429 })
        }
    }

    private func withQuotas(_ rates: [String: Double], _ body: (Emulator) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.requestRates = rates
        try await withEmulator(configuration) { emulator in
            for number in 0..<Self.images {
                try emulator.seed(
                    .oci("image \(number)", layers: [500, 900]),
                    tag: "v\(number)",
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.home,
                    repository: "team/app"
                )
            }
            try await body(emulator)
        }
    }

    /// A run as a process would make it, with connections, tokens and buckets of its own.
    private func copyAll(
        _ emulator: Emulator,
        to name: String,
        quotas: [String: Double],
        images: Int = images
    ) async throws -> [CopyResult] {
        try emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, name)
        let source = emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.home)
        let destination = emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.far)
        return try await withTransport { transport in
            try await engine(emulator, transport, RetryPolicy(), quotas: quotas).copy(
                ImageReference(parsing: "\(source)/team/app"),
                .many(
                    TagFilter(patterns: try (0..<images).map { try TagFilter.Pattern(parsing: "v\($0)") }, newest: nil)
                ),
                to: [DestinationReference(parsing: "\(destination)/\(name)")],
                tags: [],
                CopyOptions(referrers: .none)
            )
        }
    }
}
