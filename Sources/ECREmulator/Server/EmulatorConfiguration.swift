public import FoundationEssentials

/// The reason why an emulator can't start, with the remedy on a line of its own if there is one.
public struct EmulatorStartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The settings that an emulator starts with.
public struct EmulatorConfiguration: Sendable {
    /// An AWS account and its one static key.
    public struct Account: Sendable, Equatable {
        /// The account's number: twelve digits.
        public var id: String
        public var accessKeyID: String
        public var secretAccessKey: String
        /// The account's partition; regions of other partitions don't know its keys, users and roles.
        public var partition: AWSPartition
        /// Regions that the account hasn't enabled, or where its STS is switched off.
        public var disabledRegions: Set<String>

        public init(
            id: String,
            accessKeyID: String,
            secretAccessKey: String,
            partition: AWSPartition = .commercial,
            disabledRegions: Set<String> = []
        ) {
            self.id = id
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.partition = partition
            self.disabledRegions = disabledRegions
        }

        /// Makes an account with keys that are derived from its id, and so are the same in every run.
        public init(id: String, partition: AWSPartition = .commercial, disabledRegions: Set<String> = []) {
            self.init(
                id: id,
                accessKeyID: "AKIAEMULATOR\(id.suffix(8))",
                secretAccessKey: "emulator-secret-of-\(id)",
                partition: partition,
                disabledRegions: disabledRegions
            )
        }
    }

    public var accounts: [Account] = [Account(id: "111122223333"), Account(id: "444455556666")]
    /// The regions in which each account of the same partition gets a registry port; other regions answer on the main
    /// port.
    public var regions: [String] = ["us-east-1", "eu-west-1"]
    /// Further keys, besides the one that each account has.
    public var users: [User] = []
    public var roles: [Role] = []
    /// The service control policy of each account, as JSON; accounts that aren't listed aren't limited.
    public var serviceControlPolicies: [String: String] = [:]
    /// The VPC endpoint through which all requests arrive; `nil` for none.
    public var vpcEndpoint: VPCEndpoint?
    /// Whether policies decide; `nil` means that they do if this configuration has a policy of any kind.
    ///
    /// If policies don't decide, a valid key may do everything in every account, and a repository's policy is stored
    /// without effect.
    public var enforcesPolicies: Bool?
    /// Whether a `POST upload` without permission gets a closed connection instead of an answer, as some users have
    /// seen (docs/facts/ecr-registry.md#error-answers).
    public var cutsRefusedUploads = false
    /// AWS IAM Identity Center, with its sign-ins and assignments.
    public var identityCenter = IdentityCenter()
    /// The credentials endpoint of a container; `nil` where there is none.
    public var container: ContainerCredentials?
    /// The instance metadata service; `nil` where there is none.
    public var metadata: InstanceMetadata?
    /// The main port; 0 for any free port.
    public var port: UInt16 = 0
    /// The directory that keeps the state between runs; `nil` for a temporary one.
    public var stateDirectory: String?
    /// How long a registry token is valid, in seconds; ECR's last 12 hours (docs/facts/ecr-api.md#authorization-token).
    public var tokenLifetime = 43_200.0
    /// How long a presigned URL is valid, in seconds; ECR's last an hour
    /// (docs/facts/ecr-api.md#getdownloadurlforlayer).
    public var downloadLifetime = 3_600.0
    /// The part size that InitiateLayerUpload answers, in bytes.
    public var partSize = EmulatedRepository.partSize
    /// The smallest part of a layer except the last, in bytes; tests use many small parts.
    public var smallestPart = EmulatedRepository.smallestPart
    /// Whether the registry itself serves configs with 200, as some users have seen (docs/facts/ecr-registry.md#blobs).
    public var servesConfigsDirectly = false
    /// Whether an immutable tag refuses even its own digest, as some users have seen (docs/facts/ecr-api.md#putimage).
    public var immutableTagsRefuseSameDigest = false
    /// The requests per second of each operation named here, per registry; other operations aren't limited
    /// (docs/facts/quotas.md#rates).
    public var requestRates: [String: Double] = [:]
    /// ECR's default quotas for an account, as values for ``requestRates``.
    public static let defaultQuotas: [String: Double] = [
        "GetAuthorizationToken": 500, "BatchCheckLayerAvailability": 1_000, "InitiateLayerUpload": 100,
        "UploadLayerPart": 500, "CompleteLayerUpload": 100, "PutImage": 10, "BatchGetImage": 2_000,
        "GetDownloadUrlForLayer": 3_000,
    ]
    /// Whether pushed blobs are hashed and then discarded, for benchmarks; such layers can't be read back.
    public var discardsLayers = false
    /// Called for each request when its answer is ready and not yet sent, on an arbitrary thread.
    public var requestAnswered: (@Sendable (LoggedRequest) -> Void)?
    /// The clock; tests move it, so that tokens and URLs expire without waiting.
    public var now: @Sendable () -> Date = { Date() }

    public init() {}

    /// The first region of the first account's partition, which ``Emulator/environment`` uses.
    public var homeRegion: String {
        regions.first { AWSPartition(ofRegion: $0) == accounts.first?.partition } ?? regions.first ?? "us-east-1"
    }
}
