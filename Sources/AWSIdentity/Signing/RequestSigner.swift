internal import Content
public import FoundationEssentials
internal import HTTPTypes
internal import Platform
public import Wire

/// A signer of requests to one AWS service in one region, with Signature Version 4.
///
/// Every attempt is signed anew: the date is part of the signature, and the credentials may have changed. The derived
/// key is cached for the day that it is valid.
///
/// - Source: docs/facts/signing.md#steps
public struct RequestSigner: Sendable {
    public let service: String
    public let region: String
    private let cache = Lock<DerivedKey?>(nil)

    private struct DerivedKey: Sendable {
        let secret: String
        let day: String
        let key: [UInt8]
    }

    /// - Parameter service: The signing name, for example `ecr` or `sts`.
    public init(service: String, region: String) {
        self.service = service
        self.region = region
    }

    /// Sets the date, the session token and `Authorization`, and signs every field already present.
    ///
    /// - Note: Fields added afterwards aren't signed, and the service accepts that.
    public func sign(_ request: inout WireRequest, with credentials: AWSCredentials, at date: Date) {
        let time = AWSTime.basic(date)
        request.fields[.amzDate] = time
        request.fields[.amzSecurityToken] = credentials.sessionToken
        request.fields[.authorization] = authorization(CanonicalRequest(request), credentials, time)
    }

    func authorization(_ canonical: CanonicalRequest, _ credentials: AWSCredentials, _ time: String) -> String {
        let signature = hmacSHA256(
            key: key(credentials.secretAccessKey, day: String(time.prefix(8))),
            Array(stringToSign(canonical, time).utf8)
        )
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(time)), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(hexadecimal(signature))"
    }

    func stringToSign(_ canonical: CanonicalRequest, _ time: String) -> String {
        "AWS4-HMAC-SHA256\n\(time)\n\(scope(time))\n\(sha256Hex(canonical.text.utf8))"
    }

    private func scope(_ time: String) -> String { "\(time.prefix(8))/\(region)/\(service)/aws4_request" }

    private func key(_ secret: String, day: String) -> [UInt8] {
        if let held = cache.withLock({ $0 }), held.secret == secret, held.day == day { return held.key }
        let key = [day, region, service, "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) {
            hmacSHA256(key: $0, Array($1.utf8))
        }
        cache.withLock { $0 = DerivedKey(secret: secret, day: day, key: key) }
        return key
    }
}
