internal import Content
internal import ECRAPI
internal import FoundationEssentials

/// The key of an upload in the journal: a blob and its destination.
struct UploadKey: Hashable, Sendable {
    var registry: String
    var repository: String
    var digest: Digest
    /// The blob's size, in bytes.
    var size: Int64

    init(_ blob: Descriptor, to destination: any BlobReceiver) {
        registry = destination.registryKey
        repository = destination.reference.repository.value
        digest = blob.digest
        size = blob.size
    }

    init(registry: String, repository: String, digest: Digest, size: Int64) {
        self.registry = registry
        self.repository = repository
        self.digest = digest
        self.size = size
    }

    /// The length of a file name's hash, in characters.
    static let nameLength = 64

    /// The name of the upload's file, which is a hash because a registry's name may not be a valid file name.
    var fileName: String { sha256Hex("\(registry)/\(repository)/\(digest)".utf8) }
}

/// The journal's record of how far one upload in parts has come.
struct UploadEntry: Codable, Sendable, Equatable {
    /// The version of the file's format; a file with another version was written by another program.
    static let version = 1

    var version = UploadEntry.version
    var registry: String
    var repository: String
    var digest: String
    /// The size of the whole blob, in bytes.
    var size: Int64
    var uploadId: String
    /// The part size in bytes that the registry gave.
    var partSize: Int64
    /// The position up to which the registry has all bytes.
    var nextByte: Int64
    /// The time of the last change, in seconds since 1970.
    var updatedAt: Int64

    init(_ key: UploadKey, _ upload: PartUpload, nextByte: Int64, updatedAt: Int64 = 0) {
        registry = key.registry
        repository = key.repository
        digest = key.digest.description
        size = key.size
        uploadId = upload.id
        partSize = upload.partSize
        self.nextByte = nextByte
        self.updatedAt = updatedAt
    }

    /// - Returns: `nil` if this program could not have written the bytes.
    init?(parsing bytes: [UInt8]) {
        guard let entry = try? JSONDecoder().decode(Self.self, from: Data(bytes)), entry.isPlausible else { return nil }
        self = entry
    }

    /// - Returns: `nil` also if the entry belongs to another upload.
    init?(parsing bytes: [UInt8], for key: UploadKey) {
        self.init(parsing: bytes)
        guard registry == key.registry, repository == key.repository, digest == key.digest.description,
            size == key.size
        else { return nil }
    }

    /// The longest upload id, in characters; ECR's ids are UUIDs.
    private static let longestID = 256

    private var isPlausible: Bool {
        version == Self.version && (1...Self.longestID).contains(uploadId.utf8.count)
            && uploadId.utf8.allSatisfy { $0 > 32 && $0 < 127 }
            && (1...Int64(UploadLayerPart.longestPart)).contains(partSize) && nextByte > 0 && nextByte <= size
            && updatedAt >= 0
    }

    var upload: PartUpload { PartUpload(id: uploadId, partSize: partSize) }

    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // No value in the entry can fail to encode; an empty file would not be an entry.
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }
}
