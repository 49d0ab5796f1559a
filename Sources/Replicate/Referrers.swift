internal import Content

/// What the source has to say about an image: signatures, SBOMs, attestations.
///
/// - Source: facts/ecr.md F.4; OCI distribution-spec 1.1, "Referrers Tag Schema"
struct ReferrerSet: Sendable {
    /// Found by asking for referrers, subjects before what refers to them.
    var digests: [Digest] = []
    /// Found under the tags that cosign and the fallback schema use.
    var tagged: [(tag: Tag, manifest: Manifest)] = []

    var isEmpty: Bool { digests.isEmpty && tagged.isEmpty }
}

/// Finds what refers to an image at the source.
struct ReferrerFinder: Sendable {
    let reader: SourceReader
    let repository: any ImageRepository

    /// Questions under way at once; each is small, and ECR's quota for them is wide (facts/ecr.md C.1).
    static let parallelQuestions = 8
    /// Referrers of referrers of referrers…; a guard, real chains have two links.
    static let deepestChain = 8

    /// The tags that may hold something about `digest`.
    static func digestTags(of digest: Digest) -> [Tag] {
        ["", ".sig", ".att", ".sbom"].compactMap { try? Tag(parsing: "sha256-\(digest.hex)\($0)") }
    }

    /// Whether a tag is such a one, and so follows its image instead of being chosen by itself.
    static func isDigestTag(_ tag: Tag) -> Bool {
        let text = tag.value
        guard text.hasPrefix("sha256-") else { return false }
        let hex = text.dropFirst(7).prefix(64)
        let suffix = text.dropFirst(7 + 64)
        return (try? Digest(parsing: "sha256:\(hex)")) != nil && (suffix.isEmpty || suffix.hasPrefix("."))
    }

    /// Asks about every one of `subjects`, and about what was found, and reads the digest tags of the subjects.
    func find(about subjects: [Digest]) async throws -> ReferrerSet {
        async let tagged = readTags(of: subjects)
        async let listed = listReferrers(of: subjects)
        var found = ReferrerSet()
        (found.digests, found.tagged) = (try await listed.found, try await tagged)
        guard try await !listed.isKnown else { return found }

        // Without the question, the fallback tags are all there is: follow them from referrer to referrer.
        var seen = Set(subjects)
        for _ in 0..<Self.deepestChain {
            let next = found.tagged.flatMap(\.manifest.children).map(\.digest).unique()
                .filter { seen.insert($0).inserted }
            guard !next.isEmpty else { break }
            let more = try await readTags(of: next)
            let tags = Set(found.tagged.map(\.tag))
            found.tagged += more.filter { !tags.contains($0.tag) }
        }
        return found
    }

    private func listReferrers(of subjects: [Digest]) async throws -> (found: [Digest], isKnown: Bool) {
        var found: [Digest] = []
        var seen = Set(subjects)
        var level = subjects
        for _ in 0..<Self.deepestChain where !level.isEmpty {
            let answers = try await level.mapConcurrently(limit: Self.parallelQuestions) { subject in
                try await repository.referrers(of: subject)
            }
            guard !answers.contains(where: { $0 == nil }) else { return (found, false) }
            level = answers.compactMap { $0 }.flatMap { $0 }.map(\.digest).filter { seen.insert($0).inserted }
            found += level
        }
        return (found, true)
    }

    private func readTags(of subjects: [Digest]) async throws -> [(tag: Tag, manifest: Manifest)] {
        let tags = subjects.flatMap(Self.digestTags)
        let reading = try await repository.read(tags.map { .tag($0) })
        return tags.compactMap { tag in reading.manifests[.tag(tag)].map { (tag, $0) } }
    }
}
