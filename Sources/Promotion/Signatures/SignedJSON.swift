internal import Content
internal import FoundationEssentials

/// Reads JSON that is signed or that carries a signature.
///
/// It must mean the same to every parser: UTF-8 without a byte order mark, within limits, and without members that are
/// there twice.
enum SignedJSON {
    /// Decodes a whole text.
    ///
    /// - Parameters:
    ///   - what: What the text is, for the reason of a refusal.
    ///   - foldingCase: Whether names that differ only in case count as one, because Go's parser does so with what it
    ///     decodes into a known form.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        _ what: String,
        foldingCase: Bool = true
    ) throws(SignatureProblem) -> Value {
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.starts(with: [0xEF, 0xBB, 0xBF]),
            !bytes.contains(0)
        else { throw .refused("\(what) is not UTF-8 text") }
        guard JSONShape(bytes).isWithin(SignatureLimits.json) else {
            throw .refused("\(what) is nested too deeply or has too many members")
        }
        if let name = JSONShape.repeatedMember(in: bytes, foldingCase: foldingCase) {
            throw .refused("\(what) has the member '\(quotable(name, upTo: 100))' twice")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let DecodingError.keyNotFound(key, _) {
            throw .refused("\(what) has no member '\(key.stringValue)'")
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .refused("the member '\(quotable(path, upTo: 100))' of \(what) is not of the expected type")
        } catch {
            throw .refused("\(what) is not valid JSON")
        }
    }
}

/// A JSON value of any type, for headers whose names are not known beforehand.
enum JSONValue: Decodable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The texts of an array of texts; `nil` for anything else.
    var texts: [String]? {
        guard case .array(let values) = self else { return nil }
        let texts = values.compactMap(\.text)
        return texts.count == values.count ? texts : nil
    }

    subscript(name: String) -> JSONValue? { if case .object(let members) = self { members[name] } else { nil } }
}
