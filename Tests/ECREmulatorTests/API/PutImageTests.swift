import Content
import Testing

@testable import ECREmulator

@Suite("PutImage")
struct PutImageTests {
    let image = SeedImage.oci("app", layers: [100, 200], isIndented: true)

    private func put(_ image: SeedImage, tag: String? = nil) -> EmulatedRepository.Put {
        .init(text: String(decoding: image.bytes, as: UTF8.self), mediaType: image.mediaType, tag: tag)
    }

    @Test("keeps the bytes, including a final newline")
    func verbatim() throws {
        var repository = repository(with: image)
        let stored = try repository.putImage(put(image, tag: "v1"), at: noon)
        #expect(Array(stored.text.utf8) == image.bytes)
        #expect(image.bytes.last == UInt8(ascii: "\n"))
        #expect(repository.tags == ["v1": image.digest])
    }

    @Test("moves a mutable tag, and keeps the old image without it")
    func movesTag() throws {
        let second = SeedImage.oci("second", layers: [10])
        var repository = repository(with: image, second)
        try repository.put(image, tag: "v1")
        try repository.put(second, tag: "v1")
        #expect(repository.tags == ["v1": second.digest])
        #expect(repository.images.count == 2)
    }

    @Test("answers ImageAlreadyExists for the same image and tag, and accepts a new tag")
    func again() throws {
        var repository = repository(with: image)
        try repository.put(image, tag: "v1")
        #expect(faultCode { try repository.put(image, tag: "v1") } == "ImageAlreadyExistsException")
        #expect(faultCode { try repository.put(image) } == "ImageAlreadyExistsException")
        #expect(faultCode { try repository.put(image, tag: "v2") } == "no fault")
        #expect(repository.tags(of: image.digest) == ["v1", "v2"])
    }

    @Test(
        "refuses to move an immutable tag, unless a filter excludes the tag",
        arguments: [
            ("IMMUTABLE", [], "v1", true), ("MUTABLE", [], "v1", false),
            ("IMMUTABLE_WITH_EXCLUSION", ["latest*"], "latest-1", false),
            ("IMMUTABLE_WITH_EXCLUSION", ["latest*"], "v1", true),
            ("MUTABLE_WITH_EXCLUSION", ["v*"], "v1", true), ("MUTABLE_WITH_EXCLUSION", ["v*"], "latest", false),
        ] as [(String, [String], String, Bool)]
    )
    func immutability(mode: String, filters: [String], tag: String, isFixed: Bool) throws {
        let second = SeedImage.oci("second", layers: [10])
        var repository = repository(with: image, second)
        repository.mutability = try TagMutability(
            mode: mode,
            filters: filters.map { .init(filterType: "WILDCARD", filter: $0) }
        )
        try repository.put(image, tag: tag)
        let code = faultCode { try repository.put(second, tag: tag) }
        #expect(code == (isFixed ? "ImageTagAlreadyExistsException" : "no fault"))
        #expect(repository.tags[tag] == (isFixed ? image.digest : second.digest))
    }

    @Test(
        "for an immutable tag with its own digest answers ImageAlreadyExists, or TagAlreadyExists as some users have seen"
    )
    func immutableSameDigest() throws {
        var repository = repository(with: image)
        repository.mutability = try TagMutability(mode: "IMMUTABLE", filters: nil)
        try repository.put(image, tag: "v1")
        #expect(faultCode { try repository.put(image, tag: "v1") } == "ImageAlreadyExistsException")
        var again = put(image, tag: "v1")
        again.refusesSameDigest = true
        #expect(faultCode { _ = try repository.putImage(again, at: noon) } == "ImageTagAlreadyExistsException")
    }

    @Test("requires the blobs and then the children that a manifest names")
    func references() throws {
        var empty = repository()
        #expect(faultCode { try empty.put(image) } == "LayersNotFoundException")
        let index = SeedImage.twoPlatforms("multi", layersEach: [10])
        var repository = repository(with: index)
        let root = put(index)
        #expect(faultCode { _ = try repository.putImage(root, at: noon) } == "ReferencedImagesNotFoundException")
        #expect(faultCode { try repository.put(index, tag: "v1") } == "no fault")
    }

    @Test("refuses a digest that doesn't match, and stores nothing")
    func digest() throws {
        var repository = repository(with: image)
        var wrong = put(image)
        wrong.digest = "\(Digest(of: Array("else".utf8)))"
        #expect(faultCode { _ = try repository.putImage(wrong, at: noon) } == "ImageDigestDoesNotMatchException")
        #expect(repository.images.isEmpty)
    }

    @Test(
        "answers that a parameter is invalid for a manifest that ECR doesn't accept",
        arguments: [
            "not json", "{}", #"{"schemaVersion":1,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#,
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#,
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}]}"#,
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"a/b;version=0.2","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}]}"#,
        ]
    )
    func invalid(text: String) {
        var repository = repository()
        repository.blobs[Digest(of: Array("{}".utf8))] = EmulatedBlob(size: 2)
        #expect(faultCode { _ = try repository.putImage(.init(text: text), at: noon) } == "InvalidParameterException")
    }

    @Test("needs a media type in the request if the manifest has none")
    func mediaType() throws {
        var repository = repository(with: image)
        let bare = String(decoding: image.bytes, as: UTF8.self)
            .replacing("   \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\",\n", with: "")
        let fault = #expect(throws: ServiceFault.self) { try repository.putImage(.init(text: bare), at: noon) }
        #expect(fault?.message.contains("'ImageManifest'") == true)
        #expect(fault?.message.contains("'Invalid JSON syntax'") == true)
        let stored = try repository.putImage(.init(text: bare, mediaType: ManifestType.ociImage), at: noon)
        #expect(stored.mediaType == ManifestType.ociImage)
    }

    @Test("refuses more than 4 MiB")
    func tooLarge() {
        var repository = repository()
        let text = String(repeating: " ", count: 4_194_305)
        let fault = #expect(throws: ServiceFault.self) { try repository.putImage(.init(text: text), at: noon) }
        #expect(fault?.message.contains("4194304") == true)
    }

    @Test("doesn't require foreign layers")
    func foreign() throws {
        let text = String(decoding: image.bytes, as: UTF8.self)
        let foreign = text.replacing(
            "application/vnd.oci.image.layer.v1.tar+gzip\",",
            with: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip\",\"urls\":[\"https://example.com/x\"],"
        )
        var repository = repository()
        repository.blobs[image.blobs[0].digest] = EmulatedBlob(size: image.blobs[0].size)
        #expect(faultCode { _ = try repository.putImage(.init(text: text), at: noon) } == "LayersNotFoundException")
        #expect(faultCode { _ = try repository.putImage(.init(text: foreign), at: noon) } == "no fault")
    }

    @Test("restores an archived image")
    func restores() throws {
        var repository = repository(with: image)
        try repository.put(image, tag: "v1")
        repository.setStorageClass(of: image.digest, archived: true, at: noon)
        #expect(repository.availability(of: image.blobs[0].digest) == .archived)
        try repository.put(image, tag: "v1")
        #expect(repository.images[image.digest]?.status == .active)
    }

    @Test(
        "wildcards match the whole tag",
        arguments: [
            ("latest", "latest", true), ("latest-1", "latest", false), ("v1.2", "v*", true), ("xv1", "v*", false),
            ("a-b-c", "a*c", true), ("ac", "a*c", true), ("a", "a*a", false), ("dev-x-rc", "*-x-*", true),
            ("x", "*", true),
        ]
    )
    func wildcards(tag: String, wildcard: String, isMatch: Bool) {
        #expect(matches(tag, wildcard: wildcard) == isMatch)
    }

    @Test("exclusion filters have a pattern, and are allowed only in modes with exclusions")
    func filterGrammar() {
        func code(_ mode: String, _ filters: [String]) -> String {
            faultCode {
                _ = try TagMutability(mode: mode, filters: filters.map { .init(filterType: "WILDCARD", filter: $0) })
            }
        }
        #expect(code("IMMUTABLE_WITH_EXCLUSION", ["a*b*"]) == "no fault")
        #expect(code("IMMUTABLE_WITH_EXCLUSION", ["a*b*c*"]) == "InvalidParameterException")
        #expect(code("IMMUTABLE_WITH_EXCLUSION", ["a?"]) == "InvalidParameterException")
        #expect(code("IMMUTABLE_WITH_EXCLUSION", []) == "InvalidParameterException")
        #expect(code("IMMUTABLE", ["a"]) == "InvalidParameterException")
        #expect(code("SOMETIMES", []) == "InvalidParameterException")
    }
}
