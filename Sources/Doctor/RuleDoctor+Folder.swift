package import Content
internal import FoundationEssentials
internal import Replicate

extension RuleCheckup {
    /// A directory whose layouts stand for the repositories of a registry.
    package struct Folder: Sendable {
        /// The directory, relative to the working directory.
        package var path: String
        /// Lists the layouts below it, by their paths.
        package var list: @Sendable () throws(Unusable) -> [RepositoryName]

        package init(path: String, list: @escaping @Sendable () throws(Unusable) -> [RepositoryName]) {
            (self.path, self.list) = (path, list)
        }

        /// Why a directory can't be used, and what to do about it.
        package struct Unusable: Error {
            package var text: String
            package var remedy: String

            package init(_ text: String, remedy: String) { (self.text, self.remedy) = (text, remedy) }
        }
    }
}

/// The checks of a directory of layouts.
extension RuleDoctor {
    /// Checks whether a directory can be read and written, as far as rules do that; nothing is written.
    ///
    /// - Parameters:
    ///   - isRead: Whether rules copy from it.
    ///   - isWritten: Whether rules copy to it. Then it may be missing, because a copy creates it.
    func examine(
        _ folder: RuleCheckup.Folder,
        isRead: Bool,
        isWritten: Bool,
        _ side: CopyError.Side,
        _ registry: RuleCheckup.Registry,
        _ part: PartExamination
    ) -> RegistryState {
        do throws(RuleCheckup.Folder.Unusable) {
            var text: [String] = []
            var state = RegistryState(isOpen: true)
            if isRead || !isWritten {
                try folder.checkReadable()
                let names = try folder.list()
                state.names = names
                text.append("has \(countedRepositories(names.count))")
            }
            if isWritten { text.append(try folder.checkWritable()) }
            part.note(.init(side, [Finding(.ok, side, "directory", text.joined(separator: "; ")).named(registry)]))
            return state
        } catch {
            let finding = Finding(.failed, side, "directory", error.text, remedy: error.remedy)
            part.note(.init(side, [finding.named(registry)]))
            return RegistryState()
        }
    }
}

extension RuleCheckup.Folder {
    private static let writtenKey = "layout: in the rule file, which is relative to the working directory"

    fileprivate func checkReadable() throws(Unusable) {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Unusable("there is no directory '\(quotable(path, upTo: 300))'", remedy: "check \(Self.writtenKey)")
        }
        guard isDirectory else {
            throw Unusable("'\(quotable(path, upTo: 300))' is not a directory", remedy: "check \(Self.writtenKey)")
        }
        guard FileManager.default.isReadableFile(atPath: path), FileManager.default.isExecutableFile(atPath: path)
        else {
            throw Unusable(
                "the directory '\(quotable(path, upTo: 300))' may not be read",
                remedy: "let the user that runs this read it"
            )
        }
    }

    /// - Returns: What a copy can do there, in words.
    fileprivate func checkWritable() throws(Unusable) -> String {
        var existing = path
        var isDirectory = false
        while !FileManager.default.fileExists(atPath: existing, isDirectory: &isDirectory) {
            // The parent of a relative name is the working directory.
            guard let slash = existing.lastIndex(of: "/") else {
                existing = "."
                continue
            }
            existing = slash == existing.startIndex ? "/" : String(existing[..<slash])
        }
        guard isDirectory else {
            throw Unusable("'\(quotable(existing, upTo: 300))' is not a directory", remedy: "check \(Self.writtenKey)")
        }
        guard FileManager.default.isWritableFile(atPath: existing),
            FileManager.default.isExecutableFile(atPath: existing)
        else {
            throw Unusable(
                "the directory '\(quotable(existing, upTo: 300))' may not be written to",
                remedy: "let the user that runs this write to it, or name another directory with layout:"
            )
        }
        return existing == path ? "can be written" : "will be created"
    }
}
