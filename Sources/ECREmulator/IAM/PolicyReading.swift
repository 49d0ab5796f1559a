internal import FoundationEssentials

/// The reason why a text isn't a valid policy.
struct PolicySyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String

    static let notJSON = PolicySyntaxError(description: "it is not JSON")
}

extension PolicyDocument {
    /// Parses a policy; a list with one element may omit its brackets, as IAM allows everywhere.
    ///
    /// The emulator refuses what IAM refuses: otherwise a policy that works here would fail, or allow more, on AWS.
    /// - Throws: ``PolicySyntaxError``
    init(parsing text: String, as kind: PolicyKind) throws(PolicySyntaxError) {
        do {
            self = try JSONDecoder().decode(PolicyDocument.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw .notJSON
        } catch let DecodingError.dataCorrupted(context) {
            throw PolicySyntaxError(description: context.debugDescription)
        } catch DecodingError.keyNotFound(let key, _) {
            throw PolicySyntaxError(description: "'\(key.stringValue)' is missing")
        } catch {
            throw PolicySyntaxError(description: "a member has the wrong type")
        }
        if let twice = RepeatedMember.find(in: text) {
            throw PolicySyntaxError(description: "'\(twice)' occurs twice")
        }
        guard !statements.isEmpty else { throw PolicySyntaxError(description: "it has no statement") }
        let sids = statements.compactMap(\.sid)
        guard Set(sids).count == sids.count else {
            throw PolicySyntaxError(description: "two statements have the same Sid")
        }
        for statement in statements {
            try statement.checkWords()
            guard statement.resources != nil || !kind.namesResources else {
                throw PolicySyntaxError(description: "a statement needs Resource or NotResource")
            }
            guard (statement.principals != nil) == kind.namesPrincipals else {
                throw PolicySyntaxError(
                    description: kind.namesPrincipals
                        ? "a statement needs Principal or NotPrincipal"
                        : "a policy that is attached to an identity can't have Principal or NotPrincipal"
                )
            }
        }
        if hasVariables { statements = statements.map(\.withoutVariables) }
    }
}

extension PolicyKind {
    /// Whether statements name resources; a repository's policy applies to its repository in any case.
    fileprivate var namesResources: Bool { self != .resource }

    fileprivate var namesPrincipals: Bool { self == .resource || self == .endpoint }
}

/// A coding key for members of any name.
private struct AnyMember: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// - Throws: `DecodingError` for an unknown member, so that a misspelled one isn't ignored.
    fileprivate func refuseMembers<Member: CodingKey & CaseIterable>(beside _: Member.Type, of whole: String) throws {
        let members = try container(keyedBy: AnyMember.self)
        let known = Set(Member.allCases.map(\.stringValue))
        guard
            let stray = members.allKeys.filter({ !known.contains($0.stringValue) }).min(by: {
                $0.stringValue < $1.stringValue
            })
        else { return }
        throw DecodingError.dataCorruptedError(
            forKey: stray,
            in: members,
            debugDescription: "'\(stray.stringValue)' is not a member of a \(whole)"
        )
    }
}

extension PolicyDocument: Decodable {
    private enum Member: String, CodingKey, CaseIterable { case Version, Id, Statement }

    init(from decoder: any Decoder) throws {
        try decoder.refuseMembers(beside: Member.self, of: "policy")
        let members = try decoder.container(keyedBy: Member.self)
        let version = try members.decodeIfPresent(String.self, forKey: .Version) ?? "2008-10-17"
        guard ["2008-10-17", "2012-10-17"].contains(version) else {
            throw DecodingError.dataCorruptedError(
                forKey: .Version,
                in: members,
                debugDescription: "'\(version)' is not a policy version"
            )
        }
        statements = try members.decodeIfPresent(OneOrMany<PolicyStatement>.self, forKey: .Statement)?.values ?? []
        hasVariables = version == "2012-10-17"
    }
}

extension PolicyStatement: Decodable {
    private enum Member: String, CodingKey, CaseIterable {
        case Sid, Effect, Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseMembers(beside: Member.self, of: "statement")
        let members = try decoder.container(keyedBy: Member.self)
        func names<List: Decodable>(
            _ member: Member,
            _ opposite: Member,
            _ list: (List) -> [String]
        ) throws -> Names? {
            guard !(members.contains(member) && members.contains(opposite)) else {
                throw DecodingError.dataCorruptedError(
                    forKey: opposite,
                    in: members,
                    debugDescription: "a statement has \(member.rawValue) or \(opposite.rawValue), not both"
                )
            }
            if members.contains(member) { return .only(list(try members.decode(List.self, forKey: member))) }
            guard members.contains(opposite) else { return nil }
            return .allBut(list(try members.decode(List.self, forKey: opposite)))
        }
        func texts(_ member: Member, _ opposite: Member) throws -> Names? {
            try names(member, opposite) { (texts: OneOrMany<String>) in texts.values }
        }
        let effect = try members.decode(String.self, forKey: .Effect)
        guard let known = Effect(rawValue: effect), let actions = try texts(.Action, .NotAction) else {
            throw DecodingError.dataCorruptedError(
                forKey: .Effect,
                in: members,
                debugDescription: "a statement needs Effect Allow or Deny, and Action or NotAction"
            )
        }
        self.effect = known
        sid = try members.decodeIfPresent(String.self, forKey: .Sid)
        self.actions = actions
        resources = try texts(.Resource, .NotResource)
        principals = try names(.Principal, .NotPrincipal) { (named: NamedPrincipals) in named.names }
        let tests =
            members.contains(.Condition)
            ? try members.decode([String: [String: OneOrMany<Scalar>]].self, forKey: .Condition) : [:]
        conditions = tests.sorted { $0.key < $1.key }.flatMap { test, keys in
            keys.sorted { $0.key < $1.key }.map { key, values in
                PolicyCondition(test: test, key: key.lowercased(), values: values.values.map(\.text))
            }
        }
    }
}

/// The principals: `"*"`, or an object by kind; only the kind `AWS` occurs as a caller here.
private struct NamedPrincipals: Decodable {
    private enum Member: String, CodingKey, CaseIterable { case AWS, Service, Federated, CanonicalUser }

    var names: [String]

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            guard text == "*" else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a principal")
                )
            }
            names = [text]
            return
        }
        try decoder.refuseMembers(beside: Member.self, of: "principal")
        let named = try [String: OneOrMany<String>](from: decoder)
        guard !named.isEmpty, named.values.allSatisfy({ !$0.values.isEmpty }) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "Principal is empty")
            )
        }
        names = named["AWS"]?.values ?? []
    }
}

/// A value, or a list of values.
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
            // It isn't a list, so the error of the single value is more useful.
            values = [try Value(from: decoder)]
        }
    }
}

/// A condition's value; booleans and numbers may be written without quotes.
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
