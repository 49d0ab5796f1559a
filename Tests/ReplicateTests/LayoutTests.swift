import AWSIdentity
import Content
import FoundationEssentials
import Logging
import Platform
import TestPrograms
import Testing
import Wire

@testable import Replicate

@Suite("Image layouts", .timeLimit(.minutes(1)))
struct LayoutTests {
    private let image: FakeImage
    private let signature: FakeImage

    init() throws {
        image = try FakeImage.image("a")
        signature = try FakeImage.image("signature", layers: ["signed"], subject: image.digest)
    }

    @Test("are copied from and to byte for byte, and a second run changes nothing")
    func copied() async throws {
        try await withScratchDirectory { directory in
            let index = try FakeImage.index([("linux/amd64", image), ("linux/arm64", try FakeImage.image("b"))])
            try await seed(index, "multi", at: "\(directory)/from")
            try await seed(image, "v1", at: "\(directory)/from")

            for (name, other) in [("multi", "multi"), ("v1:stable", "v1")] {
                let (source, tag) = ("\(directory)/from:\(other)", name.split(separator: ":").last.map(String.init))
                let receipt = try #require(try await copy(source, to: "\(directory)/to:\(tag ?? "")").receipt)
                #expect(receipt.tags.first?.outcome == .set)
            }
            let to = "\(directory)/to"
            #expect(names(in: to) == ["blobs", "index.json", "oci-layout"])
            #expect(try contents(of: "\(to)/oci-layout") == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
            let blobs = names(in: "\(to)/blobs/sha256")
            #expect(Set(blobs) == Set((index.manifests.map(\.digest) + index.blobs.map(\.digest)).map(\.hex)))
            for name in blobs { #expect(Digest(of: try contents(of: "\(to)/blobs/sha256/\(name)")).hex == name) }
            #expect(try tags(at: to) == ["multi": [index.digest], "stable": [image.digest]])

            let before = try contents(of: "\(to)/index.json")
            #expect(try await copy("\(directory)/from:multi", to: "\(to):multi").receipt?.changedAnything == false)
            #expect(try contents(of: "\(to)/index.json") == before)
        }
    }

    @Test("are filled by several at once, and none of them is lost")
    func atOnce() async throws {
        try await withScratchDirectory { directory in
            let images = try (0..<8).map { try FakeImage.image("image \($0)") }
            for (number, image) in images.enumerated() {
                try await seed(image, "v\(number)", at: "\(directory)/from")
            }
            try await images.indices.forEachConcurrently(limit: images.count) { number in
                let results = try await copy("\(directory)/from:v\(number)", to: "\(directory)/to:v\(number)")
                #expect(results.receipt != nil, "\(String(describing: results.firstError))")
            }
            #expect(
                try tags(at: "\(directory)/to")
                    == Dictionary(uniqueKeysWithValues: images.enumerated().map { ("v\($0)", [$1.digest]) })
            )
            #expect(
                names(in: "\(directory)/to/blobs/sha256").allSatisfy { $0.utf8.count == 64 },
                "something is left over"
            )
        }
    }

    @Test("are known for what they are, though they were made a moment ago by somebody else")
    func madeMeanwhile() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/to"
            var store = LayoutStore(path: path, clock: InstantClock())
            store.names = { path in
                // The marker was looked for, and not found, before this.
                try? LayoutStore(path: path, clock: InstantClock()).make()
                return ["blobs", "oci-layout"]
            }
            let state = try store.state()
            #expect(state == .layout)
        }
    }

    @Test("keep what others wrote when a tag moves")
    func moves() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/to"
            try await seed(image, "v1", at: path)
            let text = String(decoding: try contents(of: "\(path)/index.json"), as: UTF8.self)
            let theirs = """
                {"mediaType":"\(MediaType.ociManifest)","digest":"\(signature.digest)","size":1,"x":[1],
                 "annotations":{"\(ImageLayout.tagAnnotation)":"docker.io/library/theirs:1"}}
                """
            try rewrite(
                text.replacing(#""manifests":["#, with: #""y":{}, "manifests":[ \#(theirs) ,"#),
                "\(path)/index.json"
            )
            let other = try FakeImage.image("b")
            try await seed(other, "new", at: "\(directory)/from")

            let receipt = try #require(try await copy("\(directory)/from:new", to: "\(path):v1").receipt)
            #expect(receipt.tags.first?.outcome == .moved)
            let after = String(decoding: try contents(of: "\(path)/index.json"), as: UTF8.self)
            #expect(
                after.hasPrefix(
                    #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","y":{}, "manifests":[ \#(theirs)"#
                )
            )
            #expect(try tags(at: path) == ["docker.io/library/theirs:1": [signature.digest], "v1": [other.digest]])
            // A name that is no tag can't be asked for, and is in nobody's way.
            #expect(try await repository(path, .source).list().images.map(\.tags) == [[try Tag(parsing: "v1")]])
        }
    }

    @Test("list what refers to what, and what has no tag")
    func referrers() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/to"
            let layout = try repository(path, .destination)
            #expect(try await layout.ownList(ofReferrersTo: image.digest) == [])
            try await put(image, "v1", at: layout)
            try await put(signature, nil, at: layout)
            #expect(try await layout.referrers(of: image.digest)?.entries == [signature.root.listing])
            #expect(try await layout.referrers(of: signature.digest)?.entries == [])
            #expect(try tags(at: path) == ["v1": [image.digest], "": [signature.digest]])
            // What refers to the image is no second image.
            let v1 = try Tag(parsing: "v1")
            #expect(try await layout.soleImage() == .both(v1, image.digest))

            let untagged = try FakeImage.image("b")
            try await put(untagged, nil, at: layout)
            #expect(try tags(at: path)[""] == [signature.digest], "a part of another, for all one knows")
            try await layout.keepUntagged(untagged.root)
            try await layout.keepUntagged(untagged.root)
            #expect(try tags(at: path)[""] == [signature.digest, untagged.digest])
            let error = await #expect(throws: CopyError.self) { try await layout.soleImage() }
            #expect(
                error?.cause.contains("the layout holds 2 images: v1") == true,
                "\(String(describing: error))"
            )
            #expect(error?.remedy == "name one of them, as in oci:\(path):TAG or oci:\(path)@DIGEST")
            try await put(untagged, "v2", at: layout)
            #expect(try tags(at: path) == ["v1": [image.digest], "v2": [untagged.digest], "": [signature.digest]])
        }
    }

    @Test("add to a list of referrers instead of replacing it")
    func list() async throws {
        try await withScratchDirectory { directory in
            let layout = try repository("\(directory)/to", .destination)
            let other = try FakeImage.image("other signature", layers: ["signed"], subject: image.digest)
            let tag = "sha256-\(image.digest.hex)"
            for one in [signature, other] {
                try await put(one, nil, at: layout)
                try await put(try FakeImage.index([(nil, one)]), tag, at: layout)
            }
            let reading = try await layout.read([.tag(try Tag(parsing: tag))])
            #expect(reading.manifests.values.first?.children.map(\.digest) == [signature.digest, other.digest])
            #expect(try tags(at: "\(directory)/to")[tag]?.count == 1)
            #expect(try await layout.referrers(of: image.digest)?.entries.count == 2)
        }
    }

    @Test("travel with their referrers, from layout to layout")
    func referrersTravel() async throws {
        try await withScratchDirectory { directory in
            let source = try repository("\(directory)/from", .destination)
            try await seed(image, "v1", at: "\(directory)/from")
            try await seed(signature, nil, at: "\(directory)/from")
            try await put(signature, nil, at: source)
            let options = CopyOptions(referrers: .all)
            let first = try #require(try await copy("\(directory)/from:v1", to: "\(directory)/to", options).receipt)
            #expect(first.referrers == 1)
            let destination = try repository("\(directory)/to", .source)
            #expect(try await destination.referrers(of: image.digest)?.entries.map(\.digest) == [signature.digest])
            let second = try await copy("\(directory)/from:v1", to: "\(directory)/to", options)
            #expect(second.receipt?.changedAnything == false)
        }
    }

    @Test("that aren't what they should be are told apart, and left alone")
    func refused() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/good")
            func make(_ name: String, _ files: (String, String)...) throws -> String {
                let path = "\(directory)/\(name)"
                try makeDirectory(path)
                for (file, text) in files { try rewrite(text, "\(path)/\(file)") }
                return path
            }
            let marker = ("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
            let cases: [(path: String, asDestination: String?, asSource: String)] = [
                ("\(directory)/missing", nil, "there is no image layout at"),
                (try make("empty"), nil, "there is no image layout at"),
                (try make("killed", ("oci-layout.x1.new", "{")), nil, "there is no image layout at"),
                (try make("other", ("readme.txt", "")), "is no image layout", "is no image layout"),
                (try make("old", ("oci-layout", "{}")), "doesn't say imageLayoutVersion", "doesn't say"),
                (try make("bad", marker, ("index.json", "{]")), "index.json is no index", "index.json is no index"),
            ]
            for (path, asDestination, asSource) in cases {
                let read = await #expect(throws: CopyError.self) {
                    try await repository(path, .source).read([.tag(Tag(parsing: "v1"))])
                }
                #expect(read?.remedy.contains("permissions") == false, "\(path)")
                #expect(read?.reason.name == "unusableFile" && read?.cause.contains(asSource) == true, "\(path)")
                let results = try await copy("\(directory)/good:v1", to: "\(path):v1")
                #expect(
                    results.firstError?.cause.contains(asDestination ?? "") == (asDestination == nil ? nil : true),
                    "\(path)"
                )
                #expect((results.receipt != nil) == (asDestination == nil), "\(path)")
            }
            #expect(names(in: "\(directory)/other") == ["readme.txt"])
        }
    }

    @Test("that are damaged are no source of anything")
    func damaged() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/from"
            try await seed(image, "v1", at: path)
            let layer = "\(path)/blobs/sha256/\(FakeImage.blob("base").digest.hex)"
            try rewrite("baze", layer)
            let changed = try await copy("\(path):v1", to: "\(directory)/to:v1")
            #expect(changed.firstError?.reason.name == "corrupt", "\(String(describing: changed.firstError))")
            _ = try DurableFile.remove(layer)
            let lost = try await copy("\(path):v1", to: "\(directory)/to:v1")
            #expect(lost.firstError?.reason == .blobMissing(FakeImage.blob("base").digest))
            #expect(!names(in: "\(directory)/to").contains("index.json"))

            try rewrite("{}", "\(path)/blobs/sha256/\(image.digest.hex)")
            let manifest = await #expect(throws: CopyError.self) {
                try await repository(path, .source).read([.tag(Tag(parsing: "v1"))])
            }
            #expect(manifest?.cause.contains("is damaged: it hashes to") == true)
        }
    }

    @Test("that another process keeps to itself are waited for, and not for ever")
    func locked() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/to"
            let layout = try repository(path, .destination)
            try await put(image, "v1", at: layout)
            let lock = try FileLock(path: "\(path)/index.json.lock")
            let error = await #expect(throws: CopyError.self) { try await put(image, "v2", at: layout) }
            #expect(error?.cause.contains("another process keeps \(path)/index.json locked") == true)
            withExtendedLifetime(lock) {}
        }
    }

    // MARK: Tools

    private func repository(_ path: String, _ side: CopyError.Side) throws -> LayoutImageRepository {
        let reference = try ImageReference(parsing: "oci:\(path)")
        return LayoutImageRepository(reference, ImageLayout(path: path), side: side, clock: InstantClock())
    }

    private func put(_ image: FakeImage, _ tag: String?, at layout: LayoutImageRepository) async throws {
        for manifest in image.manifests.dropLast() { try await layout.put(manifest, tag: nil) }
        try await layout.put(image.root, tag: try tag.map { try Tag(parsing: $0) })
    }

    /// The whole image, with the blobs whose texts are known by their names.
    private func seed(_ image: FakeImage, _ tag: String?, at path: String) async throws {
        let layout = try repository(path, .destination)
        try await layout.create()
        let names = ["a", "b", "signature", "other signature"] + (0..<8).map { "image \($0)" }
        for text in ["base", "app", "signed"] + names.map({ "config of \($0)" }) {
            let digest = Digest(of: text.utf8)
            guard image.blobs.contains(where: { $0.digest == digest }) else { continue }
            try rewrite(text, "\(path)/blobs/sha256/\(digest.hex)")
        }
        try await put(image, tag, at: layout)
    }

    private func rewrite(_ text: String, _ path: String) throws {
        try DurableFile.write(Array(text.utf8), to: path)
    }

    /// What `index.json` holds under each name; under none if it has none.
    private func tags(at path: String) throws -> [String: [Digest]] {
        let index = try Manifest(bytes: contents(of: "\(path)/index.json"), mediaType: .ociIndex)
        return Dictionary(grouping: index.children) { $0.annotations[ImageLayout.tagAnnotation] ?? "" }
            .mapValues { $0.map(\.digest) }
    }

    private func copy(
        _ source: String,
        to destination: String,
        _ options: CopyOptions = CopyOptions(referrers: .none)
    ) async throws -> [CopyResult] {
        try await withTransport { transport in
            // Its only waits are for another one to let the layout go.
            let retry = RetryPolicy(jitter: { 0 })
            let logger = Logger(label: "layouts") { _ in SwiftLogNoOpLogHandler() }
            let resolver = IdentityResolver(
                environment: AWSEnvironment(variables: [:], home: "/nonexistent"),
                sender: RefusingSender(),
                retry: retry,
                logger: logger
            )
            let replicator = Replicator(
                opener: RepositoryOpener(resolver: resolver, sender: RefusingSender(), retry: retry, logger: logger),
                relay: transport,
                retry: retry,
                source: SideOptions(),
                destination: SideOptions()
            )
            let reference = try ImageReference(parsing: "oci:\(source)")
            let id = try #require(ManifestID(reference))
            let place = try DestinationReference(parsing: "oci:\(destination)")
            return try await replicator.copy(reference, .one(id), to: [place], tags: [], options)
        }
    }
}
