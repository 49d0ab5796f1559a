internal import Content
internal import FoundationEssentials
internal import Platform

/// The files of an image layout in a directory.
///
/// Each file is whole or absent, even after a power failure. Only one process at a time changes `index.json`, so
/// several runs may write to one layout.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`
struct LayoutStore: LayoutFiles {
    /// The absolute path.
    let path: String
    let clock: any Clock<Duration>
    /// Lists a directory; `nil` if it doesn't exist.
    var names: @Sendable (_ path: String) -> [String]? = { try? FileManager.default.contentsOfDirectory(atPath: $0) }
    /// The limits of `index.json`; one that is too large to be read is never written.
    let limits: Manifest.Limits
    /// The index as it was last read or written, with the version of its file.
    private let known = Lock<(version: FileVersion, index: IndexText)?>(nil)
    private let hasSwept = Lock(false)

    init(path: String, clock: any Clock<Duration>, limits: Manifest.Limits = .layoutIndex) {
        (self.path, self.clock, self.limits) = (path, clock, limits)
    }

    /// How long to wait for `index.json` while others change it; a change takes milliseconds.
    static let lockPatience: Duration = .seconds(60)
    static let lockPause: Duration = .milliseconds(10)
    static let version = "1.0.0"
    static let damaged = "create the layout again from the original images"
    /// The largest `oci-layout` in bytes; real ones have about thirty.
    static let largestMarker = 65_536
    /// The modes that let every user read, as other tools set them; the umask narrows them.
    static let directoryMode: UInt32 = 0o755
    static let fileMode: UInt32 = 0o644

    enum State { case missing, empty, layout }

    /// - Throws: ``LayoutError`` if the directory holds other files, or a layout of another version.
    func state() throws -> State {
        if try isMarked() { return .layout }
        guard let names = names(path) else {
            // A file can't become a directory.
            guard (try? ByteFile(regular: path)) ?? nil == nil else {
                throw LayoutError(
                    "\(path) is a file, and an image layout is a directory",
                    remedy:
                        "read a tar file as oci-archive:\(path), or as docker-archive:\(path) if docker save wrote it"
                )
            }
            return .missing
        }
        // A killed run may have left a marker under its temporary name.
        if names.allSatisfy({ $0.hasPrefix("oci-layout.") }) { return .empty }
        // Another process may have made the layout since the check for the marker, which is written first.
        guard try isMarked() else {
            throw LayoutError(
                "\(path) is not an image layout (there is no oci-layout in it), and it is not empty",
                remedy: "name a directory that holds a layout, or, to make one, an empty or new directory"
            )
        }
        return .layout
    }

    private func isMarked() throws -> Bool {
        guard let marker = try DurableFile.read(markerPath, limit: Self.largestMarker, inside: path) else {
            return false
        }
        try Self.checkMarker(marker, at: markerPath)
        return true
    }

    /// - Throws: ``LayoutError`` unless the marker states the supported version.
    static func checkMarker(_ marker: [UInt8], at path: String) throws {
        let said = try? JSONDecoder().decode(Marker.self, from: Data(marker)).imageLayoutVersion
        guard said == version else {
            throw LayoutError(
                "\(path) does not have imageLayoutVersion \(version)",
                remedy: "create the layout again with a current tool, or name another directory"
            )
        }
    }

    /// Makes the directories and the marker, as far as they are missing.
    func make() throws {
        try DurableFile.makeDirectory(path, mode: Self.directoryMode)
        // The marker is written first, so that a directory with files in it is always recognized as a layout.
        if try DurableFile.read(markerPath, limit: Self.largestMarker, inside: path) == nil {
            let text = #"{"imageLayoutVersion":"\#(Self.version)"}"#
            try DurableFile.write(Array(text.utf8), to: markerPath, mode: Self.fileMode)
        }
        try DurableFile.makeDirectory(blobDirectory, mode: Self.directoryMode)
        try RegularFile.checkDirectory(blobDirectory, inside: path)
        let isFirst = hasSwept.withLock { hasSwept in
            defer { hasSwept = true }
            return !hasSwept
        }
        if isFirst { sweep() }
    }

    /// Removes unfinished files of killed runs; this happens once, since a layout may have very many files.
    private func sweep() {
        for directory in [path, blobDirectory] {
            for name in names(directory) ?? [] {
                guard let wanted = UnfinishedFile.finalName(of: name) else { continue }
                // A file with another name was not written by this program.
                let isOurs =
                    directory == path
                    ? ["oci-layout", "index.json"].contains(wanted) : (try? Digest(parsing: "sha256:\(wanted)")) != nil
                if isOurs { UnfinishedFile.removeIfAbandoned("\(directory)/\(name)") }
            }
        }
    }

    /// Reads `index.json`; `nil` if there is no layout yet.
    ///
    /// - Throws: ``LayoutError``, `SystemError`
    func index() throws -> IndexText? {
        guard case .layout = try state() else { return nil }
        return try list()
    }

    /// Reads `index.json` in a directory that is known to be a layout.
    private func list() throws -> IndexText {
        if let known = known.withLock({ $0 }), known.version.isCurrent { return known.index }
        guard let version = try FileVersion(of: indexPath, inside: path) else { return IndexText() }
        let bytes = try version.read(limit: limits.byteCount)
        do {
            let index = try IndexText(bytes, within: limits)
            known.withLock { $0 = (version, index) }
            return index
        } catch {
            throw LayoutError("\(indexPath) is not an index: \(error)", remedy: Self.damaged)
        }
    }

    /// Changes `index.json` while holding its lock.
    ///
    /// - Throws: ``LayoutError`` if others keep the lock, or if the file would become too large to read; `SystemError`
    func change(_ body: @escaping @Sendable (inout IndexText) throws -> Void) async throws {
        let lock = try await lock()
        defer { lock.remove() }
        try await FileWork.run { _ in try changeLocked(body) }
    }

    private func changeLocked(_ body: (inout IndexText) throws -> Void) throws {
        let before = try list()
        var after = before
        try body(&after)
        let isThere = try FileVersion(of: indexPath, inside: path) != nil
        guard after.bytes != before.bytes || !isThere else { return }
        guard after.bytes.count <= limits.byteCount, after.entries.count <= limits.descriptors else {
            throw LayoutError(
                "\(indexPath) is full: it may list \(limits.descriptors) images in \(limits.byteCount) bytes",
                remedy: "name another directory for further images"
            )
        }
        // A layout that a group shares stays shared.
        try DurableFile.write(after.bytes, to: indexPath, mode: Self.fileMode | (DurableFile.mode(of: indexPath) ?? 0))
        let written = try FileVersion(of: indexPath, inside: path)
        known.withLock { $0 = written.map { ($0, after) } }
    }

    func blobPath(_ digest: Digest) -> String { "\(blobDirectory)/\(digest.hex)" }

    /// Returns the file of a blob; `nil` if there is none.
    ///
    /// - Throws: `SystemError` if it isn't a regular file in the layout.
    func blob(_ digest: Digest) throws -> FileRegion? {
        try ByteFile(regular: blobPath(digest), inside: path).map { FileRegion(allOf: $0) }
    }

    /// - Parameter type: The media type that the descriptor states.
    /// - Returns: `nil` if the manifest doesn't exist.
    /// - Throws: ``LayoutError`` if the file has other content, `ManifestError`, `SystemError`
    func manifest(_ digest: Digest, as type: MediaType? = nil) throws -> Manifest? {
        guard let bytes = try DurableFile.read(blobPath(digest), limit: Manifest.largestByteCount, inside: path) else {
            return nil
        }
        let found = Digest(of: bytes)
        guard found == digest else {
            throw DamagedManifest(path: blobPath(digest), found: found)
        }
        return try Manifest(bytes: bytes, mediaType: type)
    }

    func write(_ manifest: Manifest) throws {
        // A file that is too large for a manifest is damaged as well.
        let held = try? DurableFile.read(
            blobPath(manifest.digest),
            limit: Manifest.largestByteCount,
            inside: path
        )
        guard held != manifest.bytes else { return }
        try DurableFile.write(manifest.bytes, to: blobPath(manifest.digest), mode: Self.fileMode)
    }

    private var markerPath: String { "\(path)/oci-layout" }
    private var indexPath: String { "\(path)/index.json" }
    private var blobDirectory: String { "\(path)/blobs/sha256" }

    private func lock() async throws -> FileLock {
        var waited: Duration = .zero
        while waited <= Self.lockPatience {
            if let lock = try FileLock(path: "\(indexPath).lock") { return lock }
            try await clock.sleep(for: Self.lockPause)
            waited += Self.lockPause
        }
        throw LayoutError(
            "another process keeps \(indexPath) locked",
            remedy: "run again when that process has ended"
        )
    }

    private struct Marker: Decodable {
        var imageLayoutVersion: String
    }
}

/// What is wrong with an image layout, with its path and what to do about it.
package struct LayoutError: Error, Equatable, CustomStringConvertible {
    package let description: String
    package let remedy: String

    init(_ description: String, remedy: String) {
        self.description = description
        self.remedy = remedy
    }
}

/// The error for a manifest whose bytes don't match the digest in its file name.
struct DamagedManifest: Error {
    let path: String
    let found: Digest

    var layoutError: LayoutError {
        LayoutError("\(path) is damaged: it hashes to \(found)", remedy: LayoutStore.damaged)
    }
}
