internal import Content

/// A key in KMS, as `awskms:///ARN` names it; cosign writes keys in the same way.
///
/// - Source: docs/facts/kms.md#protocol; github.com/sigstore/sigstore `pkg/signature/kms/aws`
public struct KMSKeyReference: Sendable, Hashable, CustomStringConvertible {
    /// The ARN of a key or of an alias.
    public let arn: String
    /// The region of the key, to which requests about it go.
    public let region: String

    public static let prefix = "awskms://"

    /// - Returns: `nil` unless the text begins with ``prefix``.
    /// - Throws: ``KMSKeyError`` for an address without the ARN of a key.
    public init?(_ text: String) throws(KMSKeyError) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let rest = text.dropFirst(Self.prefix.count)
        guard rest.first == "/" else {
            throw KMSKeyError(text, "it names an endpoint, for which AWS_ENDPOINT_URL_KMS is used")
        }
        let arn = String(rest.dropFirst())
        guard let parts = ARN(arn), parts.service == "kms",
            parts.resource.hasPrefix("key/") || parts.resource.hasPrefix("alias/")
        else { throw KMSKeyError(text, "it is not the ARN of a key or of an alias") }
        guard RegionText.fault(in: parts.region) == nil, parts.account.count == 12,
            parts.account.utf8.allSatisfy({ (48...57).contains($0) }), arn.utf8.count <= Self.longest,
            parts.resource.utf8.allSatisfy(Self.isAllowed)
        else { throw KMSKeyError(text, "its region, account or name is not one that AWS gives") }
        (self.arn, region) = (arn, parts.region)
    }

    /// The longest ARN, in bytes (docs/facts/kms.md#protocol).
    private static let longest = 2_048

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/_-".utf8.contains(byte)
    }

    public var description: String { "\(Self.prefix)/\(arn)" }
}

/// The reason for which a text is not the address of a key in KMS.
public struct KMSKeyError: Error, Sendable, Hashable, CustomStringConvertible {
    public let text: String
    public let problem: String

    init(_ text: String, _ problem: String) { (self.text, self.problem) = (text, problem) }

    public var description: String {
        "'\(quotable(text, upTo: 200))' is not a key in KMS: \(problem)\n"
            + "  next: write awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID"
    }
}
