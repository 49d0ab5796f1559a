internal import Content
internal import FoundationEssentials

/// The answer that a `credential_process` prints: one JSON object, version 1.
///
/// Unknown members are ignored, and an account may be a number, as in botocore.
///
/// - Source: AWS SDKs and Tools Reference Guide, "Process credential provider"; botocore 1.43,
///   `credentials.ProcessProvider._retrieve_credentials_using`
struct CredentialProcessAnswer {
    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?
    let expiration: Date?
    let accountID: String?

    /// The reason why an answer is invalid, as a predicate for the program's name, which quotes none of the answer.
    struct Fault: Error {
        let problem: String
        init(_ problem: String) { self.problem = problem }
    }

    init(_ output: [UInt8]) throws(Fault) {
        try Self.checkSurroundings(output)
        let members: Members
        do {
            members = try JSONDecoder().decode(Members.self, from: Data(output))
        } catch {
            throw Fault("did not print JSON with a Version, an AccessKeyId and a SecretAccessKey")
        }
        try Self.check(version: members.version)
        accessKeyID = try Self.text(members.accessKeyID, "AccessKeyId")
        secretAccessKey = try Self.text(members.secretAccessKey, "SecretAccessKey")
        sessionToken = try Self.optional(members.sessionToken, "SessionToken")
        accountID =
            switch members.accountID {
            // A JSON number has lost its leading zeros.
            case .whole(let number): AccountID.meant(by: String(number)) ?? String(number)
            case .text(let text) where !text.isEmpty: text
            default: nil
            }
        guard let text = try Self.optional(members.expiration, "Expiration") else {
            expiration = nil
            return
        }
        guard let date = AWSTime.parse(text) else { throw Fault("printed an Expiration that is not an ISO 8601 time") }
        expiration = date
    }

    /// Refuses text that scripts print before or after their JSON.
    private static func checkSurroundings(_ output: [UInt8]) throws(Fault) {
        if output.starts(with: [0xEF, 0xBB, 0xBF]) { throw Fault("printed a byte order mark before its JSON") }
        let text = trimmed(String(decoding: output, as: UTF8.self))
        guard !text.isEmpty else { throw Fault("printed nothing") }
        guard let brace = text.firstIndex(of: "{") else { return }
        guard brace == text.startIndex else {
            // A list is JSON, but not a valid answer.
            if text.hasPrefix("[") { return }
            throw Fault("printed other text before its JSON, which belongs on standard error")
        }
        guard text.hasSuffix("}") else {
            throw Fault("printed incomplete JSON, or other text after it, which belongs on standard error")
        }
    }

    private static func check(version: Value) throws(Fault) {
        switch version {
        case .whole(1): return
        case .whole(let number): throw Fault("printed Version \(number), and only version 1 is supported")
        case .text(let text):
            throw Fault("printed Version as the text \"\(quotable(text, upTo: 10))\", which must be the number 1")
        case .none: throw Fault("printed no Version, which must be the number 1")
        case .other: throw Fault("printed a Version that is not the number 1")
        }
    }

    private static func text(_ value: Value, _ name: String) throws(Fault) -> String {
        guard let text = try optional(value, name) else { throw Fault("printed no \(name)") }
        return text
    }

    /// Treats an empty value as missing.
    private static func optional(_ value: Value, _ name: String) throws(Fault) -> String? {
        switch value {
        case .text(let text): return text.isEmpty ? nil : text
        case .none: return nil
        case .whole, .other: throw Fault("printed \(article(name)) \(name) that is not text")
        }
    }

    private static func article(_ name: String) -> String { "AE".contains(name.prefix(1)) ? "an" : "a" }

    /// A member's value, as far as this program needs its type.
    private enum Value: Decodable {
        case none
        case text(String)
        case whole(Int64)
        case other

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .none
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let number = try? value.decode(Int64.self) {
                self = .whole(number)
            } else {
                self = .other
            }
        }
    }

    private struct Members: Decodable {
        var version, accessKeyID, secretAccessKey, sessionToken, expiration, accountID: Value

        private enum CodingKeys: String, CodingKey {
            case version = "Version"
            case accessKeyID = "AccessKeyId"
            case secretAccessKey = "SecretAccessKey"
            case sessionToken = "SessionToken"
            case expiration = "Expiration"
            case accountID = "AccountId"
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            func value(_ key: CodingKeys) throws -> Value {
                try members.decodeIfPresent(Value.self, forKey: key) ?? .none
            }
            version = try value(.version)
            accessKeyID = try value(.accessKeyID)
            secretAccessKey = try value(.secretAccessKey)
            sessionToken = try value(.sessionToken)
            expiration = try value(.expiration)
            accountID = try value(.accountID)
        }
    }
}
