import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("SigV4 verification")
struct SignatureTests {
    struct Vector: Sendable {
        var host: String
        var scope: String
        var contentType = "application/x-amz-json-1.1"
        var token: String?
        var body = SignatureTests.body
        var canonicalHash: String
        var signature: String
    }

    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let body =
        #"{"repositoryName":"team/app","imageIds":[{"imageTag":"v1"}],"acceptedMediaTypes":["application/vnd.oci.image.index.v1+json"]}"#
    /// Test vectors that botocore computed (docs/facts/signing.md#test-vectors).
    static let vectors = [
        Vector(
            host: "api.ecr.us-east-1.amazonaws.com",
            scope: "us-east-1/ecr",
            canonicalHash: "bd291a3d5f522ca1e85ca0b75b8c2e04276cddd45b323520a97bfb88f0932810",
            signature: "aaf164f3ce24daf1d551f68d1fc810af3656a2f7b400125ddd170e17dd56e519"
        ),
        Vector(
            host: "api.ecr.us-east-1.amazonaws.com",
            scope: "us-east-1/ecr",
            token: "SESSIONTOKENEXAMPLE==",
            canonicalHash: "531d04b1e1621d744232b45f657f8806249c2bcb9b04e1bcd9c431226197c510",
            signature: "a53c1d8f5b72e01d66dfd5b2d621c28aef4b272fcb192397468623f71f56285f"
        ),
        Vector(
            host: "127.0.0.1:4510",
            scope: "eu-west-1/ecr",
            canonicalHash: "501292b357dbf2b564b47d6be00650d96dd2ff258e16616592420b7c0e18fc75",
            signature: "6506eb61525082c8d09b5c63e9e7275bac5d04d00d635e885d7ed9be0f6a4f24"
        ),
        Vector(
            host: "sts.us-east-1.amazonaws.com",
            scope: "us-east-1/sts",
            contentType: "application/x-www-form-urlencoded; charset=utf-8",
            body: "Action=AssumeRole&DurationSeconds=3600&ExternalId=ext-1&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012"
                + "%3Arole%2Freplicator&RoleSessionName=sess&Version=2011-06-15",
            canonicalHash: "8e138bacf4cbb9f908a20cd40049b2093895314bbd81828218fb248cb127344f",
            signature: "0a572abf302e2fba081f99512587df866b9a4026c8110a905e5d64b38eaf70a5"
        ),
    ]

    private func request(_ vector: Vector) -> SignedRequest {
        var headers = [
            "content-type": vector.contentType, "host": vector.host, "x-amz-date": "20260115T120000Z",
        ]
        if vector.scope.hasSuffix("ecr") {
            headers["x-amz-target"] = "AmazonEC2ContainerRegistry_V20150921.BatchGetImage"
        }
        headers["x-amz-security-token"] = vector.token
        let names = headers.keys.sorted().joined(separator: ";")
        headers["authorization"] =
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/\(vector.scope)/aws4_request, SignedHeaders=\(names), "
            + "Signature=\(vector.signature)"
        return SignedRequest(
            method: "POST",
            path: "/",
            query: "",
            headers: headers,
            bodyHash: sha256Hex(vector.body.utf8)
        )
    }

    @Test("accepts what botocore signed", arguments: vectors)
    func accepts(vector: Vector) throws {
        let request = request(vector)
        let claim = try request.claim()
        #expect(sha256Hex(request.canonicalRequest(signing: claim.signedHeaders).utf8) == vector.canonicalHash)
        try request.check(claim, secret: Self.secret, now: noon)
        #expect(claim.accessKeyID == "AKIDEXAMPLE")
    }

    @Test("refuses a signature if a byte, a header or the secret differs")
    func refuses() throws {
        let vector = try #require(Self.vectors.dropFirst().first)
        let claim = try request(vector).claim()
        var changed = request(vector)
        changed.bodyHash = sha256Hex("{}".utf8)
        #expect(faultCode { try changed.check(claim, secret: Self.secret, now: noon) } == "InvalidSignatureException")
        changed = request(vector)
        changed.headers["host"] = "elsewhere"
        #expect(faultCode { try changed.check(claim, secret: Self.secret, now: noon) } == "InvalidSignatureException")
        changed = request(vector)
        #expect(faultCode { try changed.check(claim, secret: "else", now: noon) } == "InvalidSignatureException")
        var unsigned = claim
        unsigned.signedHeaders.removeAll { $0 == "x-amz-security-token" }
        unsigned.signature = changed.signature(for: unsigned, secret: Self.secret)
        #expect(
            faultCode { try changed.check(unsigned, secret: Self.secret, now: noon) } == "InvalidSignatureException"
        )
    }

    @Test(
        "allows clocks to differ by five minutes",
        arguments: [(-301.0, false), (-299, true), (299, true), (301, false)]
    )
    func skew(seconds: Double, isAccepted: Bool) throws {
        let request = request(Self.vectors[0])
        let claim = try request.claim()
        let now = noon.addingTimeInterval(seconds)
        let fault = faultCode { try request.check(claim, secret: Self.secret, now: now) }
        #expect(fault == (isAccepted ? "no fault" : "InvalidSignatureException"))
    }

    @Test("the error for a skewed clock names both times")
    func skewText() throws {
        let request = request(Self.vectors[0])
        let claim = try request.claim()
        let fault = #expect(throws: ServiceFault.self) {
            try request.check(claim, secret: Self.secret, now: noon.addingTimeInterval(600))
        }
        #expect(
            fault?.message
                == "Signature expired: 20260115T120000Z is now earlier than 20260115T120500Z (20260115T121000Z - 5 min.)"
        )
    }

    @Test("roles check their external id and their trusted callers")
    func roles() throws {
        let arn = "arn:aws:iam::\(otherAccount):role/promoter"
        var identities = Identities(
            accounts: EmulatorConfiguration().accounts,
            roles: [.init(arn: arn, externalID: "ex-1", trustedAccounts: [account])]
        )
        let key = try #require(identities.accounts.first)
        let caller = try identities.credentials(of: key.accessKeyID, token: nil, now: noon).principal
        func code(_ arn: String, _ externalID: String?, _ session: String = "me", _ seconds: Int = 900) -> String {
            faultCode {
                let request = AssumeRoleRequest(
                    roleARN: arn,
                    sessionName: session,
                    externalID: externalID,
                    seconds: seconds
                )
                _ = try identities.assume(request, by: caller, now: noon)
            }
        }
        #expect(code(arn, nil) == "AccessDenied")
        #expect(code(arn, "ex-2") == "AccessDenied")
        #expect(code(arn, "ex-1") == "no fault")
        #expect(code("arn:aws:iam::\(otherAccount):role/open", nil) == "no fault")
        #expect(code("arn:aws:iam::999999999999:role/foreign", nil) == "AccessDenied")
        #expect(code(arn, "ex-1", "x") == "ValidationError")
        #expect(code(arn, "ex-1", "me", 899) == "ValidationError")
        #expect(code("nonsense", nil) == "ValidationError")
    }

    @Test("a session belongs to the role's account, needs its token, and expires")
    func sessions() throws {
        var identities = Identities(accounts: EmulatorConfiguration().accounts, roles: [])
        let caller = Principal(account: account, arn: "arn", userID: "id")
        let request = AssumeRoleRequest(roleARN: "arn:aws:iam::\(otherAccount):role/promoter", sessionName: "me")
        let (id, session) = try identities.assume(request, by: caller, now: noon)
        let known = try identities.credentials(of: id, token: session.token, now: noon)
        #expect(known.principal.account == otherAccount)
        #expect(known.principal.arn == "arn:aws:sts::\(otherAccount):assumed-role/promoter/me")
        let later = noon.addingTimeInterval(3_600)
        #expect(
            faultCode { _ = try identities.credentials(of: id, token: session.token, now: later) }
                == "ExpiredTokenException"
        )
        #expect(
            faultCode { _ = try identities.credentials(of: id, token: nil, now: noon) } == "UnrecognizedClientException"
        )
        #expect(
            faultCode { _ = try identities.credentials(of: "?", token: nil, now: noon) }
                == "UnrecognizedClientException"
        )
    }
}
