import Content
import Testing

@testable import Replicate

@Suite("Image names in a layout")
struct LayoutNamesTests {
    private func entry(_ content: String, _ name: String? = nil, image: String? = nil) -> Descriptor {
        var entry = Descriptor(mediaType: .ociManifest, digest: Digest(of: content.utf8), size: 1)
        if let name { entry.annotations[ImageLayout.tagAnnotation] = name }
        if let image { entry.annotations[ImageLayout.imageNameAnnotation] = image }
        return entry
    }

    private func found(_ name: String, _ entries: [Descriptor], isExact: Bool = false) -> String {
        switch LayoutNames(entries).find([name], isExact: isExact)[name] {
        case nil: "none"
        case .success(let entry)?: ["a", "b", "c"].first { Digest(of: $0.utf8) == entry.digest } ?? "other"
        case .failure(let ambiguity)?: "one of \(ambiguity.choices.count)"
        }
    }

    @Test("A name matches an image's tag or its whole reference")
    func references() {
        let entries = [
            entry("a", "docker.io/library/alpine:3"), entry("b", "v1", image: "r.example:5000/team/app:v1"),
            entry("c", image: "ghcr.io/team/other:v2"), entry("c"),
        ]
        for (name, wanted) in [
            ("3", "a"), ("docker.io/library/alpine:3", "a"), ("alpine:3", "a"), ("library/alpine:3", "a"), ("v1", "b"),
            ("r.example:5000/team/app:v1", "b"), ("team/app:v1", "none"), ("v2", "c"), ("ghcr.io/team/other:v2", "c"),
            ("alpine", "none"), ("5000", "none"), ("", "none"),
        ] { #expect(found(name, entries) == wanted, "\(name)") }
        // A write replaces only an entry with exactly that name.
        for (name, wanted) in [("3", "none"), ("v1", "b"), ("docker.io/library/alpine:3", "a"), ("v2", "none")] {
            #expect(found(name, entries, isExact: true) == wanted, "\(name)")
        }
    }

    @Test("A name of several images is ambiguous, unless it is the exact name of one")
    func ambiguous() {
        let twins = [
            entry("a", "latest", image: "docker.io/library/a:latest"),
            entry("b", "latest", image: "docker.io/library/b:latest"),
        ]
        #expect(found("latest", twins) == "one of 2" && found("latest", twins, isExact: true) == "one of 2")
        #expect(found("docker.io/library/a:latest", twins) == "a" && found("b:latest", twins) == "b")
        #expect(LayoutNames(twins).sharedTags.map(\.value) == ["latest"])

        let wholes = [entry("a", "x.test/a:1"), entry("b", "x.test/b:1"), entry("c", "1")]
        #expect(found("1", wholes) == "c" && found("1", Array(wholes.prefix(2))) == "one of 2")
        #expect(LayoutNames(wholes).sharedTags.map(\.value) == ["1"])

        let same = [entry("a", "v1", image: "x.test/a:v1"), entry("a", "v1", image: "y.test/a:v1"), entry("b", "v2")]
        #expect(found("v1", same) == "a" && LayoutNames(same).sharedTags.isEmpty)
        #expect(LayoutNames(same).choices.map(\.names) == [["v1", "x.test/a:v1", "y.test/a:v1"], ["v2"]])
    }

    @Test(
        "The tag of a name is found",
        arguments: [
            ("v1", "v1"), ("docker.io/library/alpine:3", "3"), ("r.example:5000/app", nil),
            ("r.example:5000/app:x", "x"),
            ("app:v1@sha256:\(String(repeating: "0", count: 64))", "v1"), ("a b", nil), ("app:", nil), ("app:+", nil),
            ("docker.io/library/alpine", nil),
        ] as [(String, String?)]
    )
    func tags(name: String, tag: String?) {
        #expect(entry("a", name).imageTag?.value == tag)
        #expect(entry("a", image: name).imageTag?.value == tag)
    }

    @Test("Names are shown without control characters, and at most 20 of them")
    func shown() {
        let names = LayoutNames([entry("a", "x\u{1B}[31m"), entry("b")])
        #expect(names.choices.shown == "\(Digest(of: "a".utf8)) (x?[31m), \(Digest(of: "b".utf8)) (untagged)")
        let many = LayoutNames((0..<25).map { entry("\($0)") })
        #expect(many.choices.shown.hasSuffix("(untagged), and 5 more"))
    }

    @Test("A colon separates a name from a directory unless a directory has that path")
    func places() {
        func place(_ path: String, _ existing: String...) -> LayoutPlace {
            LayoutPlace(ImageLayout(path: path), in: "/home", exists: { existing.contains($0) })
        }
        #expect(place("lay", "/home/lay") == LayoutPlace(path: "/home/lay", scope: nil))
        #expect(place("new") == LayoutPlace(path: "/home/new", scope: nil))
        #expect(place("/a:b/lay", "/a:b/lay", "/a") == LayoutPlace(path: "/a:b/lay", scope: nil))
        #expect(place("/lay:docker.io/app", "/lay") == LayoutPlace(path: "/lay", scope: "docker.io/app"))
        #expect(place("lay:r.test:5000/app", "/home/lay") == LayoutPlace(path: "/home/lay", scope: "r.test:5000/app"))
        #expect(
            place("a:b/lay:docker.io/app", "/home/a:b/lay")
                == LayoutPlace(path: "/home/a:b/lay", scope: "docker.io/app")
        )
        #expect(place("/no:docker.io/app") == LayoutPlace(path: "/no:docker.io/app", scope: nil))
    }
}
