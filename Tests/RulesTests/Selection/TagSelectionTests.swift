import Content
import Foundation
import Testing

@testable import Rules

@Suite("Selecting tags")
struct TagSelectionTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    /// Tags with the age of their images in hours, and optionally the last digit of the digest: `v1=5@a`.
    private func candidates(_ list: String) throws -> [TagCandidate] {
        try list.split(separator: " ").map { word in
            let halves = word.split(separator: "@").map(String.init)
            let parts = halves[0].split(separator: "=").map(String.init)
            var candidate = TagCandidate(try Content.Tag(parsing: parts[0]))
            if parts.count > 1, let hours = Double(parts[1]) {
                candidate.pushedAt = Self.now.addingTimeInterval(-hours * 3_600)
            }
            if halves.count > 1 {
                candidate.digest = try Digest(parsing: "sha256:" + String(repeating: halves[1], count: 64))
            }
            return candidate
        }
    }

    private func select(_ tags: String, _ list: String) throws -> TagSelection {
        try onlyRule("tags: { \(tags) }").tags.select(from: try candidates(list), now: Self.now)
    }

    @Test(
        "takes the tags that pass every stage",
        arguments: [
            ("", "a b v1", "a b v1"), ("match: [\"v*\", latest]", "v1 latest x", "v1 latest"),
            ("match: [\"re:v[0-9]+\"]", "v1 v12 v1a", "v1 v12"),
            ("semver: \">=1.2\"", "v1.1 v1.2 1.3.0 2 x v2.0.0-rc.1", "v1.2 1.3.0 2"),
            ("semver: \">=1.2\", prerelease: true", "v1.2.0-rc.1 v2.0.0-rc.1 v3", "v2.0.0-rc.1 v3"),
            ("semver: \">=1 <2\", prerelease: true", "1.9.0-a 2.0.0-rc.1 2.1.0-a", "1.9.0-a"),
            ("semver: \">=1.2.0-rc.1\"", "1.2.0-rc.2 1.2.0", "1.2.0"),
            ("semver: \"1.x\"", "1.4.0_build.5 1.5.0", "1.4.0_build.5 1.5.0"),
            ("match: \"v*\", exclude: [\"*-rc*\", v1]", "v1 v2 v3-rc1", "v2"),
            ("minAge: 2h", "old=3 edge=2 young=1 unknown", "old edge"),
            ("newest: 2", "a=3 b=1 c=2", "b c"), ("newest: 1", "a=1@1 b=1@1 c=2@2", "a b"),
            ("newest: 1", "a=1@2 b=1@1", "b"), ("newest: 1", "a=1 b", "a"),
            ("newest: 2, newestBy: semver", "v1.9.0 v1.10.0 v1.2.0 x", "v1.9.0 v1.10.0"),
            ("newest: 1, newestBy: semver", "v2 2.0.0 v1", "v2 2.0.0"),
            ("newest: 1, newestBy: semver", "v2.0.0-rc.1 v1.9", "v2.0.0-rc.1"),
            ("match: \"v*\", include: [latest, gone]", "latest v1 x", "latest v1"),
            ("match: \"v*\", exclude: v1, include: [v1]", "v1 v2", "v1 v2"),
            ("minAge: 2h, include: [young]", "young=1 old=3", "young old"),
            ("minAge: 2h, newest: 1", "first=5 second=3 third=1", "second"),
        ]
    )
    func chosen(_ tags: String, _ list: String, _ chosen: String) throws {
        #expect(try select(tags, list).chosen.map(\.tag.value).joined(separator: " ") == chosen)
    }

    @Test(
        "leaves alone the tags that are too young or of unknown age, unless they are included",
        arguments: [
            ("minAge: 2h", "old=3 young=1 unknown", "young unknown"), ("newest: 1", "a=1 b=2 c", "c"),
            ("minAge: 2h, include: [young]", "old=3 young=1", ""), ("match: v1", "v1=1 v2=1", ""),
        ]
    )
    func undecided(_ tags: String, _ list: String, _ left: String) throws {
        #expect(try select(tags, list).undecided.map(\.value).joined(separator: " ") == left)
    }

    @Test("counts what goes in and out of each stage, in the order of the stages")
    func counts() throws {
        let selection = try select(
            "minTags: 1, include: [x], newest: 1, minAge: 1h, exclude: \"*-rc*\", semver: \">=1\", match: [\"v*\"]",
            "v0.9=9 v1.0=8 v1.1=7 v1.2-rc1=6 v1.3=0 vx=9 x=0 y=0"
        )
        #expect(
            selection.stages.map { "\($0.name.rawValue) \($0.countIn) \($0.countOut)" } == [
                "match 8 6", "semver 6 3", "exclude 3 3", "minAge 3 2", "newest 2 1", "include 1 2", "minTags 2 2",
            ]
        )
        #expect(selection.wanted == nil && selection.missing.isEmpty)
        #expect(selection.chosen.map(\.tag.value) == ["v1.1", "x"])
        #expect(
            selection.stages.flatMap(\.dropped).map { "\($0.tag) \($0.reason)" } == [
                "x matches no pattern", "y matches no pattern", "v0.9 is outside >=1",
                "v1.2-rc1 is a pre-release, and prerelease is not true", "vx is not a version",
                "v1.3 is too young, and qualifies at 2027-01-15T09:00:00Z", "v1.0 is not among the newest 1",
            ]
        )
    }

    @Test("leaves a moving tag as it is while its image is too young, and says when it qualifies")
    func coolingDown() throws {
        let selection = try select("match: latest, minAge: 24h", "latest=20 v1=30")
        #expect(selection.chosen.isEmpty)
        #expect(selection.coolingDown.map(\.tag.value) == ["latest"])
        #expect(selection.coolingDown.map(\.qualifiesAt) == [Self.now.addingTimeInterval(4 * 3_600)])
        #expect(try select("minAge: 24h, include: [latest]", "latest=20").coolingDown.isEmpty)
    }

    @Test("takes nothing where the age is not known")
    func unknownAge() throws {
        let selection = try select("minAge: 1h", "a b=2")
        #expect(selection.stages.first?.dropped.map(\.reason) == [.unknownAge])
    }

    @Test("says that there are too few tags, and which named tags are missing")
    func tooFew() throws {
        let selection = try select("match: \"v*\", include: [gone], minTags: 3", "v1 v2")
        #expect(selection.wanted == 3 && selection.missing.map(\.value) == ["gone"])
        #expect(
            selection.lines == [
                "match    2 → 2", "include  2 → 2", "minTags  2 → 2", "the source does not have gone",
                "minTags is 3: nothing is written or pruned with 2 tags",
            ]
        )
        #expect(try select("match: \"v*\"", "a").lines.last == "warning: no tag is selected; nothing is pruned either")
    }

    @Test("names five dropped tags to people, and counts the others")
    func lines() throws {
        let selection = try select("exclude: \"a*\"", "a1 a2 a3 a4 a5 a6 a7 b")
        #expect(
            selection.lines == ["exclude  8 → 1"] + (1...5).map { "  a\($0) is excluded by a*" } + ["  and 2 more"]
        )
        #expect(selection.stages.first?.dropped.count == 7)
    }

    @Test("leaves digest tags to their images")
    func digestTags() throws {
        let subject = "sha256-" + String(repeating: "a", count: 64)
        let selection = try select("", "\(subject).sig \(subject) v1")
        #expect(selection.chosen.map(\.tag.value) == ["v1"])
    }

    @Test("chooses the same tags whatever the order of the list")
    func order() throws {
        let list = "a=1@1 b=1@2 c=2@3 d=3@3 e=3@4".split(separator: " ").map(String.init)
        let sets = try (0..<list.count).map { turn in
            let turned = list[turn...] + list[..<turn]
            return Set(try select("newest: 2", turned.joined(separator: " ")).chosen.map(\.tag.value))
        }
        #expect(Set(sets).count == 1)
    }

    @Test("reads lists of tags with times and digests")
    func listing() throws {
        let digest = "sha256:" + String(repeating: "c", count: 64)
        let text = """
            # a comment
            v1

            v2 2026-01-15T12:00:00Z
            v3  2026-01-15 12:00:00  \(digest)
            v4 \(digest)
            v5  \(digest)  12.3 MB  2026-01-15T12:00:00Z  archived
            """
        let listing = try TagListing(parsing: text, file: "tags.txt")
        #expect(listing.candidates.map(\.tag.value) == ["v1", "v2", "v3", "v4", "v5"])
        let noon = Date(timeIntervalSince1970: 1_768_478_400)
        #expect(listing.candidates.map(\.pushedAt) == [nil, noon, noon, nil, noon])
        #expect(listing.candidates.map { $0.digest != nil } == [false, false, true, true, true])
    }

    @Test(
        "refuses lists that it can't read, with the line",
        arguments: [
            ("v1\nv 2\n", "tags.txt:2: '2' is not a time; write it as 2026-01-15T12:00:00Z"),
            ("v1 sha256:12\n", "tags.txt:1: 'sha256:12' is not a digest"),
            ("a/b\n", "tags.txt:1: 'a/b' is not a tag: only letters, digits and _ . - are allowed"),
        ]
    )
    func wrongListing(_ text: String, _ message: String) throws {
        let fault = try #require(throws: TagListing.Fault.self) { try TagListing(parsing: text, file: "tags.txt") }
        #expect("\(fault)" == message)
    }
}
