/// Every error a run may end with: what is printed, what it means, what to do.
///
/// `docs/operations.md` has this as its table, row by row, and a test keeps each row to what the code prints.
public enum ErrorGuide {
    public struct Entry: Sendable, Hashable {
        /// As ``CopyError/Reason/name``.
        public var reason: String
        /// What is printed after the colon; `…` stands for anything, or nothing.
        public var says: String
        /// Of a run in which every image fails so.
        public var exitCode: Int32
        /// In Markdown.
        public var meaning: String

        init(_ reason: String, _ says: String, _ exitCode: Int32, _ meaning: String) {
            (self.reason, self.says, self.exitCode, self.meaning) = (reason, says, exitCode, meaning)
        }

        /// Whether this is about such an error; of several that are, the first is.
        public func covers(_ error: CopyError) -> Bool {
            reason == error.reason.name && matchesWildcard(error.cause, says.replacing("…", with: "*"))
        }

        /// Its row in the table.
        public var row: String { "| `\(says)` (\(reason)) | \(exitCode) | \(meaning) |" }
    }

    /// - Returns: `nil` for an error that nobody thought of.
    public static func entry(for error: CopyError) -> Entry? { entries.first { $0.covers(error) } }

    public static let entries = denials + credentials + absences + refusals + content + limits + network + other
}
