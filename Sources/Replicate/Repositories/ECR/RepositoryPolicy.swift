internal import Content
internal import FoundationEssentials

/// A repository's policy, with what must be known of it before another repository gets it.
///
/// - Source: IAM User Guide, "AWS JSON policy elements: Principal"
struct RepositoryPolicy: Sendable {
    /// The policy's JSON.
    let text: String
    let statementCount: Int
    /// The principals of all statements, without AWS's own services.
    private let principals: [String]

    /// - Returns: `nil` if the text is not a policy.
    init?(_ text: String) {
        guard JSONShape(text.utf8).isWithin(.answer),
            let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8))
        else { return nil }
        self.text = text
        statementCount = document.statements.count
        principals = document.statements.flatMap { $0.principals }.unique()
    }

    /// The principals, in words, that belong to neither of two accounts.
    func outsiders(of accounts: Set<String>) -> [String] {
        principals.compactMap { name in
            guard name != "*" else { return "everyone" }
            guard let account = Self.account(of: name) else { return quotable(name, upTo: 200) }
            return accounts.contains(account) ? nil : "account \(account)"
        }.unique()
    }

    /// Returns the policy with the account and the partition of one registry replaced by those of another.
    ///
    /// The rest of the text stays as it is, byte for byte.
    func moved(from origin: ECRHost, to host: ECRHost) -> String {
        let (from, to) = (origin.partition.rawValue, host.partition.rawValue)
        let renamed = from == to ? text : text.replacing("arn:\(from):", with: "arn:\(to):")
        return renamed.replacing(account: origin.account.value, with: host.account.value)
    }

    /// The account of a principal, which is written as an account id or as an ARN.
    private static func account(of principal: String) -> String? {
        let text = ARN(principal)?.account ?? principal
        return (try? AccountID(parsing: text)) == nil ? nil : text
    }
}

extension String {
    /// Replaces an account id where it stands alone, as it does in an ARN, and not as a part of a longer word.
    fileprivate func replacing(account: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let found = rest.firstRange(of: account) {
            let before = rest[..<found.lowerBound].last ?? result.last
            let stands =
                !(before.map(Self.isWord) ?? false) && !(rest[found.upperBound...].first.map(Self.isWord) ?? false)
            result += rest[..<found.lowerBound] + (stands ? other[...] : rest[found])
            rest = rest[found.upperBound...]
        }
        return result + rest
    }

    private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}

/// The parts of a policy that matter here; everything else is not read.
private struct Document: Decodable {
    var statements: [Statement]

    enum CodingKeys: String, CodingKey { case statements = "Statement" }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        statements = try container.decode(OneOrMany<Statement>.self, forKey: .statements).values
    }

    struct Statement: Decodable {
        var principals: [String]

        enum CodingKeys: String, CodingKey {
            case principal = "Principal"
            case others = "NotPrincipal"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            principals = try [CodingKeys.principal, .others].flatMap { key in
                try container.decodeIfPresent(Principals.self, forKey: key)?.names ?? []
            }
        }
    }

    /// `"*"`, or lists of names by kind.
    struct Principals: Decodable {
        var names: [String]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                names = [text]
            } else {
                let kinds = try value.decode([String: OneOrMany<String>].self)
                // A service has the same name in every account.
                names = kinds.sorted { $0.key < $1.key }.filter { $0.key != "Service" }.flatMap { $0.value.values }
            }
        }
    }

    struct OneOrMany<Value: Decodable>: Decodable {
        var values: [Value]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let one = try? value.decode(Value.self) {
                values = [one]
            } else {
                values = try value.decode([Value].self)
            }
        }
    }
}
