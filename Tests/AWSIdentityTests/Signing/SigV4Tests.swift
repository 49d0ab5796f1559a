import Content
import FoundationEssentials
import HTTPTypes
import Testing
import Wire

@testable import AWSIdentity

/// Test vectors that botocore computed (docs/facts/signing.md#test-vectors).
@Suite("Signature version 4")
struct SigV4Tests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var url: String
        var region = "us-east-1"
        var service = "ecr"
        var token: String?
        var contentType = "application/x-amz-json-1.1"
        var body =
            #"{"repositoryName":"team/app","imageIds":[{"imageTag":"v1"}],"#
            + #""acceptedMediaTypes":["application/vnd.oci.image.index.v1+json"]}"#
        var canonicalHash: String
        var signature: String
        var testDescription: String { name }

        var request: WireRequest {
            get throws {
                var request = WireRequest(.post, try HTTPURL(url), body: Array(body.utf8))
                request.fields[.contentType] = contentType
                if service == "ecr" {
                    request.fields[.amzTarget] = "AmazonEC2ContainerRegistry_V20150921.BatchGetImage"
                }
                return request
            }
        }

        var credentials: AWSCredentials {
            AWSCredentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                sessionToken: token,
                source: "test"
            )
        }
    }

    static let vectors = [
        Vector(
            name: "ECR",
            url: "https://api.ecr.us-east-1.amazonaws.com/",
            canonicalHash: "bd291a3d5f522ca1e85ca0b75b8c2e04276cddd45b323520a97bfb88f0932810",
            signature: "aaf164f3ce24daf1d551f68d1fc810af3656a2f7b400125ddd170e17dd56e519"
        ),
        Vector(
            name: "with a session token",
            url: "https://api.ecr.us-east-1.amazonaws.com/",
            token: "SESSIONTOKENEXAMPLE==",
            canonicalHash: "531d04b1e1621d744232b45f657f8806249c2bcb9b04e1bcd9c431226197c510",
            signature: "a53c1d8f5b72e01d66dfd5b2d621c28aef4b272fcb192397468623f71f56285f"
        ),
        Vector(
            name: "with a port",
            url: "http://127.0.0.1:4510/",
            region: "eu-west-1",
            canonicalHash: "501292b357dbf2b564b47d6be00650d96dd2ff258e16616592420b7c0e18fc75",
            signature: "6506eb61525082c8d09b5c63e9e7275bac5d04d00d635e885d7ed9be0f6a4f24"
        ),
        Vector(
            name: "STS",
            url: "https://sts.us-east-1.amazonaws.com/",
            service: "sts",
            contentType: "application/x-www-form-urlencoded; charset=utf-8",
            body: "Action=AssumeRole&DurationSeconds=3600&ExternalId=ext-1"
                + "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freplicator&RoleSessionName=sess"
                + "&Version=2011-06-15",
            canonicalHash: "8e138bacf4cbb9f908a20cd40049b2093895314bbd81828218fb248cb127344f",
            signature: "0a572abf302e2fba081f99512587df866b9a4026c8110a905e5d64b38eaf70a5"
        ),
    ]

    @Test("equals botocore's", arguments: vectors)
    func vector(_ vector: Vector) throws {
        var request = try vector.request
        let signer = RequestSigner(service: vector.service, region: vector.region)
        signer.sign(&request, with: vector.credentials, at: noon)

        #expect(sha256Hex(CanonicalRequest(request).text.utf8) == vector.canonicalHash)
        #expect(request.fields[.amzDate] == "20260115T120000Z")
        #expect(request.fields[.amzSecurityToken] == vector.token)
        let target = vector.service == "ecr" ? ";x-amz-target" : ""
        let authorization =
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/\(vector.region)/\(vector.service)/aws4_request, "
            + "SignedHeaders=content-type;host;x-amz-date" + (vector.token == nil ? "" : ";x-amz-security-token")
            + target
            + ", Signature=\(vector.signature)"
        #expect(request.fields[.authorization] == authorization)
    }

    @Test("hashes this canonical text")
    func canonicalText() throws {
        var request = try Self.vectors[0].request
        let signer = RequestSigner(service: "ecr", region: "us-east-1")
        signer.sign(&request, with: Self.vectors[0].credentials, at: noon)
        // Fields that are added later, also by libcurl, aren't signed.
        request.fields[.userAgent] = "ecr-replicate/x"

        #expect(
            CanonicalRequest(request).text == """
                POST
                /

                content-type:application/x-amz-json-1.1
                host:api.ecr.us-east-1.amazonaws.com
                x-amz-date:20260115T120000Z
                x-amz-target:AmazonEC2ContainerRegistry_V20150921.BatchGetImage

                content-type;host;x-amz-date;x-amz-target
                318ff40f552099e4238100e94aa3f6c053e8fa662cf59e39a292b443f95963b4
                """
        )
    }

    @Test("changes with the day and with the secret, although the derived key is cached")
    func cachedKeys() throws {
        let signer = RequestSigner(service: "ecr", region: "us-east-1")
        func signature(_ date: Date, _ secret: String) throws -> String? {
            var request = try Self.vectors[0].request
            let credentials = AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: secret, source: "test")
            signer.sign(&request, with: credentials, at: date)
            return request.fields[.authorization]
        }
        let first = try signature(noon, "one")
        #expect(try signature(noon, "two") != first)
        #expect(try signature(noon + 86_400, "one") != first)
        #expect(try signature(noon, "one") == first, "the first one again")
    }

    @Test(
        "normalises paths",
        arguments: [
            ("/", "/"), ("", "/"), ("/a/../b", "/b"), ("/a/./b/", "/a/b/"), ("//a//b", "/a/b"), ("/..", "/"),
            ("/a/b/..", "/a"), ("/a%20b", "/a%2520b"), ("/~x y", "/~x%20y"),
        ]
    )
    func paths(_ path: String, _ expected: String) {
        let canonical = CanonicalRequest(method: "GET", path: path, query: nil, host: "h", fields: [:], bodyHash: "x")
        #expect(canonical.text.split(separator: "\n", omittingEmptySubsequences: false)[1] == expected)
    }

    @Test(
        "sorts and encodes queries",
        arguments: [
            ("", ""), ("b=1&a=2", "a=2&b=1"), ("a=2&a=1", "a=1&a=2"), ("a", "a="), ("a=b/c d", "a=b%2Fc%20d"),
            ("a=%2f%41", "a=%2FA"), ("a=b=c", "a=b%3Dc"), ("k=%zz", "k=%25zz"),
        ]
    )
    func queries(_ query: String, _ expected: String) {
        let canonical = CanonicalRequest(method: "GET", path: "/", query: query, host: "h", fields: [:], bodyHash: "x")
        #expect(canonical.text.split(separator: "\n", omittingEmptySubsequences: false)[2] == expected)
    }

    @Test("accepts any number as a time", arguments: [1e300, -1e300, .infinity, 9e18, -62_167_219_201])
    func anyTime(_ seconds: Double) {
        let text = AWSTime.extended(Date(timeIntervalSince1970: seconds))
        #expect(text == (seconds > 0 ? "9999-12-31T23:59:59Z" : "0000-01-01T00:00:00Z"))
    }
}
