/// A directory of this machine that holds images, as the OCI image-spec lays them out.
///
/// It is one repository without a name. Written `oci:DIR[:TAG][@DIGEST]`, as skopeo has it; what stands behind the
/// last colon is the tag, unless there is a slash in it.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`
public struct ImageLayout: Hashable, Sendable, CustomStringConvertible {
    /// As written, absolute or from where the process was started; without a slash at its end, as far as that can go.
    public var path: String

    public init(path: String) { self.path = path }

    public var description: String { "\(Self.prefix)\(path)" }

    /// The annotation of an entry of `index.json` that holds its tag.
    ///
    /// - Source: OCI image-spec 1.1, `annotations.md`
    public static let tagAnnotation = "org.opencontainers.image.ref.name"

    static let prefix = "oci:"
    /// In bytes (`PATH_MAX` of Linux).
    static let longestPath = 4_096

    /// Takes `DIR[:TAG][@DIGEST]` apart.
    static func parse(
        _ text: Substring,
        of whole: String
    ) throws(ReferenceError) -> (layout: ImageLayout, tag: Tag?, digest: Digest?) {
        guard text.utf8.count <= longestPath, !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else { throw .malformedReference(whole, reason: "it is no path: too long, or with control characters in it") }
        var path = text
        var digest: Digest?
        var tag: Tag?
        // Directories may have an @ in their names.
        if let at = path.lastIndex(of: "@"), path[at...].hasPrefix("@sha256:") {
            digest = try Digest(parsing: String(path[path.index(after: at)...]))
            path = path[..<at]
        }
        if let colon = path.lastIndex(of: ":"), !path[colon...].contains("/") {
            tag = try Tag(parsing: String(path[path.index(after: colon)...]))
            path = path[..<colon]
        }
        guard !path.hasPrefix("//") else {
            throw .malformedReference(whole, reason: "oci: names a directory; a registry is written without it")
        }
        // The slash behind a name with a colon in it is what tells that name from a tag.
        while path.count > 1, path.hasSuffix("/") {
            let shorter = path.dropLast()
            if let colon = shorter.lastIndex(of: ":"), !shorter[colon...].contains("/") { break }
            path = shorter
        }
        guard !path.isEmpty else { throw .malformedReference(whole, reason: "after oci: comes a directory") }
        return (ImageLayout(path: String(path)), tag, digest)
    }
}
