import Content
import FoundationEssentials
import HTTPTypes
import TestInputs
import TestPrograms
import Testing
import Wire

@testable import AWSIdentity

@Suite("Signatures of botocore", .timeLimit(.minutes(1)), .needs(.botocore))
struct SignatureOracleTests {
    private struct Signed: Decodable {
        var method: String
        var address: String
        var headers: [[String]]
        var body: String
        var keyID: String
        var secret: String
        var token: String?
        var region: String
        var service: String
        var second: Double
        var authorization: String
    }

    @Test("equal ours for 200 requests with unusual content")
    func random() async throws {
        let all = try JSONDecoder().decode([Signed].self, from: try await oracle("sigv4"))
        for signed in all {
            let method = try #require(HTTPRequest.Method(signed.method))
            var request = WireRequest(method, try HTTPURL(signed.address), body: Array(signed.body.utf8))
            for header in signed.headers {
                request.fields.append(HTTPField(name: try #require(HTTPField.Name(header[0])), value: header[1]))
            }
            let credentials = AWSCredentials(
                accessKeyID: signed.keyID,
                secretAccessKey: signed.secret,
                sessionToken: signed.token,
                source: "oracle"
            )
            RequestSigner(service: signed.service, region: signed.region)
                .sign(&request, with: credentials, at: Date(timeIntervalSince1970: signed.second))
            #expect(request.fields[.authorization] == signed.authorization, "\(signed)")
        }
        #expect(all.count == 200)
        reportCases("signatures equal to botocore's", all.count)
    }
}
