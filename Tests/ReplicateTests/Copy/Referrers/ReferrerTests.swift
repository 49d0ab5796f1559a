import Content
import Reporting
import Testing

@testable import Replicate

/// Signatures, SBOMs and attestations that travel with an image.
@Suite("Referrers")
struct ReferrerTests {
    private let image: FakeImage
    private let signature: FakeImage
    private let all = CopyOptions(referrers: .all)

    init() throws {
        image = try FakeImage.image("a")
        signature = try FakeImage.image("signature", layers: ["signed"], subject: image.digest)
    }

    private func bench(knows: Bool = true) async -> Bench? {
        guard let bench = try? Bench() else { return nil }
        let (image, signature) = (self.image, self.signature)
        await bench.source.change {
            try? $0.seed(image, tag: "v1")
            if knows {
                try? $0.seed(signature)
                $0.listedReferrers = [image.digest: [signature.root.descriptor]]
            } else {
                $0.listedReferrers = nil
            }
        }
        return bench
    }

    @Test("are copied after their subject, without a tag, with what refers to them in turn")
    func chain() async throws {
        let bench = try #require(await bench())
        let more = try FakeImage.image("countersignature", layers: ["more"], subject: signature.digest)
        await bench.source.change { [signature] in
            try? $0.seed(more)
            $0.listedReferrers?[signature.digest] = [more.root.descriptor]
        }
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(receipt.referrers == 2)
        #expect(
            bench.journal.lines("to/app put ") == [
                "\(image.digest.short) v1", signature.digest.short, more.digest.short,
            ]
        )
        #expect(bench.journal.count("from/app referrers") == 3, "one for each manifest and referrer")
        #expect(await bench.destination.violations == [])

        bench.journal.clear()
        #expect(try await bench.copy(":v1", all).receipt?.changedAnything == false)
        #expect(bench.journal.count("to/app read") == 2)
        #expect(bench.journal.count("to/app put") == 0)
    }

    @Test("cost the destination no question when there are none and the image is there")
    func nothingToCompare() async throws {
        let bench = try #require(await bench())
        await bench.source.change { $0.listedReferrers = [:] }
        await bench.destination.change { [image] in try? $0.seed(image, tag: "v1") }
        _ = try await bench.copy(":v1", all)
        #expect(bench.journal.lines("to/app ") == ["read |v1"])
        #expect(bench.journal.count("from/app ") == 3)
    }

    @Test("of an index's children are copied too")
    func ofChildren() async throws {
        let bench = try Bench()
        let index = try FakeImage.index([("linux/amd64", image)])
        await bench.source.change { [signature, image] in
            try? $0.seed(index, tag: "v1")
            try? $0.seed(signature)
            $0.listedReferrers = [image.digest: [signature.root.descriptor]]
        }
        #expect(try await bench.copy(":v1", all).receipt?.referrers == 1)
        #expect(await bench.destination.holds(signature))
    }

    @Test("under cosign's tags are copied with their tags", arguments: ["", ".sig", ".att", ".sbom"])
    func digestTags(suffix: String) async throws {
        let bench = try #require(await bench())
        let tag = "sha256-\(image.digest.hex)\(suffix)"
        await bench.source.change { [signature] in
            $0.listedReferrers = [:]
            try? $0.seed(signature, tag: tag)
        }
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(try await bench.destination.tag(tag) == signature.digest)
        #expect(receipt.tags.map(\.tag.value) == ["v1"], "they follow, nobody asked for them")
        #expect(bench.journal.lines("to/app put ").count == 2)
    }

    @Test("are found by the fallback tags, from referrer to referrer, where the question is unknown")
    func fallback() async throws {
        let bench = try #require(await bench(knows: false))
        let more = try FakeImage.image("more", layers: ["more"], subject: signature.digest)
        let first = try FakeImage.index([(nil, signature)])
        let second = try FakeImage.index([(nil, more)])
        await bench.source.change { [image, signature] in
            try? $0.seed(first, tag: "sha256-\(image.digest.hex)")
            try? $0.seed(second, tag: "sha256-\(signature.digest.hex)")
        }
        _ = try await bench.copy(":v1", all)
        #expect(await bench.destination.holds(first))
        #expect(await bench.destination.holds(second))
        #expect(try await bench.destination.tag("sha256-\(signature.digest.hex)") == second.digest)
        #expect(await bench.destination.violations == [])
    }

    @Test("keep to --if-exists", arguments: CopyOptions.IfExists.allCases)
    func ifExists(_ mode: CopyOptions.IfExists) async throws {
        let bench = try #require(await bench())
        let tag = "sha256-\(image.digest.hex).sig"
        let theirs = try FakeImage.image("theirs", layers: ["theirs"])
        await bench.source.change { [signature] in
            $0.listedReferrers = [:]
            try? $0.seed(signature, tag: tag)
        }
        await bench.destination.change { try? $0.seed(theirs, tag: tag) }
        let results = try await bench.copy(":v1", CopyOptions(ifExists: mode, referrers: .all))
        let held = try await bench.destination.tag(tag)
        switch mode {
        case .move: #expect(held == signature.digest)
        case .skip:
            #expect(results.receipt != nil && held == theirs.digest)
            #expect(await !bench.destination.holds(signature))
        case .fail:
            #expect(ExitStatus.of(results) == 3 && held == theirs.digest)
            #expect(bench.journal.count("to/app put") == 0)
        }
    }

    @Test("don't have to hold what --if-current names")
    func ifCurrent() async throws {
        let bench = try #require(await bench())
        let (tag, old) = ("sha256-\(image.digest.hex).sig", try FakeImage.image("old", layers: []))
        await bench.source.change { [signature] in try? $0.seed(signature, tag: tag) }
        await bench.destination.change { try? $0.seed(old, tag: "v1") }
        let options = CopyOptions(ifCurrent: old.digest, referrers: .all)
        #expect(try await bench.copy(":v1", options).receipt?.tags.first?.outcome == .moved)
        #expect(try await bench.destination.tag(tag) == signature.digest)
    }

    @Test("that can't be listed fail the image and say why")
    func denied() async throws {
        let bench = try #require(await bench())
        await bench.source.refuse("referrers", .denied(action: "ecr:ListImageReferrers", text: "no"))
        let results = try await bench.copy(":v1", all)
        #expect(results.firstError?.side == .source)
        #expect(results.firstError?.place == "source.test/from/app:v1")
        #expect(ExitStatus.of(results) == 4)
    }

    @Test("have tags that are told from those people choose")
    func digestTagForm() throws {
        let hex = image.digest.hex
        let cases: [(String, Bool)] = [
            ("sha256-\(hex)", true), ("sha256-\(hex).sig", true), ("sha256-\(hex).anything", true),
            ("sha256-\(hex)-cosign", true), ("sha256-\(hex)_sig", true), ("sha256-\(hex).0123.meta", true),
            ("sha256-\(hex)0", false), ("sha256-\(hex.uppercased())", false), ("sha512-\(hex)", false),
            ("sha256-\(hex)x", false), ("sha256-\(hex.dropLast())", false), ("v1", false),
        ]
        for (tag, isOne) in cases { #expect(ReferrerFinder.isDigestTag(try Tag(parsing: tag)) == isOne, "\(tag)") }
    }

    @Test("that arrived and never were listed, because their run was killed, are put again")
    func unlisted() async throws {
        let bench = try #require(await bench())
        await bench.destination.change { [image, signature] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature)
            $0.ownLists = [:]
        }
        #expect(try await bench.copy(":v1", all).receipt != nil)
        #expect(bench.journal.lines("to/app put ") == [signature.digest.short])

        bench.journal.clear()
        #expect(try await bench.copy(":v1", all).receipt?.changedAnything == false)
        #expect(bench.journal.lines("to/app own-list ") == [image.digest.short])
        #expect(bench.journal.count("to/app put") == 0)
    }

    @Test("that the source lists under a tag are added to the destination's list, whatever --if-exists says")
    func listAdded() async throws {
        for mode in CopyOptions.IfExists.allCases {
            let bench = try #require(await bench(knows: false))
            let tag = "sha256-\(image.digest.hex)"
            let list = try FakeImage.index([(nil, signature)])
            let mine = try FakeImage.image("mine", layers: ["mine"], subject: image.digest)
            let myList = try FakeImage.index([(nil, mine)])
            await bench.source.change { try? $0.seed(list, tag: tag) }
            await bench.destination.change { [image] in
                try? $0.seed(image, tag: "v1")
                try? $0.seed(myList, tag: tag)
                $0.ownLists = [image.digest: [mine.digest]]
            }
            let options = CopyOptions(ifExists: mode, referrers: .all)
            #expect(try await bench.copy(":v1", options).receipt != nil, "\(mode)")
            #expect(await bench.destination.ownLists == [image.digest: [mine.digest, signature.digest]])

            bench.journal.clear()
            #expect(try await bench.copy(":v1", options).receipt?.changedAnything == false, "\(mode)")
            #expect(bench.journal.count("to/app put") == 0)
        }
    }
}
