import Content
import FoundationEssentials
import HTTPTypes
import TestInputs
import Testing

@testable import AWSIdentity

/// AWS's own test suite for Signature Version 4.
///
/// It is part of botocore's source (`tests/unit/auth/aws4_testsuite`); `ECR_REPLICATE_AWS4_SUITE` is its path.
@Suite("AWS's suite for signature version 4")
struct AWSSuiteTests {
    static let folder = ProcessInfo.processInfo.environment["ECR_REPLICATE_AWS4_SUITE"]

    /// The number of cases in botocore 1.43.11, which itself skips four: its parser can't read one, and it keeps no key
    /// twice.
    static let caseCount = 34

    @Test(
        "passes as a whole",
        .enabled(if: folder != nil, "set ECR_REPLICATE_AWS4_SUITE to run AWS's signature suite")
    )
    func wholeSuite() throws {
        let root = try #require(Self.folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".req") }.sorted()
        for name in names {
            try check(root + "/" + name.dropLast(4), name)
        }
        #expect(names.count >= Self.caseCount)
        reportCases("AWS's suite for signature version 4", names.count)
    }

    private func check(_ stem: String, _ name: String) throws {
        let request = try text(stem + ".req")
        let canonical = try text(stem + ".creq")
        let parsed = RawRequest(request)
        let token = canonical.split(separator: "\n").first { $0.hasPrefix("x-amz-security-token:") }
        let credentials = AWSCredentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            sessionToken: token.map { String($0.dropFirst("x-amz-security-token:".count)) },
            source: "suite"
        )
        var fields = parsed.fields
        fields[.amzSecurityToken] = credentials.sessionToken
        let made = CanonicalRequest(
            method: parsed.method,
            path: parsed.path,
            query: parsed.query,
            host: parsed.host,
            fields: fields,
            bodyHash: sha256Hex(parsed.body.utf8)
        )
        let signer = RequestSigner(service: "service", region: "us-east-1")
        #expect(made.text == canonical, "\(name)")
        #expect(signer.stringToSign(made, "20150830T123600Z") == (try text(stem + ".sts")), "\(name)")
        #expect(signer.authorization(made, credentials, "20150830T123600Z") == (try text(stem + ".authz")), "\(name)")
    }

    private func text(_ path: String) throws -> String {
        let bytes = try Data(contentsOf: URL(filePath: path))
        return String(
            String.UnicodeScalarView(String(decoding: bytes, as: UTF8.self).unicodeScalars.filter { $0 != "\r" })
        )
    }
}

/// A request as sent, parsed with its folded headers.
private struct RawRequest {
    var method = ""
    var path = ""
    var query: String?
    var host = ""
    var fields: HTTPFields = [:]
    var body = ""

    init(_ text: String) {
        let halves = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
        body = halves.count == 2 ? String(halves[1]) : ""
        var lines = halves[0].split(separator: "\n")
        let first = lines.removeFirst()
        method = String(first.prefix { $0 != " " })
        let target = first.dropFirst(method.count + 1).dropLast(" HTTP/1.1".count)
        path = String(target.prefix { $0 != "?" })
        query = target.contains("?") ? String(target.dropFirst(path.count + 1)) : nil
        var headers: [(String, String)] = []
        for line in lines {
            if line.first?.isWhitespace == true, let last = headers.indices.last {
                headers[last].1 += " " + line
            } else {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                headers.append((String(parts[0]), String(parts[1])))
            }
        }
        for (name, value) in headers {
            if name.lowercased() == "host" {
                host = value
            } else if let name = HTTPField.Name(name) {
                fields.append(HTTPField(name: name, value: value))
            }
        }
    }
}
