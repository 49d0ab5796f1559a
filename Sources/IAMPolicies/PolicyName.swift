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
        /// The policy of the identity that reads or writes.
        case identity
        /// The policy of a repository that belongs to another account.
        case repository
        /// The trust policy of an assumed role: it lists the principals that may assume the role.
        case trust
        /// The policy of the identity that assumes a role.
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

/// The name of one policy of a set, used by a flag and as a file name.
///
/// An example is `destination-trust`, and for the second policy of this kind `destination-trust-2`.
package struct PolicyName: Sendable, Hashable, CustomStringConvertible {
    package let part: PolicyPart
    /// The number among the policies of this kind, from 1.
    package let number: Int

    package init(_ part: PolicyPart, number: Int = 1) { (self.part, self.number) = (part, number) }

    /// - Returns: `nil` if the text is not such a name.
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

    /// The name under which an identity holds its policy.
    ///
    /// Another copy gets another name, so that its policy stays in place.
    static func ofHolder(_ side: CopyError.Side, _ places: [PolicyPlace]) -> String {
        guard let first = places.first else { return "" }
        // IAM names contain neither / nor *, and ECR names neither + nor @, so two repositories never share a name.
        let repository = first.pattern.replacing("/", with: "+").replacing("*", with: "@")
        let name = "ecr-replicate-\(side.rawValue)-\(first.host.account)-\(first.host.region)-\(repository)"
        guard places.count > 1 || name.utf8.count > longest else { return name }
        let whole = places.count > 1 ? places.map(\.arn).joined(separator: " ") : name
        return "\(name.prefix(longest - 17))-\(Digest(of: Array(whole.utf8)).hex.prefix(16))"
    }

    /// A name under which an identity holds its policy, from words that IAM's names can't all hold.
    ///
    /// A name that was changed or cut ends in a part of its digest, so that two names stay different.
    package static func ofHolder(_ words: String) -> String {
        let allowed = words.unicodeScalars.map { Principal.nameCharacters.contains($0) ? Character($0) : "-" }
        let name = "ecr-replicate-\(String(allowed))"
        guard String(allowed) != words || name.utf8.count > longest else { return name }
        return "\(name.prefix(longest - 17))-\(Digest(of: Array(words.utf8)).hex.prefix(16))"
    }

    /// The name of one of several managed policies that together hold one policy.
    static func ofPart(_ number: Int, of name: String) -> String {
        let suffix = "-\(number)"
        guard name.utf8.count + suffix.utf8.count > longest else { return name + suffix }
        return
            "\(name.prefix(longest - 17 - suffix.utf8.count))-\(Digest(of: Array(name.utf8)).hex.prefix(16))\(suffix)"
    }

    /// The greatest length of a policy's name, in characters.
    ///
    /// - Source: IAM API Reference, "PutRolePolicy"
    private static let longest = 128
}
