import Content
import Testing

@testable import Replicate

@Suite("Versions")
struct VersionTests {
    @Test("come in the order of semver.org, section 11")
    func order() throws {
        let ordered = [
            "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
            "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "1.10.0", "v2", "10.0.0",
        ]
        let versions = try ordered.map { try #require(Version($0)) }
        for (left, right) in zip(versions, versions.dropFirst()) { #expect(left < right && !(right < left)) }
        #expect(Version("1.0.0+build-5") == Version("v1"))
    }

    @Test(
        "are no other texts",
        arguments: [
            "", "v", "latest", "1.x", "1.*", "1.2.3.4", "1..2", "a.b.c", "1.0.0-", "-1", "1.2.-3",
            "12345678901234567890",
        ]
    )
    func noVersion(_ text: String) { #expect(Version(text) == nil) }

    /// From the README of npm's semver 7, and its ranges of each form.
    @Test(
        "pass ranges as npm reads them",
        arguments: [
            (">=1.2.7", ["1.2.7", "1.2.8", "2.5.3"], ["1.2.6", "1.1.0"]),
            (">=1.2.7 <1.3.0", ["1.2.7", "1.2.99"], ["1.2.6", "1.3.0"]),
            ("1.2.7 || >=1.2.9 <2.0.0", ["1.2.7", "1.2.9", "1.4.6"], ["1.2.8", "2.0.0"]),
            ("1.x", ["1.0.0", "1.99.0"], ["0.9.0", "2.0.0"]), ("1.2.X", ["1.2.0"], ["1.3.0"]),
            ("1", ["1.5.0"], ["2.0.0"]), ("=1.2", ["1.2.3"], ["1.3.0"]), ("*", ["0.0.1", "9.9.9"], ["1.0.0-rc.1"]),
            ("X", ["1.0.0"], ["1.0.0-rc.1"]),
            ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]), ("~1.2", ["1.2.0"], ["1.3.0"]),
            ("~1", ["1.9.0"], ["2.0.0"]), ("~0.2.3", ["0.2.5"], ["0.3.0"]),
            ("~1.2.3-beta.2", ["1.2.3-beta.4", "1.2.3"], ["1.2.4-beta.2", "1.2.3-beta.1"]),
            ("^1.2.3", ["1.9.0"], ["2.0.0", "1.2.2"]), ("^0.2.3", ["0.2.9"], ["0.3.0"]),
            ("^0.0.3", ["0.0.3"], ["0.0.4"]), ("^1.2.x", ["1.9.0"], ["2.0.0"]), ("^0.0.x", ["0.0.9"], ["0.1.0"]),
            ("^0.0", ["0.0.9"], ["0.1.0"]), ("^1.x", ["1.0.0"], ["2.0.0"]), ("^0.x", ["0.9.9"], ["1.0.0"]),
            ("^1.2.3-beta.2", ["1.2.3-beta.4", "1.9.0"], ["2.0.0", "1.2.4-beta.1"]),
            (">1", ["2.0.0"], ["1.9.9"]), (">1.2", ["1.3.0"], ["1.2.9"]), ("<=1", ["1.9.9"], ["2.0.0"]),
            ("<=1.2", ["1.2.9"], ["1.3.0"]), ("<1", ["0.9.9"], ["1.0.0"]), (">1.2.3", ["1.2.4"], ["1.2.3"]),
            ("<=1.2.3", ["1.2.3"], ["1.2.4"]), (">= 1.2, < 2", ["1.2.0"], ["2.0.0"]),
            (">1.2.3-alpha.3", ["1.2.3-alpha.7", "3.4.5"], ["3.4.5-alpha.9", "1.2.3-alpha.2"]),
            (">=1", ["1", "v1.5"], ["1-alpine", "2.1-rc"]),
        ]
    )
    func ranges(_ text: String, _ inside: [String], _ outside: [String]) throws {
        let range = try #require(VersionRange(text))
        for version in inside { #expect(try range.contains(#require(Version(version))), "\(version) in \(text)") }
        for version in outside { #expect(try !range.contains(#require(Version(version))), "\(version) in \(text)") }
    }

    @Test("have no range in these", arguments: ["", "|", "latest", ">=", "1.x.3", "1.2 - 2", "==1", ">=a"])
    func noRange(_ text: String) { #expect(VersionRange(text) == nil) }
}

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
        #expect(try TagPattern(parsing: pattern).matches(Tag(parsing: tag)) == matches)
    }

    @Test(
        "says what is wrong with a pattern",
        arguments: [
            ("", "'' is not a pattern for tags: it is empty"),
            ("re:(", "'re:(' is not a pattern for tags: not a regular expression"),
            ("semver:x.y", "'semver:x.y' is not a pattern for tags: not a range of versions, as semver:>=1.2 <2"),
        ]
    )
    func wrong(_ pattern: String, _ words: String) {
        let error = #expect(throws: PatternError.self) { try TagPattern(parsing: pattern) }
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

    @Test("keeps of an image the tags that pass, in order")
    func tagsOfAnImage() throws {
        let tags = try ["v2", "latest", "v1", "sha256-\(Digest.ofNothing.hex).sig"].map { try Tag(parsing: $0) }
        let image = ListedImage(digest: .ofNothing, tags: tags)
        let filter = TagFilter(patterns: [try TagPattern(parsing: "v*")])
        #expect(try filter.select(from: [image]).first?.tags.map(\.value) == ["v1", "v2"])
        #expect(try TagFilter().select(from: [image]).first?.tags.count == 3)
        #expect(try TagFilter().select(from: [image], digestTagsToo: true).first?.tags.count == 4)
    }
}
