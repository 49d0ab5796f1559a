internal import Content
internal import Wire

/// An upload protocol for registries that take blobs in parts.
///
/// The parts of one upload are sent one after the other, and each but the last has the size that the registry gave.
protocol PartUploading: Sendable {
    /// Opens an upload, which ends only with ``complete(_:as:)``.
    func begin() async throws -> PartUpload

    /// Sends the part that begins at `offset`.
    ///
    /// If the part was sent before, the result is the upload's position.
    func send(_ part: PartBuffer, at offset: Int64, to upload: PartUpload) async throws -> PartReception

    /// Turns what was sent into a blob; it succeeds too if the blob exists already.
    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion
}

/// An open upload that takes parts.
struct PartUpload: Sendable, Equatable {
    var id: String
    /// The part size in bytes that the registry gave.
    var partSize: Int64

    init(id: String, partSize: Int64) {
        self.id = id
        self.partSize = partSize
    }
}

/// The registry's response to a part.
enum PartReception: Sendable, Equatable {
    case accepted
    /// The part doesn't follow what was sent before; the registry has this many bytes.
    case standsAt(Int64)
    /// The registry no longer knows the upload.
    case gone
}

/// The registry's response to the completion of an upload.
enum PartCompletion: Sendable, Equatable {
    case stored
    /// The registry no longer knows the upload, perhaps because it has completed it.
    case gone
    /// The uploaded bytes have another digest.
    case refused
}
