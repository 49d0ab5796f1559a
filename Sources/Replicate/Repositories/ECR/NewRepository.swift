package import Content
package import ECRAPI
internal import FoundationEssentials

/// The settings with which a copy creates a missing ECR repository; a setting that is `nil` is left to ECR.
package struct NewRepository: Sendable, Hashable {
    package var tagMutability: ECRRepository.TagMutability?
    package var exclusionFilters: [ECRRepository.ExclusionFilter]?
    package var encryption: ECRRepository.Encryption?
    package var scanning: ECRRepository.ScanningConfiguration?
    package var tags: [CreateRepository.ResourceTag] = []
    /// The lifecycle policy's JSON.
    package var lifecyclePolicy: String?
    /// The repository policy's JSON.
    package var repositoryPolicy: String?
    /// What differs from the source's repository, for the user.
    package var notes: [String] = []

    /// The key by which a user names AWS's own key for ECR, which every account and region has.
    static let keyOfAWS = "alias/aws/ecr"

    /// Creates the settings that leave everything to ECR.
    package init() {}

    /// The settings for a source that is not in ECR, and so has none.
    static let withoutSettings: NewRepository = {
        var new = NewRepository()
        new.notes = ["the source is not in ECR, so the repository is created with ECR's default settings"]
        return new
    }()

    /// Creates the settings of a repository in a registry, like those of the source's repository.
    ///
    /// - Parameter keys: The KMS key to use in this registry, by the source's key. A key is an ARN, an id or an alias.
    /// - Throws: ``UnsuitableKey`` if the repository can't be encrypted like the source's.
    package init(
        like settings: RepositorySettings,
        at host: ECRHost,
        keys: [String: String] = [:]
    ) throws(UnsuitableKey) {
        tagMutability = settings.tagMutability
        exclusionFilters = settings.exclusionFilters.flatMap { $0.isEmpty ? nil : $0 }
        scanning = settings.scanning
        encryption = try Self.encryption(like: settings, at: host, keys)
        // AWS sets the tags that begin with aws:, and refuses them from everyone else.
        tags = settings.tags.filter { !$0.key.lowercased().hasPrefix("aws:") }
        lifecyclePolicy = settings.lifecyclePolicy
        if let text = settings.repositoryPolicy { take(policy: text, of: settings.origin, to: host) }
    }

    /// Whether both registries belong to one account, so that a policy's principals mean the same in both.
    private static func isOneAccount(_ one: ECRHost, _ other: ECRHost) -> Bool {
        one.account == other.account && one.partition == other.partition
    }

    // MARK: Encryption

    private static func encryption(
        like settings: RepositorySettings,
        at host: ECRHost,
        _ keys: [String: String]
    ) throws(UnsuitableKey) -> ECRRepository.Encryption? {
        guard let encryption = settings.encryption, let key = encryption.kmsKey, !key.isEmpty, !isOfAWS(key) else {
            return settings.encryption.map { ECRRepository.Encryption(encryptionType: $0.encryptionType) }
        }
        var chosen = key
        if let named = named(key, of: settings.origin, in: keys) {
            chosen = named
        } else if !isOneAccount(settings.origin, host) || settings.origin.region != host.region {
            throw UnsuitableKey(reason: .unmappedKey(key))
        }
        if let region = ARN(chosen)?.region, region != host.region {
            throw UnsuitableKey(reason: .keyOfOtherRegion(chosen, region: host.region))
        }
        return ECRRepository.Encryption(
            encryptionType: encryption.encryptionType,
            kmsKey: isOfAWS(chosen) ? nil : chosen
        )
    }

    /// Whether this names AWS's own key for ECR, which ECR uses if it is told no key.
    private static func isOfAWS(_ key: String) -> Bool { (ARN(key)?.resource ?? key) == keyOfAWS }

    /// The key that a user names for the source's key, which may be written as ARN, as `key/ID`, as id or as alias.
    private static func named(_ key: String, of origin: ECRHost, in keys: [String: String]) -> String? {
        let arn = ARN(key)
        let resource = arn?.resource ?? key
        let id = resource.hasPrefix("key/") ? String(resource.dropFirst("key/".count)) : resource
        let kind = resource.hasPrefix("alias/") ? resource : "key/\(id)"
        let whole =
            "arn:\(origin.partition.rawValue):kms:\(origin.region):\(arn?.account ?? origin.account.value):\(kind)"
        return [key, whole, resource, kind, id].lazy.compactMap { keys[$0] }.first
    }

    // MARK: The repository's policy

    /// Takes over the source's policy, if it lets in only the two accounts and AWS's services.
    ///
    /// The accounts' owners know their own principals. Letting a third account in is a decision that a copy must not
    /// make.
    private mutating func take(policy text: String, of origin: ECRHost, to host: ECRHost) {
        guard !Self.isOneAccount(origin, host) else {
            repositoryPolicy = text
            return
        }
        guard let policy = RepositoryPolicy(text) else {
            notes.append("the source's repository policy is not copied, because it can't be read; \(Self.ownPolicy)")
            return
        }
        let outsiders = policy.outsiders(of: [origin.account.value, host.account.value])
        guard outsiders.isEmpty else {
            notes.append(
                "the source's repository policy is not copied to account \(host.account), because it names "
                    + "\(Self.few(outsiders)); \(Self.ownPolicy)"
            )
            return
        }
        repositoryPolicy = policy.moved(from: origin, to: host)
        if repositoryPolicy != text {
            notes.append("in the repository policy, account \(origin.account) is replaced by \(host.account)")
        }
    }

    private static let ownPolicy = "if the new repository needs one, set it with aws ecr set-repository-policy"

    /// The most principals that a note names.
    private static let mostNamed = 5

    private static func few(_ names: [String]) -> String {
        let more = names.count > mostNamed ? " and \(names.count - mostNamed) more" : ""
        return names.prefix(mostNamed).joined(separator: ", ") + more
    }
}

/// Why a repository can't be encrypted like the source's.
package struct UnsuitableKey: Error, Sendable, Equatable {
    package var reason: CopyError.Unsupported
}

extension NewRepository {
    /// The settings in words, in the order in which a plan names them.
    package var words: [String] {
        [
            tagMutability.map(words(of:)), encryption.map(words(of:)),
            scanning?.scanOnPush == true ? "scan on push" : nil,
            tags.isEmpty ? nil : counted(tags.count, "resource tag"),
            lifecyclePolicy.map {
                "lifecycle policy\(Self.ruleCount(of: $0).map { " (\(counted($0, "rule")))" } ?? "")"
            },
            repositoryPolicy.map {
                "repository policy\(RepositoryPolicy($0).map { " (\(counted($0.statementCount, "statement")))" } ?? "")"
            },
        ].compactMap { $0 }
    }

    private func words(of mutability: ECRRepository.TagMutability) -> String {
        let filters = (exclusionFilters ?? []).map { quotable($0.filter) }.joined(separator: ", ")
        return switch mutability {
        case .immutable: "immutable tags"
        case .immutableWithExclusion: "immutable tags (except \(filters))"
        case .mutable: "mutable tags"
        case .mutableWithExclusion: "mutable tags (except \(filters))"
        default: quotable(mutability.rawValue, upTo: 100)
        }
    }

    private func words(of encryption: ECRRepository.Encryption) -> String {
        switch (encryption.encryptionType, encryption.kmsKey) {
        case ("AES256", _): "AES-256 encryption"
        case ("KMS", let key?): "KMS key \(quotable(key, upTo: 200))"
        case ("KMS", nil): "AWS's KMS key"
        case (let type, let key):
            "\(quotable(type, upTo: 100)) with \(key.map { "KMS key \(quotable($0, upTo: 200))" } ?? "AWS's KMS key")"
        }
    }

    private static func ruleCount(of policy: String) -> Int? {
        struct Policy: Decodable { var rules: [Rule] }
        struct Rule: Decodable {}
        guard JSONShape(policy.utf8).isWithin(.answer) else { return nil }
        return (try? JSONDecoder().decode(Policy.self, from: Data(policy.utf8)))?.rules.count
    }
}
