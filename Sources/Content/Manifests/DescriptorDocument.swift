/// A descriptor as it is written into a new index.
///
/// - Source: OCI image-spec 1.1, "Image Index Property Descriptions"
package struct DescriptorDocument: Encodable {
    private let mediaType: String
    private let digest: String
    private let size: Int64
    private let platform: ImagePlatform?
    private let annotations: [String: String]?
    private let artifactType: String?

    package init(_ descriptor: Descriptor) {
        mediaType = descriptor.mediaType.rawValue
        digest = descriptor.digest.description
        size = descriptor.size
        platform = descriptor.platform
        annotations = descriptor.annotations.isEmpty ? nil : descriptor.annotations
        artifactType = descriptor.artifactType
    }
}
