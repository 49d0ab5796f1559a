import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("The registry over HTTP", .timeLimit(.minutes(1)))
struct RegistryTests {
    let image = SeedImage.oci("app", layers: [1_000], isIndented: true)

    @Test("requires Basic credentials of its region that haven't expired")
    func authentication() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            #expect(try await client.registry("GET", "/v2/").status == 200)
            var other = client
            other.account = otherAccount
            #expect(
                try await other.registry("GET", "/v2/").status == 200,
                "one token serves every registry of a region"
            )
            other.region = "eu-west-1"
            let elsewhere = try await other.registry("GET", "/v2/")
            #expect(elsewhere.status == 401)
            #expect(try elsewhere.json("errors", "0", "message") == "no basic auth credentials")
            other.password = ""
            let none = try await other.registry("GET", "/v2/")
            #expect(
                none.headers["www-authenticate"]?.hasPrefix("Basic realm=\"http://\(otherAccount).dkr.ecr.") == true
            )
            clock.advance(43_201)
            let expired = try await client.registry("GET", "/v2/")
            #expect(expired.status == 403)
            #expect(
                try expired.json("errors", "0", "message")
                    == "Your authorization token has expired. Reauthenticate and try again."
            )
        }
    }

    @Test("HEAD answers the digest and an empty Sizes, and GET doesn't")
    func manifest() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let head = try await client.registry("HEAD", "/v2/team/app/manifests/v1")
            #expect(head.headers["docker-content-digest"] == "\(image.digest)")
            #expect(head.headers["sizes"]?.isEmpty == true)
            #expect(head.headers["content-length"] == "\(image.bytes.count)")
            #expect(head.body.isEmpty)
            let get = try await client.registry("GET", "/v2/team/app/manifests/v1")
            #expect(get.body == image.bytes)
            #expect(get.headers["docker-content-digest"] == nil)
            #expect(get.headers["content-type"] == ManifestType.ociImage)
        }
    }

    @Test("several Accept lines are read as one list, because Go's clients send them")
    func acceptLines() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let lines = [("Accept", ManifestType.ociImage), ("Accept", ManifestType.dockerList)]
            let answer = try await client.registry("GET", "/v2/team/app/manifests/\(image.digest)", lines)
            #expect(answer.body == image.bytes)
            let other = [("Accept", ManifestType.dockerList)]
            #expect(try await client.registry("GET", "/v2/team/app/manifests/\(image.digest)", other).status == 404)
        }
    }

    @Test(
        "PUT of a manifest answers 201 with its digest and without Location, also the second time; 405 for an invalid one"
    )
    func putManifest() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image)
            let type = [("Content-Type", image.mediaType)]
            for _ in 0..<2 {
                let put = try await client.registry("PUT", "/v2/team/app/manifests/v1", type, body: image.bytes)
                #expect(put.status == 201)
                #expect(put.headers["location"] == nil)
                #expect(put.headers["docker-content-digest"] == "\(image.digest)")
            }
            let bad = try await client.registry("PUT", "/v2/team/app/manifests/v1", type, body: Array("{}".utf8))
            #expect(bad.status == 405)
            #expect(bad.headers["docker-content-digest"] == nil)
            #expect(try bad.code == "UNSUPPORTED")
            let digest = "\(Digest.ofNothing)"
            let wrong = try await client.registry("PUT", "/v2/team/app/manifests/\(digest)", type, body: image.bytes)
            #expect(try wrong.code == "DIGEST_INVALID")
            let unknown = SeedImage.oci("unknown", layers: [5])
            let missing = try await client.registry("PUT", "/v2/team/app/manifests/v2", type, body: unknown.bytes)
            #expect(try missing.code == "MANIFEST_BLOB_UNKNOWN")
        }
    }

    @Test("an upload in chunks gets 201, a Range that stays the same, and 416 for a second start")
    func chunks() async throws {
        try await withClient { emulator, client in
            let layer = SeedBytes(seed: 9).prefix(5_242_880 * 2 + 5)
            let begun = try await client.registry("POST", "/v2/team/app/blobs/uploads/")
            #expect(begun.status == 202)
            let place = try #require(begun.headers["location"])
            func patch(_ range: Range<Int>) async throws -> PlainAnswer {
                let header = ("Content-Range", "\(range.lowerBound)-\(range.upperBound - 1)")
                return try await client.registry("PATCH", place, [header], body: Array(layer[range]))
            }
            let first = try await patch(0..<5_242_880)
            #expect(first.status == 201)
            #expect(first.headers["range"] == "0-5242879")
            let second = try await patch(5_242_880..<10_485_760)
            #expect(second.headers["range"] == "0-5242879")
            let restart = try await patch(0..<10)
            #expect(restart.status == 416)
            #expect(
                try restart.json("errors", "0", "message") == "First byte of the layer part is 0 instead of 10485760"
            )
            let digest = Digest(of: layer)
            let rest = ("Content-Range", "10485760-10485764")
            let put = try await client.registry(
                "PUT",
                "\(place)?digest=\(digest)",
                [rest],
                body: Array(layer[10_485_760...])
            )
            #expect(put.status == 201)
            #expect(emulator.blob(digest, account: account, region: region, repository: "team/app") == layer)
        }
    }

    @Test("a chunked PATCH without a length and an empty PUT, as docker sends them, make an upload")
    func chunkedEncoding() async throws {
        try await withClient { emulator, client in
            let place = try #require(
                try await client.registry("POST", "/v2/team/app/blobs/uploads/").headers["location"]
            )
            let body = Array("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n".utf8)
            let patch = try await client.registry("PATCH", place, [("Transfer-Encoding", "chunked")], body: body)
            #expect(patch.headers["range"] == "0-10")
            let digest = Digest(of: "hello world".utf8)
            #expect(try await client.registry("PUT", "\(place)?digest=\(digest)").status == 201)
            let head = try await client.registry("HEAD", "/v2/team/app/blobs/\(digest)")
            #expect(head.headers["content-length"] == "11")
        }
    }

    @Test("uploads end with an error for a wrong digest, without bytes, after cancellation, and with an unknown id")
    func failedUploads() async throws {
        try await withClient { emulator, client in
            func begin() async throws -> String {
                try await client.registry("POST", "/v2/team/app/blobs/uploads/").headers["location"] ?? ""
            }
            let query = "?digest=\(Digest(of: "else".utf8))"
            let wrong = try await client.registry("PUT", begin() + query, body: Array("hello".utf8))
            #expect(try wrong.code == "BLOB_UPLOAD_INVALID")
            let empty = try await client.registry("PUT", begin() + "?digest=\(Digest.ofNothing)")
            #expect(try empty.code == "BLOB_UPLOAD_INVALID")
            #expect(empty.text.contains("because it does not have any parts"))
            let place = try await begin()
            #expect(try await client.registry("DELETE", place).status == 204)
            #expect(try await client.registry("PATCH", place, body: [1]).code == "BLOB_UPLOAD_UNKNOWN")
            let still = emulator.openUploads(account: account, region: region, repository: "team/app")
            #expect(still == 1, "an empty upload can go on; the others are gone")
        }
    }

    @Test("for a missing repository, an upload's connection is closed, and other requests get 404")
    func missingRepository() async throws {
        try await withClient { (_, client) async throws in
            #expect(try await client.registry("POST", "/v2/team/none/blobs/uploads/").status == 0)
            let head = try await client.registry("GET", "/v2/team/none/manifests/v1")
            #expect(try head.code == "NAME_UNKNOWN")
        }
    }

    @Test("a blob is answered with a redirect to a URL that refuses other credentials and expires")
    func download() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            try emulator.seedApp(image)
            let layer = image.blobs[1].digest
            let redirect = try await client.registry("GET", "/v2/team/app/blobs/\(layer)")
            #expect(redirect.status == 307)
            let url = try #require(redirect.headers["location"])
            let bytes = try await client.follow(url).body
            #expect(Digest(of: bytes) == layer)
            let twice = try await client.follow(url, [("Authorization", "Basic x")])
            #expect(twice.status == 400)
            #expect(twice.text.contains("Only one auth mechanism allowed"))
            let part = try await client.follow(url, [("Range", "bytes=10-19")])
            #expect(part.status == 206)
            #expect(part.body == Array(bytes[10..<20]))
            #expect(part.headers["content-range"] == "bytes 10-19/1000")
            #expect(try await client.follow(url, [("Range", "bytes=1000-")]).status == 416)
            #expect(try await client.follow(url + "0").status == 403, "another signature")
            let unknown = url.replacing("/e501", with: "/e502")
            #expect(try await client.follow(unknown).status == 404)
            clock.advance(3_601)
            #expect(try await client.follow(url).status == 403)
            #expect(emulator.requests.filter { $0.operation == "GET layer" }.count == 7)
            #expect(emulator.requests.allSatisfy { !"\($0)".contains("X-Amz") && !"\($0)".contains(client.password) })
        }
    }

    @Test("a config may be answered directly, with a type that isn't its own")
    func directConfig() async throws {
        var configuration = EmulatorConfiguration()
        configuration.servesConfigsDirectly = true
        try await withClient(configuration) { emulator, client in
            try emulator.seedApp(image)
            let config = try await client.registry("GET", "/v2/team/app/blobs/\(image.blobs[0].digest)")
            #expect(config.status == 200)
            #expect(config.headers["content-type"] == "application/vnd.docker.container.image.v1+json")
            #expect(Digest(of: config.body) == image.blobs[0].digest)
            #expect(try await client.registry("GET", "/v2/team/app/blobs/\(image.blobs[1].digest)").status == 307)
        }
    }

    @Test("a mount answers 201 if mounting is enabled, and otherwise opens an upload, as it does without from")
    func mount() async throws {
        try await withClient { emulator, client in
            try emulator.seed(image, account: account, region: region, repository: "base")
            let query = "/v2/team/app/blobs/uploads/?mount=\(image.blobs[1].digest)"
            #expect(try await client.registry("POST", query + "&from=base").status == 202)
            emulator.setSetting("BLOB_MOUNTING", "ENABLED", account: account, region: region)
            #expect(try await client.registry("POST", query).status == 202)
            let mounted = try await client.registry("POST", query + "&from=base")
            #expect(mounted.status == 201)
            #expect(mounted.headers["location"] == "/v2/team/app/blobs/\(image.blobs[1].digest)")
            let blobs = emulator.blobs(account: account, region: region, repository: "team/app")
            #expect(blobs == [image.blobs[1].digest])
        }
    }

    @Test("tags are listed in pages of at most 1,000, each linked to the next")
    func tags() async throws {
        try await withClient { emulator, client in
            for number in 0..<5 { try emulator.seedApp(image, tag: "v\(number)") }
            var seen: [String] = []
            var next: String? = "/v2/team/app/tags/list?n=2"
            while let path = next {
                let answer = try await client.registry("GET", path)
                #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
                seen += [try answer.json("tags", "0"), try answer.json("tags", "1")].compactMap { $0 }
                next = answer.headers["link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
            }
            #expect(seen == ["v0", "v1", "v2", "v3", "v4"])
            let tooMany = try await client.registry("GET", "/v2/team/app/tags/list?n=1001")
            #expect(tooMany.status == 405)
            #expect(tooMany.text.contains("Member must have value less than or equal to 1000"))
            #expect(try await client.registry("GET", "/v2/_catalog").json("repositories", "0") == "team/app")
        }
    }

    @Test("referrers are an index, which may be empty")
    func referrers() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image)
            let path = "/v2/team/app/referrers/\(image.digest)"
            let none = try await client.registry("GET", path)
            #expect(none.status == 200)
            #expect(try none.json("manifests", "0") == nil)
            let sbom = SeedImage.referrer(to: image)
            try emulator.seedApp(sbom)
            let one = try await client.registry("GET", path + "?artifactType=application/spdx%2Bjson")
            #expect(try one.json("manifests", "0", "digest") == "\(sbom.digest)")
            #expect(one.headers["oci-filters-applied"] == "artifactType")
        }
    }

    @Test("each registry answers on its own port, and denials are 403")
    func ownPort() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let basic = ("Authorization", "Basic " + Data("AWS:\(client.password)".utf8).base64EncodedString())
            let port = emulator.registryPort(account: account, region: region)
            let own = try await client.send("GET", "/v2/team/app/manifests/v1", port: port, [basic])
            #expect(own.body == image.bytes)
            let otherPort = emulator.registryPort(account: otherAccount, region: region)
            let other = try await client.send("GET", "/v2/team/app/manifests/v1", port: otherPort, [basic])
            #expect(try other.code == "NAME_UNKNOWN")
            emulator.deny(action: "BatchGetImage")
            let denied = try await client.registry("GET", "/v2/team/app/manifests/v1")
            #expect(denied.status == 403)
            #expect(try denied.code == "DENIED")
            #expect(denied.text.contains("because no identity-based policy allows the ecr:BatchGetImage action"))
        }
    }

    @Test("a client that tries TLS gets an HTTP answer")
    func plainHTTP() async throws {
        try await withClient { _, client in
            let hello = try await client.send("\u{16}\u{3}\u{1}", "/")
            #expect(hello.status == 400)
        }
    }
}
