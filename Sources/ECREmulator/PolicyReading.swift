internal import FoundationEssentials

/// Why a text is no policy.
struct PolicySyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String

    static let notJSON = PolicySyntaxError(description: "it is not JSON")
}

extension PolicyDocument {
    /// Reads a policy; a list of one may be written without its brackets, as IAM allows everywhere.
    ///
    /// - Throws: ``PolicySyntaxError``
    init(parsing text: String) throws(PolicySyntaxError) {
        do {
            self = try JSONDecoder().decode(PolicyDocument.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw .notJSON
        } catch let DecodingError.dataCorrupted(context) {
            throw PolicySyntaxError(description: context.debugDescription)
        } catch DecodingError.keyNotFound(let key, _) {
            throw PolicySyntaxError(description: "'\(key.stringValue)' is missing")
        } catch {
            throw PolicySyntaxError(description: "a member is not what it should be")
        }
    }
}

extension PolicyDocument: Decodable {
    private enum Member: String, CodingKey { case Version, Statement }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        if let version = try members.decodeIfPresent(String.self, forKey: .Version),
            !["2008-10-17", "2012-10-17"].contains(version)
        {
            throw DecodingError.dataCorruptedError(
                forKey: .Version,
                in: members,
                debugDescription: "there is no version '\(version)'"
            )
        }
        statements = try members.decodeIfPresent(OneOrMany<PolicyStatement>.self, forKey: .Statement)?.values ?? []
    }
}

extension PolicyStatement: Decodable {
    private enum Member: String, CodingKey {
        case Effect, Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        func names(_ member: Member, _ opposite: Member) throws -> Names? {
            if let names = try members.decodeIfPresent(OneOrMany<String>.self, forKey: member) {
                return .only(names.values)
            }
            return try members.decodeIfPresent(OneOrMany<String>.self, forKey: opposite).map { .allBut($0.values) }
        }
        let effect = try members.decode(String.self, forKey: .Effect)
        guard let known = Effect(rawValue: effect), let actions = try names(.Action, .NotAction) else {
            throw DecodingError.dataCorruptedError(
                forKey: .Effect,
                in: members,
                debugDescription: "a statement needs Effect Allow or Deny, and Action or NotAction"
            )
        }
        self.effect = known
        self.actions = actions
        resources = try names(.Resource, .NotResource)
        if let named = try members.decodeIfPresent(NamedPrincipals.self, forKey: .Principal) {
            principals = .only(named.names)
        } else {
            principals = try members.decodeIfPresent(NamedPrincipals.self, forKey: .NotPrincipal)
                .map { .allBut($0.names) }
        }
        let tests = try members.decodeIfPresent([String: [String: OneOrMany<Scalar>]].self, forKey: .Condition) ?? [:]
        conditions = tests.sorted { $0.key < $1.key }.flatMap { test, keys in
            keys.sorted { $0.key < $1.key }.map { key, values in
                PolicyCondition(test: test, key: key.lowercased(), values: values.values.map(\.text))
            }
        }
    }
}

/// `"*"`, or an object by kind; those of other kinds than AWS never call here.
private struct NamedPrincipals: Decodable {
    var names: [String]

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            guard text == "*" else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is no principal")
                )
            }
            names = [text]
            return
        }
        names = try [String: OneOrMany<String>](from: decoder)["AWS"]?.values ?? []
    }
}

/// A value, or a list of them.
private struct OneOrMany<Value: Decodable>: Decodable {
    var values: [Value]

    init(from decoder: any Decoder) throws {
        if let one = try? decoder.singleValueContainer().decode(Value.self) {
            values = [one]
            return
        }
        do {
            values = try [Value](from: decoder)
        } catch DecodingError.typeMismatch {
            // Not a list: what is wrong with the one is worth more than that.
            values = [try Value(from: decoder)]
        }
    }
}

/// A condition's value; booleans and numbers may come without quotes.
private struct Scalar: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let flag = try? value.decode(Bool.self) {
            text = "\(flag)"
        } else if let number = try? value.decode(Int.self) {
            text = "\(number)"
        } else {
            text = try value.decode(String.self)
        }
    }
}
