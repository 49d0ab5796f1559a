internal import Content
internal import ECRAPI
internal import FoundationEssentials

/// Which blob goes where: what an upload is journaled under.
struct UploadKey: Hashable, Sendable {
    var registry: String
    var repository: String
    var digest: Digest
    /// In bytes.
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

    /// In characters.
    static let nameLength = 64

    /// A hash: names of registries don't make names of files.
    var fileName: String { sha256Hex("\(registry)/\(repository)/\(digest)".utf8) }
}

/// How far one upload in parts has come, as it stands in the journal.
struct UploadEntry: Codable, Sendable, Equatable {
    /// Of this form; a file of another is somebody else's.
    static let version = 1

    var version = UploadEntry.version
    var registry: String
    var repository: String
    var digest: String
    /// In bytes, the whole blob.
    var size: Int64
    var uploadId: String
    /// In bytes, as the registry answered.
    var partSize: Int64
    /// The registry has every byte before this one.
    var nextByte: Int64
    /// Seconds since 1970.
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

    /// - Returns: `nil` for anything that this program could not have written.
    init?(parsing bytes: [UInt8]) {
        guard let entry = try? JSONDecoder().decode(Self.self, from: Data(bytes)), entry.isPlausible else { return nil }
        self = entry
    }

    /// - Returns: `nil` too if it is another upload's.
    init?(parsing bytes: [UInt8], for key: UploadKey) {
        self.init(parsing: bytes)
        guard registry == key.registry, repository == key.repository, digest == key.digest.description,
            size == key.size
        else { return nil }
    }

    /// In characters; ECR's are UUIDs.
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
        // Nothing in it can fail to be encoded; an empty file would be no entry.
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }
}
