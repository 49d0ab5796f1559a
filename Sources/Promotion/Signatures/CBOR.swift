/// One item of CBOR, read strictly: definite lengths, shortest numbers, no key twice in a map.
///
/// Only what COSE signatures use is read: no floating-point numbers and no simple values but `false`, `true` and `null`.
///
/// - Source: RFC 8949, sections 3 and 4.2.1
indirect enum CBORValue: Hashable, Sendable {
    case unsigned(UInt64)
    /// The number -1 - n.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map([CBORValue: CBORValue])
    case tagged(UInt64, CBORValue)
    case bool(Bool)
    case null

    /// A whole number that fits into an `Int`.
    init(_ number: Int) { self = number < 0 ? .negative(UInt64(-1 - number)) : .unsigned(UInt64(number)) }

    /// Reads an item that takes up all bytes.
    ///
    /// - Throws: ``SignatureProblem``; nothing that comes in costs more memory than a small multiple of its bytes.
    init(reading bytes: [UInt8], _ what: String) throws(SignatureProblem) {
        var reader = CBORReader(bytes: bytes, what: what)
        self = try reader.item(depth: 0)
        guard reader.position == bytes.count else { throw .refused("\(what) has bytes left over") }
    }

    var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int64? {
        switch self {
        case .unsigned(let value): Int64(exactly: value)
        case .negative(let value): Int64(exactly: value).map { -1 - $0 }
        default: nil
        }
    }

    /// The item in CBOR, with the shortest numbers; a map's keys are in the order of their bytes.
    var encoded: [UInt8] {
        switch self {
        case .unsigned(let value): Self.head(0, value)
        case .negative(let value): Self.head(1, value)
        case .bytes(let bytes): Self.head(2, UInt64(bytes.count)) + bytes
        case .text(let text): Self.head(3, UInt64(text.utf8.count)) + Array(text.utf8)
        case .array(let items): Self.head(4, UInt64(items.count)) + items.flatMap(\.encoded)
        case .map(let members):
            Self.head(5, UInt64(members.count))
                + members.map { (key: $0.key.encoded, value: $0.value.encoded) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { $0.key + $0.value }
        case .tagged(let tag, let item): Self.head(6, tag) + item.encoded
        case .bool(let value): [value ? 0xF5 : 0xF4]
        case .null: [0xF6]
        }
    }

    private static func head(_ major: UInt8, _ value: UInt64) -> [UInt8] {
        let (mark, count): (UInt8, Int) =
            switch value {
            case 0..<24: (UInt8(value), 0)
            case 24...0xFF: (24, 1)
            case 0x100...0xFFFF: (25, 2)
            case 0x1_0000...0xFFFF_FFFF: (26, 4)
            default: (27, 8)
            }
        return [major << 5 | mark] + (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

private struct CBORReader {
    let bytes: [UInt8]
    let what: String
    var position = 0
    private var items = 0

    init(bytes: [UInt8], what: String) { (self.bytes, self.what) = (bytes, what) }

    mutating func item(depth: Int) throws(SignatureProblem) -> CBORValue {
        items += 1
        guard items <= SignatureLimits.cborItems, depth <= SignatureLimits.cborDepth else {
            throw .refused("\(what) is nested too deeply or has too many items")
        }
        guard position < bytes.count else { throw tooShort }
        let major = bytes[position] >> 5
        let mark = bytes[position] & 0x1F
        position += 1
        if major == 7 {
            return switch mark {
            case 20: .bool(false)
            case 21: .bool(true)
            case 22: .null
            default: throw .refused("\(what) has a value that signatures don't use")
            }
        }
        let value = try number(mark)
        switch major {
        case 0: return .unsigned(value)
        case 1: return .negative(value)
        case 2: return .bytes(Array(try take(value)))
        case 3:
            guard let text = String(validating: try take(value), as: UTF8.self) else {
                throw .refused("a text of \(what) is not UTF-8")
            }
            return .text(text)
        case 4:
            // Each item has at least one byte.
            guard value <= UInt64(bytes.count - position) else { throw tooShort }
            var list: [CBORValue] = []
            for _ in 0..<value { list.append(try item(depth: depth + 1)) }
            return .array(list)
        case 5:
            guard value <= UInt64(bytes.count - position) / 2 else { throw tooShort }
            var members: [CBORValue: CBORValue] = [:]
            for _ in 0..<value {
                let key = try item(depth: depth + 1)
                guard members.updateValue(try item(depth: depth + 1), forKey: key) == nil else {
                    throw .refused("\(what) has a member twice")
                }
            }
            return .map(members)
        default: return .tagged(value, try item(depth: depth + 1))
        }
    }

    private mutating func number(_ mark: UInt8) throws(SignatureProblem) -> UInt64 {
        guard mark >= 24 else { return UInt64(mark) }
        guard mark <= 27 else { throw .refused("\(what) has an item of indefinite length") }
        let count = 1 << Int(mark - 24)
        let value = try take(UInt64(count)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let least: UInt64 = mark == 24 ? 24 : 1 << (4 * UInt64(count))
        guard value >= least else { throw .refused("\(what) has a number that is not in its shortest form") }
        return value
    }

    private mutating func take(_ count: UInt64) throws(SignatureProblem) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw tooShort }
        defer { position += Int(count) }
        return bytes[position..<position + Int(count)]
    }

    private var tooShort: SignatureProblem { .refused("\(what) ends too early") }
}
