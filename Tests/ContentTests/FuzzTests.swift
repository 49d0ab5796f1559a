import Content
import TestInputs
import Testing

@Suite("Mutations", .timeLimit(.minutes(1)))
struct FuzzTests {
    static let manifestTexts = [
        manifestText(), manifestText(type: .dockerManifest, config: emptyDescriptor, layers: [emptyDescriptor]),
        indexText(
            children: [
                entry(1, type: .ociManifest, more: #""platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#),
                entry(2, type: .ociIndex, more: #""annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#),
            ],
            more: #""subject":\#(entry(3)),"artifactType":"a/b""#
        ),
        #"{"mediaType":"\#(MediaType.ociArtifact)","blobs":[\#(entry(1, size: "1e2"))],"subject":\#(entry(2))}"#,
    ]
    static let referenceTexts = [
        "000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1@\(digest(1))",
        "000011112222.dkr-ecr-fips.us-east-1.on.aws:443/app", "arn:aws-cn:ecr:cn-north-1:000011112222:repository/a/b:t",
        "http://[::1]:5000/team/app:v1", "000011112222.dkr.ecr.eu-west-1.localhost:4566/", "team/app", "localhost/app",
        "oci:/srv/images:v1@\(digest(1))", "docker.io/alpine:3",
    ]
    @Test("of manifests are parsed or refused, and never change a byte", arguments: 0..<4)
    func manifests(seed: Int) {
        var random = Seeded(UInt64(seed))
        var taken = 0
        for _ in 0..<2_500 {
            let bytes = mutated(Array(Self.manifestTexts[seed].utf8), using: &random)
            let stated = MediaType.everyManifest.randomElement(using: &random)
            do throws(ManifestError) {
                let manifest = try Manifest(bytes: bytes, mediaType: Bool.random(using: &random) ? stated : nil)
                taken += 1
                #expect(manifest.bytes == bytes)
                #expect(manifest.digest == Digest(of: bytes))
                #expect(Array(manifest.text.utf8) == bytes)
                #expect(
                    (manifest.layers + manifest.children).allSatisfy { (0...Descriptor.largestSize).contains($0.size) }
                )
                #expect(Set(manifest.blobs.map(\.digest)).count == manifest.blobs.count)
            } catch {
                #expect("\(error)".utf8.count < 1_500)
            }
        }
        // Otherwise the mutations would only test the first character.
        #expect(taken > 50)
        reportCases("fuzz, manifest", 2_500)
    }

    @Test("of references are refused, or parsed again from their own text", arguments: referenceTexts)
    func references(text: String) throws {
        var random = Seeded(UInt64(text.utf8.count))
        var taken = 0
        for _ in 0..<2_500 {
            let mutated = String(decoding: mutated(Array(text.utf8), using: &random), as: UTF8.self)
            do throws(ReferenceError) {
                let reference = try ImageReference(parsing: mutated)
                taken += 1
                #expect(try ImageReference(parsing: reference.description) == reference)
            } catch {
                #expect(!"\(error)".unicodeScalars.contains { $0.value < 32 })
            }
            if let destination = try? DestinationReference(parsing: mutated) {
                #expect(try DestinationReference(parsing: destination.description) == destination)
            }
        }
        #expect(taken > 20 || text.hasSuffix("/"))
        reportCases("fuzz, reference", 2_500)
    }

    @Test("of keys that are equal in Unicode and different in JSON don't crash")
    func equivalentKeys() throws {
        let text = manifestText(more: "\"annotations\":{\"\u{E9}\":\"1\",\"e\u{301}\":\"2\",\"a\":\"1\",\"a\":\"2\"}")
        #expect(try manifest(text).annotations.count == 2)
        let twice = manifestText(more: #""layers":[\#(entry(9))],"schemaVersion":2"#)
        let image = try manifest(twice)
        #expect(image.bytes == Array(twice.utf8))
    }
}
