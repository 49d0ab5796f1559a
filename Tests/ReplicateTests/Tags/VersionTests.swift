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
        "are not read from other texts",
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

    @Test(
        "of charts have an underscore where Helm had a plus",
        arguments: [
            ("1.2.6_build5", "1.2.6"), ("2.0.0_3d53eea", "2.0.0"), ("v1.3.0-rc.1_2024.01-01", "1.3.0-rc.1"),
            ("1.2_b", "1.2"), ("1.2.3", "1.2.3"),
        ]
    )
    func charts(_ tag: String, _ version: String) { #expect(Version(tag: tag) == Version(version)) }

    @Test(
        "of charts need build metadata behind the underscore",
        arguments: ["1.2.3_", "1.2.3_a_b", "1.2.3_a..b", "_a", "a_1"]
    )
    func noChart(_ tag: String) { #expect(Version(tag: tag) == nil) }

    @Test("have no range in these", arguments: ["", "|", "latest", ">=", "1.x.3", "1.2 - 2", "==1", ">=a"])
    func noRange(_ text: String) { #expect(VersionRange(text) == nil) }
}
