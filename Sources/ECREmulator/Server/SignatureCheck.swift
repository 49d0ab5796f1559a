internal import Content
internal import FoundationEssentials

/// A request as it arrived, with the parts that SigV4 signs.
struct SignedRequest: Sendable {
    var method: String
    /// The path, percent-encoded as on the request line.
    var path: String
    var query: String
    /// The header fields, by lowercase name.
    var headers: [String: String]
    var bodyHash: String

    /// The parts of `Authorization`.
    struct Claim: Sendable, Equatable {
        var accessKeyID: String
        var day: String
        var region: String
        var service: String
        var signedHeaders: [String]
        var signature: String

        var scope: String { "\(day)/\(region)/\(service)/aws4_request" }
    }

    /// - Throws: `MissingAuthenticationTokenException`, `IncompleteSignatureException`
    func claim() throws(ServiceFault) -> Claim {
        guard let header = headers["authorization"] else {
            throw ServiceFault("MissingAuthenticationTokenException", "Missing Authentication Token")
        }
        let incomplete = ServiceFault(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters"
        )
        guard header.hasPrefix("AWS4-HMAC-SHA256 ") else { throw incomplete }
        var fields: [String: String] = [:]
        for field in header.dropFirst(17).split(separator: ",") {
            let pair = field.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { throw incomplete }
            fields[pair[0].filter { $0 != " " }] = pair[1]
        }
        guard let credential = fields["Credential"], let names = fields["SignedHeaders"],
            let signature = fields["Signature"]
        else { throw incomplete }
        let scope = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard scope.count == 5, scope[4] == "aws4_request" else { throw incomplete }
        return Claim(
            accessKeyID: scope[0],
            day: scope[1],
            region: scope[2],
            service: scope[3],
            signedHeaders: names.split(separator: ";").map(String.init),
            signature: signature
        )
    }

    /// - Source: docs/facts/signing.md#steps
    func canonicalRequest(signing names: [String]) -> String {
        let lines = names.map { name in
            let value = (headers[name] ?? "").split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
            return "\(name):\(value)\n"
        }
        let sortedQuery = query.split(separator: "&").map { $0.contains("=") ? String($0) : "\($0)=" }.sorted()
        return [
            method, path.isEmpty ? "/" : path, sortedQuery.joined(separator: "&"), lines.joined(),
            names.joined(separator: ";"), bodyHash,
        ].joined(separator: "\n")
    }

    /// Computes the signature that the holder of `secret` would make.
    func signature(for claim: Claim, secret: String) -> String {
        let canonical = canonicalRequest(signing: claim.signedHeaders)
        let toSign = [
            "AWS4-HMAC-SHA256", headers["x-amz-date"] ?? "", claim.scope, sha256Hex(canonical.utf8),
        ].joined(separator: "\n")
        var key = Array("AWS4\(secret)".utf8)
        for part in [claim.day, claim.region, claim.service, "aws4_request"] {
            key = hmacSHA256(key: key, Array(part.utf8))
        }
        return hexadecimal(hmacSHA256(key: key, Array(toSign.utf8)))
    }

    /// The greatest difference between the clocks, in seconds (docs/facts/quotas.md#clock-skew).
    static let tolerance = 300.0

    /// Checks the date, the skew and the signature.
    ///
    /// - Throws: `InvalidSignatureException`, with the texts that SDKs read the skew from.
    func check(_ claim: Claim, secret: String, now: Date) throws(ServiceFault) {
        guard let stamp = headers["x-amz-date"], let signed = Instant.parse(basic: stamp) else {
            throw ServiceFault("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'")
        }
        guard stamp.hasPrefix(claim.day) else {
            throw ServiceFault("InvalidSignatureException", "Date in Credential scope does not match X-Amz-Date")
        }
        let current = Instant.basic(now)
        if signed.addingTimeInterval(Self.tolerance) < now {
            let bound = Instant.basic(now.addingTimeInterval(-Self.tolerance))
            throw ServiceFault(
                "InvalidSignatureException",
                "Signature expired: \(stamp) is now earlier than \(bound) (\(current) - 5 min.)"
            )
        }
        if signed.addingTimeInterval(-Self.tolerance) > now {
            let bound = Instant.basic(now.addingTimeInterval(Self.tolerance))
            throw ServiceFault(
                "InvalidSignatureException",
                "Signature not yet current: \(stamp) is still later than \(bound) (\(current) + 5 min.)"
            )
        }
        let required =
            ["host", "x-amz-date"] + (headers["x-amz-security-token"] == nil ? [] : ["x-amz-security-token"])
        guard required.allSatisfy(claim.signedHeaders.contains),
            signature(for: claim, secret: secret) == claim.signature
        else {
            throw ServiceFault(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details."
            )
        }
    }
}
