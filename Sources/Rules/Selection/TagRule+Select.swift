internal import Content
package import FoundationEssentials
internal import Replicate

extension TagRule {
    /// Selects the tags to copy.
    ///
    /// Digest tags (`sha256-….sig` and the like) are left out before the first stage, because they are copied with
    /// their image.
    ///
    /// - Parameter now: The time that ages are measured from.
    package func select(from listed: [TagCandidate], now: Date) -> TagSelection {
        let listed = listed.filter { $0.tag.digestTagSubject == nil }
        guard selectsTags else { return TagSelection(stages: [], chosen: [], missing: [], wanted: nil) }
        var run = SelectionRun(remaining: listed)
        if !match.isEmpty {
            run.apply(.match) { candidate in
                match.contains { $0.pattern.matches(candidate.tag) } ? nil : .matchesNothing
            }
        }
        if let semver { run.apply(.semver) { semver.refusal(of: $0.tag) } }
        if !exclude.isEmpty {
            run.apply(.exclude) { candidate in
                exclude.first { $0.pattern.matches(candidate.tag) }.map { .excluded(by: $0.text) }
            }
        }
        if let minAge { run.apply(.minAge) { Self.refusal(of: $0, youngerThan: minAge, now) } }
        if let newest {
            switch newestBy {
            case .pushTime: run.keepLastPushed(newest)
            case .semver: run.keepHighestVersions(newest)
            }
        }
        let missing = include.filter { tag in !listed.contains { $0.tag == tag } }
        if !include.isEmpty { run.add(Set(include), from: listed) }
        let count = run.remaining.count
        if minTags != nil { run.stages.append(.init(name: .minTags, countIn: count, countOut: count, dropped: [])) }
        let wanted = minTags.flatMap { count < $0 ? $0 : nil }
        return TagSelection(stages: run.stages, chosen: run.remaining, missing: missing, wanted: wanted)
    }

    private static func refusal(
        of candidate: TagCandidate,
        youngerThan age: Duration,
        _ now: Date
    ) -> DroppedTag.Reason? {
        guard let pushedAt = candidate.pushedAt else { return .unknownAge }
        let qualifiesAt = pushedAt.addingTimeInterval(TimeInterval(age.components.seconds))
        return qualifiesAt <= now ? nil : .tooYoung(qualifiesAt: qualifiesAt)
    }
}

extension TextualRange {
    /// Why a tag is outside the range; `nil` if it is inside.
    fileprivate func refusal(of tag: Tag) -> DroppedTag.Reason? {
        guard let version = Version(tag: tag.value) else { return .notAVersion }
        guard version.prerelease.isEmpty || takesPrereleases else { return .prerelease }
        return range.spans(version) ? nil : .outsideRange(text)
    }
}

/// The tags that are left after the stages so far.
private struct SelectionRun {
    var remaining: [TagCandidate]
    var stages: [TagSelection.Stage] = []

    mutating func apply(_ name: TagSelection.Stage.Name, _ refusal: (TagCandidate) -> DroppedTag.Reason?) {
        let before = remaining.count
        var kept: [TagCandidate] = []
        var dropped: [DroppedTag] = []
        for candidate in remaining {
            if let reason = refusal(candidate) {
                dropped.append(DroppedTag(tag: candidate.tag, reason: reason))
            } else {
                kept.append(candidate)
            }
        }
        remaining = kept
        stages.append(.init(name: name, countIn: before, countOut: kept.count, dropped: dropped))
    }

    /// Keeps the tags of the images that were pushed last; several tags of one image count once.
    mutating func keepLastPushed(_ count: Int) {
        let times = remaining.compactMap { candidate in
            candidate.pushedAt.map { (image: Self.image(of: candidate), time: $0) }
        }
        // Images of the same time are ordered by digest, so that two runs choose the same ones.
        let ordered = times.sorted { left, right in
            left.time == right.time ? left.image < right.image : left.time > right.time
        }
        var kept: Set<String> = []
        for entry in ordered where kept.count < count { kept.insert(entry.image) }
        apply(.newest) { candidate in
            guard candidate.pushedAt != nil else { return .unknownAge }
            return kept.contains(Self.image(of: candidate)) ? nil : .notAmongNewest(count)
        }
    }

    private static func image(of candidate: TagCandidate) -> String {
        candidate.digest?.hex ?? "tag \(candidate.tag)"
    }

    /// Keeps the highest versions; several tags of one version count once.
    mutating func keepHighestVersions(_ count: Int) {
        var kept: [Version] = []
        for version in remaining.compactMap({ Version(tag: $0.tag.value) }).sorted(by: >) where kept.last != version {
            guard kept.count < count else { break }
            kept.append(version)
        }
        apply(.newest) { candidate in
            guard let version = Version(tag: candidate.tag.value) else { return .notAVersion }
            return kept.contains(version) ? nil : .notAmongNewest(count)
        }
    }

    /// Brings back tags that earlier stages dropped, in the order of the listing.
    mutating func add(_ tags: Set<Tag>, from listed: [TagCandidate]) {
        let before = Set(remaining.map(\.tag))
        let added = listed.filter { tags.contains($0.tag) && !before.contains($0.tag) }
        let kept = before.union(added.map(\.tag))
        remaining = listed.filter { kept.contains($0.tag) }
        stages.append(
            .init(
                name: .include,
                countIn: before.count,
                countOut: remaining.count,
                dropped: [],
                added: added.map(\.tag)
            )
        )
    }
}

extension VersionRange {
    /// Whether a version lies within the bounds, pre-releases too.
    ///
    /// `<2` leaves out the pre-releases of 2.0.0 itself, although they come before it.
    fileprivate func spans(_ version: Version) -> Bool {
        alternatives.contains { bounds in
            bounds.allSatisfy { bound in
                switch bound {
                case .atLeast(let limit): version >= limit
                case .above(let limit): version > limit
                case .atMost(let limit): version <= limit
                case .below(let limit): version < limit && !limit.hasPrerelease(version)
                }
            }
        }
    }
}

extension Version {
    fileprivate func hasPrerelease(_ other: Version) -> Bool {
        prerelease.isEmpty && !other.prerelease.isEmpty
            && (major, minor, patch) == (other.major, other.minor, other.patch)
    }
}
