/// Finds a member that an object has twice, which a decoder doesn't notice.
///
/// With two `Condition`s or `Statement`s one would be silently ignored; IAM refuses such a policy.
///
/// - Source: IAM User Guide, "Troubleshoot IAM policies": "More than one effect, action, or resource element"
struct RepeatedMember {
    private let bytes: [UInt8]
    private var place = 0

    /// Returns the name of the first repeated member in a JSON text, as written there.
    static func find(in text: String) -> String? {
        var scan = RepeatedMember(bytes: Array(text.utf8))
        return scan.find()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func find() -> String? {
        // The members so far of each open object; `nil` for a list.
        var open: [Set<String>?] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "{"): open.append([])
            case UInt8(ascii: "["): open.append(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "\""):
                let string = restOfString()
                guard isMember, var members = open.last ?? nil else { continue }
                guard members.insert(string).inserted else { return string }
                open[open.count - 1] = members
            default: continue
            }
        }
        return nil
    }

    /// Reads the rest of a string after its opening quote.
    private mutating func restOfString() -> String {
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(place, bytes.count)
        place = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Whether a colon comes next, so that the string was a member's name.
    private var isMember: Bool {
        guard place < bytes.count else { return false }
        return bytes[place...].first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: ":")
    }
}
