import Content
import Foundation
import Platform
import Testing

@testable import ECREmulator

@Suite("Faults", .timeLimit(.minutes(1)))
struct FaultTests {
    let image = SeedImage.oci("app", layers: [100_000])

    @Test("an injected error is answered once, in the format of the API")
    func errors() async throws {
        try await withClient { emulator, client in
            emulator.inject(Fault(on: "DescribeRepositories", .throttle(retryAfter: 2)))
            let throttled = try await client.call("DescribeRepositories")
            #expect(try throttled.code == "ThrottlingException")
            #expect(throttled.headers["retry-after"] == "2")
            #expect(try await client.call("DescribeRepositories").status == 200)
            emulator.inject(Fault(on: "GET tags", .throttle(retryAfter: nil)))
            let registry = try await client.registry("GET", "/v2/team/app/tags/list")
            #expect(registry.status == 429)
            #expect(try registry.code == "TOOMANYREQUESTS")
            emulator.inject(Fault(on: "GET tags", .status(503)))
            #expect(try await client.registry("GET", "/v2/team/app/tags/list").status == 503)
            emulator.inject(Fault(on: "GET tags", .status(503, retryAfter: 4)))
            #expect(try await client.registry("GET", "/v2/team/app/tags/list").headers["retry-after"] == "4")
            emulator.inject(Fault(on: "GET tags", .refuse))
            #expect(try await client.registry("GET", "/v2/team/app/tags/list").code == "DENIED")
            emulator.inject(Fault(on: "PUT manifest", .refuse))
            let refused = try await client.registry("PUT", "/v2/team/app/manifests/v1", body: Array("{}".utf8))
            #expect(refused.text.contains("ecr:PutImage on resource"))
            emulator.inject(Fault(on: "AssumeRole", .refuse))
            let role = "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(account):role/r"
            let untrusted = try await client.sts(role)
            #expect(untrusted.element("Code") == "AccessDenied")
            #expect(
                untrusted.element("Message")
                    == "User: arn:aws:iam::\(account):user/emulator is not authorized to perform: sts:AssumeRole"
            )
            emulator.inject(Fault(on: "ListImages", .error(code: "ServerException", message: "x", status: 500)))
            #expect(try await client.call("ListImages", #"{"repositoryName":"team/app"}"#).status == 500)
        }
    }

    @Test("a request with a reset connection isn't processed; one with a lost answer is")
    func cutConnections() async throws {
        try await withClient { (emulator, client) async throws in
            let body = #"{"repositoryName":"team/new"}"#
            emulator.inject(Fault(on: "CreateRepository", .resetBefore))
            #expect(try await client.call("CreateRepository", body).status == 0)
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])
            emulator.inject(Fault(on: "CreateRepository", .loseAnswer))
            #expect(try await client.call("CreateRepository", body).status == 0)
            #expect(emulator.repositories(account: account, region: region) == ["team/app", "team/new"])
            #expect(emulator.requests.map(\.status) == [0, 0])
        }
    }

    @Test("a download is cut, truncated, or has one wrong byte")
    func downloads() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image)
            let layer = image.blobs[1].digest
            let url = try #require(try await client.registry("GET", "/v2/team/app/blobs/\(layer)").headers["location"])
            let whole = try await client.follow(url).body
            emulator.inject(Fault(on: "GET layer", .cutBody(afterBytes: 1_234)))
            let cut = try await client.follow(url)
            #expect(cut.headers["content-length"] == "100000")
            #expect(cut.body == Array(whole.prefix(1_234)))
            emulator.inject(Fault(on: "GET layer", .truncate))
            let short = try await client.follow(url)
            #expect(short.headers["content-length"] == "50000")
            #expect(short.body == Array(whole.prefix(50_000)))
            emulator.inject(Fault(on: "GET layer", .corruptByte(at: 77)))
            let corrupt = try await client.follow(url).body
            #expect(zip(corrupt, whole).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset) == [77])
            emulator.inject(Fault(on: "GET layer", .expireURL))
            #expect(try await client.follow(url).status == 403)
            #expect(
                emulator.requests.filter { $0.operation == "GET layer" }.map(\.bytesOut).prefix(2) == [100_000, 1_234]
            )
        }
    }

    @Test("an upload is cut as it arrives, and the bytes before the cut are stored")
    func uploads() async throws {
        try await withClient { emulator, client in
            let place = try #require(
                try await client.registry("POST", "/v2/team/app/blobs/uploads/").headers["location"]
            )
            emulator.inject(Fault(on: "PUT blob", .cutBody(afterBytes: 1_000)))
            let layer = SeedBytes(seed: 1).prefix(200_000)
            let target = "\(place)?digest=\(Digest(of: layer))"
            #expect(try await client.registry("PUT", target, body: layer).status == 0)
            let again = try await client.registry("PUT", target, body: layer)
            #expect(again.status == 416)
            #expect(try again.json("errors", "0", "message") == "First byte of the layer part is 0 instead of 1000")
        }
    }

    @Test("a dripping body arrives whole, piece by piece, in either direction")
    func drip() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image)
            let layer = image.blobs[1].digest
            let url = try #require(try await client.registry("GET", "/v2/team/app/blobs/\(layer)").headers["location"])
            emulator.inject(Fault(on: "GET layer", .drip(bytes: 10_001)))
            var begin = ContinuousClock.now
            #expect(Digest(of: try await client.follow(url).body) == layer)
            // Ten pieces have nine pauses between them.
            #expect(ContinuousClock.now - begin >= Fault.dripInterval * 9)

            let place = try #require(
                try await client.registry("POST", "/v2/team/app/blobs/uploads/").headers["location"]
            )
            emulator.inject(Fault(on: "PUT blob", .drip(bytes: 10_000)))
            let pushed = SeedBytes(seed: 1).prefix(100_000)
            begin = ContinuousClock.now
            let answer = try await client.registry("PUT", "\(place)?digest=\(Digest(of: pushed))", body: pushed)
            #expect(answer.status == 201)
            #expect(ContinuousClock.now - begin >= Fault.dripInterval * 9)
        }
    }

    @Test("a wrong clock refuses valid signatures, shows in the Date field, and can be corrected")
    func skew() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            emulator.inject(Fault(on: "DescribeRegistry", .skew(seconds: 600)))
            let refused = try await client.call("DescribeRegistry")
            #expect(try refused.code == "InvalidSignatureException")
            #expect(
                try refused.json("message")
                    == "Signature expired: 20260115T120000Z is now earlier than 20260115T120500Z (20260115T121000Z - 5 min.)"
            )
            #expect(refused.headers["date"] == "Thu, 15 Jan 2026 12:10:00 GMT")
            #expect(try await client.call("DescribeRegistry").status == 200, "signed by the service's own clock")
            emulator.clearFaults()
            #expect(try await client.call("DescribeRegistry", at: noon).status == 200)
            emulator.inject(Fault(on: "DescribeRegistry", .skew(seconds: -600)))
            let early = try await client.call("DescribeRegistry", at: noon)
            #expect(try early.json("message")?.hasPrefix("Signature not yet current: 20260115T120000Z") == true)
        }
    }

    @Test("tokens expire during a run")
    func tokens() async throws {
        try await withClient { emulator, client in
            emulator.inject(Fault(on: "GET tags", .expireToken))
            let expired = try await client.registry("GET", "/v2/team/app/tags/list")
            #expect(expired.status == 403)
            #expect(expired.text.contains("Your authorization token has expired"))
            var fresh = client
            try await fresh.logIn()
            #expect(try await fresh.registry("GET", "/v2/team/app/tags/list").status == 200)
        }
    }

    @Test("a URL can be issued that has already expired")
    func expiredURL() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image)
            emulator.inject(Fault(on: "GetDownloadUrlForLayer", .expireURL))
            let body = #"{"repositoryName":"team/app","layerDigest":"\#(image.blobs[1].digest)"}"#
            let first = try #require(try await client.call("GetDownloadUrlForLayer", body).json("downloadUrl"))
            #expect(try await client.follow(first).status == 403)
            let second = try #require(try await client.call("GetDownloadUrlForLayer", body).json("downloadUrl"))
            #expect(try await client.follow(second).status == 200)
        }
    }

    @Test("a stalled answer ends when the emulator stops")
    func stall() async throws {
        try await withClient { (emulator, client) async throws in
            emulator.inject(Fault(on: "DescribeRegistry", .stall))
            let before = emulator.aws.state.withLock { $0.lastNumber }
            async let answer = client.call("DescribeRegistry")
            while emulator.aws.state.withLock({ $0.lastNumber }) == before { await Task.yield() }
            await emulator.stop()
            #expect(try await answer.status == 0)
        }
    }

    @Test("a rate that is used up throttles, until time passes")
    func rates() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        configuration.requestRates = ["ListImages": 2]
        try await withClient(configuration) { (_, client) async throws in
            let body = #"{"repositoryName":"team/app"}"#
            #expect(try await client.call("ListImages", body).status == 200)
            #expect(try await client.call("ListImages", body).status == 200)
            #expect(try await client.call("ListImages", body).code == "ThrottlingException")
            clock.advance(1)
            #expect(try await client.call("ListImages", body).status == 200)
        }
    }
}
