/// A local directory or archive that holds images in the OCI image layout.
///
/// It is one repository without a name. The form is skopeo's, `oci:DIR[:NAME][@DIGEST]`; the text after the last colon
/// is the tag, unless it contains a slash. Archives are written the same way.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`; containers-transports(5)
public struct ImageLayout: Hashable, Sendable, CustomStringConvertible {
    /// A directory, or a kind of archive.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        case directory = "oci:"
        /// A tar file of such a directory.
        case ociArchive = "oci-archive:"
        /// A tar file that `docker save` wrote.
        case dockerArchive = "docker-archive:"
    }

    public var form: Form
    /// The path as written, absolute or relative to the working directory, without a slash at its end where possible.
    ///
    /// A name that contains a slash (`oci:DIR:docker.io/library/alpine:3`) is still part of it, because only the files
    /// show where the path ends.
    public var path: String

    public init(path: String, form: Form = .directory) { (self.path, self.form) = (path, form) }

    public var description: String { "\(form.rawValue)\(path)" }

    /// Whether it can only be read.
    public var isArchive: Bool { form != .directory }

    /// Splits a reference into its form and the text after the prefix.
    static func form(of text: String) -> (form: Form, rest: Substring)? {
        for form in Form.allCases where text.hasPrefix(form.rawValue) {
            return (form, text.dropFirst(form.rawValue.count))
        }
        return nil
    }

    /// The annotation of an entry of `index.json` that holds its tag.
    ///
    /// - Source: OCI image-spec 1.1, `annotations.md`
    public static let tagAnnotation = "org.opencontainers.image.ref.name"

    /// The annotation that holds the whole reference, as containerd, buildx and docker write it.
    ///
    /// - Source: containerd, `images/annotations.go`; docker/buildx issue 2952
    public static let imageNameAnnotation = "io.containerd.image.name"

    /// The longest path, in bytes (`PATH_MAX` of Linux).
    static let longestPath = 4_096

    /// Splits `DIR[:TAG][@DIGEST]`.
    static func parse(
        _ text: Substring,
        as form: Form,
        of whole: String
    ) throws(ReferenceError) -> (layout: ImageLayout, tag: Tag?, digest: Digest?) {
        guard text.utf8.count <= longestPath, !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else {
            throw .malformedReference(
                whole,
                reason: "it is not a path: it is too long, or has control characters in it"
            )
        }
        var path = text
        var digest: Digest?
        var tag: Tag?
        if let at = path.lastIndex(of: "@"), !path[at...].hasPrefix("@sha256:"),
            path[at...].lowercased().hasPrefix("@sha256:")
        {
            throw .malformedReference(
                whole,
                reason: "write the digest in lowercase: sha256: and 64 characters 0-9 or a-f"
            )
        }
        // Names of directories may contain an @.
        if let at = path.lastIndex(of: "@"), path[at...].hasPrefix("@sha256:") {
            digest = try Digest(parsing: String(path[path.index(after: at)...]))
            path = path[..<at]
        }
        if let colon = path.lastIndex(of: ":"), !path[colon...].contains("/") {
            tag = try Tag(parsing: String(path[path.index(after: colon)...]))
            path = path[..<colon]
        }
        guard !path.hasPrefix("~/") else {
            throw .malformedReference(
                whole,
                reason: "the shell expands ~ only at the start of a word; write "
                    + "\(form.rawValue)$HOME\(path.dropFirst())"
            )
        }
        guard !path.hasPrefix("///") else {
            throw .malformedReference(
                whole,
                reason: "the path follows the colon: write \(form.rawValue)\(text.dropFirst(2))"
            )
        }
        guard !path.hasPrefix("//") else {
            throw .malformedReference(
                whole,
                reason: "\(form.rawValue) names a \(form.noun); a registry is written without it"
            )
        }
        // A slash at the end distinguishes a directory's name with a colon from a tag.
        while path.count > 1, path.hasSuffix("/") {
            let shorter = path.dropLast()
            if let colon = shorter.lastIndex(of: ":"), !shorter[colon...].contains("/") { break }
            path = shorter
        }
        guard !path.isEmpty else {
            throw .malformedReference(whole, reason: "a \(form.noun) must follow \(form.rawValue)")
        }
        return (ImageLayout(path: String(path), form: form), tag, digest)
    }
}

extension ImageLayout.Form {
    fileprivate var noun: String { self == .directory ? "directory" : "file" }
}
