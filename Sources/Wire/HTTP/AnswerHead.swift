internal import HTTPTypes

/// The status and fields of an answer, collected line by line as libcurl delivers them.
///
/// A `100 Continue` before the answer is a separate head, and is dropped when the next one begins. Trailers after the
/// body are ignored.
struct AnswerHead {
    private(set) var status = 0
    private(set) var fields = HTTPFields()
    private(set) var isComplete = false
    private var byteCount = 0

    /// The most bytes of all heads of one transfer; servers limit requests to 8 to 64 KiB.
    static let largest = 256 << 10

    /// - Parameter line: One line with its line end.
    /// - Returns: `false` when the head has grown past ``largest``.
    mutating func take(_ line: some Collection<UInt8>) -> Bool {
        byteCount += line.count
        guard byteCount <= Self.largest else { return false }
        let text = String(decoding: line, as: UTF8.self).trimmingBlanks
        if text.hasPrefix("HTTP/") {
            let code = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
            status = code.flatMap { (100...999).contains($0) ? $0 : nil } ?? 0
            fields = HTTPFields()
            isComplete = false
        } else if text.isEmpty {
            isComplete = status >= 200
        } else if !isComplete, let colon = text.firstIndex(of: ":"),
            let name = HTTPField.Name(String(text[..<colon]))
        {
            fields.append(HTTPField(name: name, value: text[text.index(after: colon)...].trimmingBlanks))
        }
        return true
    }

    /// The answer's `Content-Length`, in bytes.
    var contentLength: Int64? { fields[.contentLength].flatMap { Int64($0) } }
}

extension StringProtocol {
    /// The text without spaces, tabs and line breaks at both ends.
    fileprivate var trimmingBlanks: String {
        let bytes = Array(utf8)
        let isContent: (UInt8) -> Bool = { ![9, 10, 13, 32].contains($0) }
        guard let first = bytes.firstIndex(where: isContent), let last = bytes.lastIndex(where: isContent) else {
            return ""
        }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
