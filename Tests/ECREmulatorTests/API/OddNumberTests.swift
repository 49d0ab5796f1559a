import Content
import Foundation
import Testing

@testable import ECREmulator

/// An arbitrary number from a client may be refused, but must not crash the process.
@Suite("Out-of-range numbers don't crash the emulator", .timeLimit(.minutes(1)))
struct OddNumberTests {
    @Test(
        "in the expiry of a web identity's token",
        arguments: ["-1e300", "1e300", "-1", "253402300800", "9223372036854775807", "-9.3e18"]
    )
    func webIdentity(_ exp: String) async throws {
        let claims = #"{"iss":"idp.test","sub":"job","aud":"sts.amazonaws.com","exp":\#(exp)}"#
        let parts = [#"{"alg":"none"}"#, claims, "x"].map { WebIdentityToken.encoded(Array($0.utf8)) }
        try await withClient { _, client in
            let answer = try await client.send(
                "POST",
                "/",
                [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(
                    ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=me"
                        + "&RoleArn=arn:aws:iam::\(account):role/pod&WebIdentityToken=\(parts.joined(separator: "."))")
                        .utf8
                )
            )
            #expect(answer.status == 400)
            #expect(answer.element("Code") == "InvalidIdentityToken")
        }
    }

    @Test("in a page token", arguments: [Int.min, -5, -1, Int.max])
    func pages(_ start: Int) async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [10])
            try emulator.seedApp(image, tag: "v1")
            let token = Data("page:\(start)".utf8).base64EncodedString()
            let images = try await client.call("ListImages", #"{"repositoryName":"team/app","nextToken":"\#(token)"}"#)
            #expect(images.status == (start < 0 ? 400 : 200))
            var registry = client
            try await registry.logIn()
            let referrers = try await registry.registry(
                "GET",
                "/v2/team/app/referrers/\(image.digest)?nextToken=\(start)"
            )
            #expect(referrers.status == 200)
        }
    }

    @Test("in the end of a part", arguments: [Int64.min, -1, 0, Int64.max])
    func parts(_ last: Int64) async throws {
        try await withClient { _, client in
            let started = try await client.call("InitiateLayerUpload", #"{"repositoryName":"team/app"}"#)
            let id = try #require(try started.json("uploadId"))
            let part =
                #"{"repositoryName":"team/app","uploadId":"\#(id)","partFirstByte":0,"partLastByte":\#(last),"#
                + #""layerPartBlob":"YWI="}"#
            #expect(try await client.call("UploadLayerPart", part).code == "InvalidLayerPartException")
        }
    }

    @Test("in the end of a range")
    func ranges() {
        #expect(DownloadServer.range("bytes=2-\(Int64.max)", of: 10) == 2..<10)
        #expect(DownloadServer.range("bytes=2-9", of: 10) == 2..<10)
        #expect(DownloadServer.range("bytes=2-8", of: 10) == 2..<9)
        #expect(DownloadServer.range("bytes=-\(Int64.max)", of: 10) == 0..<10)
    }

    @Test("in the clock fault", arguments: [Int.min, -946_080_001, 946_080_001, Int.max])
    func skew(_ seconds: Int) throws {
        #expect(throws: FaultSyntaxError.self) { try Fault(parsing: "*:1:skew=\(seconds)") }
        for known in [-946_080_000, 946_080_000] { _ = try Fault(parsing: "*:1:skew=\(known)") }
    }
}
