internal import AWSIdentity
internal import Content
internal import Replicate

extension DroppedTag.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .matchesNothing: "matches no pattern"
        case .notAVersion: "is not a version"
        case .prerelease: "is a pre-release, and prerelease is not true"
        case .outsideRange(let range): "is outside \(quotable(range, upTo: 200))"
        case .excluded(let pattern): "is excluded by \(quotable(pattern, upTo: 200))"
        case .tooYoung(let time): "is too young, and qualifies at \(AWSTime.extended(time))"
        case .unknownAge: "has no push time, so its age is unknown"
        case .notAmongNewest(let count): "is not among the newest \(count)"
        }
    }
}

extension TagSelection {
    /// The most tags of one stage that are named to people.
    private static let mostNamed = 5

    /// What each stage did: a line for each stage, and one for each reason to leave out tags.
    package var lines: [String] {
        var lines: [String] = []
        for stage in stages {
            let name = stage.name.rawValue
            lines.append(
                "\(name)\(String(repeating: " ", count: max(1, 9 - name.count)))\(stage.countIn) → \(stage.countOut)"
            )
            lines += Self.lines(about: stage.dropped)
            if !stage.added.isEmpty { lines.append("  adds \(Self.named(stage.added))") }
        }
        if !missing.isEmpty { lines.append("the source does not have \(Self.named(missing))") }
        if let wanted {
            lines.append("minTags is \(wanted): nothing is written or pruned with \(counted(chosen.count, "tag"))")
        } else if chosen.isEmpty, !stages.isEmpty {
            lines.append("warning: no tag is selected; nothing is pruned either")
        }
        return lines
    }

    private static func lines(about dropped: [DroppedTag]) -> [String] {
        var shown = dropped.prefix(mostNamed).map { "  \($0.tag) \($0.reason)" }
        if dropped.count > mostNamed { shown.append("  and \(dropped.count - mostNamed) more") }
        return shown
    }

    private static func named(_ tags: [Tag]) -> String {
        let shown = tags.prefix(mostNamed).map(\.value).joined(separator: ", ")
        return tags.count > mostNamed ? "\(shown) and \(tags.count - mostNamed) more" : shown
    }
}
