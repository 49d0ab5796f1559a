package import Content
internal import Platform

/// The digest tags of a repository, taken from a listing of its tags.
///
/// A digest tag is `sha256-HEX` with any suffix: cosign's `.sig`, `.att` and `.sbom`, the fallback tag of the referrers
/// schema, regclient's `.HASH.meta`, and others.
///
/// - Source: docs/referrers.md#what-is-found; github.com/sigstore/cosign `SPEC.md`; github.com/regclient/regclient,
///   `--digest-tags`
struct DigestTagListing: Sendable {
    /// The tags, by the digest that each begins with.
    var tags: [Digest: [Tag]]
    /// Whether the listing is complete; if it isn't, the usual suffixes are requested too.
    var isWhole: Bool
    /// Why the listing is not complete.
    var trouble: String?

    init(tags: [Digest: [Tag]] = [:], isWhole: Bool = true, trouble: String? = nil) {
        (self.tags, self.isWhole, self.trouble) = (tags, isWhole, trouble)
    }

    /// Creates a listing of those tags that are digest tags.
    init(of all: some Sequence<Tag>) {
        self.init()
        add(all)
    }

    mutating func add(_ more: some Sequence<Tag>) {
        for tag in more {
            guard let subject = tag.digestTagSubject else { continue }
            tags[subject, default: []].append(tag)
        }
    }
}

/// What a source listed for a run that copies many images.
struct ListedSource: Sendable {
    var images: [ListedImage]
    var digestTags: DigestTagIndex

    init(_ images: [ListedImage]) {
        self.images = images
        var holding: [Tag: Digest] = [:]
        for image in images {
            for tag in image.tags where ReferrerFinder.isDigestTag(tag) { holding[tag] = holding[tag] ?? image.digest }
        }
        digestTags = DigestTagIndex(DigestTagListing(of: images.flatMap(\.tags)), holding: holding)
    }

    /// The images with digest tags whose subject is not in the repository, such as signatures of images that are
    /// elsewhere.
    var followingNothing: [ListedImage] {
        let subjects = Set(images.map(\.digest))
        let tags = Set(
            digestTags.unfollowed.filter { tag in tag.digestTagSubject.map { !subjects.contains($0) } ?? true }
        )
        return images.compactMap { image in
            var image = image
            image.tags = image.tags.filter(tags.contains).sorted()
            return image.tags.isEmpty ? nil : image
        }
    }
}

/// The digest tags of a source, and which of them belong to something that is copied.
final class DigestTagIndex: Sendable {
    let listing: DigestTagListing
    /// The image that each digest tag holds, where the listing says so.
    let holding: [Tag: Digest]
    private let followed = Lock<Set<Tag>>([])

    init(_ listing: DigestTagListing, holding: [Tag: Digest] = [:]) {
        (self.listing, self.holding) = (listing, holding)
    }

    /// The digest tags about `subject`, each with the image that it holds, where the listing says so.
    func held(about subject: Digest) -> [(tag: Tag, digest: Digest)] {
        (listing.tags[subject] ?? []).compactMap { tag in holding[tag].map { (tag, $0) } }
    }

    func tags(of subjects: [Digest]) -> [Tag] { subjects.flatMap { (listing.tags[$0] ?? []).sorted() }.unique() }

    func noteFollowed(_ tags: [Tag]) { followed.withLock { $0.formUnion(tags) } }

    /// The tags that belong to nothing that was examined.
    var unfollowed: [Tag] {
        let followed = followed.withLock { $0 }
        return listing.tags.values.joined().filter { !followed.contains($0) }.sorted()
    }
}

extension Tag {
    /// The digest that a digest tag is about; `nil` for a tag chosen by people.
    ///
    /// The suffix after the digest begins with a character that can't be part of a digest.
    package var digestTagSubject: Digest? {
        let rest = value.dropFirst(7 + 64)
        guard value.hasPrefix("sha256-"), rest.isEmpty || [".", "-", "_"].contains(rest.first) else { return nil }
        return try? Digest(parsing: "sha256:\(value.dropFirst(7).prefix(64))")
    }
}

extension ReferrerFinder {
    /// Finds referrers as ``find(about:)`` does, and then the referrers of what was found under tags, until nothing is
    /// new.
    ///
    /// An SBOM that was attached under a tag may itself be signed under a tag (github.com/sigstore/cosign issue 730).
    ///
    /// If the source lists tags, every tag that begins with a digest counts, whatever its suffix. If it doesn't, only
    /// those with cosign's suffixes and the fallback tag do.
    func findAll(about subjects: [Digest]) async throws -> ReferrerSet {
        async let listing = reader.digestTags()
        let budget = ReferrerBudget()
        var found = try await find(about: subjects, within: budget)
        let index = try await listing
        try await readTags(of: subjects, beside: true, index, into: &found, within: budget)
        var seen = Set(subjects)
        for _ in 0..<Self.deepestChain {
            let listed = found.digests.filter { seen.insert($0).inserted }
            let tagged = found.tagged.flatMap(Self.referrers(under:)).filter { seen.insert($0).inserted }
            guard !listed.isEmpty || !tagged.isEmpty, !budget.isExceeded else { break }
            if !tagged.isEmpty, repository.asksAboutTaggedReferrers {
                found.take(try await find(about: tagged, within: budget, ofReferrers: true))
                try await readTags(of: tagged, beside: true, index, into: &found, within: budget)
                try await readTags(of: listed, beside: false, index, into: &found, within: budget)
            } else {
                try await readTags(of: listed + tagged, beside: false, index, into: &found, within: budget)
            }
        }
        note(budget, &found)
        found.settleDenials(index?.listing)
        index?.noteFollowed(found.tagged.map(\.tag) + found.failures.compactMap(\.tag))
        if let trouble = index?.listing.trouble, !subjects.isEmpty {
            found.notes.append(
                "tags that begin with a digest were looked for with the suffixes .sig, .att and .sbom only: \(trouble)"
            )
        }
        return found
    }

    /// The referrers under a digest tag: its manifest, or those that the list under it names.
    private static func referrers(under tagged: (tag: Tag, manifest: Manifest)) -> [Digest] {
        guard let subject = ReferrerSet.subject(ofList: tagged.tag, tagged.manifest) else {
            return [tagged.manifest.digest]
        }
        return tagged.manifest.listedDigests(about: subject)
    }

    /// Reads further digest tags of `subjects`.
    ///
    /// - Parameter isBeside: Whether the tags with the usual suffixes have been read already.
    private func readTags(
        of subjects: [Digest],
        beside isBeside: Bool,
        _ index: DigestTagIndex?,
        into found: inout ReferrerSet,
        within budget: ReferrerBudget
    ) async throws {
        let usual = subjects.flatMap(Self.digestTags)
        let listed = index?.tags(of: subjects) ?? []
        let known = Set(found.tagged.map(\.tag)).union(isBeside ? usual : [])
        var wanted = ((index?.listing.isWhole == true ? [] : usual) + listed).unique().filter { !known.contains($0) }
        // A repository may have any number of tags that begin with the same digest.
        let usualOnes = Set(usual)
        let further = wanted.filter { !usualOnes.contains($0) }
        let refused = Set(further.dropFirst(budget.take(further.count)))
        wanted.removeAll(where: refused.contains)
        take(try await read(wanted), &found, within: budget)
    }
}

extension ReferrerSet {
    /// Sorts out denied tags that don't exist, for registries that deny access to missing tags.
    ///
    /// Artifactory answers 403 for a tag that does not exist, in a virtual repository of which the caller may not read
    /// every part (google/go-containerregistry pull request 1691). If a complete list of tags lacks the tag, it doesn't
    /// exist. Without a list, a single failure says that none of the image's tags could be read.
    fileprivate mutating func settleDenials(_ listing: DigestTagListing?) {
        var denied: [Digest: [ReferrerFailure]] = [:]
        for failure in failures {
            guard failure.digest == nil, let subject = failure.tag?.digestTagSubject, failure.error.isDenial else {
                continue
            }
            denied[subject, default: []].append(failure)
        }
        for (subject, refused) in denied {
            let isListed: (Tag) -> Bool = { listing?.tags[subject]?.contains($0) ?? false }
            let unlisted = refused.filter { $0.tag.map(isListed) != true }
            if listing?.isWhole == true {
                failures.removeAll(where: unlisted.contains)
            } else if let first = unlisted.first, unlisted.count == ReferrerFinder.digestTags(of: subject).count,
                let place = failures.firstIndex(of: first)
            {
                failures[place] = ReferrerFailure(subject: subject, first.error)
                failures.removeAll(where: unlisted.contains)
            }
        }
    }

    /// Adds what was found about other subjects.
    mutating func take(_ other: ReferrerSet) {
        let known = Set(digests)
        digests += other.digests.filter { !known.contains($0) }
        subjects.merge(other.subjects) { first, _ in first }
        let tags = Set(tagged.map(\.tag))
        tagged += other.tagged.filter { !tags.contains($0.tag) }
        failures += other.failures.filter { !failures.contains($0) }
        notes += other.notes
    }
}
