import Content
import FoundationEssentials
import Glibc
import Platform
import Reporting
import TestClouds
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

    @Test("A copy between layouts is byte for byte, and a second run changes nothing")
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

    @Test("Concurrent copies into one layout all arrive")
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
                "temporary files are left"
            )
        }
    }

    @Test("A layout that another process has just made is recognized")
    func madeMeanwhile() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/to"
            var store = LayoutStore(path: path, clock: InstantClock())
            store.names = { path in
                // The marker file was not found before this.
                try? LayoutStore(path: path, clock: InstantClock()).make()
                return ["blobs", "oci-layout"]
            }
            let state = try store.state()
            #expect(state == .layout)
        }
    }

    @Test("Moving a tag keeps the entries of other tools")
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
            // An entry named by a whole reference is also listed under its tag.
            let listed = try await repository(path, .source).list().images
            #expect(listed.map { $0.tags.map(\.value) } == [["1"], ["v1"]])
            #expect(listed.map(\.names) == [["docker.io/library/theirs:1"], []])
        }
    }

    @Test("A layout lists referrers and untagged images")
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
            // A referrer does not count as an image.
            let v1 = try Tag(parsing: "v1")
            #expect(try await layout.soleImage() == .both(v1, image.digest))

            let untagged = try FakeImage.image("b")
            try await put(untagged, nil, at: layout)
            #expect(try tags(at: path)[""] == [signature.digest], "it may be a child of another image")
            try await layout.keepUntagged(untagged.root)
            try await layout.keepUntagged(untagged.root)
            #expect(try tags(at: path)[""] == [signature.digest, untagged.digest])
            let error = await #expect(throws: CopyError.self) { try await layout.soleImage() }
            #expect(
                error?.cause.contains(
                    "the layout holds 2 images: \(image.digest) (v1), \(untagged.digest) (untagged)"
                ) == true,
                "\(String(describing: error))"
            )
            #expect(error?.remedy == "name one of them, as in oci:\(path):TAG or oci:\(path)@DIGEST")
            try await put(untagged, "v2", at: layout)
            #expect(try tags(at: path) == ["v1": [image.digest], "v2": [untagged.digest], "": [signature.digest]])
        }
    }

    @Test("A list of referrers is added to, not replaced")
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

    @Test("Referrers are copied from layout to layout")
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

    @Test("Invalid layouts have distinct errors and are not changed")
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
                (try make("other", ("readme.txt", "")), "is not an image layout", "is not an image layout"),
                (try make("old", ("oci-layout", "{}")), "does not have imageLayoutVersion", "does not have"),
                (
                    try make("bad", marker, ("index.json", "{]")), "index.json is not an index",
                    "index.json is not an index"
                ),
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

    @Test("A damaged layout is an error that names the damage")
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

    @Test("A copy into a layout repairs missing and damaged files", arguments: 0..<7)
    func repaired(what: Int) async throws {
        try await withScratchDirectory { directory in
            let index = try FakeImage.index([("linux/amd64", image), ("linux/arm64", try FakeImage.image("b"))])
            try await seed(index, "v1", at: "\(directory)/from")
            _ = try await copy("\(directory)/from:v1", to: "\(directory)/to:v1")
            let blob = FakeImage.blob("base").digest
            let (digest, text): (Digest, String?) = [
                (blob, nil), (blob, "baze"), (blob, "longer"), (image.digest, nil), (image.digest, "{}"),
                (index.digest, nil), (index.digest, "{}"),
            ][what]
            let path = "\(directory)/to/blobs/sha256/\(digest.hex)"
            let right = try contents(of: path)
            try DurableFile.remove(path)
            if let text { try rewrite(text, path) }
            let before = try tags(at: "\(directory)/to")

            let receipt = try #require(try await copy("\(directory)/from:v1", to: "\(directory)/to:v1").receipt)
            #expect(try contents(of: path) == right)
            #expect(receipt.changedAnything && receipt.blobsMoved + receipt.manifestsPut == 1)
            #expect(try tags(at: "\(directory)/to") == before)
            #expect(try await copy("\(directory)/from:v1", to: "\(directory)/to:v1").receipt?.changedAnything == false)
        }
    }

    @Test("--if-exists fail applies to the tag of a damaged image")
    func guarded() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/from")
            let other = try FakeImage.image("b")
            try await seed(other, "v1", at: "\(directory)/to")
            try DurableFile.remove("\(directory)/to/blobs/sha256/\(other.digest.hex)")
            let options = CopyOptions(ifExists: .fail, referrers: .none)
            let results = try await copy("\(directory)/from:v1", to: "\(directory)/to:v1", options)
            #expect(results.firstError?.reason.name == "tagHolds")
        }
    }

    @Test(
        "A layout with anything but regular files is refused with the path",
        arguments: ["fifo", "directory", "link"]
    )
    func strange(kind: String) async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/from")
            try rewrite("base", "\(directory)/elsewhere")
            func make(_ path: String) throws {
                try DurableFile.remove(path)
                switch kind {
                case "fifo": #expect(mkfifo(path, 0o600) == 0)
                case "directory": try makeDirectory(path)
                default: #expect(symlink("\(directory)/elsewhere", path) == 0)
                }
            }
            let layer = "blobs/sha256/\(FakeImage.blob("base").digest.hex)"
            for file in ["index.json", "oci-layout", "blobs/sha256/\(image.digest.hex)", layer] {
                let path = "\(directory)/\(file.suffix(8))"
                try await seed(image, "v1", at: path)
                try make("\(path)/\(file)")
                for (from, to) in [(path, "\(directory)/new-\(file.suffix(8))"), ("\(directory)/from", path)] {
                    let error = try await copy("\(from):v1", to: "\(to):v1").firstError
                    #expect(error?.reason.name == "unusableFile", "\(file): \(String(describing: error))")
                    #expect(
                        error?.cause.contains("\(path)/\(file)") == true
                            && error?.remedy.contains("regular files") == true
                    )
                }
            }
        }
    }

    @Test("A layout whose blobs are behind a link to another directory is not written to")
    func linkedBlobs() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/from")
            let path = "\(directory)/to"
            for folder in ["elsewhere/sha256", "to"] { try makeDirectory("\(directory)/\(folder)") }
            try rewrite(#"{"imageLayoutVersion":"1.0.0"}"#, "\(path)/oci-layout")
            #expect(symlink("../elsewhere", "\(path)/blobs") == 0)
            let error = try await copy("\(directory)/from:v1", to: "\(path):v1").firstError
            #expect(
                error?.cause.contains("\(path)/blobs/sha256 is outside \(path)") == true,
                "\(String(describing: error))"
            )
            #expect(names(in: "\(directory)/elsewhere/sha256").isEmpty)
        }
    }

    @Test("A layout path that is a file suggests the archive form")
    func file() async throws {
        try await withScratchDirectory { directory in
            try rewrite("tar", "\(directory)/app.tar")
            let error = await #expect(throws: CopyError.self) {
                try await repository("\(directory)/app.tar", .source).list().images
            }
            #expect(error?.remedy.contains("oci-archive:\(directory)/app.tar") == true)
        }
    }

    @Test("A name of two images is ambiguous, and the error lists both")
    func twins() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/from"
            let other = try FakeImage.image("b")
            try await seed(image, "latest", at: path)
            try await seed(other, "other", at: path)
            let text = String(decoding: try contents(of: "\(path)/index.json"), as: UTF8.self)
                .replacing(#":"other""#, with: #":"latest","\#(ImageLayout.imageNameAnnotation)":"x.test/b:latest""#)
            try rewrite(text, "\(path)/index.json")

            let error = try #require(try await copy("\(path):latest", to: "\(directory)/to:v1").firstError)
            #expect(error.cause.contains("\(image.digest) (latest)"), "\(error)")
            #expect(error.cause.contains("\(other.digest) (latest, x.test/b:latest)"))
            #expect(error.remedy.contains("oci:\(path)@\(image.digest)"))
            let named = try await copy("\(path):x.test/b:latest", to: "\(directory)/to:b")
            #expect(named.receipt?.digest == other.digest, "\(String(describing: named.firstError))")
            let listed = try await repository(path, .source).list().images
            #expect(
                listed.map(\.tags) == [[], []] && listed.map { $0.sharedTags.map(\.value) } == [["latest"], ["latest"]]
            )
            // The tag is not set either, because that would take the name from both images.
            let into = try await copy("\(directory)/to:b", to: "\(path):latest")
            #expect(into.firstError?.cause.contains("2 images of the layout are called 'latest'") == true)
        }
    }

    @Test(
        "An empty index accepts an image",
        arguments: [#"{"schemaVersion":2,"manifests":null}"#, #"{"schemaVersion":2}"#]
    )
    func empty(index: String) async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/from")
            let path = "\(directory)/to"
            try makeDirectory("\(path)/blobs/sha256")
            try rewrite(#"{"imageLayoutVersion":"1.0.0"}"#, "\(path)/oci-layout")
            try rewrite(index, "\(path)/index.json")
            #expect(try await repository(path, .source).list().images.isEmpty)
            #expect(try await copy("\(directory)/from:v1", to: "\(path):v1").receipt != nil)
            #expect(try tags(at: path) == ["v1": [image.digest]])
        }
    }

    @Test("A layout locked by another process is an error after a wait")
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

    @Test("A listed image whose manifest is missing is an error that says so")
    func listedAndMissing() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/from")
            let path = "\(directory)/from/blobs/sha256/\(image.digest.hex)"
            try DurableFile.remove(path)
            let error = try await copy("\(directory)/from:v1", to: "\(directory)/to:v1").firstError
            #expect(
                error?.cause.contains("lists \(image.digest) and does not hold it") == true,
                "\(String(describing: error))"
            )
        }
    }

    @Test("Invalid entries are listed")
    func oddEntries() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/lay")
            let path = "\(directory)/lay/index.json"
            let text = String(decoding: try contents(of: path), as: UTF8.self)
            let odd = #""manifests":[{"mediaType":"a/b","digest":"sha256:../../etc/passwd","size":1},"#
            try rewrite(text.replacing(#""manifests":["#, with: odd), path)
            let listing = try await repository("\(directory)/lay", .source).list()
            #expect(listing.images.map(\.digest) == [image.digest])
            #expect(listing.unusableTags.map(\.name) == ["manifests[0] of index.json"])
        }
    }

    @Test("The permissions of an index are kept")
    func sharedIndex() async throws {
        try await withScratchDirectory { directory in
            try await seed(image, "v1", at: "\(directory)/lay")
            let path = "\(directory)/lay/index.json"
            #expect(DurableFile.mode(of: path) == 0o644)
            #expect(chmod(path, 0o664) == 0)
            try await put(try FakeImage.image("b"), "v2", at: try repository("\(directory)/lay", .destination))
            #expect(DurableFile.mode(of: path) == 0o664)
        }
    }

    // MARK: Tools

    private func repository(_ path: String, _ side: CopyError.Side) throws -> LayoutImageRepository {
        let reference = try ImageReference(parsing: "oci:\(path)")
        return LayoutImageRepository(reference, LayoutPlace(ImageLayout(path: path)), side: side, clock: InstantClock())
    }

    private func put(_ image: FakeImage, _ tag: String?, at layout: LayoutImageRepository) async throws {
        for manifest in image.manifests.dropLast() { try await layout.put(manifest, tag: nil) }
        try await layout.put(image.root, tag: try tag.map { try Tag(parsing: $0) })
    }

    /// Stores an image with its blobs, whose content is their name.
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

    /// The digests in `index.json` by name; untagged ones have an empty name.
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
        // Retries wait only for another process to unlock the layout.
        try await copyLayout("oci:\(source)", to: "oci:\(destination)", options, RetryPolicy(jitter: { 0 }))
    }
}
