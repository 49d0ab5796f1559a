import Content
import Logging
import Platform

/// Writes diagnostics as lines on standard error: level, message, metadata.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = (metadataProvider?.get() ?? [:]).merging(metadata) { _, new in new }
            .merging(event.metadata ?? [:]) { _, new in new }
        let details = merged.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        LineStream.standardError.writeLine(
            printable("\(event.level): \(event.message)\(details)", upTo: Self.longestLine)
        )
    }

    /// The longest line, in bytes: a message, and a remote's text in several of its details.
    private static let longestLine = 8 * longestPrintable
}

extension LineStream {
    /// Writes a line that may contain text from a remote.
    func say(_ text: String) { writeLine(printableLines(text)) }
}
