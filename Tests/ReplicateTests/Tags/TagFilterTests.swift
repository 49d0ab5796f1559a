import Content
import Testing

@testable import Replicate

@Suite("Choosing tags")
struct TagFilterTests {
    @Test(
        "a glob, an expression and a range match the whole tag",
        arguments: [
            ("v1", "v1", true), ("v1", "v10", false), ("v*", "v1.2", true), ("*", "x", true), ("v?", "v1", true),
            ("v?", "v", false), ("*-rc*", "1-rc2", true), ("*-rc*", "1-r2", false), ("a*b*c", "aXbYbZc", true),
            ("**x", "x", true), ("v1.*", "v11", false), ("re:v[0-9]+", "v12", true), ("re:v[0-9]", "v12", false),
            ("re:a|b", "b", true), ("semver:^1.2", "v1.9.0", true), ("semver:^1.2", "v2", false),
            ("semver:*", "latest", false),
        ]
    )
    func patterns(_ pattern: String, _ tag: String, _ matches: Bool) throws {
        #expect(try TagFilter.Pattern(parsing: pattern).matches(Tag(parsing: tag)) == matches)
    }

    @Test(
        "says what is wrong with a pattern",
        arguments: [
            ("", "'' is not a pattern for tags: it is empty"),
            ("re:(", "'re:(' is not a pattern for tags: it is not a regular expression: there is a ( without its )"),
            ("semver:x.y", "'semver:x.y' is not a pattern for tags: not a range of versions, such as semver:>=1.2 <2"),
        ]
    )
    func wrong(_ pattern: String, _ words: String) {
        let error = #expect(throws: TagFilter.PatternError.self) { try TagFilter.Pattern(parsing: pattern) }
        #expect(error?.description == words)
    }

    @Test("the last pushed come first, equal times by digest, however they were listed")
    func newest() throws {
        let images = try (0..<6).map { number in
            ListedImage(
                digest: Digest(of: [UInt8(number)]),
                tags: [try Tag(parsing: "t\(number)")],
                pushedAt: Double(number / 2)
            )
        }
        let chosen = try TagFilter(newest: 3).select(from: images).map(\.digest)
        #expect(try TagFilter(newest: 3).select(from: images.reversed()).map(\.digest) == chosen)
        #expect(Set(chosen.prefix(2)) == Set(images.suffix(2).map(\.digest)))
        #expect(try TagFilter(newest: -1).select(from: images).isEmpty)
        #expect(try TagFilter(newest: 99).select(from: images).count == 6)
    }

    @Test("a tag passes if one pattern matches it and none of the exclusions does")
    func exclusions() throws {
        let tags = try ["1.2.3", "1.2.4-rc1", "2.0.0", "latest", "nightly"].map { try Tag(parsing: $0) }
        let image = ListedImage(digest: .ofNothing, tags: tags)
        func chosen(_ match: [String], _ exclude: [String]) throws -> [String] {
            let filter = TagFilter(
                patterns: try match.map { try TagFilter.Pattern(parsing: $0) },
                excluded: try exclude.map { try TagFilter.Pattern(parsing: $0) }
            )
            return try filter.select(from: [image]).flatMap(\.tags).map(\.value)
        }
        #expect(try chosen(["1.*", "latest"], []) == ["1.2.3", "1.2.4-rc1", "latest"])
        #expect(try chosen(["1.*", "latest"], ["*-rc*"]) == ["1.2.3", "latest"])
        #expect(try chosen([], ["semver:*", "latest"]) == ["1.2.4-rc1", "nightly"])
        #expect(try chosen(["latest"], ["latest"]).isEmpty)
        #expect(try chosen(["latest"], ["re:.*"]).isEmpty)
    }

    @Test("keeps the tags of an image that pass, in order")
    func tagsOfAnImage() throws {
        let tags = try ["v2", "latest", "v1", "sha256-\(Digest.ofNothing.hex).sig"].map { try Tag(parsing: $0) }
        let image = ListedImage(digest: .ofNothing, tags: tags)
        let filter = TagFilter(patterns: [try TagFilter.Pattern(parsing: "v*")])
        #expect(try filter.select(from: [image]).first?.tags.map(\.value) == ["v1", "v2"])
        #expect(try TagFilter().select(from: [image]).first?.tags.count == 3)
        #expect(try TagFilter().select(from: [image], digestTagsToo: true).first?.tags.count == 4)
    }
}
