import Content
import ECREmulator
import Replicate
import TestClouds
import Testing

/// The exact request budgets, as counted by the server (docs/architecture.md#request-budgets).
@Suite("Request budgets", .timeLimit(.minutes(1)))
struct ScenarioBudgetTests {
    @Test("A retag to T new tags costs ⌈(T+1)/100⌉ + T", arguments: [1, 3, 100])
    func retag(count: Int) async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000], isIndented: true)
            try cloud.seed(image, tag: "v1")
            let tags = try (0..<count).map { try Tag(parsing: "t\($0)") }
            let results = try await cloud.replicator.retag(cloud.image("v1"), to: tags, CopyOptions())
            #expect(results.receipt?.tags.count == count)
            #expect(cloud.counts == ["BatchGetImage": (count + 1 + 99) / 100, "PutImage": count])
            #expect(cloud.emulator.requests.count == cloud.total, "a retag needs no token")
            for tag in tags { #expect(cloud.tag(tag.value, region: ScenarioCloud.home) == image.digest) }

            cloud.emulator.clearRequests()
            let again = try await cloud.replicator.retag(cloud.image("v1"), to: tags, CopyOptions())
            #expect(again.receipt?.changedAnything == false)
            #expect(cloud.counts == ["BatchGetImage": (count + 1 + 99) / 100])
        }
    }

    @Test("A copy of one manifest costs 2 + ⌈B/100⌉ + 4 per missing blob + 1 per tag", arguments: [1, 120])
    func copyOne(layers: Int) async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: (0..<layers).map { Int64(100 + $0) })
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            let extra = try Tag(parsing: "stable")
            let results = try await cloud.copy(to: [cloud.destination(tag: "v1")], tags: [extra])
            #expect(results.receipt?.digest == image.digest)
            let blobs = layers + 1
            #expect(
                cloud.counts == [
                    "BatchGetImage": 2, "BatchCheckLayerAvailability": (blobs + 99) / 100,
                    "GetDownloadUrlForLayer": blobs, "GET layer": blobs, "POST upload": blobs, "PUT blob": blobs,
                    "PutImage": 2,
                ]
            )
            #expect(cloud.total == 2 + (blobs + 99) / 100 + 4 * blobs + 2)
            #expect(cloud.holds(image))
            #expect(cloud.tag("v1") == image.digest && cloud.tag("stable") == image.digest)

            cloud.emulator.clearRequests()
            _ = try await cloud.copy()
            #expect(cloud.counts == ["BatchGetImage": 2], "already there")
        }
    }

    @Test("An index with attestation children adds 2⌈C/100⌉ and a PutImage per missing child")
    func index() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [5_000, 6_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            _ = try await cloud.copy()
            let blobs = Set(image.blobs.map(\.digest)).count
            #expect(
                cloud.counts == [
                    "BatchGetImage": 4, "BatchCheckLayerAvailability": 1, "GetDownloadUrlForLayer": blobs,
                    "GET layer": blobs, "POST upload": blobs, "PUT blob": blobs, "PutImage": 5,
                ]
            )
            #expect(cloud.holds(image))

            cloud.emulator.clearRequests()
            _ = try await cloud.copy()
            #expect(cloud.counts == ["BatchGetImage": 2])

            // --repair checks everything below the root in bulk and changes nothing.
            cloud.emulator.clearRequests()
            let repaired = try await cloud.copy(CopyOptions(referrers: .none, repairs: true))
            #expect(cloud.counts == ["BatchGetImage": 4, "BatchCheckLayerAvailability": 1])
            #expect(repaired.receipt?.changedAnything == false)
        }
    }

    @Test("A child that the destination has costs no PutImage and no blob requests")
    func partialIndex() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [5_000])
            try cloud.seed(image, tag: "v1")
            let child = SeedImage.oci("app-amd64", layers: [5_000])
            try #require(image.manifests.map(\.digest).contains(child.digest))
            try cloud.seedDestination(child, tag: nil)
            _ = try await cloud.copy()
            #expect(cloud.counts["PutImage"] == 4)
            #expect(cloud.counts["PUT blob"] == Set(image.blobs.map(\.digest)).count - 2)
            #expect(cloud.holds(image))
        }
    }

    @Test("--referrers all adds a ListImageReferrers per manifest and one BatchGetImage for the cosign tags")
    func referrersOfNothing() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [100])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            _ = try await cloud.copy(CopyOptions())
            #expect(cloud.counts["ListImageReferrers"] == 5)
            #expect(cloud.counts["BatchGetImage"] == 5)

            cloud.emulator.clearRequests()
            _ = try await cloud.copy(CopyOptions())
            #expect(cloud.counts == ["BatchGetImage": 3, "ListImageReferrers": 5])
        }
    }

    @Test("A tag that would move costs one DescribeRepositories, and one more read if guarded")
    func moving() async throws {
        try await withCloud { cloud in
            let old = SeedImage.oci("old", layers: [100])
            let new = SeedImage.oci("new", layers: [200])
            try cloud.seed(new, tag: "v1")
            try cloud.seedDestination(old, tag: "v1")
            let options = CopyOptions(ifCurrent: old.digest, referrers: .none)
            let results = try await cloud.copy(options)
            #expect(
                results.receipt?.tags == [.init(tag: try Tag(parsing: "v1"), outcome: .moved, previous: old.digest)]
            )
            #expect(cloud.counts["DescribeRepositories"] == 1)
            #expect(cloud.total == 2 + 1 + 4 * 2 + 1 + 1 + 1)
            #expect(cloud.tag("v1") == new.digest)
        }
    }

    @Test("A mounted blob costs one request")
    func mounted() async throws {
        try await withCloud { cloud in
            cloud.enableMounting()
            let results = try await copyWithinRegistry(cloud)
            #expect(results.receipt?.blobsMounted == 4)
            #expect(
                cloud.counts == ["BatchGetImage": 2, "BatchCheckLayerAvailability": 1, "POST upload": 4, "PutImage": 1]
            )
        }
    }

    @Test("A declined mount continues as an upload, and after two declines no mount is requested")
    func declinedMounts() async throws {
        try await withCloud(jobs: 1) { cloud in
            let results = try await copyWithinRegistry(cloud)
            #expect(results.receipt?.blobsMoved == 4)
            #expect(cloud.counts["POST upload"] == 4)
            #expect(cloud.openUploads("prod/app", region: ScenarioCloud.home) == 0)
        }
    }

    /// Copies an image of four blobs to another repository of the source's registry.
    private func copyWithinRegistry(_ cloud: ScenarioCloud) async throws -> [CopyResult] {
        try cloud.seed(SeedImage.oci("app", layers: [100, 200, 300]), tag: "v1")
        try cloud.makeDestination("prod/app", region: ScenarioCloud.home)
        return try await cloud.copy(to: [cloud.destination("prod/app", region: ScenarioCloud.home)])
    }
}
