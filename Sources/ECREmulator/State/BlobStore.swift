internal import Content
internal import FoundationEssentials
internal import Platform

/// The bytes of blobs and of open uploads, in files, so that large layers don't take memory.
///
/// A blob is stored once under its digest, even if several repositories hold it. A generated blob is stored as a
/// description of a few bytes, and generated again for each reader. A store that discards uploads stores no pushed blob.
final class BlobStore: Sendable {
    let directory: String
    private let isTemporary: Bool
    private let discardsUploads: Bool
    private let open: Lock<[String: PartFile]>
    /// The readers of generated blobs, which are slow to make and small to keep.
    private let readers = Lock<[Digest: BlobReader]>([:])
    /// The most readers that are kept; each takes 64 KiB.
    private static let mostReaders = 64

    /// - Parameters:
    ///   - directory: The directory; `nil` for a temporary one, which ``removeTemporaryFiles()`` deletes.
    ///   - discardsUploads: Whether uploads are hashed and then discarded.
    /// - Throws: ``EmulatorStartError`` when the directories can't be created.
    init(directory: String?, discardsUploads: Bool = false) throws {
        isTemporary = directory == nil
        self.discardsUploads = discardsUploads
        self.directory =
            directory
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("ecr-emulator-\(UUID().uuidString)").path
        open = Lock([:])
        for part in ["blobs", "uploads"] {
            do {
                try DurableFile.makeDirectory("\(self.directory)/\(part)")
            } catch {
                throw EmulatorStartError("\(error)")
            }
        }
    }

    func removeTemporaryFiles() {
        open.withLock { $0 = [:] }
        if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Whether a blob's bytes can be read.
    func has(_ digest: Digest) -> Bool {
        [path(of: digest), descriptionPath(of: digest)].contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// - Throws: ``ConnectionCut`` for a blob that was discarded or never stored.
    func open(_ digest: Digest) throws -> BlobReader {
        if let reader = readers.withLock({ $0[digest] }) { return reader }
        if let text = try? Data(contentsOf: URL(filePath: descriptionPath(of: digest))) {
            let numbers = String(decoding: text, as: UTF8.self).split(separator: " ")
            guard numbers.count >= 2, let seed = UInt64(numbers[0]), let size = Int64(numbers[1]) else {
                throw ConnectionCut()
            }
            let reader: BlobReader
            if numbers.count == 3 {
                guard let layer = SeedLayer(size: size, seed: seed, checksum: UInt32(numbers[2])) else {
                    throw ConnectionCut()
                }
                reader = .layer(layer)
            } else {
                reader = .generated(SeedBytes(seed: seed, byteCount: size), size: size)
            }
            readers.withLock { readers in
                if readers.count >= Self.mostReaders { readers = [:] }
                readers[digest] = reader
            }
            return reader
        }
        let path = path(of: digest)
        guard FileManager.default.fileExists(atPath: path) else { throw ConnectionCut() }
        return .file(try ByteFile(reading: path))
    }

    /// Returns the file of an upload, which computes the hash while it grows.
    func partFile(_ upload: String) throws -> PartFile {
        let path = discardsUploads ? nil : uploadPath(upload)
        return try open.withLock { files in
            if let file = files[upload] { return file }
            let file = try PartFile(path: path)
            files[upload] = file
            return file
        }
    }

    /// Turns the upload's file into the blob with its digest.
    func keep(_ upload: String, as digest: Digest) throws {
        open.withLock { $0[upload] = nil }
        if discardsUploads {
            try? FileManager.default.removeItem(atPath: uploadPath(upload))
        } else {
            // Another upload may store the same bytes at this instant; either file is right.
            try DurableFile.move(uploadPath(upload), to: path(of: digest))
        }
    }

    func discard(_ upload: String) {
        open.withLock { $0[upload] = nil }
        try? FileManager.default.removeItem(atPath: uploadPath(upload))
    }

    /// Stores bytes from memory.
    func put(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        let target = path(of: digest)
        if !FileManager.default.fileExists(atPath: target) {
            try Data(bytes).write(to: URL(filePath: target), options: .atomic)
        }
        return digest
    }

    /// Stores a blob of ``SeedBytes`` as a description, from which the bytes can be generated.
    ///
    /// - Parameter digest: The digest of these bytes; it isn't checked.
    func describe(_ digest: Digest, size: Int64, seed: UInt64) throws {
        try Data("\(seed) \(size)".utf8).write(to: URL(filePath: descriptionPath(of: digest)), options: .atomic)
    }

    /// Stores a layer as a description, from which the bytes can be generated.
    ///
    /// - Parameter digest: The digest of these bytes; it isn't checked.
    func describe(_ digest: Digest, _ layer: SeedLayer) throws {
        try Data("\(layer.seed) \(layer.size) \(layer.checksum)".utf8)
            .write(to: URL(filePath: descriptionPath(of: digest)), options: .atomic)
    }

    private func path(of digest: Digest) -> String { "\(directory)/blobs/\(digest.hex)" }

    private func descriptionPath(of digest: Digest) -> String { "\(directory)/blobs/\(digest.hex).seed" }

    private func uploadPath(_ upload: String) -> String { "\(directory)/uploads/\(upload)" }
}

/// Reads a blob's bytes.
enum BlobReader: Sendable {
    case file(ByteFile)
    case generated(SeedBytes, size: Int64)
    case layer(SeedLayer)

    /// Returns up to `count` bytes from `offset`; fewer near the end, none after it.
    func read(at offset: Int64, count: Int) throws -> [UInt8] {
        switch self {
        case .file(let file): try file.read(at: offset, count: count)
        case .layer(let layer): layer.read(at: offset, count: count)
        case .generated(let bytes, let size):
            bytes.read(at: offset, count: max(0, Int(min(Int64(count), size - offset))))
        }
    }
}

/// The bytes of an upload so far, as a growing file or only as a hash.
final class PartFile: Sendable {
    private let state: Lock<GrowingBox>

    /// A noncopyable value can't be a generic argument of ``Lock``, but this box can.
    private final class GrowingBox {
        var file: ByteFile?
        var hasher: SHA256Hasher?
        var digest: Digest?

        init(file: ByteFile?) {
            self.file = file
            hasher = SHA256Hasher()
        }
    }

    /// Opens or creates the file; bytes from an earlier process are hashed again.
    ///
    /// - Parameter path: The file's path; `nil` if the bytes are only hashed.
    init(path: String?) throws {
        let box = GrowingBox(file: try path.map { try ByteFile(appending: $0) })
        var offset: Int64 = 0
        while let bytes = try box.file?.read(at: offset, count: 1 << 20), !bytes.isEmpty {
            box.hasher?.update(bytes)
            offset += Int64(bytes.count)
        }
        state = Lock(box)
    }

    func append(_ bytes: some Collection<UInt8>) throws {
        try state.withLock { box in
            try box.file?.append(bytes)
            box.hasher?.update(bytes)
        }
    }

    /// Returns the digest of all bytes so far; nothing may be appended afterwards.
    func finish() -> Digest {
        state.withLock { box in
            if let digest = box.digest { return digest }
            guard let hasher = box.hasher.take() else { return .ofNothing }
            let digest = hasher.finishDigest()
            box.digest = digest
            return digest
        }
    }
}
