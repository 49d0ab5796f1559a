internal import Content

/// The referrers of an image at the source: signatures, SBOMs and attestations.
///
/// - Source: docs/facts/image-formats.md#referrers; OCI distribution-spec 1.1, "Referrers Tag Schema"
struct ReferrerSet: Sendable {
    /// Notes for the user about the search.
    var notes: [String] = []
    /// The digests that were asked about.
    var asked: [Digest] = []
    /// The referrers that the registry listed, subjects before their referrers.
    var digests: [Digest] = []
    /// The subject of each listed referrer, if a list stated it, including those that fallback tags list.
    var subjects: [Digest: Digest] = [:]
    /// The manifests under the tags that cosign and the fallback schema use.
    var tagged: [(tag: Tag, manifest: Manifest)] = []
    /// The referrers that could not be found out or can't be used.
    var failures: [ReferrerFailure] = []

    var isEmpty: Bool { digests.isEmpty && tagged.isEmpty }

    /// The subject of the list of referrers under `tag`, by the fallback schema; `nil` for a cosign tag.
    static func subject(ofList tag: Tag, _ manifest: Manifest) -> Digest? {
        manifest.kind == .index ? tag.subject : nil
    }

    /// Adds what was found under a digest tag.
    mutating func add(_ tag: Tag, _ manifest: Manifest) {
        tagged.append((tag, manifest))
        guard let subject = Self.subject(ofList: tag, manifest) else { return }
        for child in manifest.listedDigests(about: subject) where subjects[child] == nil { subjects[child] = subject }
    }
}

extension Manifest {
    /// The digests that this list of referrers names, each once, without the image itself and entries that have no
    /// digest.
    func listedDigests(about subject: Digest) -> [Digest] {
        (children.map(\.digest) + oddEntries.compactMap(\.digest)).unique().filter { $0 != subject }
    }
}

/// Finds what refers to an image at the source.
///
/// A failed search is not a failure of the image; see ``ReferrerFailure``.
struct ReferrerFinder: Sendable {
    let reader: SourceReader
    let repository: any ImageRepository

    /// The most requests at once; each is small, and ECR's quota for them is large (docs/facts/quotas.md#rates).
    static let parallelQuestions = 8
    /// The longest chain of referrers that is followed, as a guard; real chains have two links.
    static let deepestChain = 8

    /// The usual digest tags of `digest`, under which its referrers may be.
    static func digestTags(of digest: Digest) -> [Tag] {
        ["", ".sig", ".att", ".sbom"].compactMap { try? Tag(parsing: "sha256-\(digest.hex)\($0)") }
    }

    /// Whether a tag is a digest tag, which is copied with its image and not on its own.
    static func isDigestTag(_ tag: Tag) -> Bool { tag.digestTagSubject != nil }

    /// Asks for the referrers of all `subjects` and of the referrers found, and reads the digest tags of the subjects.
    ///
    /// - Throws: ``CopyError`` if the caller may not ask about an image, or the run can't go on.
    func find(about subjects: [Digest]) async throws -> ReferrerSet {
        let budget = ReferrerBudget()
        var found = try await find(about: subjects, within: budget)
        note(budget, &found)
        return found
    }

    /// - Parameter ofReferrers: Whether the subjects are referrers themselves; a denial is then a failure of that
    ///   referrer only.
    func find(
        about subjects: [Digest],
        within budget: ReferrerBudget,
        ofReferrers: Bool = false
    ) async throws -> ReferrerSet {
        async let tagged = read(subjects.flatMap(Self.digestTags).filter(reader.mayHold))
        async let listed = listReferrers(of: subjects, within: budget, ofReferrers: ofReferrers)
        var found = ReferrerSet(asked: subjects)
        let (listing, tags) = (try await listed, try await tagged)
        found.digests = listing.digests
        found.subjects = listing.subjects
        found.failures = listing.failures
        take(tags, &found, within: budget)
        if !listing.isKnown { try await followTags(&found, from: subjects, within: budget) }
        for (tag, manifest) in found.tagged {
            guard let subject = ReferrerSet.subject(ofList: tag, manifest) else { continue }
            found.failures += failures(of: manifest.oddEntries, about: subject)
        }
        return found
    }

    /// The failures for those entries of a list that have no digest to ask for.
    private func failures(of entries: [OddEntry], about subject: Digest) -> [ReferrerFailure] {
        entries.filter { $0.digest == nil }.map { entry in
            let error = CopyError(
                .badManifest(entry.error),
                side: repository.side,
                image: repository.reference.tagged(nil, digest: subject),
                operation: "listing referrers"
            )
            return ReferrerFailure(subject: subject, error)
        }
    }

    /// Follows the fallback tags from referrer to referrer, for a registry that doesn't list referrers.
    private func followTags(
        _ found: inout ReferrerSet,
        from subjects: [Digest],
        within budget: ReferrerBudget
    ) async throws {
        var seen = Set(subjects)
        for _ in 0..<Self.deepestChain {
            let next = found.tagged.flatMap(\.manifest.children).map(\.digest).unique()
                .filter { seen.insert($0).inserted }
            // Referrers on a list were counted with the list.
            let uncounted = next.count { found.subjects[$0] == nil }
            guard !next.isEmpty, budget.take(uncounted) == uncounted else { break }
            take(try await read(next.flatMap(Self.digestTags).filter(reader.mayHold)), &found, within: budget)
        }
    }

    /// The referrers that the registry's own lists name.
    private struct Listing: Sendable {
        var digests: [Digest] = []
        var subjects: [Digest: Digest] = [:]
        /// Whether every request was answered; if not, the fallback tags may tell more.
        var isKnown = true
        var failures: [ReferrerFailure] = []

        /// - Returns: The listed digests.
        mutating func take(_ list: ReferrerListing, about subject: Digest) -> [Digest] {
            let named = list.entries.map(\.digest) + list.oddEntries.compactMap(\.digest)
            let found = named.filter { $0 != subject }
            for digest in found where subjects[digest] == nil { subjects[digest] = subject }
            if let interruption = list.interruption {
                isKnown = false
                failures.append(ReferrerFailure(subject: subject, interruption))
            }
            return found
        }
    }

    private func listReferrers(
        of subjects: [Digest],
        within budget: ReferrerBudget,
        ofReferrers: Bool
    ) async throws -> Listing {
        var listing = Listing()
        var seen = Set(subjects)
        var level = subjects
        for depth in 0..<Self.deepestChain where !level.isEmpty {
            let isAboutImage = depth == 0 && !ofReferrers
            let answers = try await level.mapConcurrently(limit: Self.parallelQuestions) {
                try await ask(about: $0, within: budget, endingOnDenial: isAboutImage)
            }
            var found: [Digest] = []
            for (subject, answer) in zip(level, answers) {
                switch answer {
                case .success(nil): listing.isKnown = false
                case .success(let list?):
                    found += listing.take(list, about: subject)
                    listing.failures += failures(of: list.oddEntries, about: subject)
                case .failure(let error):
                    listing.isKnown = false
                    listing.failures.append(ReferrerFailure(subject: subject, error))
                }
            }
            level = found.filter { seen.insert($0).inserted }
            listing.digests += level
        }
        return listing
    }

    private func ask(
        about subject: Digest,
        within budget: ReferrerBudget,
        endingOnDenial: Bool
    ) async throws -> Result<ReferrerListing?, CopyError> {
        guard !budget.isExceeded else { return .success(ReferrerListing([])) }
        do {
            guard var list = try await reader.referrers(listedFor: subject) else { return .success(nil) }
            // Entries are counted as they arrive: the longest possible lists of a whole level would not fit into
            // memory.
            list.entries = Array(list.entries.prefix(budget.take(list.entries.count)))
            list.oddEntries = Array(list.oddEntries.prefix(budget.take(list.oddEntries.count)))
            return .success(list)
        } catch let error as CopyError where endingOnDenial ? !error.endsQuestions : !error.endsRun {
            return .failure(error)
        }
    }

    /// The manifests under digest tags.
    struct TagReading: Sendable {
        var found: [(tag: Tag, manifest: Manifest)] = []
        var failures: [ReferrerFailure] = []
    }

    func read(_ tags: [Tag]) async throws -> TagReading {
        var known: [Tag: Manifest] = [:]
        for tag in tags { known[tag] = await reader.takePrefetched(tag) }
        let unknown = tags.filter { known[$0] == nil }
        let answer =
            unknown.isEmpty
            ? SeparateReading() : try await repository.readSeparately(manifests: unknown.map { .tag($0) })
        var reading = TagReading()
        for tag in tags {
            if let error = answer.failures[.tag(tag)] {
                reading.failures.append(ReferrerFailure(tag: tag, subject: tag.namedDigest, error))
            }
            // GitLab's registry takes `sha256-HEX` for the digest, so it returns the image and not a list (oras-go
            // issue 1396).
            guard let manifest = known[tag] ?? answer.reading.manifests[.tag(tag)], manifest.digest != tag.subject
            else {
                continue
            }
            reading.found.append((tag, manifest))
        }
        return reading
    }

    /// Adds what was newly found under tags, and leaves out a list that exceeds the budget.
    func take(_ reading: TagReading, _ found: inout ReferrerSet, within budget: ReferrerBudget) {
        found.failures += reading.failures
        var known = Set(found.tagged.map(\.tag))
        for (tag, manifest) in reading.found where known.insert(tag).inserted {
            let listed = ReferrerSet.subject(ofList: tag, manifest).map { manifest.listedDigests(about: $0) } ?? []
            let uncounted = listed.count { found.subjects[$0] == nil }
            guard budget.take(uncounted) == uncounted else {
                found.failures.append(
                    ReferrerFailure(
                        digest: manifest.digest,
                        tag: tag,
                        subject: tag.namedDigest,
                        tooMany(tag.namedDigest)
                    )
                )
                continue
            }
            found.add(tag, manifest)
        }
    }

    /// Notes that there are more referrers than were followed.
    func note(_ budget: ReferrerBudget, _ found: inout ReferrerSet) {
        guard budget.isExceeded, let image = found.asked.first else { return }
        found.failures.append(ReferrerFailure(subject: image, tooMany(image)))
    }

    private func tooMany(_ image: Digest?) -> CopyError {
        CopyError(
            .unsupported(.referrers(most: ReferrerBudget.most)),
            side: repository.side,
            image: repository.reference.tagged(nil, digest: image),
            operation: "listing referrers"
        )
    }
}

extension Tag {
    /// The digest that a tag begins with, as cosign's tags and the fallback tags do.
    var namedDigest: Digest? {
        guard value.hasPrefix("sha256-") else { return nil }
        return try? Digest(parsing: "sha256:\(value.dropFirst(7).prefix(64))")
    }
}
