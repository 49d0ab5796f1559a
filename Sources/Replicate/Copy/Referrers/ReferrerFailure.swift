public import Content

/// A signature, an SBOM or an attestation that was left out of a copy although its image was copied.
///
/// - Source: docs/architecture.md#referrers-that-fail
public struct ReferrerFailure: Sendable, Equatable, CustomStringConvertible {
    /// The referrer's digest; if ``tag`` is absent as well, the referrers could not be listed.
    public var digest: Digest?
    /// The referrer's tag, if it has one.
    public var tag: Tag?
    /// The digest that it refers to, if it is known.
    public var subject: Digest?
    public var error: CopyError

    public init(digest: Digest? = nil, tag: Tag? = nil, subject: Digest?, _ error: CopyError) {
        (self.digest, self.tag, self.subject, self.error) = (digest, tag, subject, error)
    }

    /// What was left out, and why.
    public var description: String {
        let about = subject.map { " of \($0)" } ?? ""
        guard let name = tag.map(\.value) ?? digest?.description else {
            return "referrers\(about) may have been left out, since not all could be listed: \(error.cause)"
        }
        return "the referrer \(name)\(about) was left out: \(error.cause)"
    }
}

extension CopyError {
    /// Whether the error is about the caller or the pace of the run, and not about one referrer.
    var endsRun: Bool {
        switch reason {
        case .noCredentials, .throttled, .retriesUsedUp: true
        default: false
        }
    }

    /// Whether the error ends the listing of referrers; a caller that may read the repository may also list referrers.
    var endsQuestions: Bool { isDenial || endsRun }

    var isDenial: Bool { if case .denied = reason { true } else { false } }
}

/// The referrers that a registry lists for an image.
package struct ReferrerListing: Sendable, Equatable {
    package var entries: [Descriptor]
    /// The entries that can't be used.
    package var oddEntries: [OddEntry]
    /// Why the list is incomplete; `nil` if it is complete.
    package var interruption: CopyError?

    package init(_ entries: [Descriptor], oddEntries: [OddEntry] = [], interruption: CopyError? = nil) {
        (self.entries, self.oddEntries, self.interruption) = (entries, oddEntries, interruption)
    }
}

/// A reading, with the error of each id that could not be read.
struct SeparateReading: Sendable {
    var reading = Reading()
    var failures: [ManifestID: CopyError] = [:]
}

extension ImageRepository {
    /// Reads as ``read(manifests:digests:)`` does; if that fails, reads each id on its own, so that one can't fail the
    /// others.
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
            let image = reference.tagged(id.tag, digest: id.digest)
            result.failures[id] = CopyError(reason, side: side, image: image, operation: "reading the manifest")
        }
        return result
    }
}

extension ImageRepository {
    /// The most single reads at once, after one read for all ids has failed.
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
