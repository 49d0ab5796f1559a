internal import FoundationEssentials

/// The members of any request to ECR's API, all optional; each operation checks those that it needs.
///
/// - Source: docs/facts/ecr-operations.md
struct Parameters: Decodable, Sendable {
    var registryId: String?
    var repositoryName: String?
    var repositoryNames: [String]?
    var imageIds: [ImageIdentifier]?
    var imageId: ImageIdentifier?
    var subjectId: ImageIdentifier?
    var acceptedMediaTypes: [String]?
    var layerDigests: [String]?
    var layerDigest: String?
    var uploadId: String?
    var partFirstByte: Int64?
    var partLastByte: Int64?
    var layerPartBlob: String?
    var imageManifest: String?
    var imageManifestMediaType: String?
    var imageTag: String?
    var imageDigest: String?
    var nextToken: String?
    var maxResults: Int?
    var filter: Filter?
    var force: Bool?
    var imageTagMutability: String?
    var imageTagMutabilityExclusionFilters: [ExclusionFilter]?
    var imageScanningConfiguration: ImageScanning?
    var encryptionConfiguration: EncryptionConfiguration?
    var tags: [ResourceTag]?
    var tagKeys: [String]?
    var resourceArn: String?
    var policyText: String?
    var lifecyclePolicyText: String?
    var name: String?
    var value: String?
    var targetStorageClass: String?
    var registryIds: [String]?
    var replicationConfiguration: ReplicationConfiguration?
    var ecrRepositoryPrefix: String?
    var ecrRepositoryPrefixes: [String]?
    var upstreamRegistryUrl: String?
    var upstreamRegistry: String?
    var upstreamRepositoryPrefix: String?
    var credentialArn: String?
    var customRoleArn: String?
    var prefix: String?
    var prefixes: [String]?
    var description: String?
    var resourceTags: [ResourceTag]?
    var repositoryPolicy: String?
    var lifecyclePolicy: String?
    var appliedFor: [String]?
    var scanType: String?
    var rules: [ScanningConfiguration.Rule]?
    var signingConfiguration: SigningConfiguration?
    var principalArn: String?

    struct Filter: Decodable, Sendable {
        var tagStatus: String?
        var imageStatus: String?
        var artifactTypes: [String]?
        var artifactStatus: String?
    }

    struct ExclusionFilter: Decodable, Sendable {
        var filterType: String
        var filter: String
    }

    struct ImageScanning: Decodable, Sendable { var scanOnPush: Bool? }

    struct EncryptionConfiguration: Decodable, Sendable {
        var encryptionType: String
        var kmsKey: String?
    }

    struct ResourceTag: Decodable, Sendable {
        var Key: String
        var Value: String
    }

    /// - Throws: `SerializationException`
    init(reading body: [UInt8]) throws(ServiceFault) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(body))
        } catch {
            throw ServiceFault(
                "SerializationException",
                "The request body is not a JSON object with members of the right types"
            )
        }
    }

    /// Returns a required member.
    func required<Value>(_ member: String, _ path: KeyPath<Parameters, Value?>) throws(ServiceFault) -> Value {
        guard let value = self[keyPath: path] else {
            throw .invalidParameter(member, "Member must not be null")
        }
        return value
    }

    /// Returns a required list of 1 to 100 members, the bound of every batch (docs/facts/ecr-api.md#fields).
    func batch<Element>(_ member: String, _ path: KeyPath<Parameters, [Element]?>) throws(ServiceFault) -> [Element] {
        let values = try required(member, path)
        try Self.checkBatch(member, values.count)
        return values
    }

    /// Checks a list of 1 to 100 names, with which a request can't ask for a page too.
    ///
    /// - Throws: `InvalidParameterException`
    func checkUnpaged(_ member: String, _ count: Int) throws(ServiceFault) {
        try Self.checkBatch(member, count)
        guard nextToken == nil, maxResults == nil else {
            throw ServiceFault(
                "InvalidParameterException",
                "Invalid parameter: \(member) can't be used with nextToken or maxResults"
            )
        }
    }

    static func checkBatch(_ member: String, _ count: Int) throws(ServiceFault) {
        guard count >= 1 else {
            throw .invalidParameter(member, "Member must have length greater than or equal to 1")
        }
        guard count <= 100 else {
            throw .invalidParameter(member, "Member must have length less than or equal to 100")
        }
    }

    /// Returns one page of `items`, and the token of the next page.
    ///
    /// - Parameters:
    ///   - limit: The largest page: 1,000 except for referrers.
    ///   - defaultSize: The page's size if the caller gives none.
    func page<Item>(_ items: [Item], limit: Int = 1_000, defaultSize: Int = 100) throws(ServiceFault) -> (
        items: ArraySlice<Item>, next: JSON?
    ) {
        let size = maxResults ?? defaultSize
        guard size >= 1 else {
            throw .invalidParameter("maxResults", "Member must have value greater than or equal to 1")
        }
        guard size <= limit else {
            throw .invalidParameter("maxResults", "Member must have value less than or equal to \(limit)")
        }
        let start = min(try nextToken.map(Self.offset) ?? 0, items.count)
        let end = min(start + size, items.count)
        let page = items[start..<end]
        return (page, end < items.count ? .text(Data("page:\(end)".utf8).base64EncodedString()) : nil)
    }

    private static func offset(_ token: String) throws(ServiceFault) -> Int {
        guard let data = Data(base64Encoded: token), let text = String(data: data, encoding: .utf8),
            text.hasPrefix("page:"), let offset = Int(text.dropFirst(5)), offset >= 0
        else {
            throw ServiceFault("InvalidParameterException", "Invalid parameter at 'nextToken': the token is not valid")
        }
        return offset
    }
}
