internal import Content

/// What the source has to say about an image: signatures, SBOMs, attestations.
///
/// - Source: facts/ecr.md F.4; OCI distribution-spec 1.1, "Referrers Tag Schema"
struct ReferrerSet: Sendable {
    /// Found by asking for referrers, subjects before what refers to them.
    var digests: [Digest] = []
    /// What each of those is about, as far as a list of referrers said it; and of those that fallback tags list.
    var subjects: [Digest: Digest] = [:]
    /// Found under the tags that cosign and the fallback schema use.
    var tagged: [(tag: Tag, manifest: Manifest)] = []

    var isEmpty: Bool { digests.isEmpty && tagged.isEmpty }

    /// What `tag` is a list of referrers to, by the fallback schema; `nil` for a cosign tag.
    static func subject(ofList tag: Tag, _ manifest: Manifest) -> Digest? {
        manifest.kind == .index ? tag.subject : nil
    }

    fileprivate mutating func noteFallbackLists() {
        for (tag, manifest) in tagged {
            guard let subject = Self.subject(ofList: tag, manifest) else { continue }
            for child in manifest.children where subjects[child.digest] == nil { subjects[child.digest] = subject }
        }
    }
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
        found.subjects = try await listed.subjects
        if try await !listed.isKnown { try await followTags(&found, from: subjects) }
        found.noteFallbackLists()
        return found
    }

    /// Without the question, the fallback tags are all there is: they are followed from referrer to referrer.
    private func followTags(_ found: inout ReferrerSet, from subjects: [Digest]) async throws {
        var seen = Set(subjects)
        for _ in 0..<Self.deepestChain {
            let next = found.tagged.flatMap(\.manifest.children).map(\.digest).unique()
                .filter { seen.insert($0).inserted }
            guard !next.isEmpty else { break }
            let more = try await readTags(of: next)
            let tags = Set(found.tagged.map(\.tag))
            found.tagged += more.filter { !tags.contains($0.tag) }
        }
    }

    private func listReferrers(
        of subjects: [Digest]
    ) async throws -> (found: [Digest], subjects: [Digest: Digest], isKnown: Bool) {
        var found: [Digest] = []
        var about: [Digest: Digest] = [:]
        var seen = Set(subjects)
        var level = subjects
        for _ in 0..<Self.deepestChain where !level.isEmpty {
            let answers = try await level.mapConcurrently(limit: Self.parallelQuestions) { subject in
                try await repository.referrers(of: subject)
            }
            guard !answers.contains(where: { $0 == nil }) else { return (found, about, false) }
            for (subject, answer) in zip(level, answers) {
                for referrer in answer ?? [] where about[referrer.digest] == nil { about[referrer.digest] = subject }
            }
            level = answers.compactMap { $0 }.flatMap { $0 }.map(\.digest).filter { seen.insert($0).inserted }
            found += level
        }
        return (found, about, true)
    }

    private func readTags(of subjects: [Digest]) async throws -> [(tag: Tag, manifest: Manifest)] {
        let tags = subjects.flatMap(Self.digestTags)
        let reading = try await repository.read(tags.map { .tag($0) })
        return tags.compactMap { tag in reading.manifests[.tag(tag)].map { (tag, $0) } }
    }
}
