internal import Content

/// A KMS key for repositories that a copy creates, as a user names it: an ARN, an id or an alias.
package struct KeyName: Sendable, Hashable {
    package let text: String
    private let form: Form

    private enum Form: Hashable {
        /// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`
        case key(ARN)
        /// `arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME`, or `alias/NAME` without the rest.
        case alias(String, ARN?)
        case id(String)
    }

    /// - Returns: `nil` for anything that can't be the name of a key.
    package init?(_ text: String) {
        let arn = ARN(text)
        guard let name = arn.map(\.resource) ?? Optional(text), Self.isName(name), arn.map(Self.isOfKMS) ?? true else {
            return nil
        }
        if name.hasPrefix("alias/") {
            form = .alias(name, arn)
        } else if let arn, name.hasPrefix("key/") {
            form = .key(arn)
        } else if arn == nil, !name.contains("/") {
            form = .id(name)
        } else {
            return nil
        }
        self.text = text
    }

    /// The key's region; `nil` for an id or an alias, which are of the region where they are used.
    package var region: String? {
        switch form {
        case .key(let arn), .alias(_, let arn?): arn.region
        case .alias(_, nil), .id: nil
        }
    }

    /// Whether this is the ARN of a key, not of an alias.
    package var isARNOfKey: Bool { if case .key = form { true } else { false } }

    /// Whether this is AWS's own key for ECR, which ECR may always use.
    package var isOfAWS: Bool { if case .alias("alias/aws/ecr", _) = form { true } else { false } }

    /// The resource and the condition with which a policy names the key for repositories at a place.
    func inPolicy(at place: PolicyPlace) -> (resource: String, condition: PolicyStatement.Condition?) {
        let registry = "arn:\(place.host.partition.rawValue):kms:\(place.host.region):\(place.host.account)"
        switch form {
        case .key: return (text, nil)
        case .id(let id): return ("\(registry):key/\(id)", nil)
        case .alias(let alias, let arn):
            // A policy can't name an alias as its resource.
            let owner = arn.map { "arn:\($0.partition):kms:\($0.region):\($0.account)" } ?? registry
            return ("\(owner):key/*", .init("ForAnyValue:StringEquals", "kms:ResourceAliases", alias))
        }
    }

    private static func isOfKMS(_ arn: ARN) -> Bool {
        arn.service == "kms" && !arn.region.isEmpty
            && [arn.partition, arn.region, arn.account].allSatisfy { field in
                field.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    /// Whether a text has only the characters of ids and aliases.
    ///
    /// - Source: KMS API Reference, "CreateAlias"
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && !text.hasSuffix("/") && text.utf8.allSatisfy { isLetterOrDigit($0) || "/_-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
