internal import Content
internal import FoundationEssentials

/// The path of a layout on this machine, and the name that was asked for in it.
///
/// `oci:DIR:docker.io/library/alpine:3` can be read in two ways, because a directory's name may contain a colon. The
/// files decide: the part before a colon is the directory if it exists, and the longer name doesn't.
struct LayoutPlace: Equatable, Sendable {
    /// The absolute path.
    var path: String
    /// The text after the path, without the tag: `docker.io/library/alpine`; `nil` if there is none.
    var scope: String?

    init(path: String, scope: String?) { (self.path, self.scope) = (path, scope) }

    /// - Parameter exists: Whether a file or directory exists at an absolute path.
    init(
        _ layout: ImageLayout,
        in folder: String = FileManager.default.currentDirectoryPath,
        exists: (String) -> Bool = { FileManager.default.fileExists(atPath: $0) }
    ) {
        path = layout.path.hasPrefix("/") ? layout.path : "\(folder)/\(layout.path)"
        guard layout.path.contains(":"), !exists(path) else { return }
        let whole = path
        for colon in whole.indices where whole[colon] == ":" {
            let (shorter, rest) = (String(whole[..<colon]), String(whole[whole.index(after: colon)...]))
            guard !shorter.isEmpty, shorter != folder + "/", !rest.isEmpty, exists(shorter) else { continue }
            (path, scope) = (shorter, rest)
            return
        }
    }
}
