import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

/// Signatures, SBOMs and attestations are copied with their image.
@Suite("Copying referrers", .timeLimit(.minutes(1)))
struct ScenarioReferrerTests {
    @Test("A referrer, its own referrer and a cosign tag follow the image, and a second run writes nothing")
    func travels() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000])
            let sbom = SeedImage.referrer(to: image)
            let signature = SeedImage.referrer(to: sbom, artifactType: "application/vnd.cncf.notary.signature")
            let cosign = SeedImage.cosignSignature(of: image.digest)
            try cloud.seed(image, tag: "v1")
            try cloud.seed(sbom, tag: nil)
            try cloud.seed(signature, tag: nil)
            try cloud.seed(cosign, tag: SeedImage.cosignTag(of: image.digest))
            try cloud.makeDestination()
            let receipt = try #require(try await cloud.copy(CopyOptions()).receipt)
            #expect(receipt.referrers == 3)
            #expect(receipt.tags.map(\.tag.value) == ["v1"])
            for part in [image, sbom, signature, cosign] { #expect(cloud.holds(part)) }
            #expect(cloud.tag(SeedImage.cosignTag(of: image.digest)) == cosign.digest)

            // The root with its tag comes first, then its referrers, subjects before their own referrers.
            let puts = cloud.events.withLock { events in
                events.compactMap { if case .manifestPut(let digest, _, _) = $0 { digest } else { nil } }
            }
            #expect(puts.first == image.digest)
            let order = [sbom, signature].map { puts.firstIndex(of: $0.digest) ?? -1 }
            #expect(order[0] > 0 && order[0] < order[1])
            #expect(cloud.counts["ListImageReferrers"] == 3, "the image, the SBOM, the signature")

            cloud.emulator.clearRequests()
            #expect(try await cloud.copy(CopyOptions()).receipt?.changedAnything == false)
            #expect(
                cloud.counts == ["BatchGetImage": 5, "ListImageReferrers": 3],
                "both sides' roots, the digest tags of the image and of what was found, and one comparison"
            )
        }
    }

    @Test("A later signature is copied although the image is already there")
    func signedLater() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [1_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            #expect(try await cloud.copy(CopyOptions()).receipt?.referrers == 0)
            let child = SeedImage.oci("app-amd64", layers: [1_000])
            let sbom = SeedImage.referrer(to: child)
            try #require(image.manifests.map(\.digest).contains(child.digest))
            try cloud.seed(sbom, tag: nil)
            let receipt = try #require(try await cloud.copy(CopyOptions()).receipt)
            #expect(receipt.referrers == 1 && receipt.tags.first?.outcome == .unchanged)
            #expect(cloud.holds(sbom))
        }
    }

    @Test("--referrers none copies no referrer")
    func none() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000])
            let sbom = SeedImage.referrer(to: image)
            try cloud.seed(image, tag: "v1")
            try cloud.seed(sbom, tag: nil)
            try cloud.makeDestination()
            _ = try await cloud.copy(CopyOptions(referrers: .none))
            #expect(!cloud.holds(sbom))
        }
    }

    @Test(
        "Where ListImageReferrers is unknown, referrers are found by tag",
        arguments: ["UnknownOperationException", "InvalidAction"]
    )
    func unknownOperation(code: String) async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000])
            let cosign = SeedImage.cosignSignature(of: image.digest)
            try cloud.seed(image, tag: "v1")
            try cloud.seed(cosign, tag: SeedImage.cosignTag(of: image.digest))
            try cloud.makeDestination()
            cloud.emulator.inject(
                Fault(
                    on: "ListImageReferrers",
                    at: nil,
                    .error(code: code, message: "no such operation", status: 400)
                )
            )
            #expect(try await cloud.copy(CopyOptions()).receipt?.referrers == 1)
            #expect(cloud.tag(SeedImage.cosignTag(of: image.digest)) == cosign.digest)
        }
    }

    @Test("Several destinations share the source's manifests, and a missing one doesn't stop the others")
    func severalDestinations() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [1_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            try cloud.makeDestination("other/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
            let results = try await cloud.copy(to: [
                cloud.destination(), cloud.destination("missing/app"),
                cloud.destination("other/app", account: ScenarioCloud.production, region: ScenarioCloud.home),
            ])
            #expect(results.count == 3 && ExitStatus.of(results) == 1)
            #expect(results[1].error?.reason == .repositoryMissing)
            #expect(cloud.holds(image))
            #expect(
                cloud.holds(image, "other/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
            )
            let atSource = cloud.emulator.requests.filter {
                $0.operation == "BatchGetImage" && $0.account == ScenarioCloud.build && $0.region == ScenarioCloud.home
            }
            #expect(atSource.count == 2, "the root, and its children")
        }
    }

    @Test("Only the newest tags that match a pattern are copied")
    func many() async throws {
        try await withCloud { cloud in
            let images = (1...5).map { SeedImage.oci("app-\($0)", layers: [100 + Int64($0)]) }
            for (index, image) in images.enumerated() { try cloud.seed(image, tag: "v1.\(index + 1)") }
            try cloud.seed(SeedImage.oci("rc", layers: [10]), tag: "v2.0-rc1")
            try cloud.makeDestination()
            let results = try await cloud.replicator.copy(
                cloud.source(),
                .many(TagFilter(patterns: [try TagFilter.Pattern(parsing: "semver:>=1.2 <2")], newest: 3)),
                to: [cloud.destination()],
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(ExitStatus.of(results) == 0)
            let tags = cloud.emulator.tags(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            #expect(tags.keys.sorted() == ["v1.3", "v1.4", "v1.5"])
        }
    }

    @Test("One platform copies that child unchanged, all platforms the unchanged index")
    func platforms() async throws {
        try await withCloud { cloud in
            let image = SeedImage.twoPlatforms("app", layersEach: [1_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            let arm64 = try ImagePlatform(parsing: "linux/arm64")
            let one = try await cloud.copy(CopyOptions(referrers: .none, platforms: [arm64]))
            #expect(one.receipt?.digest != image.digest)
            #expect(cloud.tag("v1") == one.receipt?.digest)
            #expect(
                cloud.emulator.manifests(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    repository: "team/app"
                ).count == 1
            )
            let both = CopyOptions(platforms: [arm64, try ImagePlatform(parsing: "linux/amd64")])
            let first = try #require(try await cloud.copy(both).receipt)
            #expect(first.digest == image.digest)
            #expect(first.notes == ["\(image.digest) has no other platforms, and is copied as it is"])
            #expect(try await cloud.copy(both).receipt?.changedAnything == false)
        }
    }
}
