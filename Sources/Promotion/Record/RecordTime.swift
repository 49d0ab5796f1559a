internal import AWSIdentity
package import FoundationEssentials

/// The times of records: in UTC, to the millisecond, so that their texts sort as they do.
package enum RecordTime {
    /// Formats a time: `2026-01-15T12:00:00.000Z`.
    package static func text(_ date: Date) -> String {
        let seconds = AWSTime.extended(date).dropLast()
        let fraction = date.timeIntervalSince1970 - date.timeIntervalSince1970.rounded(.down)
        let milliseconds = String(min(Int(fraction * 1_000), 999))
        return "\(seconds).\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)Z"
    }

    /// Whether a text is a time in exactly that form; a record's time is whatever its writer put there.
    static func isValid(_ text: String) -> Bool {
        let pattern = Array("0000-00-00T00:00:00.000Z".utf8)
        let bytes = Array(text.utf8)
        guard bytes.count == pattern.count else { return false }
        let fits = zip(bytes, pattern).allSatisfy { byte, wanted in
            wanted == UInt8(ascii: "0") ? (48...57).contains(byte) : byte == wanted
        }
        return fits && AWSTime.parse(text) != nil
    }
}
