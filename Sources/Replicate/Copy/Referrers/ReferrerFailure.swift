public import Content

/// A signature, an SBOM or an attestation that was left out of a copy, while its image was not.
///
/// - Source: docs/architecture.md#referrers-that-fail
public struct ReferrerFailure: Sendable, Equatable, CustomStringConvertible {
    /// Of the referrer; with ``tag`` absent too, what failed is the question which referrers there are.
    public var digest: Digest?
    /// The tag that the referrer is found under, if it has one.
    public var tag: Tag?
    /// What it refers to, where that is known.
    public var subject: Digest?
    public var error: CopyError

    public init(digest: Digest? = nil, tag: Tag? = nil, subject: Digest?, _ error: CopyError) {
        (self.digest, self.tag, self.subject, self.error) = (digest, tag, subject, error)
    }

    /// What was left out and why.
    public var description: String {
        let about = subject.map { " of \($0)" } ?? ""
        guard let name = tag.map(\.value) ?? digest?.description else {
            return "referrers\(about) may have been left out, since not all could be listed: \(error.cause)"
        }
        return "the referrer \(name)\(about) was left out: \(error.cause)"
    }
}

extension CopyError {
    /// Whether it is about the caller or the pace of a run, and so no trouble of one referrer alone.
    var endsRun: Bool {
        switch reason {
        case .noCredentials, .throttled, .retriesUsedUp: true
        default: false
        }
    }

    /// The same of a question which referrers there are, which one who may read the repository may ask.
    var endsQuestions: Bool { isDenial || endsRun }

    var isDenial: Bool { if case .denied = reason { true } else { false } }
}

/// What a registry lists as referring to an image.
public struct ReferrerListing: Sendable, Equatable {
    public var entries: [Descriptor]
    /// Entries that can't be used.
    public var oddEntries: [OddEntry]
    /// Why the list is not whole.
    public var interruption: CopyError?

    public init(_ entries: [Descriptor], oddEntries: [OddEntry] = [], interruption: CopyError? = nil) {
        (self.entries, self.oddEntries, self.interruption) = (entries, oddEntries, interruption)
    }
}

/// What was read, and what was wrong with which of the rest.
struct SeparateReading: Sendable {
    var reading = Reading()
    var failures: [ManifestID: CopyError] = [:]
}

extension ImageRepository {
    /// Reads as ``read(manifests:digests:)`` does; where that fails, each by itself, so that one failure is not that of all.
    ///
    /// - Parameter ends: Which failures are not those of one id; they are thrown.
    func readSeparately(
        manifests: [ManifestID],
        digests: [ManifestID] = [],
        endingOn ends: @escaping @Sendable (CopyError) -> Bool = { $0.endsRun }
    ) async throws -> SeparateReading {
        var result = SeparateReading()
        do {
            result.reading = try await read(manifests: manifests, digests: digests)
        } catch let error as CopyError where !ends(error) {
            let parts = manifests.map { ([$0], [ManifestID]()) } + digests.map { ([ManifestID](), [$0]) }
            guard parts.count > 1 else {
                for id in manifests + digests { result.failures[id] = error }
                return result
            }
            let readings = try await parts.mapConcurrently(limit: Self.separateReadings) { part in
                try await readSeparately(manifests: part.0, digests: part.1, endingOn: ends)
            }
            for part in readings { result.merge(part) }
        }
        for (id, reason) in result.reading.failures {
            let image = reference.tagged(id.tag, digest: id.digest).description
            result.failures[id] = CopyError(reason, side: side, image: image, operation: "reading the manifest")
        }
        return result
    }
}

extension ImageRepository {
    /// Readings under way at once, where one for all failed.
    fileprivate static var separateReadings: Int { 8 }
}

extension SeparateReading {
    fileprivate mutating func merge(_ other: SeparateReading) {
        reading.manifests.merge(other.reading.manifests) { _, new in new }
        reading.digests.merge(other.reading.digests) { _, new in new }
        reading.failures.merge(other.reading.failures) { _, new in new }
        failures.merge(other.failures) { _, new in new }
    }
}
