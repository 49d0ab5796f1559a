public import FoundationEssentials

/// Why an emulator can't start, in one line.
public struct EmulatorStartError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// What an emulator starts with.
public struct EmulatorConfiguration: Sendable {
    /// An AWS account and its one static key.
    public struct Account: Sendable, Equatable {
        /// Twelve digits.
        public var id: String
        public var accessKeyID: String
        public var secretAccessKey: String
        /// Where it is an account at all: nobody knows its keys, users and roles in regions of another.
        public var partition: AWSPartition
        /// Regions it hasn't opted in to, or where its STS is switched off.
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

        /// An account with keys made from its number, the same every time.
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
    /// Each account gets one registry port in each of these that is in its partition; further regions answer on the main
    /// port.
    public var regions: [String] = ["us-east-1", "eu-west-1"]
    /// Further keys, beside the one that each account has.
    public var users: [User] = []
    public var roles: [Role] = []
    /// What an organization lets each account do, as JSON, by account; those not listed aren't limited.
    public var serviceControlPolicies: [String: String] = [:]
    /// The VPC endpoint that every request comes through, if any.
    public var vpcEndpoint: VPCEndpoint?
    /// Whether policies decide; `nil` for: where this configuration has a policy of any kind, they do.
    ///
    /// Where they don't, a good key may do everything in every account, and a repository's policy is kept but not read.
    public var enforcesPolicies: Bool?
    /// Whether `POST upload` without permission has its connection closed instead of an answer, as some have seen
    /// (docs/facts/ecr-registry.md#error-answers).
    public var cutsRefusedUploads = false
    /// AWS IAM Identity Center: who is signed in, and to what.
    public var identityCenter = IdentityCenter()
    /// The credentials endpoint of a container; `nil` where there is none.
    public var container: ContainerCredentials?
    /// The instance metadata service; `nil` where there is none.
    public var metadata: InstanceMetadata?
    /// The main port; 0 for any that is free.
    public var port: UInt16 = 0
    /// Where state is kept from one run to the next; `nil` for a temporary place.
    public var stateDirectory: String?
    /// In seconds; ECR's tokens are good for 12 hours (docs/facts/ecr-api.md#authorization-token).
    public var tokenLifetime = 43_200.0
    /// In seconds; presigned URLs are good for an hour (docs/facts/ecr-api.md#getdownloadurlforlayer).
    public var downloadLifetime = 3_600.0
    /// In bytes: what InitiateLayerUpload asks for.
    public var partSize = EmulatedRepository.partSize
    /// In bytes: of every part of a layer but the last; tests have many parts of few bytes.
    public var smallestPart = EmulatedRepository.smallestPart
    /// Whether configs come from the registry itself with 200, as some have seen (docs/facts/ecr-registry.md#blobs).
    public var servesConfigsDirectly = false
    /// Whether an immutable tag refuses even its own digest, as some have seen (docs/facts/ecr-api.md#putimage).
    public var immutableTagsRefuseSameDigest = false
    /// Requests a second for each operation named here, per registry; others are not limited
    /// (docs/facts/quotas.md#rates).
    public var requestRates: [String: Double] = [:]
    /// What ECR allows an account that asked for no more, as ``requestRates``.
    public static let defaultQuotas: [String: Double] = [
        "GetAuthorizationToken": 500, "BatchCheckLayerAvailability": 1_000, "InitiateLayerUpload": 100,
        "UploadLayerPart": 500, "CompleteLayerUpload": 100, "PutImage": 10, "BatchGetImage": 2_000,
        "GetDownloadUrlForLayer": 3_000,
    ]
    /// Whether the bytes of pushed blobs are hashed and dropped: a sink for benchmarks, from which no layer can be read.
    public var discardsLayers = false
    /// Called with every request when its answer is known and not yet sent, on whichever thread that is.
    public var requestAnswered: (@Sendable (LoggedRequest) -> Void)?
    /// Tests move it, so that things expire without waiting.
    public var now: @Sendable () -> Date = { Date() }

    public init() {}

    /// The first region of the first account's partition, where ``Emulator/environment`` leads.
    public var homeRegion: String {
        regions.first { AWSPartition(ofRegion: $0) == accounts.first?.partition } ?? regions.first ?? "us-east-1"
    }
}
