import Content
import ECREmulator
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// How destinations share a run, and what a plan shows before anything is written.
@Suite("A copy run", .timeLimit(.minutes(1)))
struct RunTests {
    private func tag(_ text: String) throws -> Content.Tag { try Content.Tag(parsing: text) }

    // MARK: Failures of one destination

    @Test("A destination whose token can't be renewed fails alone")
    func tokenFails() async throws {
        let (bench, places, image) = try await Bench.withThreeDestinations(layers: 2)
        await places[1].change { place in
            place.sinkError = CopyError(
                .noCredentials("no token"),
                side: .destination,
                image: "d2.test/to2/app",
                operation: "uploading"
            )
        }
        let results = try await bench.copy(":v1", to: places.map { ($0, nil) })
        #expect(results.map { $0.error?.reason.name } == [nil, "noCredentials", nil])
        for place in [places[0], places[2]] { #expect(await place.holds(image)) }
        for place in places { #expect(await place.openUploads.isEmpty) }
    }

    @Test("An upload that opens after the others have started is closed")
    func lateUpload() async throws {
        let (bench, places, image) = try await Bench.withThreeDestinations(layers: 1)
        let blob = try #require(image.blobs.last)
        let mover = bench.impatientMover()
        let (opening, open) = AsyncStream<Void>.makeStream()
        let isFirst = Lock(true)
        await places[1].change { place in
            place.gate = { call in
                guard call.hasPrefix("start"),
                    isFirst.withLock({ first in
                        defer { first = false }; return first
                    })
                else {
                    return
                }
                for await _ in opening {}
            }
        }
        for place in places.prefix(2) { mover.index.want([blob], from: bench.source, at: place) }
        let arrival = try await mover.move(BlobTransfer(blob, from: bench.source, to: places[0]))
        #expect(arrival.name == "moved")
        #expect(bench.calls.lines("relay ") == ["\(blob.digest.short)"])
        open.finish()
        await mover.late.settle(.seconds(30), ContinuousClock())
        #expect(bench.calls.count("to2/app start") == 1)
        #expect(bench.calls.count("to2/app close") == 1)
        #expect(await places[1].openUploads.isEmpty)
        // The late destination then gets the blob in a transfer of its own.
        _ = try await mover.move(BlobTransfer(blob, from: bench.source, to: places[1]))
        #expect(await places[1].blobs.contains(blob.digest))
    }

    @Test("A cancelled wait for a large layer ends although another destination still holds it up")
    func cancelledWait() async throws {
        let places = SharedPlaces()
        let digest = FakeImage.blob("large").digest
        #expect(try await places.enter(digest) == false)
        let waiting = Task { try await places.enter(digest) }
        await Task.yield()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        places.admitted(digest)
        #expect(try await places.enter(digest))
    }

    @Test("A repository named twice with different tags is copied to once")
    func sameRepository() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000, 2_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            let results = try await cloud.copy(to: [cloud.destination(tag: "a"), cloud.destination(tag: "b")])
            #expect(results.receipt?.tags.map(\.tag.value) == ["a", "b"])
            #expect(cloud.tag("a", region: ScenarioCloud.far) == image.digest)
            #expect(cloud.tag("b", region: ScenarioCloud.far) == image.digest)
            // Two manifest reads, one check of three blobs, four requests for each blob, and one for each tag.
            #expect(cloud.total == 2 + 1 + 4 * 3 + 2)
        }
    }

    // MARK: Plans

    @Test("A dry run shows every refusal, and a run sets no tag")
    func refusals() async throws {
        let (bench, _, image) = try await Bench.withThreeDestinations(layers: 2)
        let other = try FakeImage.image("other")
        try await bench.destination.seed(other, tag: "a")
        try await bench.destination.seed(other, tag: "b")
        let options = CopyOptions(ifExists: .fail, referrers: .none, isDryRun: true)
        let results = try await bench.copy(":v1", tags: ["a", "b", "c"], options)
        guard case .planned(let plan)? = results.first else {
            Issue.record("no plan")
            return
        }
        #expect(plan.refusals.map(\.reason.name) == ["tagHolds", "tagHolds"])
        #expect(plan.lines.filter { $0.hasPrefix("  refuse  ") }.count == 2)
        #expect(ExitStatus.of(results) == 0, "a refusal is what a dry run shows")

        let carriedOut = try await bench.copy(
            ":v1",
            tags: ["a", "b", "c"],
            CopyOptions(ifExists: .fail, referrers: .none)
        )
        #expect(
            carriedOut.first?.error?.reason == .tagHolds(tag: try tag("a"), holds: other.digest, wanted: image.digest)
        )
        #expect(await bench.destination.tags.keys.map(\.value).sorted() == ["a", "b"])
        #expect(bench.calls.count("to/app put") == 0)
    }

    @Test("A dry run shows immutable tags")
    func immutableRefusals() async throws {
        let (bench, _, _) = try await Bench.withThreeDestinations(layers: 2)
        let other = try FakeImage.image("other")
        for name in ["a", "b"] { try await bench.destination.seed(other, tag: name) }
        await bench.destination.change { $0.fixedTags = TagImmutability(byDefault: true) }
        let results = try await bench.copy(":v1", tags: ["a", "b"], CopyOptions(referrers: .none, isDryRun: true))
        guard case .planned(let plan)? = results.first else {
            Issue.record("no plan")
            return
        }
        #expect(plan.refusals.map(\.reason.name) == ["tagImmutable", "tagImmutable"])
    }

    // MARK: Referrers

    /// A bench whose source image has `count` signatures.
    private func signed(_ count: Int) async throws -> (Bench, FakeImage, [FakeImage]) {
        let (bench, _, image) = try await Bench.withThreeDestinations(layers: 1)
        let signatures = try (0..<count).map { try FakeImage.image("signature \($0)", subject: image.digest) }
        for signature in signatures { try await bench.source.seed(signature, tag: nil) }
        await bench.source.change { $0.listedReferrers = [image.digest: signatures.map(\.root.descriptor)] }
        return (bench, image, signatures)
    }

    @Test("Referrers of one image are put concurrently")
    func referrersTogether() async throws {
        let (bench, _, signatures) = try await signed(6)
        let inside = Lock((now: 0, most: 0))
        let names = Set(signatures.map { "put \($0.digest.short)" })
        await bench.destination.change { place in
            place.gate = { call in
                guard names.contains(call) else { return }
                inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                for _ in 0..<100 { await Task.yield() }
                inside.withLock { $0.now -= 1 }
            }
        }
        let results = try await bench.copy(":v1", CopyOptions(referrers: .all))
        #expect(results.receipt?.referrers == 6)
        #expect(inside.withLock { $0.most } > 1)
    }

    @Test("Setting the tag after the referrers costs one more PutImage")
    func tagAfterReferrers() async throws {
        let (bench, image, signatures) = try await signed(2)
        let options = CopyOptions(referrers: .all, tagsAfterReferrers: true)
        _ = try await bench.copy(":v1", options)
        let puts = bench.calls.lines("to/app put ")
        #expect(puts.first == image.digest.short && puts.last == "\(image.digest.short) v1")
        #expect(Set(puts.dropFirst().dropLast()) == Set(signatures.map(\.digest.short)))
        #expect(puts.count == 4)

        let (plain, _, _) = try await Bench.withThreeDestinations(layers: 1)
        _ = try await plain.copy(":v1", options)
        #expect(plain.calls.count("to/app put ") == 1, "without referrers there is nothing to wait for")
    }

    // MARK: Many tags

    @Test("Copying all tags when none is missing costs one listing at each side")
    func allTagsThere() async throws {
        try await withCloud { cloud in
            for number in 0..<150 {
                let image = SeedImage.oci("app \(number)", layers: [100])
                try cloud.seed(image, tag: "v\(number)")
                try cloud.emulator.seed(
                    image,
                    tag: "v\(number)",
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    repository: "team/app"
                )
            }
            let results = try await cloud.replicator.copy(
                try cloud.source(),
                .many(TagFilter()),
                to: [try cloud.destination()],
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(results.count == 150 && results.allSatisfy { $0.error == nil })
            #expect(cloud.counts == ["DescribeImages": 2])
        }
    }

    // MARK: Identities

    @Test("Each destination is written with its own identity")
    func identities() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            try cloud.makeDestination("team/other", account: ScenarioCloud.production)
            let run = cloud.replicator.replicator.run()
            var wrong = SideOptions()
            wrong.identity.profile = "missing-profile"
            let results = try await run.copy(
                CopyRequest(
                    try cloud.image("v1"),
                    from: cloud.replicator.source,
                    .one(.tag(try tag("v1"))),
                    to: [
                        CopyDestination(try cloud.destination(), cloud.replicator.destination),
                        CopyDestination(try cloud.destination("team/else"), wrong),
                    ],
                    CopyOptions(referrers: .none)
                )
            )
            #expect(results.map { $0.error?.reason.name } == [nil, "noCredentials"])
        }
    }
}
