/// The fields of an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
///
/// Only its shape is checked: a field may be empty, and the partition may be unknown.
///
/// - Source: IAM User Guide, "IAM identifiers"
package struct ARN: Sendable, Hashable {
    package let partition: String
    package let service: String
    package let region: String
    package let account: String
    /// Everything after the fifth colon, including further colons.
    package let resource: String

    /// - Returns: `nil` unless `text` begins with `arn:` and has six fields.
    package init?(_ text: some StringProtocol) {
        let fields = String(text).split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, fields[0] == "arn" else { return nil }
        (partition, service, region, account, resource) = (fields[1], fields[2], fields[3], fields[4], fields[5])
    }
}
