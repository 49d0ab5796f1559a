internal import AWSIdentity
internal import Content
internal import FoundationEssentials

/// What to do when AWS doesn't accept the credentials.
///
/// - Source: docs/facts/ecr-api.md#errors; docs/facts/quotas.md#clock-skew; docs/facts/identity.md#sts
struct CredentialAdvice {
    let code: String
    let message: String
    /// The ECR host at which the credentials were used; `nil` if the request was not about ECR.
    let host: ECRHost?
    /// The role that was to be assumed.
    var roleARN: String?
    /// Advice drawn from the form of the keys.
    var pairingAdvice: String?

    private var region: String? { host?.region }

    var text: String? {
        switch code {
        case "ExpiredTokenException", "ExpiredToken":
            "the session has ended: start a new one (aws sso login, aws sts assume-role, a new job), then run again"
        case "UnrecognizedClientException", "InvalidClientTokenId": pairingAdvice ?? unknownKeys
        case "OptInRequired", "RegionDisabledException": Self.enable(region)
        case "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired",
            "RequestInTheFuture":
            signature
        case "IncompleteSignatureException", "MissingAuthenticationTokenException", "MissingAuthenticationToken":
            "check the proxy and the endpoint: something between this machine and AWS changes the requests' headers"
        default: nil
        }
    }

    private var unknownKeys: String {
        guard let region else { return "\(Self.checkKeyID); \(Self.strangers)" }
        let partition = Partition(region: region)
        if let other = roleARN.flatMap(Self.partition), other != partition {
            return "the role is in partition \(other.rawValue), and \(region) is in \(partition.rawValue): "
                + "\(Self.strangers); use credentials and a role of \(partition.rawValue)"
        }
        guard partition == .aws else {
            return "\(Self.checkKeyID); partition \(partition.rawValue) has its own accounts and keys"
        }
        guard Self.isOptIn(region) else { return "\(Self.checkKeyID); \(Self.strangers)" }
        return "\(Self.enable(region)); a session from the global STS endpoint is not valid there either: set "
            + "AWS_STS_REGIONAL_ENDPOINTS=regional and start a new one; and \(Self.strangers)"
    }

    private static let strangers = "keys of one partition (aws, aws-cn, aws-us-gov) aren't known in another"

    private static func partition(ofARN arn: String) -> Partition? {
        ARN(arn).flatMap { Partition(rawValue: $0.partition) }
    }

    private static let checkKeyID =
        "check the access key id and the session token: AWS doesn't know them, or they were deleted"

    /// How to enable the region; only accounts in the `aws` partition enable regions.
    private static func enable(_ region: String?) -> String {
        guard let region, Partition(region: region) == .aws else {
            return "\(region ?? "the region") may not be enabled for the account: ask the account's administrator"
        }
        return "\(region) may not be enabled for the account: aws account enable-region --region-name \(region)"
    }

    private var signature: String {
        if let skew = ClockSkew(message) {
            guard let cloud = host?.localAuthority else { return "set this machine's clock: it is \(skew) AWS's" }
            return "this machine's clock is \(skew) that of \(cloud): correct the clock that is wrong"
        }
        if message.contains("scoped to a valid region") || message.contains("scoped to correct service") {
            return "the endpoint belongs to another region or service than the reference: check the endpoint flags "
                + "and AWS_ENDPOINT_URL_ECR"
        }
        return
            "check the secret access key: it doesn't belong to this access key id, or only part of it was copied; a "
            + "proxy that changes requests has the same effect"
    }

    /// Whether an account must enable the region first, as it must for every region since 2019.
    ///
    /// - Source: AWS Account Management Guide, "Enable or disable AWS Regions in your account"
    static func isOptIn(_ region: String) -> Bool {
        Partition(region: region) == .aws && !enabledByDefault.contains(region)
    }

    private static let enabledByDefault: Set<String> = [
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-northeast-2",
        "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1",
        "eu-west-2", "eu-west-3", "sa-east-1",
    ]
}

/// The difference between this machine's clock and the service's, read from a rejected signature.
///
/// `Signature expired: T is now earlier than … (NOW - 5 min.)`, or `Signature not yet current: T is still later than …
/// (NOW + 5 min.)`.
struct ClockSkew: CustomStringConvertible {
    /// The difference in seconds, positive if this machine's clock is ahead.
    let seconds: Int

    init?(_ message: String) {
        guard message.contains("Signature expired") || message.contains("Signature not yet current") else { return nil }
        let times = message.split { !$0.isLetter && !$0.isNumber }.compactMap { Self.seconds(String($0)) }
        guard times.count >= 2, let ours = times.first, let theirs = times.last, ours != theirs else { return nil }
        seconds = ours - theirs
    }

    /// The seconds since 1970 of a time such as `20260115T120000Z`.
    private static func seconds(_ text: String) -> Int? {
        let digits = Array(text)
        guard digits.count == 16, digits[8] == "T", digits[15] == "Z" else { return nil }
        let parts = [(0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15)].map { String(digits[$0.0..<$0.1]) }
        let iso = "\(parts[0...2].joined(separator: "-"))T\(parts[3...5].joined(separator: ":"))Z"
        return AWSTime.parse(iso).map { Int($0.timeIntervalSince1970) }
    }

    var description: String {
        let (minutes, rest) = abs(seconds).quotientAndRemainder(dividingBy: 60)
        let hours = minutes / 60
        let size = hours > 0 ? "\(hours) h \(minutes % 60) min" : "\(minutes) min \(rest) s"
        return "\(size) \(seconds > 0 ? "ahead of" : "behind")"
    }
}
