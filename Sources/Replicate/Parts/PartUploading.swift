public import Content
public import Wire

/// Blobs in parts, for registries that take them so.
///
/// Parts of one upload go one after the other, each but the last as long as the registry said.
public protocol PartUploading: Sendable {
    /// Opens an upload; it has no end of its own but ``complete(_:as:)``.
    func begin() async throws -> PartUpload

    /// Sends the part that begins at `offset`. Done twice, it says where the upload stands.
    func send(_ part: PartBuffer, at offset: Int64, to upload: PartUpload) async throws -> PartReception

    /// Makes a blob of what was sent; a blob that is there already is success.
    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion
}

/// An upload that takes parts.
public struct PartUpload: Sendable, Equatable {
    public var id: String
    /// In bytes, as the registry answered.
    public var partSize: Int64

    public init(id: String, partSize: Int64) {
        self.id = id
        self.partSize = partSize
    }
}

/// What became of a part.
public enum PartReception: Sendable, Equatable {
    case accepted
    /// It doesn't follow what is there: so many bytes are.
    case standsAt(Int64)
    /// The registry has forgotten the upload.
    case gone
}

/// What became of an upload.
public enum PartCompletion: Sendable, Equatable {
    case stored
    /// The registry has forgotten the upload, perhaps because it has completed it.
    case gone
    /// Its bytes are not those of the digest.
    case refused
}
