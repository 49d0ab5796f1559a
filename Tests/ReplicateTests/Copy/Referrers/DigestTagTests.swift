import Content
import Distribution
import HTTPTypes
import Logging
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Tags that begin with a digest follow what has that digest.
@Suite("Digest tags")
struct DigestTagTests {
    private let image: FakeImage
    private let sbom: FakeImage
    private let signature: FakeImage
    private let all = CopyOptions(referrers: .all)

    init() throws {
        image = try FakeImage.image("a")
        sbom = try FakeImage.image("sbom", layers: ["packages"])
        signature = try FakeImage.image("signature", layers: ["signed"])
    }

    private static func tag(_ image: FakeImage, _ suffix: String) -> String { "sha256-\(image.digest.hex)\(suffix)" }

    @Test("of what was found under a tag are found too, in one question for each level")
    func recursive() async throws {
        let bench = try Bench()
        let second = try FakeImage.image("second", layers: ["signed again"])
        let tags = [
            (sbom, Self.tag(image, ".sbom")), (signature, Self.tag(sbom, ".sig")),
            (second, Self.tag(signature, ".att")),
        ]
        await bench.source.change { [image] in
            try? $0.seed(image, tag: "v1")
            for (manifest, tag) in tags { try? $0.seed(manifest, tag: tag) }
        }
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(receipt.notes == [])
        for (manifest, tag) in tags { #expect(try await bench.destination.tag(tag) == manifest.digest) }
        // The root, and for each of four levels the four tags of what is new in it.
        let reads = bench.journal.lines("from/app read ").map { $0.split(separator: " ").count }
        #expect(reads == [1, 4, 4, 4, 4], "\(bench.journal.lines("from/app read "))")
    }

    @Test("of what a list of referrers names are found too")
    func ofReferrers() async throws {
        let bench = try Bench()
        let referrer = try FakeImage.image("notation", layers: ["n"], subject: image.digest)
        let tag = Self.tag(referrer, ".sig")
        await bench.source.change { [image, signature] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(referrer)
            try? $0.seed(signature, tag: tag)
            $0.listedReferrers = [image.digest: [referrer.root.descriptor]]
        }
        #expect(try await bench.copy(":v1", all).receipt != nil)
        #expect(try await bench.destination.tag(tag) == signature.digest)
    }

    @Test("end where one signature is tagged as that of another and the other way round", .timeLimit(.minutes(1)))
    func circle() async throws {
        let bench = try Bench()
        await bench.source.change { [image, signature, sbom] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature, tag: Self.tag(image, ".sig"))
            try? $0.seed(sbom, tag: Self.tag(signature, ".sig"))
            try? $0.seed(signature, tag: Self.tag(sbom, ".sig"))
        }
        #expect(try await bench.copy(":v1", all).receipt != nil)
        #expect(try await bench.destination.tag(Self.tag(sbom, ".sig")) == signature.digest)
    }

    @Test("with any suffix are found where tags are listed", arguments: [true, false])
    func anySuffix(isWhole: Bool) async throws {
        let bench = try Bench()
        let tags = [
            Self.tag(image, ".0123456789abcdef.meta"), Self.tag(image, ".cdx.json"), Self.tag(image, "-cosign"),
            Self.tag(image, ".sig"), Self.tag(sbom, "_more"),
        ]
        await bench.source.change { [image, sbom] in
            try? $0.seed(image, tag: "v1")
            for tag in tags { try? $0.seed(sbom, tag: tag) }
            $0.digestTagListing = DigestTagListing(of: tags.compactMap { try? Tag(parsing: $0) })
            $0.digestTagListing?.isWhole = isWhole
        }
        #expect(try await bench.copy(":v1", all).receipt != nil)
        for tag in tags { #expect(try await bench.destination.tag(tag) == sbom.digest, "\(tag)") }
        #expect(bench.journal.count("from/app digest-tags") == 1)
    }

    @Test("that can't be listed leave the usual suffixes, and a note")
    func trouble() async throws {
        let bench = try Bench()
        await bench.source.change { [image, signature] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature, tag: Self.tag(image, ".sig"))
            $0.digestTagListing = DigestTagListing(isWhole: false, trouble: "no list here")
        }
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(try await bench.destination.tag(Self.tag(image, ".sig")) == signature.digest)
        #expect(
            receipt.notes == [
                "tags that begin with a digest were looked for with the suffixes .sig, .att and .sbom only: no list here"
            ]
        )
    }

    @Test("are not asked for where nothing is to travel along")
    func none() async throws {
        let bench = try Bench()
        await bench.source.change { [image] in
            try? $0.seed(image, tag: "v1")
            $0.digestTagListing = DigestTagListing()
        }
        _ = try await bench.copy(":v1", CopyOptions(referrers: .none))
        #expect(bench.journal.count("from/app digest-tags") == 0)
    }

    @Test("from a listing of many images are read only where there are any, and each follows its image")
    func many() async throws {
        let bench = try Bench()
        let other = try FakeImage.image("other", layers: ["other"])
        let meta = Self.tag(image, ".0123.meta")
        await bench.source.change { [image, signature] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(other, tag: "v2")
            try? $0.seed(signature, tag: meta)
            $0.listed = [(image, "v1"), (other, "v2"), (signature, meta)].map {
                ListedImage(digest: $0.0.digest, tags: [try! Tag(parsing: $0.1)])
            }
            $0.digestTagListing = DigestTagListing()
        }
        let results = try await bench.repositoryCopy("", all).copyMany(TagFilter())
        #expect(ExitStatus.of(results) == 0 && results.count == 2)
        #expect(try await bench.destination.tag(meta) == signature.digest)
        #expect(bench.journal.count("from/app digest-tags") == 0, "the listing knows")
        #expect(!bench.journal.lines("from/app read ").contains { $0.contains(".sig") })
    }

    @Test("that follow nothing in the repository are copied with --all-tags, and with nothing else")
    func followingNothing() async throws {
        let elsewhere = try FakeImage.image("elsewhere", layers: ["elsewhere"])
        let tag = Self.tag(elsewhere, ".sig")
        func results(_ filter: TagFilter, _ options: CopyOptions, alone: Bool = false) async throws -> (
            Bench, [CopyResult]
        ) {
            let bench = try Bench()
            await bench.source.change { [image, signature] in
                try? $0.seed(image, tag: "v1")
                try? $0.seed(signature, tag: tag)
                $0.listed = [ListedImage(digest: signature.digest, tags: [try! Tag(parsing: tag)])]
                if !alone { $0.listed.append(ListedImage(digest: image.digest, tags: [try! Tag(parsing: "v1")])) }
            }
            return (bench, try await bench.repositoryCopy("", options).copyMany(filter))
        }
        for alone in [false, true] {
            let (bench, results) = try await results(TagFilter(), all, alone: alone)
            #expect(ExitStatus.of(results) == 0 && results.count == (alone ? 1 : 2))
            #expect(try await bench.destination.tag(tag) == signature.digest)
        }
        let left = [
            (TagFilter(patterns: [try TagFilter.Pattern(parsing: "*")]), all),
            (TagFilter(), CopyOptions(referrers: .none)),
        ]
        for (filter, options) in left {
            let (bench, results) = try await results(filter, options)
            #expect(results.count == 1)
            #expect(try await bench.destination.tag(tag) == nil)
        }
    }

    // MARK: At a plain registry

    /// Answers lists of tags, and keeps what was asked.
    private final class TagServer: HTTPSending {
        private let answer: @Sendable (Int) -> WireResponse
        private let asked = Lock<[WireRequest]>([])

        init(_ answer: @escaping @Sendable (Int) -> WireResponse) { self.answer = answer }

        var requests: [WireRequest] { asked.withLock { $0 } }

        func send(_ request: WireRequest) async throws -> WireResponse {
            let number = asked.withLock { asked in
                asked.append(request)
                return asked.count
            }
            return answer(number)
        }
    }

    private func repository(_ server: TagServer) throws -> PlainImageRepository {
        let reference = try ImageReference(parsing: "r.example/team/app")
        return PlainImageRepository(
            reference: reference,
            side: .source,
            registryKey: "r.example",
            client: RegistryClient(
                base: try HTTPURL("https://r.example"),
                authorization: AnonymousAuthorization(),
                sender: server,
                retry: RetryPolicy(attempts: 8, clock: TestClouds.InstantClock(), jitter: { 1 }),
                logger: Logger(label: "tags") { _ in SwiftLogNoOpLogHandler() }
            ),
            pacer: Pacer()
        )
    }

    private static func page(_ tags: [String], next: Int? = nil) -> WireResponse {
        let list = tags.map { "\"\($0)\"" }.joined(separator: ",")
        var response = WireResponse(status: .ok, body: Array(#"{"tags":[\#(list)]}"#.utf8))
        if let next, let link = HTTPField.Name("Link") {
            response.fields[link] = "</v2/team/app/tags/list?n=1000&last=\(next)>; rel=\"next\""
        }
        return response
    }

    @Test("one list is asked for, of all pages")
    func pages() async throws {
        let (first, second) = (Self.tag(image, ".cdx.json"), Self.tag(sbom, ".sig"))
        let server = TagServer { $0 == 1 ? Self.page(["v1", first], next: 1) : Self.page([second, "sha256-x"]) }
        let listing = try #require(try await repository(server).listDigestTags())
        #expect(listing.isWhole && listing.trouble == nil)
        #expect(listing.tags.mapValues { $0.map(\.value) } == [image.digest: [first], sbom.digest: [second]])
        #expect(server.requests.count == 2)
    }

    @Test("a list without end is left after some pages")
    func endless() async throws {
        let tag = Self.tag(image, ".sig")
        let server = TagServer { Self.page([tag], next: $0) }
        let listing = try #require(try await repository(server).listDigestTags())
        #expect(!listing.isWhole)
        #expect(listing.trouble == "the list of tags has more than 20 pages")
        #expect(server.requests.count <= PlainImageRepository.mostTagPages + 1)
    }

    @Test(
        "a refusal of any kind is no error, and is not tried again",
        arguments: [400, 401, 403, 404, 405, 429, 500, 503]
    )
    func refusal(status: Int) async throws {
        let server = TagServer { _ in WireResponse(status: .init(code: status), fields: [.retryAfter: "3600"]) }
        let listing = try #require(try await repository(server).listDigestTags())
        #expect(!listing.isWhole)
        #expect(listing.trouble?.hasPrefix("the tags could not be listed (") == true)
        #expect(server.requests.count <= 2, "once, and once without a number of tags")
    }

    @Test("pages of HTML and other odd answers are no error", arguments: ["", "<html>", "[]", "7", #"{"tags":7}"#])
    func odd(body: String) async throws {
        let server = TagServer { _ in WireResponse(status: .ok, body: Array(body.utf8)) }
        let listing = try #require(try await repository(server).listDigestTags())
        #expect(listing.tags.isEmpty)
    }
}
