package import Content
internal import Platform
package import Replicate

/// Reads a repository's records; the registry and its writers are not trusted.
package protocol RecordSource: Sendable {
    /// The repository, without tag and digest.
    var reference: ImageReference { get }

    /// The digest that a tag holds; `nil` if there is no such tag.
    func digest(of tag: Tag) async throws -> Digest?

    /// The manifests whose subject is `digest`, among those that a listing names.
    func referrers(of digest: Digest, where isWanted: (Descriptor) -> Bool) async throws -> [Manifest]

    /// A manifest by its digest; `nil` if there is none.
    func manifest(_ digest: Digest) async throws -> Manifest?

    /// The bytes of a blob, checked against its digest and size.
    func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8]
}

extension OpenedRepository: RecordSource {}

/// A record that was found, and what vouches for it.
package struct FoundRecord: Sendable, Hashable {
    /// Whether a record is signed, and with which key.
    package enum Signature: Sendable, Hashable {
        case unsigned
        /// It has a signature, and no key was given to check it with.
        case unchecked
        /// It is signed with this key.
        case verified(key: String)
        /// None of its signatures is by one of the given keys.
        case notByGivenKeys
    }

    /// The digest of the record's manifest.
    package var digest: Digest
    package var record: PromotionRecord
    package var predicateType: String
    package var signature: Signature

    package var isVerified: Bool { if case .verified = signature { true } else { false } }
}

/// A manifest that claims to be a record and can't be used as one.
package struct UnusableRecord: Sendable, Hashable {
    package var digest: Digest
    /// The image that it refers to.
    package var image: Digest
    /// Why, in one line, printable.
    package var reason: String
}

/// Reads one record and checks who signed it.
package struct RecordReader: Sendable {
    package let source: any RecordSource
    /// The keys whose signatures count; with none, no signature is checked.
    package let keys: [RecordKey]

    package init(_ source: any RecordSource, keys: [RecordKey]) { (self.source, self.keys) = (source, keys) }

    package enum Result: Sendable, Hashable {
        case record(FoundRecord)
        case unusable(UnusableRecord)
        /// A statement by another program.
        case foreign
    }

    /// Reads the record in a manifest that claims to hold one about `image`.
    ///
    /// What it says is used as it was signed: nothing is read again or encoded anew.
    ///
    /// - Throws: `CopyError`, `CancellationError`; a record that is not right is a result.
    package func read(_ manifest: Manifest, about image: Digest) async throws -> Result {
        func unusable(_ reason: String) -> Result {
            .unusable(UnusableRecord(digest: manifest.digest, image: image, reason: printable(reason, upTo: 300)))
        }
        guard manifest.subject?.digest == image else { return unusable("it refers to another image") }
        guard manifest.layers.count == 1, let layer = manifest.layers.first else {
            return unusable("it has \(manifest.layers.count) layers, and a record has one")
        }
        guard layer.size <= Int64(RecordFormat.largest) else {
            return unusable("it has \(ByteCount(layer.size)), more than a record may have")
        }
        let content = try await source.blob(layer, upTo: RecordFormat.largest)
        let envelope: DSSEEnvelope
        do {
            envelope = try RecordArtifact.envelope(layer, content)
        } catch {
            return unusable(error.reason)
        }
        guard envelope.payloadType == DSSEEnvelope.statementType else {
            return unusable("its payload is not an in-toto statement")
        }
        let signature = signature(of: envelope)
        do {
            let statement = try RecordStatement(payload: envelope.payload, about: image)
            return .record(
                FoundRecord(
                    digest: manifest.digest,
                    record: statement.record,
                    predicateType: statement.predicateType,
                    signature: signature
                )
            )
        } catch {
            switch error {
            case .foreign: return .foreign
            case .otherImage: return unusable("its statement is about another image")
            case .unknownVersion(let version):
                return unusable("its format is version \(version), and this program knows \(RecordFormat.version)")
            case .unreadable(let reason): return unusable(reason)
            }
        }
    }

    private func signature(of envelope: DSSEEnvelope) -> FoundRecord.Signature {
        guard !envelope.signatures.isEmpty else { return .unsigned }
        guard !keys.isEmpty else { return .unchecked }
        let signer = keys.first { envelope.isSigned(by: $0.key) }
        return signer.map { .verified(key: $0.name) } ?? .notByGivenKeys
    }
}
