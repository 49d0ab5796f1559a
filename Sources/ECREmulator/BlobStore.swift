internal import Content
internal import FoundationEssentials
internal import Platform

/// The bytes of blobs and of uploads that are under way, as files, so that a layer of any size costs no memory.
///
/// A blob lies under its digest, once, however many repositories hold it.
final class BlobStore: Sendable {
    let directory: String
    private let isTemporary: Bool
    private let open: Lock<[String: PartFile]>

    /// - Parameter directory: `nil` for a temporary one, which goes with ``removeTemporaryFiles()``.
    /// - Throws: When the directories can't be made.
    init(directory: String?) throws {
        isTemporary = directory == nil
        self.directory =
            directory
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("ecr-emulator-\(UUID().uuidString)").path
        open = Lock([:])
        for part in ["blobs", "uploads"] {
            try FileManager.default.createDirectory(
                atPath: "\(self.directory)/\(part)",
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
    }

    func removeTemporaryFiles() {
        open.withLock { $0 = [:] }
        if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
    }

    func path(of digest: Digest) -> String { "\(directory)/blobs/\(digest.hex)" }

    /// The file of an upload, which hashes while it grows.
    func partFile(_ upload: String) throws -> PartFile {
        let path = uploadPath(upload)
        return try open.withLock { files in
            if let file = files[upload] { return file }
            let file = try PartFile(path: path)
            files[upload] = file
            return file
        }
    }

    /// Makes the upload's file the blob of its digest.
    func keep(_ upload: String, as digest: Digest) throws {
        open.withLock { $0[upload] = nil }
        let target = path(of: digest)
        if FileManager.default.fileExists(atPath: target) {
            try? FileManager.default.removeItem(atPath: uploadPath(upload))
        } else {
            try FileManager.default.moveItem(atPath: uploadPath(upload), toPath: target)
        }
    }

    func discard(_ upload: String) {
        open.withLock { $0[upload] = nil }
        try? FileManager.default.removeItem(atPath: uploadPath(upload))
    }

    /// Stores bytes that are in memory.
    func put(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        let target = path(of: digest)
        if !FileManager.default.fileExists(atPath: target) { try Data(bytes).write(to: URL(filePath: target)) }
        return digest
    }

    private func uploadPath(_ upload: String) -> String { "\(directory)/uploads/\(upload)" }
}

/// A file that grows, and knows what its bytes hash to.
final class PartFile: Sendable {
    private let state: Lock<GrowingBox>

    /// A noncopyable value can't be a generic argument of ``Lock``; this box can.
    private final class GrowingBox {
        var file: ByteFile
        var hasher: SHA256Hasher?
        var digest: Digest?

        init(file: ByteFile) {
            self.file = file
            hasher = SHA256Hasher()
        }
    }

    /// Opens or makes the file; what it has from an earlier process is hashed again.
    init(path: String) throws {
        let box = GrowingBox(file: try ByteFile(appending: path))
        var offset: Int64 = 0
        while true {
            let bytes = try box.file.read(at: offset, count: 1 << 20)
            if bytes.isEmpty { break }
            box.hasher?.update(bytes)
            offset += Int64(bytes.count)
        }
        state = Lock(box)
    }

    func append(_ bytes: some Collection<UInt8>) throws {
        try state.withLock { box in
            try box.file.append(bytes)
            box.hasher?.update(bytes)
        }
    }

    /// What all bytes so far hash to; nothing is appended after this.
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
