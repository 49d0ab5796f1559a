/// Finds a member that occurs twice in an object.
///
/// A decoder would silently ignore one of two `Condition`s or `Statement`s; IAM refuses such a policy.
///
/// - Source: IAM User Guide, "Troubleshoot IAM policies": "More than one effect, action, or resource element"
struct RepeatedMember {
    private let bytes: [UInt8]
    private var index = 0

    /// Returns the name of the first repeated member in a JSON text, as written there.
    static func find(in text: String) -> String? {
        var scan = RepeatedMember(bytes: Array(text.utf8))
        return scan.find()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func find() -> String? {
        // The members so far of each open object; `nil` for a list.
        var open: [Set<String>?] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
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
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(index, bytes.count)
        index = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Whether a colon comes next, so that the string was a member's name.
    private var isMember: Bool {
        guard index < bytes.count else { return false }
        return bytes[index...].first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: ":")
    }
}
