import Content
import Reporting
import Testing

@testable import Replicate

/// Tags, guards and several destinations.
@Suite("At the destination")
struct DestinationTests {
    private let image: FakeImage
    private let old: FakeImage

    init() throws {
        image = try FakeImage.image("new")
        old = try FakeImage.image("old", layers: ["base"])
    }

    private func bench(holding tags: [String: FakeImage] = [:]) async throws -> Bench {
        let bench = try Bench()
        let image = self.image
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        await bench.destination.change { for (tag, held) in tags { try? $0.seed(held, tag: tag) } }
        return bench
    }

    private func options(_ ifExists: CopyOptions.IfExists = .move, ifCurrent: Digest? = nil, isDryRun: Bool = false)
        -> CopyOptions
    {
        CopyOptions(ifExists: ifExists, ifCurrent: ifCurrent, referrers: .none, isDryRun: isDryRun)
    }

    @Test("keeps the source's tag only if no other is wanted")
    func tagChoice() async throws {
        let bench = try await bench()
        let first = try #require(try await bench.copy(":v1", tags: ["a", "b", "a"]).receipt)
        #expect(first.tags.map(\.tag.value) == ["a", "b"])
        let named = try await bench.copy(":v1", to: [(bench.destination, "c")], tags: ["b"])
        #expect(named.receipt?.tags.map(\.outcome) == [.set, .unchanged])
        #expect(named.receipt?.tags.map(\.tag.value) == ["c", "b"])
        #expect(Set(await bench.destination.tags.keys.map(\.value)) == ["a", "b", "c"])
        #expect(bench.journal.lines("to/app put ").map { String($0.suffix(1)) } == ["a", "b", "c"])
    }

    @Test("does nothing, with two questions, when all is there")
    func alreadyThere() async throws {
        let bench = try await bench(holding: ["v1": image])
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(receipt.tags == [.init(tag: try Tag(parsing: "v1"), outcome: .unchanged)])
        #expect(!receipt.changedAnything)
        #expect(bench.journal.lines.count == 2)
        #expect(receipt.lines == ["destination.test/to/app:v1@\(image.digest)"])
    }

    @Test("copies by digest without a tag")
    func digestOnly() async throws {
        let bench = try await bench()
        let receipt = try #require(try await bench.copy("@\(image.digest)").receipt)
        #expect(receipt.tags.isEmpty && receipt.manifestsPut == 1)
        #expect(receipt.lines == ["destination.test/to/app@\(image.digest)"])
        #expect(await bench.destination.tags.isEmpty)
        #expect(await bench.destination.holds(image))
        bench.journal.clear()
        #expect(try await bench.copy("@\(image.digest)").receipt?.changedAnything == false)
        #expect(bench.journal.lines.count == 2)
    }

    @Test("moves, skips or refuses a tag that holds another image", arguments: CopyOptions.IfExists.allCases)
    func ifExists(_ mode: CopyOptions.IfExists) async throws {
        let bench = try await bench(holding: ["v1": old])
        let results = try await bench.copy(":v1", options(mode))
        switch mode {
        case .move:
            let tags = try #require(results.receipt).tags
            #expect(tags == [.init(tag: try Tag(parsing: "v1"), outcome: .moved, previous: old.digest)])
            #expect(try await bench.destination.tag("v1") == image.digest)
            #expect(bench.journal.count("to/app immutability") == 1)
        case .skip:
            let receipt = try #require(results.receipt)
            #expect(receipt.tags.map(\.outcome) == [.skipped] && receipt.lines == [])
            #expect(ExitStatus.of(results) == 0)
            #expect(bench.journal.lines.count == 2, "a skipped image costs no more questions")
        case .fail:
            let error = try #require(results.firstError)
            #expect(
                error.reason == .tagHolds(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: image.digest)
            )
            #expect(error.place == "destination.test/to/app:v1")
            #expect(ExitStatus.of(results) == 3)
            #expect(bench.journal.count("relay") == 0 && bench.journal.count("to/app put") == 0)
        }
    }

    @Test("skips the tags that are taken and sets the others")
    func someSkipped() async throws {
        let bench = try await bench(holding: ["taken": old])
        let receipt = try #require(try await bench.copy(":v1", tags: ["taken", "free"], options(.skip)).receipt)
        #expect(receipt.tags.map(\.outcome) == [.skipped, .set])
        #expect(receipt.lines == ["destination.test/to/app:free@\(image.digest)"])
        #expect(try await bench.destination.tag("taken") == old.digest)
    }

    @Test("moves a tag only from the digest that --if-current names")
    func ifCurrent() async throws {
        let absent = try await bench()
        let refused = try await absent.copy(":v1", options(ifCurrent: old.digest))
        let tag = try Tag(parsing: "v1")
        #expect(refused.firstError?.reason == .tagMoved(tag: tag, expected: old.digest, holds: nil))
        #expect(ExitStatus.of(refused) == 3)
        #expect(absent.journal.count("relay") == 0)

        let held = try await bench(holding: ["v1": old])
        #expect(try await held.copy(":v1", options(ifCurrent: old.digest)).receipt?.tags.first?.outcome == .moved)
        let again = try await held.copy(":v1", options(ifCurrent: old.digest))
        #expect(again.receipt?.tags.first?.outcome == .unchanged, "it holds the image already")
    }

    @Test("reads a guarded tag again after bytes had to move, and refuses if it has moved meanwhile")
    func guarded() async throws {
        let third = try FakeImage.image("third", layers: ["base"])
        for options in [options(.fail), options(ifCurrent: old.digest)] {
            let isCurrent = options.ifCurrent != nil
            let bench = try await bench(holding: isCurrent ? ["v1": old] : [:])
            await bench.destination.change {
                try? $0.seed(third)
                $0.before("start") { $0.tags[try! Tag(parsing: "v1")] = third.digest }
            }
            let error = try #require(try await bench.copy(":v1", options).firstError)
            #expect(error.kind == .refused)
            #expect(try await bench.destination.tag("v1") == third.digest)
            #expect(bench.journal.lines("to/app read ") == ["|v1", "|v1"])
            #expect(bench.journal.count("to/app put") == 0)
        }
    }

    @Test("doesn't read a guarded tag again when nothing moved")
    func guardedWithoutBytes() async throws {
        let bench = try await bench()
        await bench.destination.change { [image] in $0.blobs.formUnion(image.blobs.map(\.digest)) }
        #expect(try await bench.copy(":v1", options(.fail)).receipt?.tags.first?.outcome == .set)
        #expect(bench.journal.lines("to/app read ") == ["|v1"])
    }

    @Test(
        "refuses to move a fixed tag before a byte moves",
        arguments: [
            (TagImmutability(byDefault: true), true), (TagImmutability(byDefault: true, exclusions: ["v*"]), false),
            (TagImmutability(byDefault: false, exclusions: ["*1"]), true), (TagImmutability(byDefault: false), false),
        ]
    )
    func immutability(_ rule: TagImmutability, isRefused: Bool) async throws {
        let bench = try await bench(holding: ["v1": old])
        await bench.destination.change { $0.fixedTags = rule }
        let results = try await bench.copy(":v1")
        let wanted = CopyError.Reason.tagImmutable(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: image.digest)
        #expect(results.firstError?.reason == (isRefused ? wanted : nil))
        #expect((bench.journal.count("relay") == 0) == isRefused)
        #expect(ExitStatus.of(results) == (isRefused ? 3 : 0))
    }

    @Test("matches an immutability wildcard against the whole tag")
    func wildcards() {
        let cases: [(String, String, Bool)] = [
            ("v1", "v1", true), ("v1", "v", false), ("v1", "*", true), ("latest", "la*t", true),
            ("lat", "la*at", false),
            ("aXbXc", "a*b*c", true), ("aXcXb", "a*b*c", false), ("dev-1", "*-*", true), ("dev", "*-*", false),
        ]
        for (text, pattern, matches) in cases {
            #expect(matchesWildcard(text, pattern) == matches, "\(text) \(pattern)")
        }
    }

    @Test("writes nothing in a dry run, not even the repository")
    func dryRun() async throws {
        let bench = try await bench()
        await bench.destination.change { $0.exists = false }
        var options = options(isDryRun: true)
        options.createRepository = .defaults
        guard case .planned(let plan)? = try await bench.copy(":v1", options).first else {
            return #expect(Bool(false), "no plan")
        }
        #expect(plan.createsRepository && plan.blobs.count == 3 && plan.manifestsToPut.count == 1)
        #expect(bench.journal.lines == ["to/app read |v1", "from/app read v1|"].sorted(by: bench.journal.lines))
    }

    @Test("creates a missing repository only when there is something to bring")
    func creation() async throws {
        let bench = try await bench()
        await bench.destination.change { $0.exists = false }
        var options = options()
        #expect(try await bench.copy(":v1", options).firstError?.reason == .repositoryMissing)
        #expect(bench.journal.count("to/app create") == 0)

        options.createRepository = .defaults
        await #expect(throws: CopyError.self) { try await bench.copy(":absent", options) }
        #expect(bench.journal.count("to/app create") == 0, "the source has no such image")

        #expect(try await bench.copy(":v1", options).receipt?.blobsMoved == 3)
        #expect(bench.journal.count("to/app create") == 1)
        #expect(bench.journal.count("to/app missing") == 0, "an empty repository lacks everything")
    }

    @Test("says what the source lacks: no image, an archived one, a tag that isn't the digest")
    func sourceFailures() async throws {
        let bench = try await bench()
        let cases: [(String, CopyError.Reason)] = [
            (":nothing", .imageMissing), (":v1@\(old.digest)", .tagMismatch), (":cold", .archived),
        ]
        await bench.source.change { $0.readFailures[.tag(try! Tag(parsing: "cold"))] = .archived }
        for (source, reason) in cases {
            let error = await #expect(throws: CopyError.self) { try await bench.copy(source) }
            #expect(error?.reason == reason && error?.side == .source)
            #expect(error?.place == "source.test/from/app\(source)")
            #expect(error?.operation == "reading the image")
        }
        #expect(bench.journal.count("to/app put") == 0)
    }

    @Test("reads the source once for several destinations, one of which may fail")
    func several() async throws {
        let bench = try await bench()
        let other = try FakeRepository(.destination, "other/app", bench.journal, registry: "other.test")
        let broken = try FakeRepository(.destination, "broken/app", bench.journal, registry: "broken.test")
        bench.relay.connect(other, broken)
        await broken.refuse("read", .throttled("slow"))
        let index = try FakeImage.index([("linux/amd64", image)])
        await bench.source.change { try? $0.seed(index, tag: "all") }

        let places = [(bench.destination, nil), (broken, nil), (other, "mine")] as [(FakeRepository, String?)]
        let results = try await bench.copy(":all", to: places)

        #expect(results.count == 3)
        #expect(await bench.destination.holds(index))
        #expect(await other.holds(index))
        #expect(try await other.tag("mine") == index.digest)
        #expect(try await bench.destination.tag("all") == index.digest)
        guard case .failed(_, let place, let error) = results[1], "\(place)" == "broken.test/broken/app" else {
            return #expect(Bool(false), "the second is the one that fails")
        }
        #expect(error.reason == .throttled("slow") && error.place == "broken.test/broken/app:all")
        #expect(bench.journal.count("from/app read") == 2, "the index once, its children once")
        #expect(ExitStatus.of(results) == 1)
    }

    @Test("asks a destination that has the image for nothing more while another needs it")
    func severalOneHasIt() async throws {
        let bench = try Bench()
        let index = try FakeImage.index([("linux/amd64", image)])
        let other = try FakeRepository(.destination, "other/app", bench.journal, registry: "other.test")
        bench.relay.connect(other)
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        await bench.destination.change { try? $0.seed(index, tag: "v1") }

        let results = try await bench.copy(":v1", to: [(bench.destination, nil), (other, nil)])

        #expect(bench.journal.lines("to/app ") == ["read |v1"])
        guard case .done(let receipt)? = results.first else { return #expect(Bool(false), "no receipt") }
        #expect(!receipt.changedAnything)
        #expect(await other.holds(index))
    }
}

extension [String] {
    /// In the order in which another list has them: two sides are asked at once.
    func sorted(by other: [String]) -> [String] {
        sorted { (other.firstIndex(of: $0) ?? 0) < (other.firstIndex(of: $1) ?? 0) }
    }
}
