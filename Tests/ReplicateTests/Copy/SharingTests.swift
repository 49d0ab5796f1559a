import Content
import ECREmulator
import Glibc
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

@Suite("Several destinations", .timeLimit(.minutes(1)))
struct SharingTests {
    /// A bench with an image of `layers` layers at the source, and three destinations.
    private func three(layers: Int, jobs: Int? = nil) async throws -> (Bench, [FakeRepository], FakeImage) {
        let bench = try Bench(jobs: jobs)
        let image = try FakeImage.image("app", layers: (0..<layers).map { "layer \($0)" })
        try await bench.source.seed(image, tag: "v1")
        let others = try (2...3).map {
            try FakeRepository(.destination, "to\($0)/app", bench.journal, registry: "d\($0).test")
        }
        others.forEach { bench.relay.connect($0) }
        return (bench, [bench.destination] + others, image)
    }

    private func copy(_ bench: Bench, _ places: [FakeRepository]) async throws -> [CopyResult] {
        try await bench.copy(":v1", to: places.map { ($0, nil) })
    }

    @Test("read each blob once")
    func once() async throws {
        let (bench, places, image) = try await three(layers: 5)
        let results = try await copy(bench, places)
        #expect(results.count == 3 && results.allSatisfy { $0.error == nil })
        #expect(bench.journal.lines("relay ").count == 6)
        #expect(bench.journal.lines("relay ").allSatisfy { $0.hasSuffix(" x3") })
        for place in places { #expect(await place.holds(image)) }
        let receipts = results.compactMap { if case .done(let receipt) = $0 { receipt } else { nil } }
        #expect(receipts.map(\.blobsMoved) == [6, 6, 6])
    }

    @Test("leave out who has the blob already")
    func partly() async throws {
        let (bench, places, image) = try await three(layers: 2)
        let held = try #require(image.blobs.last)
        await places[1].change { $0.blobs.insert(held.digest) }
        let results = try await copy(bench, places)
        #expect(results.allSatisfy { $0.error == nil })
        #expect(bench.journal.lines("relay \(held.digest.short)") == [" x2"])
        #expect(bench.journal.count("relay") == 3)
    }

    @Test("serve one that dropped out by itself, and the others only once")
    func dropsOut() async throws {
        let (bench, places, image) = try await three(layers: 2)
        let blob = try #require(image.blobs.last)
        bench.relay.plan(
            blob.digest,
            .atOneSink(1, WireError(.outpaced, "kept the others waiting", end: .destination))
        )
        let results = try await copy(bench, places)
        #expect(results.allSatisfy { $0.error == nil })
        #expect(bench.journal.lines("relay \(blob.digest.short)") == [" x3", ""])
        for place in places { #expect(await place.openUploads.isEmpty) }
    }

    @Test("don't wait a second time for one that kept them waiting")
    func slow() async throws {
        let (bench, places, image) = try await three(layers: 5, jobs: 1)
        for blob in image.blobs {
            bench.relay.plan(
                blob.digest,
                .atOneSink(1, WireError(.outpaced, "kept the others waiting", end: .destination))
            )
        }
        let results = try await copy(bench, places)
        #expect(results.allSatisfy { $0.error == nil })
        let relays = image.blobs.map { bench.journal.lines("relay \($0.digest.short)").first ?? "" }
        // Each time the second is let go of, and isn't among the next.
        #expect(relays.sorted() == ["", "", "", "", " x2", " x3"])
        for place in places { #expect(await place.holds(image)) }
    }

    @Test("read a source that failed once more, for all")
    func sourceFails() async throws {
        let (bench, places, image) = try await three(layers: 2)
        let blob = try #require(image.blobs.last)
        bench.relay.plan(blob.digest, .failure(WireError(.disconnected, "cut", end: .source)))
        let results = try await copy(bench, places)
        #expect(results.allSatisfy { $0.error == nil })
        #expect(bench.journal.lines("relay \(blob.digest.short)") == [" x3", " x3"])
        for place in places { #expect(await place.openUploads.isEmpty) }
    }

    @Test("don't stop for one that is dead, and say that it is")
    func oneIsDead() async throws {
        let (bench, places, image) = try await three(layers: 4)
        await places[1].fail(
            "start",
            CopyError(.unreachable("refused"), side: .destination, image: "b.test/to/app", operation: "asking"),
            times: 99
        )
        let results = try await copy(bench, places)
        #expect(results.map { $0.error == nil } == [true, false, true])
        #expect(ExitStatus.of(results) == 1)
        for place in [places[0], places[2]] { #expect(try await place.tag("v1") == image.digest) }
        #expect(await places[1].tags.isEmpty)
        // The first blob may have waited for it; no other did.
        #expect(bench.journal.lines("relay ").filter { $0.hasSuffix(" x2") }.count == 5)
    }

    @Test("and several images: nobody asks for a layer that the run has brought")
    func knownBlobs() async throws {
        let bench = try Bench()
        let images = try (0..<12).map { try FakeImage.image("\($0)", layers: ["base", "layer \($0)"]) }
        await bench.source.change { source in
            for (number, image) in images.enumerated() { try? source.seed(image, tag: "v\(number)") }
            source.listed = images.enumerated().map { number, image in
                ListedImage(
                    digest: image.digest,
                    tags: [source.tags.first { $0.value == image.digest }?.key].compactMap { $0 }
                )
            }
        }
        let results = try await bench.repositoryCopy("", CopyOptions(referrers: .none)).copyMany(
            TagFilter(patterns: [], newest: nil)
        )
        #expect(results.count == 12 && results.allSatisfy { $0.error == nil })
        let base = FakeImage.blob("base").digest.short
        let asked = bench.journal.lines("to/app missing ").count { $0.contains(base) }
        // Those that were planned before the first had brought it.
        #expect(asked <= CopyRun.parallelImages)
        #expect(bench.journal.lines("relay \(base)").count == 1)
    }

    @Test("of real servers: the source is read once, and a repository that is missing leaves two good ones")
    func emulated() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [40_000, 70_000, 3_000_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination("one")
            try cloud.makeDestination("two", account: ScenarioCloud.production)
            let destinations = [
                try cloud.destination("one"), try cloud.destination("two", account: ScenarioCloud.production),
                try cloud.destination("missing"),
            ]
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: destinations,
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(results.map { $0.error == nil } == [true, true, false])
            #expect(ExitStatus.of(results) == 1)
            #expect(cloud.holds(image, "one"))
            #expect(cloud.holds(image, "two", account: ScenarioCloud.production))
            #expect(cloud.counts["GET layer"] == image.blobs.count)
            #expect(cloud.counts["GetDownloadUrlForLayer"] == image.blobs.count)
        }
    }

    @Test("of real servers, three good ones: every blob is asked for once, however small")
    func emulatedThree() async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [1, 40_000, 70_000, 3_000_000])
            try cloud.seed(image, tag: "v1")
            let places = [
                ("one", ScenarioCloud.build, ScenarioCloud.far), ("two", ScenarioCloud.production, ScenarioCloud.far),
                ("three", ScenarioCloud.production, ScenarioCloud.home),
            ]
            for (name, account, region) in places { try cloud.makeDestination(name, account: account, region: region) }
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: places.map { try cloud.destination($0.0, account: $0.1, region: $0.2) },
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(results.count == 3 && ExitStatus.of(results) == 0)
            for (name, account, region) in places {
                #expect(cloud.holds(image, name, account: account, region: region))
                #expect(cloud.openUploads(name, account: account, region: region) == 0)
            }
            #expect(cloud.counts["GET layer"] == image.blobs.count)
            #expect(cloud.counts["GetDownloadUrlForLayer"] == image.blobs.count)
            #expect(cloud.counts["PUT blob"] == 3 * image.blobs.count)
        }
    }

    @Test("of which one never answers: the others don't wait for it", arguments: [false, true])
    func silent(many: Bool) async throws {
        try await withCloud { cloud in
            let image = SeedImage.oci("app", layers: [40_000])
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination("one")
            try cloud.makeDestination("two", account: ScenarioCloud.production)
            let silence = try Silence()
            defer { silence.end() }
            let destinations = [
                try cloud.destination("one"),
                try DestinationReference(parsing: "http://127.0.0.1:\(silence.port)/team/app"),
                try cloud.destination("two", account: ScenarioCloud.production),
            ]
            let run = Task {
                try await cloud.replicator.copy(
                    cloud.source(),
                    many ? .many(TagFilter(patterns: [], newest: nil)) : .one(.tag(Tag(parsing: "v1"))),
                    to: destinations,
                    tags: [],
                    CopyOptions(referrers: .none)
                )
            }
            // The suite's time limit ends a wait that is in vain.
            while cloud.tag("v1", "one") == nil
                || cloud.tag("v1", "two", account: ScenarioCloud.production) == nil
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(cloud.holds(image, "one") && cloud.holds(image, "two", account: ScenarioCloud.production))
            #expect(cloud.counts["GET layer"] == image.blobs.count)
            run.cancel()
            _ = try? await run.value
        }
    }
}

/// A host that takes connections and says nothing.
private final class Silence: Sendable {
    let port: Int
    private let descriptor: CInt

    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        #expect(isBound)
        descriptor = listener
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func end() { close(descriptor) }
}
