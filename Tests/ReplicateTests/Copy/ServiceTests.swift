import Content
import ECREmulator
import Platform
import Reporting
import TestClouds
import TestInputs
import TestPrograms
import Testing

@testable import Replicate

/// A process that makes runs for days.
///
/// The test has the machine to itself, because it measures the whole process.
@Suite("A long-lived service", .timeLimit(.minutes(5)))
struct ServiceTests {
    @Test("A thousand runs use no more memory, threads and descriptors than the first hundred")
    func flat() async throws {
        try await withCloud { cloud in
            for number in 0..<10 {
                try cloud.seed(SeedImage.oci("app \(number)", layers: [20_000, 40_000]), tag: "v\(number)")
            }
            let replicator = cloud.replicator.replicator
            var first: Footprint?
            for round in 0..<100 {
                try cloud.makeDestination()
                for number in 0..<10 {
                    let run = replicator.run { _ in }
                    let results = try await run.copy(
                        CopyRequest(
                            try cloud.image("v\(number)"),
                            .one(.tag(try Tag(parsing: "v\(number)"))),
                            to: [CopyDestination(try cloud.destination())],
                            CopyOptions(referrers: .none)
                        )
                    )
                    try #require(results.receipt?.blobsMoved == 3, "\(results)")
                }
                try cloud.emulator.deleteRepository(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    "team/app"
                )
                cloud.emulator.clearRequests()
                cloud.events.withLock { $0 = [] }
                // Connections, the runtime's threads and the allocator's pools exist after the first rounds.
                if round == 9 { first = try Footprint.now() }
            }
            let (before, after) = (try #require(first), try Footprint.now())
            print("figure: a thousand runs: \(before.memory) KiB after 100, \(after.memory) KiB at the end")
            #expect(after.memory - before.memory < 8_192, "KiB: \(before.memory), then \(after.memory)")
            #expect(after.threads - before.threads <= 4, "\(before.threads), then \(after.threads)")
            #expect(after.descriptors - before.descriptors <= 16, "\(before.descriptors), then \(after.descriptors)")
        }
    }
}
