import Content
import Testing

@testable import ECREmulator

@Suite("Reading images")
struct ReadingRuleTests {
    let oci = SeedImage.oci("oci", layers: [10, 20])
    let docker = SeedImage.docker("docker", layers: [10])
    let index = SeedImage.twoPlatforms("multi", layersEach: [10])

    private func filled() throws -> EmulatedRepository {
        var repository = repository(with: oci, docker, index)
        try repository.put(oci, tag: "oci")
        try repository.put(docker, tag: "docker")
        try repository.put(index, tag: "multi")
        return repository
    }

    @Test("by digest, a manifest is never converted, and a type that isn't accepted isn't found")
    func byDigest() throws {
        let repository = try filled()
        let id = ImageIdentifier(imageDigest: "\(docker.digest)")
        #expect(try repository.manifest(id, accepted: [ManifestType.dockerImage]).text.utf8.elementsEqual(docker.bytes))
        #expect(throws: ImageFailure.notFound) { try repository.manifest(id, accepted: [ManifestType.ociImage]) }
        #expect(try repository.manifest(id, accepted: nil).image.digest == docker.digest)
    }

    @Test("by tag, docker's and OCI's formats are converted into each other, which changes the bytes")
    func converted() throws {
        let repository = try filled()
        for (tag, accepted, stored) in [
            ("docker", ManifestType.ociImage, docker), ("oci", ManifestType.dockerImage, oci),
        ] {
            let served = try repository.manifest(ImageIdentifier(imageTag: tag), accepted: [accepted])
            #expect(served.mediaType == accepted)
            #expect(served.image.digest == stored.digest)
            #expect(Digest(of: served.text.utf8) != stored.digest)
            #expect(ManifestView(reading: served.text)?.mediaType == accepted)
        }
    }

    @Test("a list by tag becomes one platform's manifest if the caller names no accepted type")
    func listWithoutAccept() throws {
        let repository = try filled()
        let id = ImageIdentifier(imageTag: "multi")
        #expect(try repository.manifest(id, accepted: [ManifestType.ociIndex]).image.digest == index.digest)
        #expect(try repository.manifest(id, accepted: nil).image.digest == index.manifests[0].digest)
        #expect(throws: ImageFailure.notFound) { try repository.manifest(id, accepted: [ManifestType.ociImage]) }
    }

    @Test("each kind of invalid image id has its own code")
    func failures() throws {
        var repository = try filled()
        func code(_ id: ImageIdentifier) -> String {
            do throws(ImageFailure) {
                _ = try repository.manifest(id, accepted: ManifestType.all.sorted())
                return "none"
            } catch { return error.code }
        }
        #expect(code(.init()) == "MissingDigestAndTag")
        #expect(code(.init(imageDigest: "sha256:xyz")) == "InvalidImageDigest")
        #expect(code(.init(imageTag: "a b")) == "InvalidImageTag")
        #expect(code(.init(imageTag: String(repeating: "a", count: 301))) == "InvalidImageTag")
        #expect(code(.init(imageTag: "-odd")) == "ImageNotFound", "a tag for ECR, if not for docker")
        #expect(code(.init(imageDigest: "sha256:\(oci.digest.hex.uppercased())")) == "ImageNotFound")
        #expect(code(.init(imageDigest: "sha512:00")) == "ImageNotFound")
        #expect(code(.init(imageTag: "nope")) == "ImageNotFound")
        #expect(code(.init(imageDigest: "\(Digest.ofNothing)")) == "ImageNotFound")
        #expect(code(.init(imageDigest: "\(docker.digest)", imageTag: "oci")) == "ImageTagDoesNotMatchDigest")
        #expect(code(.init(imageDigest: "\(oci.digest)", imageTag: "oci")) == "none")
        repository.setStorageClass(of: oci.digest, archived: true, at: noon)
        #expect(code(.init(imageTag: "oci")) == "ImageInaccessible")
    }

    @Test("the default filter hides archived images")
    func filters() throws {
        var repository = try filled()
        repository.setStorageClass(of: oci.digest, archived: true, at: noon)
        func digests(_ tagStatus: String?, _ imageStatus: String?) throws -> Set<Digest> {
            Set(try repository.images(.init(tagStatus: tagStatus, imageStatus: imageStatus)).map(\.digest))
        }
        #expect(try !digests(nil, nil).contains(oci.digest))
        #expect(try digests(nil, "ARCHIVED") == [oci.digest])
        #expect(try digests("TAGGED", "ANY") == [oci.digest, docker.digest, index.digest])
        #expect(try digests("UNTAGGED", nil) == Set(index.manifests.dropLast().map(\.digest)))
        #expect(faultCode { _ = try digests("SOME", nil) } == "InvalidParameterException")
    }

    @Test("an image's size is that of its config and layers, an index's size that of its largest manifest")
    func sizes() throws {
        let repository = try filled()
        let image = try repository.image(.init(imageTag: "oci"))
        #expect(repository.sizeInBytes(of: image) == oci.byteCount)
        let list = try repository.image(.init(imageTag: "multi"))
        let children = try index.manifests.dropLast().map { try repository.image(.init(imageDigest: "\($0.digest)")) }
        #expect(children.count == 4)
        #expect(repository.sizeInBytes(of: list) == children.map(repository.sizeInBytes).max())
    }

    @Test("removing the last tag removes the image; a child of a list can't be removed")
    func deletes() throws {
        var repository = try filled()
        try repository.put(oci, tag: "other")
        _ = try repository.delete(.init(imageTag: "oci"))
        #expect(repository.images[oci.digest] != nil)
        _ = try repository.delete(.init(imageTag: "other"))
        #expect(repository.images[oci.digest] == nil)
        let child = ImageIdentifier(imageDigest: "\(index.manifests[0].digest)")
        let failure = #expect(throws: ImageFailure.self) { _ = try repository.delete(child) }
        #expect(failure?.code == "ImageReferencedByManifestList")
        _ = try repository.delete(.init(imageDigest: "\(index.digest)"))
        #expect(repository.tags["multi"] == nil)
        _ = try repository.delete(child)
    }

    @Test("referrers are found by their subject, filtered by type")
    func referrers() throws {
        let sbom = SeedImage.referrer(to: oci)
        let signature = SeedImage.referrer(to: oci, artifactType: "application/vnd.cncf.notary.signature")
        var repository = repository(with: oci, sbom, signature)
        for image in [oci, sbom, signature] { try repository.put(image) }
        #expect(repository.referrers(of: oci.digest, types: [], status: "ACTIVE").count == 2)
        let found = repository.referrers(of: oci.digest, types: ["application/spdx+json"], status: "ACTIVE")
        #expect(found.map(\.digest) == [sbom.digest])
        #expect(found.first?.view.artifactKind == "application/spdx+json")
        #expect(repository.referrers(of: sbom.digest, types: [], status: "ANY").isEmpty)
    }

    @Test("pages follow each other without a gap or a repetition")
    func pages() throws {
        let items = Array(0..<25)
        var seen: [Int] = []
        var input = try Parameters(reading: Array(#"{"maxResults":10}"#.utf8))
        repeat {
            let page = try input.page(items)
            seen += page.items
            guard case .text(let token) = page.next else { break }
            input.nextToken = token
        } while true
        #expect(seen == items)
        input.nextToken = "forged"
        #expect(faultCode { _ = try input.page(items) } == "InvalidParameterException")
        for size in [0, 1_001] {
            input = try Parameters(reading: Array(#"{"maxResults":\#(size)}"#.utf8))
            #expect(faultCode { _ = try input.page(items) } == "InvalidParameterException")
        }
        #expect(faultCode { try Parameters.checkBatch("imageIds", 0) } == "InvalidParameterException")
        #expect(faultCode { try Parameters.checkBatch("imageIds", 101) } == "InvalidParameterException")
        #expect(faultCode { try Parameters.checkBatch("imageIds", 100) } == "no fault")
    }
}
