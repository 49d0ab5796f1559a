import Content
import Reporting
import Testing

@testable import Replicate

/// Many images of one repository, and what that makes of the exit status.
@Suite("Many images")
struct SelectionTests {
    private let images: [FakeImage]

    init() throws {
        images = try (0..<5).map { try FakeImage.image("\($0)", layers: ["base", "own \($0)"]) }
    }

    private func bench() async throws -> Bench {
        let bench = try Bench()
        let images = self.images
        await bench.source.change { source in
            for (number, image) in images.enumerated() { try? source.seed(image, tag: "v\(number)") }
            try? source.seed(images[0], tag: "stable")
            try? source.seed(images[1], tag: "sha256-\(images[0].digest.hex).sig")
            source.listed = images.enumerated().map { number, image in
                let tags = source.tags.filter { $0.value == image.digest }.keys.sorted()
                return ListedImage(digest: image.digest, tags: tags, pushedAt: Double(number))
            }
        }
        return bench
    }

    private func copy(_ bench: Bench, _ filter: TagFilter, _ options: CopyOptions? = nil) async throws -> [CopyResult] {
        try await bench.repositoryCopy("", options ?? CopyOptions(referrers: .none)).copyMany(filter)
    }

    private func tags(_ bench: Bench) async -> [String] { await bench.destination.tags.keys.map(\.value).sorted() }

    @Test("are copied with all their tags, except those that follow an image")
    func all() async throws {
        let bench = try await bench()
        let results = try await copy(bench, TagFilter())
        #expect(results.count == 5 && ExitStatus.of(results) == 0)
        #expect(await tags(bench) == ["stable", "v0", "v1", "v2", "v3", "v4"])
        let base = FakeImage.blob("base").digest.short
        #expect(bench.journal.count("relay \(base)") == 1, "one layer, five images")
        let moved = results.reduce(0) { if case .done(let receipt) = $1 { $0 + receipt.blobsMoved } else { $0 } }
        let there = results.reduce(0) { if case .done(let receipt) = $1 { $0 + receipt.blobsThere } else { $0 } }
        #expect((moved, there) == (11, 4), "what one image brought is there for the others")

        bench.journal.clear()
        _ = try await copy(bench, TagFilter())
        #expect(bench.journal.lines.count == 3, "a listing and a reading there, a reading here")
    }

    @Test("are the last pushed, or those that match")
    func chosen() async throws {
        let newest = try await bench()
        _ = try await copy(newest, TagFilter(newest: 2))
        #expect(await tags(newest) == ["v3", "v4"])
        let matching = try await bench()
        let patterns = try ["stab*", "re:v[12]"].map { try TagFilter.Pattern(parsing: $0) }
        _ = try await copy(matching, TagFilter(patterns: patterns))
        #expect(await tags(matching) == ["stable", "v1", "v2"])
    }

    @Test("that a destination can't hold are failures by name, and the image's other tags are set")
    func unfit() async throws {
        let bench = try await bench()
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
        let ecr = try FakeRepository(.destination, "to/app", bench.journal, registry: host)
        let long = String(repeating: "x", count: 138)
        await bench.source.change { source in
            for (tag, number) in [("-odd", 0), (".odd", 1), (long, 1)] {
                source.tags[try! Tag(parsing: tag)] = source.listed[number].digest
                source.listed[number].tags.append(try! Tag(parsing: tag))
            }
            source.listed[4].tags = [try! Tag(parsing: "-only")]
        }
        bench.relay.connect(bench.source, ecr)
        let results = try await bench.repositoryCopy("", to: [(bench.destination, nil), (ecr, nil)]).copyMany(
            TagFilter()
        )
        #expect(ExitStatus.of(results) == 1)
        #expect(await tags(bench) == ["stable", "v0", "v1", "v2", "v3"])
        #expect(
            await ecr.tags.keys.map(\.value).sorted() == [
                "-odd", "-only", ".odd", "stable", "v0", "v1", "v2", "v3", long,
            ]
        )
        let errors = results.compactMap(\.error)
        #expect(errors.allSatisfy { $0.side == .destination && $0.reason.name == "tagUnfit" })
        #expect(
            errors.map(\.place).sorted() == ["-odd", "-only", ".odd", long].map { "destination.test/to/app:\($0)" }
        )
        let asked = bench.journal.lines("to/app read ").joined()
        #expect(
            asked.contains("v0") && asked.components(separatedBy: "-only").count <= 2,
            "a plain registry isn't asked for it"
        )
    }

    @Test("that one destination can't hold fail there before anything is asked, with one image too")
    func unfitOne() async throws {
        let bench = try await bench()
        await bench.source.change { $0.tags[try! Tag(parsing: "-odd")] = $0.listed[0].digest }
        let copy = try bench.repositoryCopy("@\(images[0].digest)", tags: ["-odd"])
        let results = try await copy.copyOne(.digest(images[0].digest))
        #expect(results.count == 1)
        #expect(results[0].error?.reason == .tagUnfit(tag: "-odd", reason: "a tag can't begin with . or -"))
        #expect(bench.journal.count("to/app ") == 0)
    }

    @Test("that the source lists and that are no tags are failures by name, cleaned")
    func unusable() async throws {
        let bench = try await bench()
        await bench.source.change { source in
            source.unusableTags = [
                ImageSelection.UnusableTag(
                    name: "v\u{1B}9",
                    reason: .tagUnfit(tag: "v\u{1B}9", reason: "only letters")
                ),
                ImageSelection.UnusableTag(name: "w9", reason: .imageMissing),
            ]
        }
        let all = try await copy(bench, TagFilter())
        #expect(all.compactMap(\.error).map(\.place) == ["source.test/from/app:v?9", "source.test/from/app:w9"])
        #expect(ExitStatus.of(all) == 1)
        let some = try await copy(bench, TagFilter(patterns: [try TagFilter.Pattern(parsing: "w*")]))
        #expect(some.compactMap(\.error).map(\.reason) == [.imageMissing])
        let others = try await copy(
            bench,
            TagFilter(excluded: [try TagFilter.Pattern(parsing: "?9"), try TagFilter.Pattern(parsing: "v??")])
        )
        #expect(ExitStatus.of(others) == 0)
    }

    @Test("are none where nothing passes, and it is said of how many")
    func nothing() async throws {
        let bench = try await bench()
        let results = try await copy(bench, TagFilter(patterns: [try TagFilter.Pattern(parsing: "release-*")]))
        #expect(results.isEmpty)
        let counts = bench.events.withLock { events in
            events.compactMap { if case .nothingSelected(_, let tags) = $0 { tags } else { nil } }
        }
        #expect(counts == [6], "the signature's tag is none of them")
    }

    @Test("can't be ordered where nobody says when they were pushed")
    func unordered() async throws {
        let bench = try await bench()
        await bench.source.change { $0.listed[2].pushedAt = nil }
        let error = await #expect(throws: CopyError.self) { try await copy(bench, TagFilter(newest: 1)) }
        #expect(error?.side == .source)
    }

    @Test("go on when one of them can't be copied")
    func oneBroken() async throws {
        let bench = try await bench()
        let index = try FakeImage.index([("linux/amd64", images[0])])
        let images = self.images
        await bench.source.change {
            try? $0.seed(index, tag: "index")
            $0.listed.append(ListedImage(digest: index.digest, tags: [try! Tag(parsing: "index")], pushedAt: 9))
            // A child whose key is gone stops its index, and nothing else.
            $0.listed.removeFirst()
            $0.readFailures[.digest(images[0].digest)] = .keyUnusable("disabled")
            $0.listed[0].isArchived = true
            $0.manifests[images[2].digest] = nil
        }
        let results = try await copy(bench, TagFilter())
        #expect(await tags(bench) == ["v3", "v4"])
        #expect(ExitStatus.of(results) == 1)
        let reasons = results.compactMap(\.error).map { "\($0.reason)" }.sorted()
        #expect(reasons == ["archived", "imageMissing", #"keyUnusable("disabled")"#])
        #expect(results.compactMap(\.error).allSatisfy { $0.side == .source })
    }

    @Test("keep the results of those that are done when a later reading fails")
    func pieces() async throws {
        let bench = try Bench()
        let count = RepositoryCopy.imagesAtOnce + 3
        let images = try (0..<count).map { try FakeImage.image("\($0)", layers: ["base"]) }
        await bench.source.change { source in
            for (number, image) in images.enumerated() { try? source.seed(image, tag: "t\(number)") }
            source.listed = images.enumerated().map { number, image in
                ListedImage(digest: image.digest, tags: [try! Tag(parsing: "t\(number)")])
            }
            source.refuse("read \(images[count - 3].digest.short)", .throttled("slow"))
        }
        let results = try await copy(bench, TagFilter())
        #expect(results.count == count)
        #expect(results.compactMap(\.error).map(\.reason) == Array(repeating: .throttled("slow"), count: 3))
        #expect(await bench.destination.tags.count == RepositoryCopy.imagesAtOnce)
        #expect(bench.journal.count("relay \(FakeImage.blob("base").digest.short)") == 1)
    }

    @Test("wait for none of another piece: one that stands still keeps nobody from being put", .timeLimit(.minutes(1)))
    func noBarrier() async throws {
        let bench = try Bench()
        let count = RepositoryCopy.imagesAtOnce + 3
        let images = try (0..<count).map { try FakeImage.image("\($0)", layers: ["base", "own \($0)"]) }
        await bench.source.change { source in
            for (number, image) in images.enumerated() { try? source.seed(image, tag: "t\(number)") }
            source.listed = images.enumerated().map { number, image in
                ListedImage(digest: image.digest, tags: [try! Tag(parsing: "t\(number)")])
            }
        }
        // The first image's layer arrives when one of the second piece is put, and not before.
        let (stream, gate) = AsyncStream<Void>.makeStream()
        bench.relay.plan(FakeImage.blob("own 0").digest, .after { for await _ in stream {} })
        await bench.destination.before("put \(images[count - 1].digest.short)") { _ in gate.finish() }
        let results = try await copy(bench, TagFilter())
        #expect(results.count == count && ExitStatus.of(results) == 0)
        let puts = bench.journal.lines("to/app put ").map { $0.prefix { $0 != " " } }
        #expect(puts.count == count)
        let (held, last) = (images[0].digest.short, images[count - 1].digest.short)
        #expect(try #require(puts.firstIndex { $0 == last }) < #require(puts.firstIndex { $0 == held }))
    }

    @Test("ask once whether tags are fixed, and create the repository once")
    func onceForAll() async throws {
        let bench = try await bench()
        let old = try FakeImage.image("old", layers: [])
        await bench.destination.change { for number in 0..<5 { try? $0.seed(old, tag: "v\(number)") } }
        _ = try await copy(bench, TagFilter())
        #expect(bench.journal.count("to/app immutability") == 1)

        let empty = try await self.bench()
        await empty.destination.change { $0.exists = false }
        _ = try await copy(empty, TagFilter(), CopyOptions(referrers: .none, createRepository: .defaults))
        #expect(empty.journal.count("to/app create") == 1)
        #expect(await tags(empty).count == 6)
    }

    @Test("leave a result for each when they are stopped on the way")
    func cancelled() async throws {
        let bench = try await bench()
        await bench.destination.fail("put \(images[1].digest.short)", CancellationError())
        let results = try await copy(bench, TagFilter())
        #expect(results.count == 5)
        #expect(results.count { if case .cancelled = $0 { true } else { false } } == 1)
        #expect(ExitStatus.of(results) == 1, "what was stopped is not done")
    }

    @Test("give the code of the one kind of failure there is, else 1")
    func exitStatus() throws {
        func failed(_ reason: CopyError.Reason) -> CopyResult {
            let error = CopyError(reason, side: .source, image: "a.test/app", operation: "asking")
            return .failed(
                source: ImageReference(of: "a.test/app"),
                destination: ImageReference(of: "b.test/app"),
                error
            )
        }
        let tag = try Tag(parsing: "t")
        let done = CopyResult.done(
            CopyReceipt(
                source: try ImageReference(parsing: "a.test/from/app:t"),
                destination: try ImageReference(parsing: "b.test/to/app"),
                digest: .ofNothing,
                mediaType: .ociManifest,
                tags: []
            )
        )
        let refused = failed(.tagHolds(tag: tag, holds: .ofNothing, wanted: .ofNothing))
        let (denied, broken) = (failed(.denied(action: "a", text: "")), failed(.imageMissing))
        let stopped = CopyResult.cancelled(
            source: ImageReference(of: "a.test/app"),
            destination: ImageReference(of: "b.test/app"),
            left: nil
        )
        let table: [([CopyResult], Int32)] = [
            ([], 0), ([done], 0), ([done, done], 0), ([broken], 1), ([refused], 3), ([refused, refused], 3),
            ([denied], 4), ([failed(.noCredentials("")), denied], 4), ([denied, refused], 1), ([done, refused], 1),
            ([done, denied], 1), ([broken, refused], 1), ([stopped], 1), ([done, stopped], 1),
            ([failed(.tagMoved(tag: tag, expected: .ofNothing, holds: nil))], 3),
            ([failed(.tagImmutable(tag: tag, holds: nil, wanted: .ofNothing))], 3),
        ]
        for (results, code) in table { #expect(ExitStatus.of(results) == code) }
    }
}
