package import Content
internal import Replicate

/// The records about an image, or about all images that a tag has held.
package struct History: Sendable, Hashable {
    /// The repository, with the tag or digest that was asked for.
    package var reference: ImageReference
    /// The digest that it names now; `nil` if there is no such tag.
    package var digest: Digest?
    /// The newest first.
    package var records: [FoundRecord]
    package var unusable: [UnusableRecord]
    /// Whether there is more than was read.
    package var isCut: Bool

    /// Whether every record is verified by one of the given keys.
    package var isVerified: Bool { records.allSatisfy(\.isVerified) && unusable.isEmpty }
}

/// Collects records by following what a tag held before.
///
/// The records of one image name the digest that the tag held before, whose records name the digest before that.
/// Unverified records are followed too: they can only lead to other images of the same repository.
package struct HistoryReader: Sendable {
    private let reader: RecordReader

    package init(_ source: any RecordSource, keys: [RecordKey]) { reader = RecordReader(source, keys: keys) }

    /// The most images whose records are read at once.
    private static let parallelImages = 8
    /// The most records of one image that are read at once.
    private static let parallelRecords = 8

    /// Reads the history of a tag, or of one image if `reference` names a digest.
    ///
    /// - Parameter reference: With a tag or a digest.
    /// - Throws: `CopyError`, `CancellationError`
    package func history(of reference: ImageReference) async throws -> History {
        let named = reader.source.reference.tagged(reference.tag, digest: reference.digest)
        let start: Digest?
        if let digest = reference.digest {
            start = digest
        } else if let tag = reference.tag {
            start = try await reader.source.digest(of: tag)
        } else {
            start = nil
        }
        var history = History(reference: named, digest: start, records: [], unusable: [], isCut: false)
        guard let start else { return history }
        let tag = reference.digest == nil ? reference.tag : nil
        var seen: Set<Digest> = [start]
        var level = [start]
        while !level.isEmpty {
            let found = try await level.mapConcurrently(limit: Self.parallelImages) { try await records(about: $0) }
            var next: [Digest] = []
            for image in found {
                history.isCut = history.isCut || image.isCut
                history.unusable += image.unusable
                // A record that was copied with its image says what happened in another repository.
                let here = image.records.filter { $0.record.isAbout(reader.source.reference) }
                let elsewhere = image.records.filter { !$0.record.isAbout(reader.source.reference) }
                let ofTag = here.filter { tag == nil || $0.record.names(tag) }
                history.records += ofTag + elsewhere
                guard tag != nil else { continue }
                next += ofTag.flatMap { $0.record.tags.filter { $0.tag == tag?.value }.compactMap(\.before) }
            }
            level = next.filter { seen.insert($0).inserted }
            let isFull =
                seen.count > RecordFormat.mostImages
                || history.records.count + history.unusable.count > RecordFormat.mostRecords
            if isFull, !level.isEmpty {
                history.isCut = true
                break
            }
        }
        history.records.sort { ($0.time, $0.digest) > ($1.time, $1.digest) }
        history.unusable.sort { $0.digest < $1.digest }
        return history
    }

    private struct ImageRecords: Sendable {
        var records: [FoundRecord] = []
        var unusable: [UnusableRecord] = []
        var isCut = false
    }

    private func records(about image: Digest) async throws -> ImageRecords {
        let all = try await reader.source.referrers(of: image, where: RecordArtifact.mayBeRecord)
            .filter(RecordArtifact.claimsToBeRecord)
        let some = all.prefix(RecordFormat.mostRecords)
        let read = try await some.mapConcurrently(limit: Self.parallelRecords) {
            try await reader.read($0, about: image)
        }
        var found = ImageRecords(isCut: some.count < all.count)
        for result in read {
            switch result {
            case .record(let record): found.records.append(record)
            case .unusable(let record): found.unusable.append(record)
            case .foreign: break
            }
        }
        return found
    }
}

extension FoundRecord {
    /// The time to sort by; a text that is not a time comes last.
    var time: String { RecordTime.isValid(record.decidedAt) ? record.decidedAt : "" }
}

extension PromotionRecord {
    /// Whether the decision was about this repository.
    func isAbout(_ repository: ImageReference) -> Bool { to.repository == repository.recordName }

    func names(_ tag: Tag?) -> Bool { tags.contains { $0.tag == tag?.value } }
}
