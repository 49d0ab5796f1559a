internal import Content
internal import FoundationEssentials

/// Where a layout is on this machine, and which name was asked for in it.
///
/// `oci:DIR:docker.io/library/alpine:3` can be read in two ways, for a directory may have a colon in its name. The files
/// decide: what stands before a colon is the directory if there is one, and none of the longer name.
struct LayoutPlace: Equatable, Sendable {
    /// Absolute.
    var path: String
    /// What follows the path, without the tag: `docker.io/library/alpine`; `nil` if nothing does.
    var scope: String?

    init(path: String, scope: String?) { (self.path, self.scope) = (path, scope) }

    /// - Parameter exists: Whether something is at an absolute path.
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
