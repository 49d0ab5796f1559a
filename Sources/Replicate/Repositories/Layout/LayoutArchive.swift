internal import Content
internal import FoundationEssentials
internal import Platform

/// An image layout in a tar file, as skopeo, buildx and `docker save` since version 25 write it.
///
/// - Source: containers-transports(5), "oci-archive"; release notes of docker 25.0, "docker image save"
struct LayoutArchive: LayoutFiles {
    let path: String
    private let tar: TarIndex
    private let list: IndexText

    static let indexName = "index.json"

    /// - Throws: ``LayoutError``, `SystemError`
    init(_ tar: TarIndex, path: String) throws {
        (self.tar, self.path) = (tar, path)
        if let marker = try tar.member("oci-layout", isOnly: true) {
            try LayoutStore.checkMarker(try marker.readAll(limit: LayoutStore.largestMarker), at: "\(path)(oci-layout)")
        }
        guard let index = try tar.member(Self.indexName, isOnly: true) else {
            throw LayoutError("there is no index.json in \(path)", remedy: "name an archive of an image layout")
        }
        do {
            let limits = Manifest.Limits.layoutIndex
            list = try IndexText(index.readAll(limit: limits.byteCount), within: limits)
        } catch let error as ManifestError {
            throw LayoutError("\(path)(index.json) is not an index: \(error)", remedy: "save the archive again")
        }
    }

    func index() -> IndexText? { list }

    func manifest(_ digest: Digest, as type: MediaType?) throws -> Manifest? {
        guard let region = try blob(digest) else { return nil }
        let bytes = try region.readAll(limit: Manifest.largestByteCount)
        let found = Digest(of: bytes)
        guard found == digest else { throw DamagedManifest(path: "\(path)(\(Self.name(digest)))", found: found) }
        return try Manifest(bytes: bytes, mediaType: type)
    }

    func blob(_ digest: Digest) throws -> FileRegion? { try tar.member(Self.name(digest)) }

    private static func name(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }
}
