public import Content
internal import FoundationEssentials

/// Fetches a password for the registry's `/v2` interface.
///
/// One token is valid for every account of the region that the caller may use, and for no other region.
///
/// - Limit: A token lasts 12 hours and has several thousand characters.
/// - IAM: `ecr:GetAuthorizationToken` on `*`.
/// - Source: ECR API Reference, version 2015-09-21, `GetAuthorizationToken`; docs/facts/ecr-api.md#authorization-token
public struct GetAuthorizationToken: ECROperation {
    public static let name = "GetAuthorizationToken"

    public init() {}

    public struct Response: Decodable, Sendable {
        public var authorizationData: [AuthorizationData]
    }

    public struct AuthorizationData: Decodable, Sendable {
        /// Base64 of `AWS:` and the password, which follows `Basic ` unchanged.
        public var authorizationToken: String
        public var expiresAt: ECRTimestamp?
        /// The scheme and host of the caller's own registry.
        public var proxyEndpoint: String?
    }
}

extension GetAuthorizationToken.AuthorizationData: CustomStringConvertible, CustomReflectable {
    public var description: String { "a token for \(proxyEndpoint ?? "the registry")" }
    public var customMirror: Mirror { Mirror(self, children: ["authorizationData": description]) }

    /// The user and the password in the token, split at the first colon.
    ///
    /// - Returns: `nil` when the token doesn't have the documented form.
    public var userAndPassword: (user: String, password: String)? {
        guard let bytes = Data(base64Encoded: authorizationToken) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
}

/// Fetches the configuration by which AWS replicates the caller's own registry.
///
/// - Limit: The caller's own account, since the call has no `registryId`.
/// - IAM: `ecr:DescribeRegistry` on `*`.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeRegistry`
public struct DescribeRegistry: ECROperation {
    public static let name = "DescribeRegistry"

    public init() {}

    public struct Response: Decodable, Sendable {
        public var registryId: AccountID?
        public var replicationConfiguration: Replication?
    }

    public struct Replication: Decodable, Hashable, Sendable {
        public var rules: [Rule]?
    }

    public struct Rule: Decodable, Hashable, Sendable {
        public var destinations: [Destination]?
        /// The filters; without filters the rule covers all repositories.
        public var repositoryFilters: [Filter]?
    }

    public struct Destination: Decodable, Hashable, Sendable {
        public var region: String
        public var registryId: AccountID
    }

    public struct Filter: Decodable, Hashable, Sendable {
        public var filter: String
        public var filterType: String?
    }
}

/// Fetches one setting of the caller's own account and region.
///
/// - Limit: The caller's own account, since the call has no `registryId`.
/// - IAM: `ecr:GetAccountSetting` on `*`.
/// - Source: ECR API Reference, version 2015-09-21, `GetAccountSetting`; docs/facts/ecr-api.md#account-settings
public struct GetAccountSetting: ECROperation {
    public static let name = "GetAccountSetting"

    public struct Setting: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The setting for blob mounting: `ENABLED` or `DISABLED`.
        public static let blobMounting = Self(rawValue: "BLOB_MOUNTING")
        public static let registryPolicyScope = Self(rawValue: "REGISTRY_POLICY_SCOPE")
        public static let basicScanTypeVersion = Self(rawValue: "BASIC_SCAN_TYPE_VERSION")
    }

    /// The setting to fetch; the request calls it `name`, which this protocol uses for the operation.
    public var setting: Setting

    public init(_ setting: Setting) { self.setting = setting }

    enum CodingKeys: String, CodingKey { case setting = "name" }

    public struct Response: Decodable, Sendable {
        public var name: Setting?
        public var value: String?
    }
}
