package import Content
package import Replicate

/// The JSON document that `inspect` prints: what is known about an image, and which referrers can't be shown.
package struct InspectionDocument: Encodable, Sendable {
    package struct Child: Encodable, Sendable {
        package var digest: Digest
        package var mediaType: MediaType
        package var size: Int64
        package var platform: String?
        package var isAttestation: Bool

        init(_ descriptor: Descriptor) {
            (digest, mediaType, size) = (descriptor.digest, descriptor.mediaType, descriptor.size)
            isAttestation = descriptor.isAttestation
            platform = descriptor.isAttestation ? nil : descriptor.platform?.description
        }
    }

    package struct Blob: Encodable, Sendable {
        package var digest: Digest
        package var mediaType: MediaType
        package var size: Int64

        init(_ descriptor: Descriptor) {
            (digest, mediaType, size) = (descriptor.digest, descriptor.mediaType, descriptor.size)
        }
    }

    package struct Referrer: Encodable, Sendable {
        package var digest: Digest
        package var mediaType: MediaType
        package var artifactType: String?
        package var tag: Tag?

        init(_ referrer: Inspection.Referrer) {
            (digest, mediaType) = (referrer.digest, referrer.mediaType)
            (artifactType, tag) = (referrer.artifactType, referrer.tag)
        }
    }

    package var version = 1
    package var reference: String
    package var digest: Digest
    package var mediaType: MediaType
    package var artifactType: String?
    package var subject: Digest?
    /// The size of the manifest itself, in bytes.
    package var manifestSize: Int
    package var annotations: [String: String]
    package var children: [Child]
    package var config: Blob?
    package var layers: [Blob]
    /// The compressed size of the config and the distinct layers, in bytes; 0 for an index.
    package var size: Int64
    package var referrers: [Referrer]
    /// The referrers that can't be shown; absent if there are none.
    package var referrersLeftOut: [CopyDocument.LeftOutReferrer]?

    package init(_ inspection: Inspection) {
        let manifest = inspection.manifest
        reference = "\(inspection.reference)"
        (digest, mediaType, artifactType) = (manifest.digest, manifest.mediaType, manifest.artifactType)
        subject = manifest.subject?.digest
        manifestSize = manifest.bytes.count
        annotations = manifest.annotations
        children = manifest.children.map(Child.init)
        config = manifest.config.map(Blob.init)
        layers = (manifest.layers + manifest.blobEntries).map(Blob.init)
        size = manifest.blobs.reduce(0) { $0 + $1.size }
        referrers = inspection.referrers.map(Referrer.init)
        referrersLeftOut = CopyDocument.LeftOutReferrer.list(inspection.referrerFailures)
    }
}
