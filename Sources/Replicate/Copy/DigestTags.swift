public import Content
internal import Platform

/// The digest tags of a repository, as a listing of its tags showed them.
///
/// A digest tag is `sha256-HEX` and whatever follows: cosign's `.sig`, `.att` and `.sbom`, the fallback tag of the
/// referrers schema, regclient's `.HASH.meta`, and others.
///
/// - Source: docs/referrers.md#what-is-found; github.com/sigstore/cosign `SPEC.md`; github.com/regclient/regclient,
///   `--digest-tags`
public struct DigestTagListing: Sendable {
    /// By the digest that each begins with.
    public var tags: [Digest: [Tag]]
    /// Whether nothing can be missing; else the usual suffixes are asked for too.
    public var isWhole: Bool
    /// Why it is not whole.
    public var trouble: String?

    public init(tags: [Digest: [Tag]] = [:], isWhole: Bool = true, trouble: String? = nil) {
        (self.tags, self.isWhole, self.trouble) = (tags, isWhole, trouble)
    }

    /// Of the tags of a repository, those that are digest tags.
    public init(of all: some Sequence<Tag>) {
        self.init()
        add(all)
    }

    public mutating func add(_ more: some Sequence<Tag>) {
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
        digestTags = DigestTagIndex(DigestTagListing(of: images.flatMap(\.tags)))
    }

    /// Images with those of their digest tags that follow nothing in the repository, such as the signatures of images that
    /// are elsewhere.
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

/// The digest tags of a source, and which of them were found to follow something that is copied.
final class DigestTagIndex: Sendable {
    let listing: DigestTagListing
    private let followed = Lock<Set<Tag>>([])

    init(_ listing: DigestTagListing) { self.listing = listing }

    func tags(of subjects: [Digest]) -> [Tag] { subjects.flatMap { (listing.tags[$0] ?? []).sorted() }.unique() }

    func noteFollowed(_ tags: [Tag]) { followed.withLock { $0.formUnion(tags) } }

    /// Those that follow nothing that was looked at.
    var unfollowed: [Tag] {
        let followed = followed.withLock { $0 }
        return listing.tags.values.joined().filter { !followed.contains($0) }.sorted()
    }
}

extension Tag {
    /// What a digest tag is about; `nil` for a tag that people choose.
    ///
    /// What follows the digest begins with a character that can't be a part of it.
    var digestTagSubject: Digest? {
        let rest = value.dropFirst(7 + 64)
        guard value.hasPrefix("sha256-"), rest.isEmpty || [".", "-", "_"].contains(rest.first) else { return nil }
        return try? Digest(parsing: "sha256:\(value.dropFirst(7).prefix(64))")
    }
}

extension ReferrerFinder {
    /// Asks as ``find(about:)`` does, and again about what was found under tags, until nothing is new: an SBOM that was
    /// attached under a tag may itself be signed under a tag (github.com/sigstore/cosign issue 730).
    ///
    /// Where the source lists tags, every tag that begins with a digest counts, whatever follows; else those with cosign's
    /// suffixes and the fallback tag.
    func findAll(about subjects: [Digest]) async throws -> ReferrerSet {
        async let listing = reader.digestTags()
        var found = try await find(about: subjects)
        let index = try await listing
        try await readTags(of: subjects, beside: true, index, into: &found)
        var seen = Set(subjects)
        for _ in 0..<Self.deepestChain {
            let listed = found.digests.filter { seen.insert($0).inserted }
            let tagged = found.tagged.flatMap(Self.referrers(under:)).filter { seen.insert($0).inserted }
            guard !listed.isEmpty || !tagged.isEmpty else { break }
            if !tagged.isEmpty, repository.asksAboutTaggedReferrers {
                found.take(try await find(about: tagged))
                try await readTags(of: tagged, beside: true, index, into: &found)
                try await readTags(of: listed, beside: false, index, into: &found)
            } else {
                try await readTags(of: listed + tagged, beside: false, index, into: &found)
            }
        }
        index?.noteFollowed(found.tagged.map(\.tag) + found.failures.compactMap(\.tag))
        if let trouble = index?.listing.trouble, !subjects.isEmpty {
            found.notes.append(
                "tags that begin with a digest were looked for with the suffixes .sig, .att and .sbom only: \(trouble)"
            )
        }
        return found
    }

    /// What a digest tag brings: its manifest, or what the list under it names.
    private static func referrers(under tagged: (tag: Tag, manifest: Manifest)) -> [Digest] {
        guard let subject = ReferrerSet.subject(ofList: tagged.tag, tagged.manifest) else {
            return [tagged.manifest.digest]
        }
        return tagged.manifest.listedDigests(about: subject)
    }

    /// Reads further digest tags of `subjects`.
    ///
    /// - Parameter isBeside: Whether those with the usual suffixes were read.
    private func readTags(
        of subjects: [Digest],
        beside isBeside: Bool,
        _ index: DigestTagIndex?,
        into found: inout ReferrerSet
    ) async throws {
        let usual = subjects.flatMap(Self.digestTags)
        let listed = index?.tags(of: subjects) ?? []
        let known = Set(found.tagged.map(\.tag)).union(isBeside ? usual : [])
        let wanted = ((index?.listing.isWhole == true ? [] : usual) + listed).unique().filter { !known.contains($0) }
        guard !wanted.isEmpty else { return }
        let answer = try await repository.readSeparately(manifests: wanted.map { .tag($0) }) { $0.endsQuestions }
        for tag in wanted {
            if let error = answer.failures[.tag(tag)] {
                found.failures.append(ReferrerFailure(tag: tag, subject: tag.digestTagSubject, error))
            }
            // GitLab's registry takes `sha256-HEX` for the digest: that is the image, and no list (oras-go issue 1396).
            guard let manifest = answer.reading.manifests[.tag(tag)], manifest.digest != tag.subject else {
                continue
            }
            found.add(tag, manifest)
        }
    }
}

extension ReferrerSet {
    /// Takes in what was found about something else.
    mutating func take(_ other: ReferrerSet) {
        let known = Set(digests)
        digests += other.digests.filter { !known.contains($0) }
        subjects.merge(other.subjects) { first, _ in first }
        let tags = Set(tagged.map(\.tag))
        tagged += other.tagged.filter { !tags.contains($0.tag) }
        failures += other.failures.filter { !failures.contains($0) }
        notes += other.notes
    }

    fileprivate mutating func add(_ tag: Tag, _ manifest: Manifest) {
        tagged.append((tag, manifest))
        guard let subject = Self.subject(ofList: tag, manifest) else { return }
        for child in manifest.listedDigests(about: subject) where subjects[child] == nil { subjects[child] = subject }
    }
}
