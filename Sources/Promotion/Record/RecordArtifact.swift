package import Content
internal import FoundationEssentials
package import Replicate

/// A record as it is stored: a manifest that refers to the image, and one layer with the envelope.
///
/// A signed record is a Sigstore bundle, as cosign 3 writes attestations. An unsigned one has the same envelope without
/// signatures, under another type: programs that look for signed bundles don't see it.
///
/// - Source: docs/records.md#format; docs/facts/attestations.md#bundle
package enum RecordArtifact {
    private static let emptyObject = Array("{}".utf8)

    /// Makes the referrer of an image that holds a record.
    ///
    /// - Parameter fingerprint: The SHA-256 of the signing key's SubjectPublicKeyInfo; `nil` for an unsigned record.
    package static func referrer(
        _ statement: RecordStatement,
        in envelope: DSSEEnvelope,
        signedBy fingerprint: [UInt8]?,
        to subject: Descriptor
    ) throws -> AddedReferrer {
        let record = statement.record
        var annotations = RecordDecision(record).annotations
        annotations[RecordFormat.Annotation.created] = record.decidedAt
        let layer: [UInt8]
        let type: String
        if let fingerprint {
            annotations[RecordFormat.Annotation.bundleContent] = "dsse-envelope"
            annotations[RecordFormat.Annotation.bundlePredicate] = statement.predicateType
            layer = bundle(envelope, fingerprint)
            type = RecordFormat.bundleType
        } else {
            layer = envelope.json
            type = DSSEEnvelope.mediaType
        }
        let document = ManifestText(
            artifactType: fingerprint == nil ? RecordFormat.unsignedType : RecordFormat.bundleType,
            config: .init(MediaType.ociEmpty.rawValue, emptyObject),
            layers: [.init(type, layer, fingerprint == nil ? ["predicateType": statement.predicateType] : nil)],
            subject: .init(subject),
            annotations: annotations
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let manifest = try Manifest(bytes: Array(try encoder.encode(document)), mediaType: .ociManifest)
        return AddedReferrer(manifest, blobs: [emptyObject, layer])
    }

    /// A bundle with one envelope.
    ///
    /// Its key is named by a hint, which nothing vouches for.
    private static func bundle(_ envelope: DSSEEnvelope, _ fingerprint: [UInt8]) -> [UInt8] {
        let head = Array(#"{"dsseEnvelope":"#.utf8)
        let hint = Base64Text.encode(fingerprint)
        let tail =
            #","mediaType":"\#(RecordFormat.bundleType)","verificationMaterial":{"publicKey":{"hint":"\#(hint)"}}}"#
        return head + envelope.json + Array(tail.utf8)
    }

    private struct ManifestText: Encodable {
        struct Part: Encodable {
            var mediaType: String
            var digest: Digest
            var size: Int64
            var annotations: [String: String]?

            init(_ mediaType: String, _ content: [UInt8], _ annotations: [String: String]? = nil) {
                (self.mediaType, digest, size) = (mediaType, Digest(of: content), Int64(content.count))
                self.annotations = annotations
            }

            init(_ descriptor: Descriptor) {
                (mediaType, digest, size) = (descriptor.mediaType.rawValue, descriptor.digest, descriptor.size)
            }
        }

        var schemaVersion = 2
        var mediaType = MediaType.ociManifest.rawValue
        var artifactType: String
        var config: Part
        var layers: [Part]
        var subject: Part
        var annotations: [String: String]
    }

    // MARK: Finding

    /// Whether an entry of a list of referrers may be a record: the list has the type, and not always the annotations.
    package static func mayBeRecord(_ entry: Descriptor) -> Bool {
        guard let type = entry.artifactType else { return true }
        guard type == RecordFormat.bundleType || type == RecordFormat.unsignedType else { return false }
        return entry.annotations.isEmpty || entry.annotations[RecordFormat.Annotation.tags] != nil
    }

    /// Whether a manifest says that it is a record.
    package static func claimsToBeRecord(_ manifest: Manifest) -> Bool {
        manifest.annotations[RecordFormat.Annotation.tags] != nil
            && [RecordFormat.bundleType, RecordFormat.unsignedType].contains(manifest.artifactType ?? "")
    }

    /// The envelope in a record's layer.
    ///
    /// - Throws: ``SignatureProblem``
    static func envelope(_ layer: Descriptor, _ content: [UInt8]) throws(SignatureProblem) -> DSSEEnvelope {
        if layer.mediaType.rawValue == RecordFormat.bundleType {
            return try DSSEEnvelope(SignedJSON.decode(Bundle.self, from: content, "the bundle").dsseEnvelope)
        }
        return try DSSEEnvelope(json: content)
    }

    private struct Bundle: Decodable { var dsseEnvelope: DSSEEnvelope.Document }
}

/// What a record decided, as its manifest's annotations say it.
///
/// A run reads it to find out whether what it decides is recorded already, without reading every record.
package struct RecordDecision: Sendable, Hashable {
    package struct Change: Sendable, Hashable {
        package var tag: String
        package var before: Digest?
    }

    package var action: PromotionRecord.Action
    package var repository: String
    package var tags: [Change]
    package var policy: Digest?
    package var undoes: Digest?

    package init(_ record: PromotionRecord) {
        (action, repository) = (record.action, record.to.repository)
        tags = record.tags.map { Change(tag: $0.tag, before: $0.before) }
        (policy, undoes) = (record.policy?.digest, record.undoes)
    }

    /// Reads the annotations of a manifest; `nil` if it is not a record, or if they can't be read.
    package init?(_ manifest: Manifest) {
        guard RecordArtifact.claimsToBeRecord(manifest) else { return nil }
        let said = manifest.annotations
        guard let action = said[RecordFormat.Annotation.action],
            let repository = said[RecordFormat.Annotation.repository], let list = said[RecordFormat.Annotation.tags]
        else { return nil }
        (self.action, self.repository) = (PromotionRecord.Action(rawValue: action), repository)
        tags = []
        for item in list == RecordFormat.none ? [] : list.split(separator: " ") {
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            guard parts[1] != RecordFormat.none else {
                tags.append(Change(tag: String(parts[0]), before: nil))
                continue
            }
            guard let before = try? Digest(parsing: String(parts[1])) else { return nil }
            tags.append(Change(tag: String(parts[0]), before: before))
        }
        policy = said[RecordFormat.Annotation.policy].flatMap { try? Digest(parsing: $0) }
        undoes = said[RecordFormat.Annotation.undoes].flatMap { try? Digest(parsing: $0) }
    }

    var annotations: [String: String] {
        var annotations = [
            RecordFormat.Annotation.action: action.rawValue,
            RecordFormat.Annotation.repository: repository,
            RecordFormat.Annotation.tags: tags.isEmpty
                ? RecordFormat.none
                : tags.map { "\($0.tag)=\($0.before.map(\.description) ?? RecordFormat.none)" }.joined(separator: " "),
            RecordFormat.Annotation.policy: policy.map(\.description) ?? RecordFormat.none,
        ]
        if let undoes { annotations[RecordFormat.Annotation.undoes] = undoes.description }
        return annotations
    }
}
