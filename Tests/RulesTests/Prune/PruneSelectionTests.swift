import Content
import Replicate
import Testing

@testable import Rules

/// Which images and tags of a repository are left over.
@Suite("What may be pruned")
struct PruneSelectionTests {
    private func digest(_ name: String) -> Digest { Digest(of: Array(name.utf8)) }

    private func image(
        _ name: String,
        _ tags: String...,
        subject: String? = nil,
        isIndex: Bool = false,
        isArchived: Bool = false
    ) throws -> ListedImage {
        var image = ListedImage(
            digest: digest(name),
            tags: try tags.map { try Tag(parsing: $0) },
            mediaType: isIndex ? .ociIndex : .ociManifest,
            isArchived: isArchived
        )
        image.subject = subject.map(digest)
        return image
    }

    private func select(
        _ images: [ListedImage],
        keeping tags: [String] = [],
        _ digests: [String] = [],
        children: [String: [String]] = [:]
    ) throws -> PruneSelection {
        PruneSelection(
            images,
            keeping: Set(try tags.map { try Tag(parsing: $0) }),
            Set(digests.map(digest)),
            children: Dictionary(uniqueKeysWithValues: children.map { (digest($0), $1.map(digest)) })
        )
    }

    private func ids(_ selection: PruneSelection) -> [String] {
        selection.leftovers.flatMap { leftover in
            leftover.tags.isEmpty ? [leftover.digest.short] : leftover.tags.map(\.value)
        }
    }

    @Test("is a tag that no rule selects; the image stays if it has another tag")
    func tags() throws {
        let images = [try image("one", "v1", "old"), try image("two", "v2")]
        let selection = try select(images, keeping: ["v1"])
        #expect(ids(selection) == ["old", "v2"])
        #expect(selection.leftovers.map(\.isWhole) == [false, true] && selection.count == 2)
        #expect(try select(images, keeping: ["v1", "old", "v2"]).leftovers.isEmpty)
    }

    @Test("is an image without a tag that nothing needs")
    func untagged() throws {
        let images = [try image("one", "v1"), try image("loose"), try image("named")]
        #expect(ids(try select(images, keeping: ["v1"], ["named"])) == [digest("loose").short])
    }

    @Test("is never a child of an index that stays, with or without a tag of its own")
    func children() throws {
        let images = [
            try image("index", "v1", isIndex: true), try image("amd", "v1-amd64"), try image("arm"), try image("other"),
        ]
        let selection = try select(images, keeping: ["v1"], children: ["index": ["amd", "arm"]])
        #expect(ids(selection) == [digest("other").short])
        #expect(selection.staying.map(\.value) == ["v1-amd64"], "ECR would delete the child with its last tag")
        let nested = try select(
            [try image("outer", "v1", isIndex: true), try image("inner", isIndex: true), try image("leaf")],
            keeping: ["v1"],
            children: ["outer": ["inner"], "inner": ["leaf"]]
        )
        #expect(nested.leftovers.isEmpty)
    }

    @Test("is an index before its children, and they don't count")
    func wholeIndex() throws {
        let images = [
            try image("amd"), try image("arm"), try image("index", "old", isIndex: true), try image("kept", "v1"),
        ]
        let selection = try select(images, keeping: ["v1"], children: ["index": ["amd", "arm"]])
        #expect(ids(selection).first == "old" && selection.leftovers.map(\.level) == [0, 1, 1])
        #expect(selection.count == 1)
        let shared = try select(
            [try image("amd"), try image("index", "old", isIndex: true), try image("new", "v1", isIndex: true)],
            keeping: ["v1"],
            children: ["index": ["amd"], "new": ["amd"]]
        )
        #expect(ids(shared) == ["old"], "a child that two indexes share stays with the one that stays")
    }

    @Test("is never a referrer or a digest tag of what stays; those of a leftover go before it")
    func referrers() throws {
        let signature = "sha256-\(digest("one").hex).sig"
        let images = [
            try image("one", "v1"), try image("sbom", subject: "one"), try image("deep", subject: "sbom"),
            try image("signature", signature), try image("meta", subject: "signature"),
        ]
        #expect(try select(images, keeping: ["v1"]).leftovers.isEmpty)
        let gone = try select(images + [try image("two", "v2")], keeping: ["v2"])
        #expect(Set(ids(gone)) == ["v1", signature, digest("sbom").short, digest("deep").short, digest("meta").short])
        #expect(gone.leftovers.last?.tags.map(\.value) == ["v1"] && gone.count == 1, "\(gone.leftovers)")
        let levels = Dictionary(uniqueKeysWithValues: gone.leftovers.map { ($0.digest, $0.level) })
        #expect((levels[digest("deep")] ?? 9) < (levels[digest("sbom")] ?? 0))
    }

    @Test("is never the subject of a referrer that stays")
    func subject() throws {
        let images = [try image("image"), try image("sbom", "sbom-v1", subject: "image")]
        #expect(try select(images, keeping: ["sbom-v1"]).leftovers.isEmpty)
        // A referrer whose subject is gone is needed by nothing.
        #expect(
            ids(try select([try image("one", "v1"), try image("lost", subject: "gone")], keeping: ["v1"])).count == 1
        )
    }

    @Test("is never an archived image")
    func archived() throws {
        #expect(
            try select([try image("old", "v0", isArchived: true), try image("one", "v1")], keeping: ["v1"]).leftovers
                .isEmpty
        )
    }

    @Test("is only what a later listing confirms")
    func confirmed() throws {
        let before = try select(
            [
                try image("one", "v1"), try image("a", "moved", "same"), try image("b", "gone"), try image("loose"),
                try image("claimed"),
            ],
            keeping: ["v1"]
        )
        let later = try select(
            [
                try image("one", "v1", "moved"), try image("a", "same", "new"), try image("loose"),
                try image("claimed", "mine"), try image("pushed"),
            ],
            keeping: ["v1"]
        )
        let confirmed = before.confirmed(by: later)
        #expect(ids(confirmed) == ["same", digest("loose").short])
        #expect(confirmed.leftovers.map(\.isWhole) == [false, true], "the new tag keeps the image")
    }

    @Test("ends with a digest tag that names its own image")
    func circle() throws {
        let (one, two) = (digest("one"), digest("two"))
        let images = [
            try image("one", "sha256-\(two.hex).sig"), try image("two", "sha256-\(one.hex).sig"),
            try image("kept", "v1"),
        ]
        let selection = try select(images, keeping: ["v1"])
        #expect(selection.leftovers.count == 2)
        #expect(selection.count == 2, "what belongs to each other alone is counted")
        let signed = [
            try image("index", "sha256-\(digest("child").hex).sig", isIndex: true), try image("child"),
            try image("kept", "v1"),
        ]
        #expect(try select(signed, keeping: ["v1"], children: ["index": ["child"]]).count == 2)
    }

    @Test("counts digest tags whose subject is not there, on an image that stays too")
    func lostDigestTags() throws {
        let tags = ["a", "b"].map { "sha256-\(digest($0).hex).sig" }
        var kept = try image("kept", "v1")
        kept.tags += try tags.map { try Tag(parsing: $0) }
        #expect(try select([kept], keeping: ["v1"]).count == 2)
        #expect(try select([kept, try image("a", "v0")], keeping: ["v1"]).count == 3)
    }

    @Test("has all tags of an image that is listed twice")
    func listedTwice() throws {
        let images = [try image("one", "old"), try image("two", "v2"), try image("one", "v1")]
        let selection = try select(images, keeping: ["v1", "v2"])
        #expect(ids(selection) == ["old"] && selection.leftovers.first?.isWhole == false)
    }

    @Test("deletes a second tag, but not an image, where the children of an index are not known")
    func unread() throws {
        let images = [
            try image("index", "v1", isIndex: true), try image("child", "v1-amd64"), try image("loose"),
            try image("kept", "v2", "old"),
        ]
        let kept = PruneKept(tags: Set([try Tag(parsing: "v1"), try Tag(parsing: "v2")]))
        let unknown = PruneSelection(images, keeping: kept, reading: [:])
        #expect(ids(unknown) == ["old"] && unknown.unread.map(\.digest) == [digest("index")])
        let known = PruneSelection(images, keeping: kept, reading: [digest("index"): [digest("child")]])
        #expect(Set(ids(known)) == ["old", digest("loose").short] && known.staying.map(\.value) == ["v1-amd64"])
    }

    @Test("is nothing that came between two listings, nor what that needs")
    func arrivals() throws {
        let before = [try image("one", "v1"), try image("index", "v0", isIndex: true), try image("child")]
        let children = [digest("index"): [digest("child")], digest("new"): [digest("child")]]
        for later in [
            [try image("one", "v1"), try image("index", "v0", "mine", isIndex: true), try image("child")],
            [try image("one", "v1", "v0"), try image("index", isIndex: true), try image("child")],
            before + [try image("new", isIndex: true)],
        ] {
            var kept = PruneKept(tags: Set([try Tag(parsing: "v1")]))
            let first = PruneSelection(before, keeping: kept, reading: children)
            #expect(first.leftovers.count == 2 && first.count == 1)
            kept.keepArrivals(in: later, since: before)
            let confirmed = first.confirmed(by: PruneSelection(later, keeping: kept, reading: children))
            #expect(!confirmed.leftovers.contains { $0.digest == digest("child") }, "\(confirmed.leftovers)")
        }
    }
}

@Suite("Templates of names")
struct TemplateMatchTests {
    @Test(
        "may give a name, or can't",
        arguments: [
            ("{repository}", "team/app", true), ("prod/{name}", "prod/app", true), ("prod/{name}", "test/app", false),
            ("prod/{name}/x", "prod/app/x", true), ("prod/{name}/x", "prod/app/y", false),
            ("prod/app", "prod/app", true),
            ("prod/app", "prod/app2", false), ("{registry}/{name}", "a/b", true), ("{name}-{tag}", "app", false),
        ]
    )
    func mayName(template: String, name: String, isPossible: Bool) throws {
        #expect(try NameTemplate(parsing: template).mayName(name) == isPossible)
    }
}
