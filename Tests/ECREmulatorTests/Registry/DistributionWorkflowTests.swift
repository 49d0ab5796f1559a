import Content
import Foundation
import Testing

@testable import ECREmulator

/// The four workflows of the OCI distribution specification, as clients and the conformance suite use them, with the
/// specification's answers, or ECR's where they differ.
///
/// - Source: OCI distribution-spec 1.1, `spec.md`, "Workflow Categories"; ECR's answers by docs/facts/ecr-registry.md
@Suite("The distribution specification's workflows", .timeLimit(.minutes(1)))
struct DistributionWorkflowTests {
    private static let repository = "/v2/team/app"
    private let image = SeedImage.oci("app", layers: [3_000])

    /// Pushes as containerd does: POST, PUT of all bytes, then the manifest.
    private func push(_ image: SeedImage, tag: String, _ connection: KeptConnection) async throws {
        for blob in image.blobs {
            let begun = try await connection.send("POST", "\(Self.repository)/blobs/uploads/")
            #expect(begun.status == 202)
            let place = try #require(begun.headers["location"])
            let digest = "\(blob.digest)".replacing(":", with: "%3A")
            let put = try await connection.send(
                "PUT",
                "\(place)?digest=\(digest)",
                [("Content-Type", "application/octet-stream")],
                body: SeedLayerTests.bytes(of: blob)
            )
            #expect(put.status == 201, "\(put.text)")
            #expect(put.headers["location"] == "\(Self.repository)/blobs/\(blob.digest)")
        }
        let put = try await connection.send(
            "PUT",
            "\(Self.repository)/manifests/\(tag)",
            [("Content-Type", image.mediaType)],
            body: image.bytes
        )
        #expect(put.status == 201, "\(put.text)")
        #expect(
            put.headers["docker-content-digest"] == "\(image.digest)",
            "containerd up to 2.0 refuses a push without it"
        )
    }

    @Test("pull: an image by tag and by digest, in several spellings; 404 for everything else")
    func pull() async throws {
        try await withClient { emulator, client in
            let connection = try await KeptConnection(client)
            try await push(image, tag: "v1", connection)
            for path in ["/v2/", "/v2"] { #expect(try await connection.send("GET", path).status == 200) }
            let digest = "\(image.digest)"
            let types = [
                ("Accept", "application/vnd.docker.distribution.manifest.v2+json"),
                ("Accept", "application/vnd.oci.image.index.v1+json, \(ManifestType.ociImage);q=0.5"),
                ("Accept", "*/*"),
            ]
            for reference in ["v1", digest, digest.replacing(":", with: "%3A"), digest.replacing(":", with: "%3a")] {
                let head = try await connection.send("HEAD", "\(Self.repository)/manifests/\(reference)", types)
                #expect(head.status == 200)
                #expect(head.headers["content-length"] == "\(image.bytes.count)")
                #expect(head.headers["docker-content-digest"] == digest)
                let get = try await connection.send("GET", "\(Self.repository)/manifests/\(reference)", types)
                #expect(get.body == image.bytes)
                #expect(get.headers["content-type"] == image.mediaType)
            }
            let layer = image.blobs[1]
            let head = try await connection.send("HEAD", "\(Self.repository)/blobs/\(layer.digest)")
            #expect(head.headers["content-length"] == "\(layer.size)")
            let range = ("Range", "bytes=100-199")
            let moved = try await connection.send("GET", "\(Self.repository)/blobs/\(layer.digest)", [range])
            #expect(moved.status == 307)
            let part = try await client.follow(moved.headers["location"] ?? "", [range])
            #expect(part.status == 206)
            #expect(part.body == Array(SeedLayerTests.bytes(of: layer)[100..<200]))

            let nothing = "\(Digest.ofNothing)"
            for path in ["blobs/\(nothing)", "manifests/\(nothing)", "manifests/none", "blobs/sha512:00"] {
                for method in ["HEAD", "GET"] {
                    #expect(
                        try await connection.send(method, "\(Self.repository)/\(path)").status == 404,
                        "\(method) \(path)"
                    )
                }
            }
            // In capitals it is a different digest, which no blob has.
            let capitals = "sha256:\(image.digest.hex.uppercased())"
            #expect(try await connection.send("GET", "\(Self.repository)/manifests/\(capitals)").status == 404)
            #expect(try await connection.send("GET", "\(Self.repository)/blobs/\(capitals)").status == 404)
        }
    }

    @Test("push: in one piece, streamed, in chunks, with a single POST, mounted; 416 for bytes out of order")
    func uploads() async throws {
        try await withClient { emulator, client in
            let connection = try await KeptConnection(client)
            let uploads = "\(Self.repository)/blobs/uploads/"
            let bytes = Array("some bytes of a layer".utf8)
            let digest = "\(Digest(of: bytes))"
            // A registry may ignore the bytes of a POST and answer 202, which opens an upload.
            let alone = try await connection.send("POST", "\(uploads)?digest=\(digest)", body: bytes)
            #expect(alone.status == 202)
            let place = try #require(alone.headers["location"])
            #expect(try await connection.send("HEAD", "\(Self.repository)/blobs/\(digest)").status == 404)
            #expect(try await connection.send("PUT", "\(place)?digest=\(digest)", body: bytes).status == 201)
            #expect(try await connection.send("HEAD", "\(Self.repository)/blobs/\(digest)").status == 200)
            // A second PUT succeeds too.
            let again = try await connection.send("POST", uploads)
            let second = try #require(again.headers["location"])
            #expect(try await connection.send("PUT", "\(second)?digest=\(digest)", body: bytes).status == 201)

            let streamed = try #require(try await connection.send("POST", uploads).headers["location"])
            let patch = try await connection.send(
                "PATCH",
                streamed,
                [("Transfer-Encoding", "chunked"), ("Content-Type", "application/octet-stream")],
                body: Array("5\r\nhello\r\n0\r\n\r\n".utf8)
            )
            #expect(patch.status == 201, "202 by the specification, 201 at ECR")
            let status = try await connection.send("GET", streamed)
            #expect(status.status == 204)
            #expect(status.headers["range"] == "0-4")
            #expect(status.headers["content-length"] == nil)
            let hello = "\(Digest(of: "hello".utf8))"
            #expect(try await connection.send("PUT", "\(streamed)?digest=\(hello)").status == 201)

            let chunked = try #require(try await connection.send("POST", uploads).headers["location"])
            let early = try await connection.send(
                "PATCH",
                chunked,
                [("Content-Range", "5-9")],
                body: Array("world".utf8)
            )
            #expect(early.status == 416)
            let first = try await connection.send(
                "PATCH",
                chunked,
                [("Content-Range", "0-4")],
                body: Array("hello".utf8)
            )
            #expect(first.status == 201)
            let restart = try await connection.send("PATCH", chunked, body: Array("hello".utf8))
            #expect(restart.status == 416, "without a range it begins at the beginning")
            let small = try await connection.send(
                "PUT",
                "\(chunked)?digest=\(Digest(of: "helloworld".utf8))",
                [("Content-Range", "5-9")],
                body: Array("world".utf8)
            )
            #expect(small.status == 400, "ECR's chunks have 5 MiB, but for the last")
            #expect(try small.code == "BLOB_UPLOAD_INVALID")

            try emulator.createRepository(account: account, region: region, "team/other")
            let mount = "/v2/team/other/blobs/uploads/?mount=\(digest)&from=team%2Fapp"
            #expect(try await connection.send("POST", mount).status == 202, "BLOB_MOUNTING is off")
            emulator.setSetting("BLOB_MOUNTING", "ENABLED", account: account, region: region)
            let mounted = try await connection.send("POST", mount)
            #expect(mounted.status == 201)
            #expect(mounted.headers["location"] == "/v2/team/other/blobs/\(digest)")
        }
    }

    @Test("push: the answer for a manifest with a subject names it, and a manifest without layers is refused")
    func manifests() async throws {
        try await withClient { emulator, client in
            let connection = try await KeptConnection(client)
            let sbom = SeedImage.referrer(to: image)
            try await push(sbom, tag: "\(sbom.digest)", connection)
            let type = ("Content-Type", sbom.mediaType)
            let twice = try await connection.send(
                "PUT",
                "\(Self.repository)/manifests/\(sbom.digest)",
                [type],
                body: sbom.bytes
            )
            #expect(twice.status == 201)
            #expect(twice.headers["oci-subject"] == "\(image.digest)")
            let config = sbom.blobs[0]
            let empty =
                #"{"schemaVersion":2,"mediaType":"\#(ManifestType.ociImage)","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\#(config.digest)","size":2},"layers":[]}"#
            let refused = try await connection.send(
                "PUT",
                "\(Self.repository)/manifests/e",
                [type],
                body: Array(empty.utf8)
            )
            #expect(refused.status == 405)
            #expect(try refused.code == "UNSUPPORTED")
        }
    }

    @Test("content discovery: tags with n and last, each page linked; referrers filtered by type")
    func discovery() async throws {
        try await withClient { emulator, client in
            for tag in ["a", "b", "c", "d"] { try emulator.seedApp(image, tag: tag) }
            let connection = try await KeptConnection(client)
            let list = "\(Self.repository)/tags/list"
            #expect(try await connection.send("GET", list).text == #"{"name":"team/app","tags":["a","b","c","d"]}"#)
            let page = try await connection.send("GET", "\(list)?n=2&last=a")
            #expect(page.text == #"{"name":"team/app","tags":["b","c"]}"#)
            #expect(page.headers["link"] == "<\(list)?last=c&n=2>; rel=\"next\"")
            let end = try await connection.send("GET", "\(list)?n=2&last=c")
            #expect(end.text == #"{"name":"team/app","tags":["d"]}"#)
            #expect(end.headers["link"] == nil)
            #expect(try await connection.send("GET", "\(list)?last=d").text == #"{"name":"team/app","tags":[]}"#)
            #expect(try await connection.send("GET", "\(list)?n=0").status == 405)
            #expect(try await connection.send("GET", "/v2/team/none/tags/list").status == 404)

            let signature = SeedImage.referrer(to: image, artifactType: "application/vnd.cncf.notary.signature")
            for referrer in [SeedImage.referrer(to: image), signature] { try emulator.seedApp(referrer) }
            let referrers = "\(Self.repository)/referrers/\(image.digest)"
            let all = try await connection.send("GET", referrers)
            #expect(all.headers["content-type"] == ManifestType.ociIndex)
            #expect(all.headers["oci-filters-applied"] == nil)
            #expect(try all.json("manifests", "1", "digest") != nil)
            let one = try await connection.send(
                "GET",
                "\(referrers)?artifactType=application%2Fvnd.cncf.notary.signature"
            )
            #expect(one.headers["oci-filters-applied"] == "artifactType")
            #expect(try one.json("manifests", "0", "digest") == "\(signature.digest)")
            #expect(try one.json("manifests", "1") == nil)
            let none = try await connection.send("GET", "\(Self.repository)/referrers/\(Digest.ofNothing)")
            #expect(none.status == 200)
            #expect(none.text == #"{"schemaVersion":2,"mediaType":"\#(ManifestType.ociIndex)","manifests":[]}"#)
        }
    }

    @Test("content management: tags and manifests can be deleted, blobs can't")
    func management() async throws {
        try await withClient { emulator, client in
            for tag in ["a", "b"] { try emulator.seedApp(image, tag: tag) }
            let connection = try await KeptConnection(client)
            // ECR allows this since 2021: aws/containers-roadmap#1229.
            #expect(try await connection.send("DELETE", "\(Self.repository)/manifests/a").status == 202)
            #expect(try await connection.send("GET", "\(Self.repository)/manifests/a").status == 404)
            #expect(try await connection.send("GET", "\(Self.repository)/manifests/b").status == 200)
            let blob = try await connection.send("DELETE", "\(Self.repository)/blobs/\(image.blobs[1].digest)")
            #expect(blob.status == 405)
            #expect(try blob.code == "UNSUPPORTED")
            #expect(try await connection.send("DELETE", "\(Self.repository)/manifests/\(image.digest)").status == 202)
            for reference in ["b", "\(image.digest)"] {
                #expect(try await connection.send("GET", "\(Self.repository)/manifests/\(reference)").status == 404)
            }
            #expect(try await connection.send("DELETE", "\(Self.repository)/manifests/b").status == 404)
        }
    }

    @Test("docker login: 401 with a challenge without credentials, 200 with them")
    func login() async throws {
        try await withClient { emulator, client in
            let connection = try await KeptConnection(client)
            let challenge = try await connection.send("GET", "/v2/", [("Authorization", "")])
            #expect(challenge.status == 401)
            #expect(challenge.headers["www-authenticate"]?.hasPrefix("Basic realm=") == true)
            #expect(challenge.headers["docker-distribution-api-version"] == "registry/2.0")
            #expect(try challenge.json("errors", "0", "code") == "UNAUTHORIZED")
            #expect(try await connection.send("GET", "/v2/").status == 200)
            for wrong in ["Bearer x", "Basic !", "Basic QVdTOng="] {
                #expect(try await connection.send("GET", "/v2/", [("Authorization", wrong)]).status == 401)
            }
        }
    }
}
