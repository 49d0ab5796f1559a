internal import AWSIdentity
internal import Content
internal import IAMPolicies
internal import Replicate

/// Knows the command that prints all policies for what the doctor examines.
protocol PolicyAdvising: Sendable {
    /// - Parameter named: The caller that a denial named; used if the caller is not known otherwise.
    func advice(_ known: PolicyCommandLine.Side, named: Principal?) -> String
}

/// The command that prints all policies for the copy that the doctor examines, ready to be pasted.
struct PolicyCommandLine: PolicyAdvising {
    let image: ImageReference
    let place: DestinationReference?
    let source: SideOptions
    let destination: SideOptions
    let createRepository: CopyOptions.RepositoryCreation
    /// The KMS key to use at the destination for each key of the source.
    var kmsKeys: [String: String] = [:]

    /// What is known about one side when the command is built.
    struct Side: Sendable {
        var side: CopyError.Side
        /// The registry that a bare `REPO` stands for on this side.
        var host: ECRHost?
        /// The identity of the keys that come before any assumed role.
        var start: Principal?
    }

    /// - Parameter named: The caller that a denial named; used if the caller is not known otherwise.
    func advice(_ known: Side, named: Principal? = nil) -> String {
        let start = known.start ?? (isAssumed(known.side) ? nil : named)
        let isShared = isStartShared
        let what =
            isShared
            ? "to print every policy that the copy needs"
            : "to print every policy that the \(known.side.rawValue)'s keys need"
        var words = createRepository == .never ? [] : ["--create-repository", createRepository.rawValue]
        words += kmsKeys.sorted { $0.key < $1.key }.flatMap { ["--kms-key", "\($0.key)=\($0.value)"] }
        if let start { words += ["--principal", start.arn] }
        let here = options(known.side)
        words += flags(isShared ? source : here, isShared ? destination : here, side: isShared ? nil : known.side)
        words += [text(of: .source, known), text(of: .destination, known)]
        return "\(what): ecr-replicate iam-policy \(words.map(Self.quoted).joined(separator: " "))"
    }

    /// Whether both sides begin with the same keys, so that one principal is enough.
    private var isStartShared: Bool { place == nil || source.identity.profile == destination.identity.profile }

    private func options(_ side: CopyError.Side) -> SideOptions { side == .source ? source : destination }

    /// Whether a flag names a role, or a profile that may assume one, so that the current caller may not be the first
    /// one.
    private func isAssumed(_ side: CopyError.Side) -> Bool {
        let options = options(side).identity
        return options.roleARN != nil || options.profile != nil
    }

    /// - Parameter side: The side that the flags are for; `nil` for both.
    private func flags(_ source: SideOptions, _ destination: SideOptions, side: CopyError.Side?) -> [String] {
        let (one, other) = (source.identity, place == nil ? source.identity : destination.identity)
        func flag(_ name: String, _ value: String?, _ otherValue: String?) -> [String] {
            if let side { return value.map { ["--\(side.rawValue)-\(name)", $0] } ?? [] }
            if value == otherValue { return value.map { ["--\(name)", $0] } ?? [] }
            return (value.map { ["--source-\(name)", $0] } ?? [])
                + (otherValue.map { ["--destination-\(name)", $0] } ?? [])
        }
        // An external id is a kind of password, so it isn't shown.
        let (id, otherID) = (one.externalID.map { _ in "EXTERNAL-ID" }, other.externalID.map { _ in "EXTERNAL-ID" })
        return flag("profile", one.profile, other.profile) + flag("role-arn", one.roleARN, other.roleARN)
            + flag("external-id", id, otherID)
    }

    /// The reference as `iam-policy` takes it, or a placeholder if it isn't known.
    private func text(of side: CopyError.Side, _ known: Side) -> String {
        let registry = side == .source ? image.registry : place?.registry
        let repository = side == .source ? image.repository : place?.repository
        guard let registry, side == .source || place != nil else { return side.rawValue.uppercased() }
        guard case .callersOwn = registry else {
            return side == .source
                ? "\(image.bare)" : "\(DestinationReference(registry: registry, repository: repository, tag: nil))"
        }
        let isSameRegistry =
            side == known.side || (options(.source) == options(.destination) && isOwn(.source) && isOwn(.destination))
        guard isSameRegistry, let host = known.host else { return side.rawValue.uppercased() }
        return "\(host.name)/\(repository?.value ?? "")"
    }

    private func isOwn(_ side: CopyError.Side) -> Bool {
        if case .callersOwn = side == .source ? image.registry : place?.registry { true } else { false }
    }

    /// Quotes text so that a shell reads it as one word.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_@%+=:,./-".utf8.contains(byte)
            }
        }
        return plain && !word.isEmpty ? word : "'\(word.replacing("'", with: #"'\''"#))'"
    }
}

extension Doctor {
    func policyCommand(_ image: ImageReference, _ place: DestinationReference?) -> PolicyCommandLine {
        PolicyCommandLine(
            image: image,
            place: place,
            source: source,
            destination: destination,
            createRepository: createRepository,
            kmsKeys: kmsKeys
        )
    }

    /// The identity of the keys with which a side begins.
    ///
    /// - Parameter caller: The current caller, which is the role if one is assumed.
    /// - Returns: `nil` if only a profile tells, which `iam-policy` reads too.
    func start(_ caller: CallerIdentity, region: String, _ options: SideOptions) async -> Principal? {
        var identity = options.identity
        (identity.roleARN, identity.externalID, identity.sessionName) = (nil, nil, nil)
        var asked = identity
        // Asking for another MFA code only to learn its owner is too much, so the environment's profile counts here.
        if options.identity.roleARN != nil {
            asked.profile = identity.profile ?? opener.resolver.environment["AWS_PROFILE"]
        }
        guard let path = try? RolePath(asked, environment: opener.resolver.environment), path.steps.isEmpty else {
            return nil
        }
        guard options.identity.roleARN != nil else { return Principal(arn: caller.arn) }
        var plain = options
        plain.identity = identity
        return await (try? opener.identity(region: region, plain)).flatMap { Principal(arn: $0.arn) }
    }
}
