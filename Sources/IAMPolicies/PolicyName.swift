internal import Content
internal import Replicate

/// A kind of policy at one side.
package enum PolicyPart: String, Sendable, CaseIterable {
    case sourceIdentity = "source-identity"
    case sourceRepository = "source-repository"
    case sourceTrust = "source-trust"
    case sourceCaller = "source-caller"
    case destinationIdentity = "destination-identity"
    case destinationRepository = "destination-repository"
    case destinationTrust = "destination-trust"
    case destinationCaller = "destination-caller"

    enum Kind: String {
        /// Of who reads or writes.
        case identity
        /// Of a repository that belongs to another account.
        case repository
        /// Of a role that is assumed, which says by whom.
        case trust
        /// Of who assumes a role.
        case caller
    }

    init(_ side: CopyError.Side, _ kind: Kind) {
        switch (side, kind) {
        case (.source, .identity): self = .sourceIdentity
        case (.source, .repository): self = .sourceRepository
        case (.source, .trust): self = .sourceTrust
        case (.source, .caller): self = .sourceCaller
        case (.destination, .identity): self = .destinationIdentity
        case (.destination, .repository): self = .destinationRepository
        case (.destination, .trust): self = .destinationTrust
        case (.destination, .caller): self = .destinationCaller
        }
    }
}

/// One policy of a set, as a flag and a file are named after it: `destination-trust`, and if there are more,
/// `destination-trust-2`.
package struct PolicyName: Sendable, Hashable, CustomStringConvertible {
    package let part: PolicyPart
    /// From 1.
    package let number: Int

    package init(_ part: PolicyPart, number: Int = 1) { (self.part, self.number) = (part, number) }

    /// - Returns: `nil` for what is no such name.
    package init?(parsing text: String) {
        if let part = PolicyPart(rawValue: text) {
            self.init(part)
        } else if let dash = text.lastIndex(of: "-"), let part = PolicyPart(rawValue: String(text[..<dash])),
            let number = Int(text[text.index(after: dash)...]), number > 1
        {
            self.init(part, number: number)
        } else {
            return nil
        }
    }

    package var description: String { number == 1 ? part.rawValue : "\(part.rawValue)-\(number)" }

    /// Of a policy that belongs to an identity: another copy's has another, and stays.
    static func ofHolder(_ side: CopyError.Side, _ places: [PolicyPlace]) -> String {
        guard let first = places.first else { return "" }
        // IAM takes neither / nor *, and ECR neither + nor @, so that no two repositories have one name.
        let repository = first.pattern.replacing("/", with: "+").replacing("*", with: "@")
        let name = "ecr-replicate-\(side.rawValue)-\(first.host.account)-\(first.host.region)-\(repository)"
        guard places.count > 1 || name.utf8.count > longest else { return name }
        let whole = places.count > 1 ? places.map(\.arn).joined(separator: " ") : name
        return "\(name.prefix(longest - 17))-\(Digest(of: Array(whole.utf8)).hex.prefix(16))"
    }

    /// In characters.
    ///
    /// - Source: IAM API Reference, "PutRolePolicy"
    private static let longest = 128
}
