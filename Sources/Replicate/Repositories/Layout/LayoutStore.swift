internal import Content
internal import FoundationEssentials
internal import Platform

/// The files of an image layout.
///
/// Each is whole or absent, whenever the power goes, and `index.json` is changed by one at a time, so that several
/// runs may fill one layout.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`
struct LayoutStore: LayoutFiles {
    /// Absolute.
    let path: String
    let clock: any Clock<Duration>
    /// What a directory holds, `nil` if it isn't there.
    var names: @Sendable (_ path: String) -> [String]? = { try? FileManager.default.contentsOfDirectory(atPath: $0) }
    /// Of `index.json`; no larger one is written than can be read.
    let limits: Manifest.Limits
    /// `index.json` as it was last read or written, and which file that was.
    private let known = Lock<(version: FileVersion, index: IndexText)?>(nil)
    private let hasSwept = Lock(false)

    init(path: String, clock: any Clock<Duration>, limits: Manifest.Limits = .layoutIndex) {
        (self.path, self.clock, self.limits) = (path, clock, limits)
    }

    /// How long others may keep `index.json` to themselves; changing it takes milliseconds.
    static let lockPatience: Duration = .seconds(60)
    static let lockPause: Duration = .milliseconds(10)
    static let version = "1.0.0"
    static let damaged = "write the layout anew, from where its images came from"
    /// `oci-layout` has some thirty bytes.
    static let largestMarker = 65_536
    /// For everybody, as other tools make them; the umask takes from it.
    static let directoryMode: UInt32 = 0o755
    static let fileMode: UInt32 = 0o644

    enum State { case missing, empty, layout }

    /// - Throws: ``LayoutError`` for a directory that is full of something else, or of a layout of another age.
    func state() throws -> State {
        if try isMarked() { return .layout }
        guard let names = names(path) else {
            // A file is no directory that could be made.
            guard (try? ByteFile(regular: path)) ?? nil == nil else {
                throw LayoutError(
                    "\(path) is a file, and an image layout is a directory",
                    remedy:
                        "read a tar file as oci-archive:\(path), or as docker-archive:\(path) if docker save wrote it"
                )
            }
            return .missing
        }
        // One that was killed may have left a marker that never got its name.
        if names.allSatisfy({ $0.hasPrefix("oci-layout.") }) { return .empty }
        // Somebody else may have made the layout since the marker was looked for; it is the first thing in it.
        guard try isMarked() else {
            throw LayoutError(
                "\(path) is no image layout (there is no oci-layout in it), and it is not empty",
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

    /// - Throws: ``LayoutError`` unless it says the version that is read here.
    static func checkMarker(_ marker: [UInt8], at path: String) throws {
        let said = try? JSONDecoder().decode(Marker.self, from: Data(marker)).imageLayoutVersion
        guard said == version else {
            throw LayoutError(
                "\(path) doesn't say imageLayoutVersion \(version)",
                remedy: "write the layout anew with a current tool, or name another directory"
            )
        }
    }

    /// Makes the directories and the marker, as far as they are missing.
    func make() throws {
        try DurableFile.makeDirectory(path, mode: Self.directoryMode)
        // Before anything else, so that a directory that isn't empty is always known for what it is.
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

    /// Removes what runs that were killed have left of their files; once, for a layout may have very many.
    private func sweep() {
        for directory in [path, blobDirectory] {
            for name in names(directory) ?? [] {
                guard let wanted = UnfinishedFile.finalName(of: name) else { continue }
                // What has another name is not from here.
                let isOurs =
                    directory == path
                    ? ["oci-layout", "index.json"].contains(wanted) : (try? Digest(parsing: "sha256:\(wanted)")) != nil
                if isOurs { UnfinishedFile.removeIfAbandoned("\(directory)/\(name)") }
            }
        }
    }

    /// What `index.json` lists; `nil` if there is no layout yet.
    ///
    /// - Throws: ``LayoutError``, `SystemError`
    func index() throws -> IndexText? {
        guard case .layout = try state() else { return nil }
        return try list()
    }

    /// What `index.json` lists, in a directory that is known to be a layout.
    private func list() throws -> IndexText {
        if let known = known.withLock({ $0 }), known.version.isCurrent { return known.index }
        guard let version = try FileVersion(of: indexPath, inside: path) else { return IndexText() }
        let bytes = try version.read(limit: limits.byteCount)
        do {
            let index = try IndexText(bytes, within: limits)
            known.withLock { $0 = (version, index) }
            return index
        } catch {
            throw LayoutError("\(indexPath) is no index: \(error)", remedy: Self.damaged)
        }
    }

    /// Changes `index.json` while nobody else does.
    ///
    /// - Throws: ``LayoutError`` when others don't let go, or it would be larger than what can be read; `SystemError`
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

    /// The file of a blob; `nil` if there is none.
    ///
    /// - Throws: `SystemError` for anything but a regular file in the layout.
    func blob(_ digest: Digest) throws -> FileRegion? {
        try ByteFile(regular: blobPath(digest), inside: path).map { FileRegion(allOf: $0) }
    }

    /// - Parameter type: What names it says that it is.
    /// - Returns: `nil` if it isn't there.
    /// - Throws: ``LayoutError`` if the file holds something else, `ManifestError`, `SystemError`
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
        // One that is too large to be a manifest is damaged as well.
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
            remedy: "run again when that process has ended; no lock outlives one"
        )
    }

    private struct Marker: Decodable {
        var imageLayoutVersion: String
    }
}

/// What is wrong with an image layout, with the path, and what to do about it.
struct LayoutError: Error, CustomStringConvertible {
    let description: String
    let remedy: String

    init(_ description: String, remedy: String) {
        self.description = description
        self.remedy = remedy
    }

    static let regularFilesOnly =
        "nothing but regular files is read from a layout; put the file itself there, or write the layout anew"
}

/// A manifest whose bytes are not those that its name says.
struct DamagedManifest: Error {
    let path: String
    let found: Digest

    var layoutError: LayoutError {
        LayoutError("\(path) is damaged: it hashes to \(found)", remedy: LayoutStore.damaged)
    }
}
