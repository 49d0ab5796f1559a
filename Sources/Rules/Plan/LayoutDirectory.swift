package import Content
internal import FoundationEssentials

extension RuleRegistry {
    /// The repositories of a directory of layouts; none for other registries.
    ///
    /// - Throws: ``OutcomeProblem`` if a directory can't be read.
    package func layouts() throws(OutcomeProblem) -> [RepositoryName] {
        guard case .layout(let directory) = place else { return [] }
        return try LayoutDirectory.repositories(in: directory)
    }
}

/// The image layouts below a directory, which stand for a registry's repositories.
enum LayoutDirectory {
    /// The most entries of directories that are looked at.
    static let mostEntries = 100_000

    /// The repositories: every directory below that has a file `oci-layout`, by its path.
    ///
    /// Layouts are not looked for inside of layouts. A missing directory has none.
    ///
    /// - Throws: ``OutcomeProblem`` if a directory can't be read.
    static func repositories(in directory: String) throws(OutcomeProblem) -> [RepositoryName] {
        var found: [RepositoryName] = []
        var waiting = [""]
        var looked = 0
        while let path = waiting.popLast() {
            let whole = path.isEmpty ? directory : "\(directory)/\(path)"
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: whole, isDirectory: &isDirectory), isDirectory else {
                continue
            }
            if !path.isEmpty, FileManager.default.fileExists(atPath: "\(whole)/oci-layout") {
                if let name = try? RepositoryName(parsing: path) { found.append(name) }
                continue
            }
            let entries: [String]
            do {
                entries = try FileManager.default.contentsOfDirectory(atPath: whole)
            } catch {
                throw OutcomeProblem(
                    reason: "unusableFile",
                    "the directory '\(quotable(whole, upTo: 300))' can't be read",
                    remedy: "check that it exists and may be read",
                    kind: .failed
                )
            }
            looked += entries.count
            guard looked <= mostEntries else {
                throw OutcomeProblem(
                    reason: "unusableFile",
                    "'\(quotable(directory, upTo: 300))' has more than \(mostEntries) files outside of layouts",
                    remedy: "name a directory that has only layouts",
                    kind: .failed
                )
            }
            waiting += entries.map { path.isEmpty ? $0 : "\(path)/\($0)" }
        }
        return found.sorted { $0.value < $1.value }
    }
}
