/// A member that an object has twice, which a decoder overlooks.
///
/// Of two `Condition`s or `Statement`s one would count and the other be forgotten: IAM refuses such a policy.
///
/// - Source: IAM User Guide, "Troubleshoot IAM policies": "More than one effect, action, or resource element"
struct RepeatedMember {
    private let bytes: [UInt8]
    private var place = 0

    /// The first one's name in a text that is JSON, as it is written there.
    static func find(in text: String) -> String? {
        var scan = RepeatedMember(bytes: Array(text.utf8))
        return scan.find()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func find() -> String? {
        // The members so far of each object that is open; nothing for a list.
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

    /// What is left of a string whose first quote has been read.
    private mutating func restOfString() -> String {
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(place, bytes.count)
        place = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Whether a colon comes next: the string that was read names a value.
    private var isMember: Bool {
        guard place < bytes.count else { return false }
        return bytes[place...].first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: ":")
    }
}
