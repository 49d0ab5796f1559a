package import Content
package import Replicate

/// Which tags of a repository a rule copies.
///
/// The stages are applied in the order of the properties.
package struct TagRule: Sendable {
    /// A tag must match one of these; with none, every tag passes.
    package var match: [TextualPattern] = []
    package var semver: TextualRange?
    /// A tag that matches one of these is left out.
    package var exclude: [TextualPattern] = []
    /// How long ago ECR must have received the image.
    package var minAge: Duration?
    /// How many images pass, the newest first.
    package var newest: Int?
    package var newestBy = NewestBy.pushTime
    /// Tags that bypass the stages before.
    package var include: [Tag] = []
    /// The fewest tags; with fewer, nothing of the repository is written or pruned.
    package var minTags: Int?

    /// Images to copy by digest, without a tag.
    package var digests: [Digest] = []
    /// Whether to copy images without a tag.
    package var untagged = false
    /// Whether the stages select tags; not so if the rule names only digests or untagged images.
    package var selectsTags = true

    package init() {}
}

/// What `newest` goes by.
package enum NewestBy: String, Sendable, CaseIterable { case pushTime, semver }

/// A pattern for tags, and how it is written.
package struct TextualPattern: Sendable {
    package var text: String
    package var pattern: TagFilter.Pattern
    /// The groups, if it is an expression.
    package var groups: ExpressionGroups?

    /// The only tag that it matches; `nil` for a pattern of several.
    package var literal: Tag? {
        text.contains { "*?[{:".contains($0) } ? nil : try? Tag(parsing: text)
    }
}

/// A range of versions, and how it is written.
package struct TextualRange: Sendable {
    package var text: String
    package var range: VersionRange
    /// Whether pre-releases within the range pass.
    package var takesPrereleases: Bool
}
