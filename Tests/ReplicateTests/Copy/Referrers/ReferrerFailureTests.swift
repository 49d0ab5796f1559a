import Content
import Reporting
import Testing

@testable import Replicate

/// A failed referrer does not fail its image.
@Suite("Referrer failures")
struct ReferrerFailureTests {
    private let image: FakeImage
    private let signature: FakeImage
    private let sbom: FakeImage
    private let all = CopyOptions(referrers: .all)

    init() throws {
        image = try FakeImage.image("a")
        signature = try FakeImage.image("signature", layers: ["signed"], subject: image.digest)
        sbom = try FakeImage.image("sbom", layers: ["bill"], subject: image.digest)
    }

    /// A signed image with an SBOM, which the source lists.
    private func bench() async throws -> Bench {
        let bench = try Bench()
        await bench.source.change { [image, signature, sbom] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature)
            try? $0.seed(sbom)
            $0.listedReferrers = [image.digest: [signature.root.descriptor, sbom.root.descriptor]]
        }
        return bench
    }

    /// A bench whose source lists the signature under a fallback tag, along with `gone`, which no repository has.
    private func staleBench(odd: String? = nil) async throws -> (bench: Bench, list: Manifest, gone: Digest) {
        let gone = Digest(of: "gone".utf8)
        let entries = [
            #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(gone)","size":4}"#, odd,
            #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(signature.digest)","size":9,"x":1}"#,
        ]
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":["#
            + entries.compactMap { $0 }.joined(separator: ",") + "]}"
        let list = try Manifest(bytes: Array(text.utf8), mediaType: .ociIndex)
        let bench = try Bench()
        await bench.source.change { [image, signature] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature)
            $0.listedReferrers = nil
            $0.manifests[list.digest] = list
            try? $0.tags[Tag(listingReferrersTo: image.digest)] = list.digest
        }
        return (bench, list, gone)
    }

    /// The only failure of an otherwise successful copy.
    private func onlyFailure(_ results: [CopyResult]) throws -> ReferrerFailure {
        let receipt = try #require(results.receipt)
        #expect(ExitStatus.of(results) == 0)
        #expect(receipt.tags.map(\.tag.value) == ["v1"])
        #expect(receipt.referrerFailures.count == 1)
        return try #require(receipt.referrerFailures.first)
    }

    @Test("Too many referrers end the search, and the error names the bound")
    func tooMany() async throws {
        let bench = try await bench()
        let lists = (0..<100).map { list in
            (0..<100).map { entry in
                Descriptor(mediaType: .ociManifest, digest: Digest(of: "\(list) \(entry)".utf8), size: 2)
            }
        }
        await bench.source.change { [image, signature] in
            let first = [signature.root.descriptor] + lists[0]
            var listed = [image.digest: first]
            // Ten thousand in two levels.
            for (entry, list) in zip(lists[0], lists) { listed[entry.digest] = list }
            $0.listedReferrers = listed
        }
        let results = try await bench.copy(":v1", all)
        let receipt = try #require(results.receipt)
        #expect(ExitStatus.of(results) == 0 && receipt.tags.map(\.tag.value) == ["v1"])
        #expect(await bench.destination.holds(signature))
        let bounds = receipt.referrerFailures.filter {
            $0.description.contains("more than \(ReferrerBudget.most) referrers")
        }
        #expect(bounds.map(\.subject) == [image.digest])
        // Listed referrers that are missing make the planner request the list twice.
        let requests = bench.calls.count("from/app referrers")
        #expect(requests < 200, "\(requests)")
    }

    @Test("A referrer that the destination refuses is left out and named, and the others arrive")
    func refused() async throws {
        let bench = try await bench()
        await bench.destination.refuse("put \(signature.digest.short)", .rejected(code: "NO", text: "no"), times: 9)
        let results = try await bench.copy(":v1", all)
        let failure = try onlyFailure(results)
        #expect(failure.digest == signature.digest && failure.subject == image.digest)
        #expect(failure.error.side == .destination)
        #expect(failure.description == "the referrer \(signature.digest) of \(image.digest) was left out: NO: no")
        #expect(failure.explanation.contains("\n  next: ") && failure.explanation.contains("--referrers none"))
        #expect(results.receipt?.referrers == 1)
        #expect(await bench.destination.holds(sbom))
        #expect(try await bench.destination.tag("v1") == image.digest)

        bench.calls.clear()
        #expect(try await bench.copy(":v1", all).receipt?.referrerFailures.count == 1, "refused again")
        #expect(bench.calls.lines("to/app put ") == [signature.digest.short])
    }

    @Test("An index of referrers is left out when one of its children is refused")
    func refusedBelow() async throws {
        let bench = try Bench()
        let attested = try FakeImage.index([("linux/amd64", signature), ("linux/arm64", sbom)])
        await bench.source.change { [image] in
            try? $0.seed(image, tag: "v1")
            try? $0.seed(attested)
            $0.listedReferrers = [image.digest: [attested.root.descriptor]]
        }
        await bench.destination.refuse("put \(signature.digest.short)", .rejected(code: "NO", text: "no"), times: 9)
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(receipt.referrerFailures.map(\.digest) == [signature.digest, attested.digest])
        #expect(await bench.destination.violations.isEmpty)
        #expect(await bench.destination.holds(sbom))
    }

    @Test("A referrer that can't be read, or whose layer is missing, is left out")
    func unreadable() async throws {
        let lost = try await bench()
        await lost.source.change { _ = $0.blobs.remove(FakeImage.blob("signed").digest) }
        #expect(try onlyFailure(try await lost.copy(":v1", all)).digest == signature.digest)
        #expect(await lost.destination.holds(sbom))
        #expect(await lost.destination.violations.isEmpty)

        let archived = try await bench()
        await archived.source.change { [signature] in $0.readFailures[.digest(signature.digest)] = .archived }
        let failure = try onlyFailure(try await archived.copy(":v1", all))
        #expect(failure.digest == signature.digest && failure.error.reason == .archived)
        #expect(await archived.destination.holds(sbom))

        let broken = try await bench()
        let id = "read \(signature.digest.short)"
        await broken.source.refuse(id, .corrupt(expected: signature.digest, detail: "another"), times: 9)
        #expect(try onlyFailure(try await broken.copy(":v1", all)).digest == signature.digest)
        #expect(await broken.destination.holds(sbom))
    }

    @Test("A listed referrer that is missing is named after a second request")
    func vanished() async throws {
        let bench = try await bench()
        await bench.source.change { [signature] in $0.manifests[signature.digest] = nil }
        let failure = try onlyFailure(try await bench.copy(":v1", all))
        #expect(failure.digest == signature.digest && failure.error.reason == .imageMissing)
        #expect(bench.calls.lines("from/app referrers \(image.digest.short)").count == 2)
        #expect(await bench.destination.holds(sbom))
    }

    @Test("A failed referrers request still copies referrers found by tag")
    func unlisted() async throws {
        let bench = try await bench()
        let tag = "sha256-\(image.digest.hex).sig"
        await bench.source.change { [signature] in try? $0.seed(signature, tag: tag) }
        await bench.source.refuse("referrers", .rejected(code: "HTTP 500", text: "no"), times: 99)
        let results = try await bench.copy(":v1", all)
        #expect(ExitStatus.of(results) == 0)
        let failures = try #require(results.receipt).referrerFailures
        // The referrers of a referrer found by tag are requested, too.
        #expect(
            failures.map(\.subject) == [image.digest, signature.digest] && failures.allSatisfy { $0.digest == nil }
        )
        let failure = try #require(failures.first)
        #expect(
            failure.description.hasPrefix("referrers of \(image.digest) may have been left out, since not all could be")
        )
        #expect(try await bench.destination.tag(tag) == signature.digest)
    }

    @Test("A failed digest tag still copies referrers of other digest tags")
    func oneTag() async throws {
        let bench = try await bench()
        let tags = ["sig", "att"].map { "sha256-\(image.digest.hex).\($0)" }
        await bench.source.change { [signature, sbom] in
            $0.listedReferrers = [:]
            try? $0.seed(signature, tag: tags[0])
            try? $0.seed(sbom, tag: tags[1])
        }
        let old = CopyError.Reason.badManifest(.schema1)
        let bulk = ["", ".sig", ".att", ".sbom"].map { "sha256-\(image.digest.hex)\($0)" }.joined(separator: " ")
        await bench.source.refuse("read \(bulk)|", old)
        await bench.source.refuse("read \(tags[1])|", old)
        let failure = try onlyFailure(try await bench.copy(":v1", all))
        #expect(failure.tag?.value == tags[1] && failure.subject == image.digest)
        #expect(try await bench.destination.tag(tags[0]) == signature.digest)
    }

    @Test(
        "A failure that affects the whole run fails the image",
        arguments: [
            (CopyError.Reason.noCredentials("no"), 4), (.throttled("slowly"), 1), (.retriesUsedUp("enough"), 1),
        ] as [(CopyError.Reason, Int32)]
    )
    func runEnds(reason: CopyError.Reason, code: Int32) async throws {
        for call in ["referrers", "read sha256-"] {
            let bench = try await bench()
            await bench.source.refuse(call, reason, times: 99)
            #expect(ExitStatus.of(try await bench.copy(":v1", all)) == code, "\(call)")
        }
        let bench = try await bench()
        await bench.destination.refuse("put \(signature.digest.short)", reason, times: 9)
        #expect(ExitStatus.of(try await bench.copy(":v1", all)) == code)
        #expect(try await bench.destination.tag("v1") == image.digest, "the tag is set before the referrers")
    }

    @Test("A referrer that is copied by name fails like any image")
    func byName() async throws {
        let bench = try await bench()
        let tag = "sha256-\(image.digest.hex).sig"
        await bench.source.change { [signature] in try? $0.seed(signature, tag: tag) }
        await bench.destination.refuse("put \(signature.digest.short)", .rejected(code: "NO", text: "no"), times: 9)
        for reference in ["@\(signature.digest)", ":\(tag)"] {
            #expect(ExitStatus.of(try await bench.copy(reference, all)) == 1)
        }
    }

    @Test("A missing entry of a referrers list is named, and the list is copied without it", arguments: [true, false])
    func staleList(isMerged: Bool) async throws {
        let (bench, list, gone) = try await staleBench()
        if isMerged { await bench.destination.change { $0.ownLists = [:] } }
        let failure = try onlyFailure(try await bench.copy(":v1", all))
        #expect(failure.digest == gone && failure.subject == image.digest)
        let tag = "sha256-\(image.digest.hex)"
        let held = try #require(try await bench.destination.tag(tag))
        let pruned = try #require(await bench.destination.manifests[held])
        #expect(pruned.children.map(\.digest) == [signature.digest])
        #expect(pruned.text.contains(#""x":1"#) && pruned.bytes.count < list.bytes.count, "nothing else has changed")
        #expect(await bench.destination.holds(signature))
        #expect(await bench.destination.violations.isEmpty)

        bench.calls.clear()
        let again = try await bench.copy(":v1", all)
        #expect(again.receipt?.changedAnything == false)
        #expect(try onlyFailure(again).digest == gone)
        #expect(bench.calls.count("to/app put") == 0)
    }

    @Test("An invalid entry of a referrers list is left out, and the rest arrives")
    func oddEntries() async throws {
        let odd = #"{"mediaType":"a/b","digest":"sha512:00","size":4}"#
        let (bench, _, gone) = try await staleBench(odd: odd)
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(receipt.referrerFailures.count == 2)
        #expect(receipt.referrerFailures.contains { $0.description.contains("'sha512:00' is not a sha256 digest") })
        #expect(receipt.referrerFailures.contains { $0.digest == gone })
        #expect(await bench.destination.holds(signature))

        // An entry with a valid digest can be read, whatever else is wrong with it.
        let other = try await staleBench(odd: #"{"mediaType":"a/b","digest":"\#(sbom.digest)"}"#).bench
        await other.source.change { [sbom] in try? $0.seed(sbom) }
        #expect(try onlyFailure(try await other.copy(":v1", all)).digest == gone)
        #expect(await other.destination.holds(sbom))
    }

    @Test("A fallback tag that holds the image itself is not a failure", arguments: [true, false])
    func alias(isIndex: Bool) async throws {
        let image = try isIndex ? FakeImage.index([("linux/amd64", image)]) : image
        let bench = try Bench()
        let tag = try Tag(listingReferrersTo: image.digest)
        await bench.source.change {
            try? $0.seed(image, tag: "v1")
            $0.listedReferrers = nil
            $0.tags[tag] = image.digest
        }
        let receipt = try #require(try await bench.copy(":v1", all).receipt)
        #expect(receipt.referrers == 0 && receipt.referrerFailures.isEmpty)
        #expect(await bench.destination.tags.keys.map(\.value) == ["v1"])
    }

    @Test("A referrer whose tag is immutable at the destination is left out")
    func immutable() async throws {
        let bench = try await bench()
        let tag = "sha256-\(image.digest.hex).sig"
        let cosign = try FakeImage.image("cosign", layers: ["cosigned"])
        let theirs = try FakeImage.image("theirs", layers: ["theirs"])
        await bench.source.change { try? $0.seed(cosign, tag: tag) }
        await bench.destination.change {
            try? $0.seed(theirs, tag: tag)
            $0.fixedTags = TagImmutability(byDefault: true)
        }
        let failure = try onlyFailure(try await bench.copy(":v1", all))
        #expect(failure.tag?.value == tag && failure.digest == cosign.digest)
        #expect(try await bench.destination.tag(tag) == theirs.digest)
        #expect(await bench.destination.holds(sbom))
        #expect(await !bench.destination.holds(cosign), "no tag would refer to it")
    }

    @Test("A dry run and the JSON document list referrer failures")
    func dryRun() async throws {
        let (bench, _, gone) = try await staleBench()
        let options = CopyOptions(referrers: .all, isDryRun: true)
        let results = try await bench.copy(":v1", options)
        let failures = try #require(results.first?.referrerFailures)
        #expect(failures.map(\.digest) == [gone])
        for results in [results, try await bench.copy(":v1", all)] {
            let document = CopyDocument(
                command: "copy",
                exitCode: 0,
                results: results,
                error: nil,
                requests: 1,
                seconds: 1
            )
            let left = try #require(document.results.first?.referrersLeftOut?.first)
            #expect(left.digest == gone && left.subject == image.digest && left.error.reason == "imageMissing")
        }
    }
}

/// An index with an entry that can't be read.
@Suite("Indexes with an invalid entry")
struct OddIndexTests {
    private let child: FakeImage
    private let index: FakeImage

    init() throws {
        child = try FakeImage.image("a")
        let entries = [
            #"{"mediaType":"a/b","digest":"sha512:00","size":4}"#,
            #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(child.digest)","size":\#(child.root.bytes.count),"#
                + #""platform":{"os":"linux","architecture":"arm64"}}"#,
        ]
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        let root = try Manifest(bytes: Array(text.utf8))
        index = FakeImage(manifests: child.manifests + [root], blobs: child.blobs)
    }

    @Test("An index with an invalid entry is refused before a write, unless the destination has it")
    func whole() async throws {
        let bench = try Bench()
        await bench.source.change { [index] in try? $0.seed(index, tag: "v1") }
        for mode in CopyOptions.Referrers.allCases {
            let error = try #require(try await bench.copy(":v1", CopyOptions(referrers: mode)).firstError)
            #expect(error.cause.contains("manifests[0]") && error.cause.contains("'sha512:00'"))
        }
        #expect(bench.calls.count("to/app put") == 0)

        await bench.destination.change { [index] in try? $0.seed(index, tag: "v1") }
        for mode in CopyOptions.Referrers.allCases {
            #expect(try await bench.copy(":v1", CopyOptions(referrers: mode)).receipt?.changedAnything == false)
        }
    }

    @Test("A platform of an index with an invalid entry can be copied")
    func part() async throws {
        let bench = try Bench()
        await bench.source.change { [index] in try? $0.seed(index, tag: "v1") }
        let options = CopyOptions(referrers: .none, platforms: [try ImagePlatform(parsing: "linux/arm64")])
        #expect(try await bench.copy(":v1", options).receipt?.digest == child.digest)
    }
}
