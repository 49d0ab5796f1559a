package import Content
package import Replicate

/// What `undo` does: puts the tags of a record back to what they held before.
package struct Undo: Sendable, Hashable {
    /// The record that is undone.
    package var record: FoundRecord
    /// The image that the tags hold now, as the record put it there.
    package var current: Digest
    /// The image that the tags get back.
    package var previous: Digest
    package var tags: [Tag]
}

/// Finds the record to undo.
///
/// With keys, only records count that are signed with one of them: an identity that may push to the repository may also
/// push a record that names any image.
package struct UndoPlanner: Sendable {
    private let source: any RecordSource
    private let keys: [RecordKey]

    package init(_ source: any RecordSource, keys: [RecordKey]) { (self.source, self.keys) = (source, keys) }

    /// Plans to undo the last change of a tag, or one record if `reference` names its digest.
    ///
    /// - Throws: `CopyError`, `CancellationError`
    package func plan(_ reference: ImageReference) async throws -> Undo {
        if let digest = reference.digest { return try await plan(record: digest, onlyTag: reference.tag) }
        guard let tag = reference.tag else {
            throw failure(.unsupported(.referenceWithoutImage), reference)
        }
        let named = source.reference.tagged(tag)
        guard let current = try await source.digest(of: tag) else {
            throw failure(.imageMissing, named)
        }
        let history = try await HistoryReader(source, keys: keys).history(
            of: source.reference.tagged(nil, digest: current)
        )
        let about = history.records.filter { $0.record.isAbout(source.reference) && $0.record.changed(tag) }
        guard let last = about.first(where: counts) else {
            let others = about.isEmpty ? "" : ", only \(about.count) that no given key has signed"
            throw refusal(
                "there is no record of how \(named) came to hold \(current)\(others)",
                remedy: "set the tag by its digest: ecr-replicate retag \(source.reference)@DIGEST \(tag)"
            )
        }
        guard last.record.action != .undo else {
            throw refusal(
                "the last change of \(named) was itself an undo, in \(source.reference.tagged(nil, digest: last.digest))",
                remedy: "promote again; or name that record by its digest to undo the undo"
            )
        }
        // A record that came with a copied image, or that someone pushed, may claim any time.
        let promotions = about.filter { $0.record.action != .undo }
        let before = Set(promotions.map { $0.record.changes.first { $0.tag == tag.value }?.before })
        guard !keys.isEmpty || before.count < 2 else {
            throw refusal(
                "\(promotions.count) records say different things about what \(named) held before \(current)",
                remedy: "pass the key of their signer with --key; "
                    + "or name the right one as ecr-replicate history prints it, by its digest"
            )
        }
        return try undo(last, [tag])
    }

    private func plan(record digest: Digest, onlyTag tag: Tag?) async throws -> Undo {
        let named = source.reference.tagged(nil, digest: digest)
        guard let manifest = try await source.manifest(digest) else {
            throw failure(.imageMissing, named)
        }
        guard RecordArtifact.claimsToBeRecord(manifest), let image = manifest.subject?.digest else {
            throw refusal(
                "\(named) is not a record of a promotion",
                remedy: "name a tag, or a record as ecr-replicate history prints it"
            )
        }
        switch try await RecordReader(source, keys: keys).read(manifest, about: image) {
        case .record(let found):
            guard counts(found) else {
                throw refusal(
                    "the record \(named) is not signed with a given key",
                    remedy: "pass the key of its signer with --key"
                )
            }
            guard found.record.isAbout(source.reference) else {
                throw refusal(
                    "the record \(named) is about another repository, "
                        + "\(quotable(found.record.to.repository, upTo: 300))",
                    remedy: "undo it there"
                )
            }
            let tags = found.record.changes.compactMap { try? Tag(parsing: $0.tag) }.filter { tag == nil || $0 == tag }
            return try undo(found, tags)
        case .unusable(let unusable):
            throw refusal("the record \(named) can't be used: \(unusable.reason)", remedy: "name another record")
        case .foreign:
            throw refusal("\(named) is not a record of a promotion", remedy: "name another record")
        }
    }

    private func failure(_ reason: CopyError.Reason, _ image: ImageReference) -> CopyError {
        CopyError(reason, side: .destination, image: image, operation: "finding the record")
    }

    private func refusal(_ problem: String, remedy: String) -> CopyError {
        failure(.undoRefused(problem: problem, remedy: remedy), source.reference)
    }

    private func counts(_ record: FoundRecord) -> Bool { keys.isEmpty || record.isVerified }

    private func undo(_ found: FoundRecord, _ tags: [Tag]) throws -> Undo {
        let record = found.record
        let named = source.reference.tagged(nil, digest: found.digest)
        let changes = record.changes.filter { change in tags.contains { $0.value == change.tag } }
        let before = Set(changes.map(\.before))
        guard !changes.isEmpty else {
            throw refusal("the record \(named) changed no such tag", remedy: "name a tag that it changed")
        }
        guard before.count == 1 else {
            throw refusal(
                "the tags of \(named) held different images before",
                remedy: "undo them one by one: ecr-replicate undo \(source.reference):TAG"
            )
        }
        guard let previous = before.first ?? nil else {
            throw refusal(
                "the tag \(tags.map(\.value).joined(separator: ", ")) did not exist before, and undo deletes nothing",
                remedy: "delete the tag yourself: aws ecr batch-delete-image --image-ids imageTag=TAG"
            )
        }
        return Undo(record: found, current: record.image.digest, previous: previous, tags: tags)
    }
}

extension PromotionRecord {
    /// The tags that the record set or moved.
    var changes: [TagChange] { tags.filter { $0.outcome == .set || $0.outcome == .moved } }

    func changed(_ tag: Tag) -> Bool { changes.contains { $0.tag == tag.value } }
}

extension Undo {
    /// The copy that puts the tags back: it moves them only if they still hold what the record put there.
    package func request(
        in repository: ImageReference,
        _ side: SideOptions,
        recorder: Recorder?,
        isDryRun: Bool
    ) -> CopyRequest {
        var options = CopyOptions(ifCurrent: current, referrers: .none, isDryRun: isDryRun, tagsAfterReferrers: true)
        var recorder = recorder
        recorder?.action = .undo
        recorder?.undoes = record.digest
        options.additions = recorder
        let place = DestinationReference(registry: repository.registry, repository: repository.repository, tag: nil)
        return CopyRequest(
            repository.tagged(nil, digest: previous),
            from: side,
            .one(.digest(previous)),
            to: [CopyDestination(place, side)],
            tags: tags,
            options
        )
    }
}
