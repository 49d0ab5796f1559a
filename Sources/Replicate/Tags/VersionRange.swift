/// A version by the rules of semver.org 2.0, with or without a leading `v`.
package struct Version: Comparable, Sendable {
    package var major: Int
    package var minor: Int
    package var patch: Int
    package var prerelease: [String]

    init(_ major: Int, _ minor: Int, _ patch: Int, _ prerelease: [String] = []) {
        (self.major, self.minor, self.patch, self.prerelease) = (major, minor, patch, prerelease)
    }

    /// Reads a version; a missing minor or patch counts as 0, and build metadata is ignored, as the rules say.
    init?(_ text: String) {
        // `1.x` stands for many versions, so it isn't a version.
        guard let parts = PartialVersion(text), !parts.hasWildcard, let major = parts.numbers.first else { return nil }
        self.init(
            major,
            parts.numbers.count > 1 ? parts.numbers[1] : 0,
            parts.numbers.count > 2 ? parts.numbers[2] : 0,
            parts.prerelease
        )
    }

    /// Reads the version that a tag stands for.
    ///
    /// A tag can't contain a plus, so Helm writes the build metadata of a chart's version after an underscore.
    ///
    /// - Source: helm.sh, "Use OCI-based registries", on tags and SemVer
    package init?(tag: String) {
        guard let underscore = tag.firstIndex(of: "_") else {
            self.init(tag)
            return
        }
        let metadata = tag[tag.index(after: underscore)...].split(separator: ".", omittingEmptySubsequences: false)
        let isValid = metadata.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
        guard isValid else { return nil }
        self.init(String(tag[..<underscore]))
    }

    package static func < (left: Version, right: Version) -> Bool {
        let (a, b) = ((left.major, left.minor, left.patch), (right.major, right.minor, right.patch))
        guard a == b else { return a < b }
        // A release comes after its pre-releases.
        guard !left.prerelease.isEmpty, !right.prerelease.isEmpty else {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (mine, other) in zip(left.prerelease, right.prerelease) where mine != other {
            return switch (Int(mine), Int(other)) {
            case (let mine?, let other?): mine < other
            case (_?, nil): true
            case (nil, _?): false
            case (nil, nil): mine < other
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}

/// A version of which only the first parts are given: `1`, `1.2`, `v1.2.3-rc.1`, `1.x`.
private struct PartialVersion {
    var numbers: [Int]
    var prerelease: [String]
    var hasWildcard = false

    init?(_ text: String) {
        var rest = Substring(text)
        if rest.hasPrefix("v") || rest.hasPrefix("V") { rest = rest.dropFirst() }
        rest = rest.prefix { $0 != "+" }
        let core = rest.prefix { $0 != "-" }
        let suffix = rest.dropFirst(core.count)
        prerelease = suffix.isEmpty ? [] : suffix.dropFirst().split(separator: ".").map(String.init)
        guard suffix.isEmpty || !prerelease.isEmpty else { return nil }
        numbers = []
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        for (index, part) in parts.enumerated() {
            if index > 0, part == "x" || part == "X" || part == "*" {
                hasWildcard = true
                continue
            }
            // After a wildcard, only wildcards may follow.
            guard !hasWildcard else { return nil }
            guard part.count <= 18, part.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(part) else {
                return nil
            }
            numbers.append(number)
        }
    }

    var floor: Version {
        Version(numbers[0], numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : 0, prerelease)
    }

    /// The first version after all versions that begin with the first `count` of these numbers.
    func ceiling(keeping count: Int) -> Version {
        switch min(count, numbers.count) {
        case 1: Version(numbers[0] + 1, 0, 0)
        case 2: Version(numbers[0], numbers[1] + 1, 0)
        default: Version(numbers[0], numbers.count > 1 ? numbers[1] : 0, (numbers.count > 2 ? numbers[2] : 0) + 1)
        }
    }
}

/// A range of versions: `>=1.2 <2`, `^1.2`, `~1.2.3`, `1.x`, `1.2 || 3`.
///
/// It follows npm's rules: a pre-release matches only a range that names a pre-release of the same version.
package struct VersionRange: Sendable {
    package enum Bound: Sendable { case atLeast(Version), below(Version), above(Version), atMost(Version) }
    package private(set) var alternatives: [[Bound]] = []

    /// - Returns: `nil` if the text is not a range.
    package init?(_ text: String) {
        for alternative in text.split(separator: "|", omittingEmptySubsequences: true) {
            var bounds: [Bound] = []
            var operation = ""
            for word in alternative.split(whereSeparator: { $0 == " " || $0 == "," }) {
                let symbols = word.prefix { "<>=^~".contains($0) }
                operation += symbols
                let rest = word.dropFirst(symbols.count)
                if rest.isEmpty { continue }
                if rest == "*" || rest == "x" || rest == "X" {
                    operation = ""
                    continue
                }
                guard let partial = PartialVersion(String(rest)), let more = Self.bounds(operation, partial) else {
                    return nil
                }
                bounds += more
                operation = ""
            }
            guard operation.isEmpty else { return nil }
            alternatives.append(bounds)
        }
        guard !alternatives.isEmpty else { return nil }
    }

    package func contains(_ version: Version) -> Bool {
        alternatives.contains { bounds in
            guard version.prerelease.isEmpty || bounds.contains(where: { Self.names($0, aPrereleaseOf: version) })
            else {
                return false
            }
            return bounds.allSatisfy { bound in
                switch bound {
                case .atLeast(let limit): version >= limit
                case .below(let limit): version < limit
                case .above(let limit): version > limit
                case .atMost(let limit): version <= limit
                }
            }
        }
    }

    private static func names(_ bound: Bound, aPrereleaseOf version: Version) -> Bool {
        let limit =
            switch bound {
            case .atLeast(let limit), .below(let limit), .above(let limit), .atMost(let limit): limit
            }
        return !limit.prerelease.isEmpty
            && (limit.major, limit.minor, limit.patch) == (version.major, version.minor, version.patch)
    }

    private static func bounds(_ operation: String, _ version: PartialVersion) -> [Bound]? {
        switch operation {
        case ">=": return [.atLeast(version.floor)]
        case ">": return version.numbers.count < 3 ? [.atLeast(version.ceiling(keeping: 3))] : [.above(version.floor)]
        case "<": return [.below(version.floor)]
        case "<=": return version.numbers.count < 3 ? [.below(version.ceiling(keeping: 3))] : [.atMost(version.floor)]
        case "~": return [.atLeast(version.floor), .below(version.ceiling(keeping: 2))]
        case "^":
            // The first number that isn't 0 stays fixed.
            let kept = (version.numbers.firstIndex { $0 != 0 } ?? version.numbers.count - 1) + 1
            return [.atLeast(version.floor), .below(version.ceiling(keeping: kept))]
        case "", "=":
            return version.numbers.count == 3
                ? [.atLeast(version.floor), .atMost(version.floor)]
                : [.atLeast(version.floor), .below(version.ceiling(keeping: 3))]
        default: return nil
        }
    }
}
