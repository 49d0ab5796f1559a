package import Content
package import FoundationEssentials

/// A tag of the source, with what is known of its image.
package struct TagCandidate: Sendable, Hashable {
    package var tag: Tag
    /// The image; `nil` where only names are listed.
    package var digest: Digest?
    /// When ECR received the image; `nil` where the registry does not say.
    package var pushedAt: Date?

    package init(_ tag: Tag, digest: Digest? = nil, pushedAt: Date? = nil) {
        (self.tag, self.digest, self.pushedAt) = (tag, digest, pushedAt)
    }
}

/// The tags that a rule copies from one repository, and what each stage did.
package struct TagSelection: Sendable {
    package var stages: [Stage]
    /// The tags to copy, in the order of the listing.
    package var chosen: [TagCandidate]
    /// Tags of `include` that the source does not have.
    package var missing: [Tag]
    /// The number that `minTags` asks for, if there are fewer tags.
    package var wanted: Int?

    /// One stage: how many tags went in, and which did not come out.
    package struct Stage: Sendable {
        package var name: Name
        package var countIn: Int
        package var countOut: Int
        package var dropped: [DroppedTag]
        /// The tags that `include` brings back.
        package var added: [Tag] = []

        package enum Name: String, Sendable, CaseIterable {
            case match, semver, exclude, minAge, newest, include, minTags
        }
    }

    /// The tags whose images are too young, or of an unknown age: they stay at the destination as they are, and are
    /// neither moved nor pruned.
    package var undecided: [Tag] {
        let chosen = Set(chosen.map(\.tag))
        return stages.flatMap(\.dropped).compactMap { dropped in
            switch dropped.reason {
            case .tooYoung, .unknownAge: chosen.contains(dropped.tag) ? nil : dropped.tag
            default: nil
            }
        }
    }

    /// The tags whose images are too young, each with the time when it qualifies.
    package var coolingDown: [(tag: Tag, qualifiesAt: Date)] {
        let chosen = Set(chosen.map(\.tag))
        return stages.flatMap(\.dropped).compactMap { dropped in
            guard case .tooYoung(let time) = dropped.reason, !chosen.contains(dropped.tag) else { return nil }
            return (dropped.tag, time)
        }
    }
}

/// A tag that a stage left out, and why.
package struct DroppedTag: Sendable, Hashable {
    package var tag: Tag
    package var reason: Reason

    package enum Reason: Sendable, Hashable {
        case matchesNothing
        case notAVersion
        /// A pre-release, where the rule does not take them.
        case prerelease
        case outsideRange(String)
        case excluded(by: String)
        /// Received by ECR a shorter time ago than `minAge`.
        case tooYoung(qualifiesAt: Date)
        /// The registry does not say when the image was pushed, so its age is unknown.
        case unknownAge
        case notAmongNewest(Int)
    }
}
