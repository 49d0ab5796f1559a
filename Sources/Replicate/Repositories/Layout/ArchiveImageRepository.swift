internal import Content
internal import Platform
internal import Wire

/// A tar file with images in it, as a read-only repository.
struct ArchiveImageRepository: ImageRepository {
    let reference: ImageReference
    let side: CopyError.Side
    let registryKey: String
    private let reader: LayoutReader
    private let docker: DockerArchive?

    /// Reads the archive's headers and its index.
    ///
    /// - Throws: ``LayoutError``, `SystemError`, `CancellationError`
    static func open(_ reference: ImageReference, _ layout: ImageLayout, side: CopyError.Side) async throws -> Self {
        let place = LayoutPlace(layout)
        // An archive may have tens of thousands of headers, so a separate thread reads them.
        let files = try await FileWork.run { isCancelled in try read(place.path, layout.form, isCancelled) }
        return Self(reference, files, side: side, scope: place.scope)
    }

    private static func read(
        _ path: String,
        _ form: ImageLayout.Form,
        _ isCancelled: () -> Bool
    ) throws -> any LayoutFiles {
        guard let file = try ByteFile(regular: path) else {
            throw LayoutError("there is no file \(path)", remedy: "name the tar file that holds the image")
        }
        let tar = try TarIndex(file, isCancelled: isCancelled)
        if tar.contains(LayoutArchive.indexName) { return try LayoutArchive(tar, path: path) }
        guard form == .dockerArchive || !tar.contains(DockerArchive.manifestName) else {
            throw LayoutError(
                "there is no index.json in \(path): docker save or podman save wrote it in docker's form",
                remedy: "name it docker-archive:\(path)"
            )
        }
        return try DockerArchive(tar, path: path, isCancelled: isCancelled)
    }

    private init(_ reference: ImageReference, _ files: any LayoutFiles, side: CopyError.Side, scope: String?) {
        self.reference = reference.bare
        self.side = side
        registryKey = "archive:\(files.path)"
        reader = LayoutReader(files, reference.bare, side: .source, scope: scope)
        docker = files as? DockerArchive
    }

    func notes(about root: Digest) -> [String] { [docker?.note(about: root)].compactMap { $0 } }

    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading {
        try await explained("reading the archive") { try reader.read(manifests: manifests, digests: digests) }
    }

    func list() async throws -> ImageListing {
        try await explained("listing the archive") { try reader.listing() }
    }

    func soleImage() async throws -> ManifestID? {
        try await explained("reading the archive") { try reader.soleImage() }
    }

    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        try await explained("looking for blobs") { try await reader.missing(blobs) }
    }

    func source(of blob: Descriptor) async throws -> RelaySource {
        try await explained("reading a blob") { try reader.source(of: blob) }
    }

    func referrers(of digest: Digest) async throws -> ReferrerListing? {
        try await explained("looking for referrers", .digest(digest)) {
            ReferrerListing(try reader.referrers(of: digest))
        }
    }

    func immutability() async throws -> TagImmutability? { nil }

    // MARK: Read-only

    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception { throw readOnly }

    func put(_ manifest: Manifest, tag: Tag?) async throws { throw readOnly }

    func create() async throws { throw readOnly }

    private var readOnly: CopyError {
        CopyError(
            .unsupported(.writingToArchive),
            side: side,
            image: reference,
            operation: "storing the image"
        )
    }
}
