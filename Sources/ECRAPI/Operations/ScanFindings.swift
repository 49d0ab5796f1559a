public import Content

/// Lists what a scan found in one image.
///
/// - Limit: 1 to 1,000 findings a page; the page's size counts basic findings or enhanced ones.
/// - IAM: `ecr:DescribeImageScanFindings` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeImageScanFindings`; docs/facts/ecr-api.md#scan-findings
public struct DescribeImageScanFindings: PagedECROperation {
    public static let name = "DescribeImageScanFindings"
    public static let longestPage = 1_000

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var imageId: ImageIdentifier
    public var maxResults: Int?
    public var nextToken: String?

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        imageId: ImageIdentifier,
        maxResults: Int? = longestPage
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageId = imageId
        self.maxResults = maxResults
    }

    /// One page of findings; the status and the counts are on every page.
    public struct Response: ECRPage {
        public var imageId: ImageIdentifier?
        public var imageScanStatus: ScanStatus?
        /// What was found; absent if there is no result.
        public var imageScanFindings: Findings?
        public var nextToken: String?
    }

    /// How far a scan has come.
    ///
    /// - Source: docs/facts/ecr-api.md#scan-findings
    public struct ScanStatus: Decodable, Hashable, Sendable {
        public var status: Status?
        public var description: String?
    }

    /// The state of a scan; an open set, since AWS has extended it several times.
    public struct Status: RawRepresentable, Decodable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let inProgress = Self(rawValue: "IN_PROGRESS")
        /// A basic scan is finished.
        public static let complete = Self(rawValue: "COMPLETE")
        public static let failed = Self(rawValue: "FAILED")
        public static let unsupportedImage = Self(rawValue: "UNSUPPORTED_IMAGE")
        /// An enhanced scan goes on: its findings change as vulnerabilities become known.
        public static let active = Self(rawValue: "ACTIVE")
        public static let pending = Self(rawValue: "PENDING")
        /// The image is older than the time for which it is scanned again.
        public static let eligibilityExpired = Self(rawValue: "SCAN_ELIGIBILITY_EXPIRED")
        public static let findingsUnavailable = Self(rawValue: "FINDINGS_UNAVAILABLE")
        public static let limitExceeded = Self(rawValue: "LIMIT_EXCEEDED")
        public static let imageArchived = Self(rawValue: "IMAGE_ARCHIVED")
        public static let imageSizeExceeded = Self(rawValue: "IMAGE_SIZE_EXCEEDED")
    }

    /// The findings of one page, of basic or of enhanced scanning.
    public struct Findings: Decodable, Sendable {
        /// When the scan was finished.
        public var imageScanCompletedAt: ECRTimestamp?
        /// The state of the vulnerability database.
        public var vulnerabilitySourceUpdatedAt: ECRTimestamp?
        public var findingSeverityCounts: [String: Int]
        public var findings: [Finding]
        public var enhancedFindings: [EnhancedFinding]

        enum CodingKeys: CodingKey {
            case imageScanCompletedAt, vulnerabilitySourceUpdatedAt, findingSeverityCounts, findings, enhancedFindings
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageScanCompletedAt = try container.decodeIfPresent(ECRTimestamp.self, forKey: .imageScanCompletedAt)
            vulnerabilitySourceUpdatedAt = try container.decodeIfPresent(
                ECRTimestamp.self,
                forKey: .vulnerabilitySourceUpdatedAt
            )
            findingSeverityCounts =
                try container.decodeIfPresent([String: Int].self, forKey: .findingSeverityCounts) ?? [:]
            findings = try container.list(.findings)
            enhancedFindings = try container.list(.enhancedFindings)
        }
    }

    /// A finding of basic scanning.
    public struct Finding: Decodable, Hashable, Sendable {
        /// The name of the vulnerability, usually a CVE.
        public var name: String?
        /// `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`, `INFORMATIONAL` or `UNDEFINED`.
        public var severity: String?
        public var attributes: [Attribute]?

        public struct Attribute: Decodable, Hashable, Sendable {
            public var key: String?
            public var value: String?
        }

        /// The value of an attribute, for example of `package_name`.
        public func attribute(_ key: String) -> String? { attributes?.first { $0.key == key }?.value }
    }

    /// A finding of enhanced scanning, which Amazon Inspector makes.
    public struct EnhancedFinding: Decodable, Hashable, Sendable {
        public var severity: String?
        /// `ACTIVE`, `SUPPRESSED` or `CLOSED`.
        public var status: String?
        public var title: String?
        /// `YES`, `NO` or `PARTIAL`.
        public var fixAvailable: String?
        public var packageVulnerabilityDetails: Details?

        public struct Details: Decodable, Hashable, Sendable {
            /// The name of the vulnerability, usually a CVE.
            public var vulnerabilityId: String?
            public var vulnerablePackages: [Package]?
        }

        public struct Package: Decodable, Hashable, Sendable {
            public var name: String?
            public var version: String?
            public var fixedInVersion: String?
        }
    }
}

/// Asks whether ECR's managed signing has signed an image.
///
/// - IAM: `ecr:DescribeImageSigningStatus` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeImageSigningStatus`; docs/facts/ecr-api.md#managed-signing
public struct DescribeImageSigningStatus: ECROperation {
    public static let name = "DescribeImageSigningStatus"

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var imageId: ImageIdentifier

    public init(registryId: AccountID, repositoryName: RepositoryName, imageId: ImageIdentifier) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageId = imageId
    }

    public struct Response: Decodable, Sendable {
        public var imageId: ImageIdentifier?
        /// A status for each signing profile whose rule covers the repository; none if no rule does.
        public var signingStatuses: [SigningStatus]

        enum CodingKeys: CodingKey { case imageId, signingStatuses }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageId = try container.decodeIfPresent(ImageIdentifier.self, forKey: .imageId)
            signingStatuses = try container.list(.signingStatuses)
        }
    }

    public struct SigningStatus: Decodable, Hashable, Sendable {
        public var signingProfileArn: String?
        public var status: Status?
        public var failureCode: String?
        public var failureReason: String?
    }

    /// The state of a signature; an open set.
    public struct Status: RawRepresentable, Decodable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let inProgress = Self(rawValue: "IN_PROGRESS")
        public static let complete = Self(rawValue: "COMPLETE")
        public static let failed = Self(rawValue: "FAILED")
    }
}
