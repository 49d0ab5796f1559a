import Content
import Foundation
import Platform
import Reporting
import TestPrograms
import Testing
import Wire

@testable import Replicate

@Suite("Archives", .timeLimit(.minutes(1)))
struct ArchiveTests {
    private let layers = [Array("first layer".utf8), Array("second layer".utf8)]

    private func hex(_ bytes: [UInt8]) -> String { Digest(of: bytes).hex }

    private func config(_ layers: [[UInt8]], _ name: String = "a") -> [UInt8] {
        let digests = layers.map { "\"\(Digest(of: $0))\"" }.joined(separator: ",")
        return Array(#"{"name":"\#(name)","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(digests)]}}"#.utf8)
    }

    /// An archive as old versions of `docker save` wrote it: a folder for each layer, and a link for a shared layer.
    private func old(_ tags: String = #"["team/app:v1"]"#, change: (inout Tar) -> Void = { _ in }) -> [UInt8] {
        let config = config(layers)
        var tar = Tar()
        tar.add("1/", kind: "5")
        tar.add("1/VERSION", "1.0")
        tar.add("1/layer.tar", layers[0])
        tar.add("2/layer.tar", layers[1])
        tar.add("3/layer.tar", kind: "2", link: "../1/layer.tar")
        tar.add("\(hex(config)).json", config)
        let again = self.config([layers[0]], "b")
        tar.add("\(hex(again)).json", again)
        tar.add("repositories", "{}")
        change(&tar)
        if !String(decoding: tar.bytes, as: UTF8.self).contains("manifest.json") {
            tar.add(
                "manifest.json",
                #"[{"Config":"\#(hex(config)).json","RepoTags":\#(tags),"Layers":["1/layer.tar","2/layer.tar"]}]"#
            )
        }
        return tar.ended
    }

    /// An archive as docker 25 and buildx write it.
    private func layout(_ marker: String = #"{"imageLayoutVersion":"1.0.0"}"#) throws -> (bytes: [UInt8], FakeImage) {
        let image = try FakeImage.image("a")
        var tar = Tar()
        tar.add("blobs/", kind: "5")
        for text in ["base", "app", "config of a"] {
            tar.add("blobs/sha256/\(hex(Array(text.utf8)))", text)
        }
        tar.add("blobs/sha256/\(image.digest.hex)", image.root.bytes)
        tar.add("manifest.json", #"[{"Config":"x","RepoTags":[],"Layers":[]}]"#)
        tar.add(
            "index.json",
            #"""
            {"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(image.digest)",
            "size":\#(image.root.bytes.count),"annotations":{"\#(ImageLayout.imageNameAnnotation)":
            "docker.io/team/app:v1","\#(ImageLayout.tagAnnotation)":"v1"}}]}
            """#
        )
        tar.add("oci-layout", marker)
        return (tar.ended, image)
    }

    @Test(
        "An archive that holds a layout is read as a layout under either name",
        arguments: ["oci-archive", "docker-archive"]
    )
    func layouts(form: String) async throws {
        try await withScratchDirectory { directory in
            let (bytes, image) = try layout()
            try DurableFile.write(bytes, to: "\(directory)/app.tar")
            for name in ["", ":v1", ":docker.io/team/app:v1", ":team/app:v1", "@\(image.digest)"] {
                let receipt = try await copy("\(form):\(directory)/app.tar\(name)", to: "\(directory)/to").receipt
                #expect(receipt?.digest == image.digest && receipt?.notes == (name.hasPrefix("@") ? [] : []), "\(name)")
            }
            let to = "\(directory)/to/blobs/sha256"
            #expect(Set(names(in: to)) == Set(image.blobs.map(\.digest.hex) + [image.digest.hex]))
            for name in names(in: to) { #expect(hex(try contents(of: "\(to)/\(name)")) == name) }
        }
    }

    @Test("An image of an old docker archive gets a docker manifest, with a note")
    func docker() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.write(old(), to: "\(directory)/app.tar")
            let results = try await copy("docker-archive:\(directory)/app.tar", to: "\(directory)/to")
            let receipt = try #require(results.receipt, "\(String(describing: results.firstError))")
            let config = config(layers)
            let wanted =
                #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":\#(config.count),"digest":"\#(Digest(of: config))"},"layers":["#
                + layers.map {
                    #"{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":\#($0.count),"digest":"\#(Digest(of: $0))"}"#
                }.joined(separator: ",") + "]}"
            #expect(receipt.digest == Digest(of: wanted.utf8) && receipt.tags.map(\.tag.value) == ["v1"])
            #expect(receipt.notes.count == 1 && receipt.notes[0].contains("one was made: \(receipt.digest)"))
            #expect(try contents(of: "\(directory)/to/blobs/sha256/\(receipt.digest.hex)") == Array(wanted.utf8))
            for layer in layers { #expect(try contents(of: "\(directory)/to/blobs/sha256/\(hex(layer))") == layer) }
        }
    }

    @Test("An archive of several images lists them, and their layers are shared")
    func several() async throws {
        try await withScratchDirectory { directory in
            let (a, b) = (config(layers), config([layers[0]], "b"))
            let bytes = old { tar in
                tar.add(
                    "manifest.json",
                    #"[{"Config":"\#(hex(a)).json","RepoTags":["x.test/a:v1","x.test/a:v2"],"Layers":["1/layer.tar","2/layer.tar"]},"#
                        + #"{"Config":"\#(hex(b)).json","RepoTags":null,"Layers":["3/layer.tar"]}]"#
                )
            }
            let path = "\(directory)/app.tar"
            try DurableFile.write(bytes, to: path)
            let repository = try await open("docker-archive:\(path)")
            let listed = try await repository.list().images
            #expect(listed.map { $0.tags.map(\.value) } == [["v1", "v2"], []])
            #expect(listed.map(\.names) == [["x.test/a:v1", "x.test/a:v2"], []])
            let error = await #expect(throws: CopyError.self) { try await repository.soleImage() }
            for image in listed { #expect(error?.cause.contains("\(image.digest)") == true) }
            let untagged = "docker-archive:\(path)@\(listed[1].digest)"
            #expect(try await copy(untagged, to: "\(directory)/to:b").receipt?.blobsMoved == 2)
            #expect(try await copy("docker-archive:\(path):v2", to: "\(directory)/to:a").receipt?.blobsThere == 1)
            #expect(try await copy("docker-archive:\(path):x.test/a:v1", to: "\(directory)/to").receipt != nil)
        }
    }

    @Test("A compressed layer stays compressed, with the digest of the stored bytes")
    func compressed() async throws {
        try await withScratchDirectory { directory in
            let packed: [UInt8] = [0x1F, 0x8B, 8, 0, 1, 2, 3]
            let config = config([layers[0]])
            var tar = Tar()
            tar.add("layer.tar.gz", packed)
            tar.add("sha256:\(hex(config))", config)
            tar.add(
                "manifest.json",
                #"[{"Config":"sha256:\#(hex(config))","RepoTags":["a:1"],"Layers":["layer.tar.gz"]}]"#
            )
            try DurableFile.write(tar.ended, to: "\(directory)/app.tar")
            let receipt = try #require(
                try await copy("docker-archive:\(directory)/app.tar", to: "\(directory)/to").receipt
            )
            let manifest = try Manifest(bytes: contents(of: "\(directory)/to/blobs/sha256/\(receipt.digest.hex)"))
            #expect(manifest.layers.map(\.digest) == [Digest(of: packed)])
            #expect(manifest.layers.map(\.mediaType) == [DockerArchive.compressedLayerType])
        }
    }

    @Test("A damaged archive is an error that names the damage")
    func damaged() async throws {
        try await withScratchDirectory { directory in
            func error(_ bytes: [UInt8], _ form: String = "docker-archive") async throws -> CopyError? {
                let path = "\(directory)/x.tar"
                try DurableFile.write(bytes, to: path)
                return try await copy("\(form):\(path)", to: "\(directory)/to-\(UInt32.random(in: 0...(.max)))")
                    .firstError
            }
            let changed = try #require(String(decoding: old(), as: UTF8.self).data(using: .utf8))
            var bytes = [UInt8](changed)
            let place = try #require(bytes.firstRange(of: Array("second layer".utf8)))
            bytes[place.lowerBound] = UInt8(ascii: "S")
            #expect(try await error(bytes)?.reason.name == "corrupt")

            bytes = old()
            let name = try #require(bytes.firstRange(of: Array(#""name":"a""#.utf8)))
            bytes[name.lowerBound + 8] = UInt8(ascii: "z")
            #expect(try await error(bytes)?.cause.contains("hashes to") == true)

            let config = config(layers)
            for (entry, words) in [
                (#"{"Config":"none.json","Layers":[]}"#, "'none.json', which is missing"),
                (#"{"Config":"\#(hex(config)).json","Layers":["1/layer.tar"]}"#, "lists 2 layers"),
                (#"{"Config":"\#(hex(config)).json","Layers":["1/layer.tar","../../etc/passwd"]}"#, "which is missing"),
                (#"{"Config":"repositories","Layers":[]}"#, "no images"),
                (
                    #"{"Layers":[]}"#,
                    "is not a list of images"
                ),
            ] {
                let found = try await error(old { $0.add("manifest.json", "[\(entry)]") })
                #expect(words == "no images" || found?.cause.contains(words) == true, "\(String(describing: found))")
            }
            var bad = Tar()
            bad.add("readme", "hello")
            #expect(try await error(bad.ended)?.cause.contains("neither an index.json nor a manifest.json") == true)
            #expect(try await error(old(), "oci-archive")?.remedy.contains("docker-archive:") == true)
            #expect(try await error(layout("{}").bytes, "oci-archive")?.cause.contains("imageLayoutVersion") == true)
        }
    }

    @Test("An archive that is missing or not a file is named")
    func absent() async throws {
        try await withScratchDirectory { directory in
            for path in ["\(directory)/none.tar", directory, "/dev/null"] {
                let error = try await copy("oci-archive:\(path)", to: "\(directory)/to").firstError
                #expect(error?.reason.name == "unusableFile" && error?.cause.contains(path) == true)
            }
        }
    }

    // MARK: Tools

    private func open(_ text: String) async throws -> ArchiveImageRepository {
        let reference = try ImageReference(parsing: text)
        guard case .layout(let layout) = reference.registry else { throw NotAnArchive() }
        return try await ArchiveImageRepository.open(reference, layout, side: .source)
    }

    private struct NotAnArchive: Error {}

    private func copy(_ source: String, to destination: String) async throws -> [CopyResult] {
        let retry = RetryPolicy(attempts: 1, jitter: { 0 })
        return try await copyLayout(source, to: "oci:\(destination)", CopyOptions(referrers: .none), retry)
    }
}
