import Content
import FoundationEssentials
import Reporting
import Testing

@testable import Replicate

/// What a dry run prints, and the JSON that scripts read.
@Suite("Plans and documents")
struct DocumentTests {
    private let image: FakeImage
    private let old: FakeImage
    private let signature: FakeImage

    init() throws {
        image = try FakeImage.image("new", foreign: ["elsewhere"])
        old = try FakeImage.image("old", layers: ["base"])
        signature = try FakeImage.image("signature", layers: ["signed"])
    }

    private var signatureTag: String { "sha256-\(image.digest.hex).sig" }

    private func bench() async throws -> Bench {
        let bench = try Bench()
        let (image, old, signature, tag) = (self.image, self.old, self.signature, signatureTag)
        await bench.source.change {
            try? $0.seed(image, tag: "v1")
            try? $0.seed(signature, tag: tag)
        }
        await bench.destination.change {
            try? $0.seed(old, tag: "moving")
            try? $0.seed(signature)
        }
        return bench
    }

    private func json(_ results: [CopyResult], _ error: CopyError? = nil, caller: String? = nil) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = CopyDocument(
            command: "copy",
            exitCode: Int(error.map(ExitStatus.of) ?? ExitStatus.of(results)),
            results: results,
            error: error.map(CopyDocument.Failure.init),
            requests: 12,
            seconds: 1.5,
            caller: caller
        )
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    private func planned() async throws -> [CopyResult] {
        let options = CopyOptions(referrers: .all, isDryRun: true)
        return try await bench().copy(":v1@\(image.digest)", tags: ["new", "moving"], options)
    }

    @Test("a plan has one line for each step")
    func planLines() async throws {
        guard case .planned(let plan)? = try await planned().first else { return #expect(Bool(false), "no plan") }
        let place = "destination.test/to/app"
        let (config, app) = (FakeImage.blob("config of new"), FakeImage.blob("app"))
        #expect(
            plan.lines == [
                "source.test/from/app:v1@\(image.digest) → \(place)",
                "  blob    \(config.digest)  13 B", "  blob    \(app.digest)  3 B",
                "  foreign \(FakeImage.blob("elsewhere").digest)  stays where its urls point",
                "  put     \(image.digest)  root", "  tag     \(place):new",
                "  move    \(place):moving  from \(old.digest)", "  tag     \(place):\(signatureTag)",
                "  in all  16 B in 2 blobs to move, 1 there, 1 manifest to put, 3 tags to set",
            ]
        )
    }

    @Test("a plan says when there is nothing to do, what is kept and what is skipped")
    func quietPlan() async throws {
        let bench = try await bench()
        await bench.destination.change { [image] in try? $0.seed(image, tag: "v1") }
        let options = CopyOptions(ifExists: .skip, referrers: .none, isDryRun: true)
        let results = try await bench.copy(":v1", tags: ["v1", "moving"], options)
        guard case .planned(let plan)? = results.first else { return #expect(Bool(false), "no plan") }
        let place = "destination.test/to/app"
        #expect(
            plan.lines == [
                "source.test/from/app:v1@\(image.digest) → \(place)", "  keep    \(place):v1",
                "  skip    \(place):moving  holds \(old.digest)", "  nothing to do",
            ]
        )
        #expect(plan.isDone)
    }

    @Test("a plan as JSON")
    func planDocument() async throws {
        let (config, app) = (FakeImage.blob("config of new"), FakeImage.blob("app"))
        let wanted = """
            {"command":"copy","exitCode":0,"requests":12,"results":[{"destination":"destination.test/to/app",\
            "digest":"\(image.digest)","mediaType":"\(MediaType.ociManifest)","notes":[],"plan":{"blobs":[\
            {"digest":"\(config.digest)","mediaType":"\(MediaType.ociConfig)","role":"blob","size":13},\
            {"digest":"\(app.digest)","mediaType":"\(MediaType.ociLayer)","role":"blob","size":3}],\
            "blobsThere":1,"bytesToMove":16,"createsRepository":false,"manifests":[{"digest":"\(image.digest)",\
            "mediaType":"\(MediaType.ociManifest)","role":"root","size":\(image.root.bytes.count)}],\
            "referrerTags":[{"outcome":"set","tag":"\(signatureTag)"}]},\
            "source":"source.test/from/app:v1@\(image.digest)","status":"planned","tags":[\
            {"outcome":"set","tag":"new"},{"outcome":"moved","previous":"\(old.digest)","tag":"moving"}]}],\
            "seconds":1.5,"version":1}
            """
        #expect(try json(try await planned()) == wanted)
    }

    @Test("a copy, and an unchanged second copy, as JSON")
    func doneDocument() async throws {
        let bench = try await bench()
        let options = CopyOptions(referrers: .none)
        let done = try json(try await bench.copy(":v1", tags: ["moving"], options), caller: "arn:aws:iam::1:user/u")
        #expect(
            done == """
                {"caller":"arn:aws:iam::1:user/u","command":"copy","exitCode":0,"requests":12,"results":[\
                {"blobs":{"bytesMoved":16,"mounted":0,"moved":2,"there":1},"destination":"destination.test/to/app",\
                "digest":"\(image.digest)","manifestsPut":1,"mediaType":"\(MediaType.ociManifest)","notes":[],\
                "referrers":0,"source":"source.test/from/app:v1","status":"done","tags":[{"outcome":"moved",\
                "previous":"\(old.digest)","tag":"moving"}]}],"seconds":1.5,"version":1}
                """
        )
        let again = try json(try await bench.copy(":v1", tags: ["moving"], options))
        #expect(again.contains(#""status":"unchanged","tags":[{"outcome":"unchanged","tag":"moving"}]"#))
    }

    @Test("a failure, and one before anything was tried, as JSON")
    func failureDocument() throws {
        var error = CopyError(.imageMissing, side: .source, image: "a.test/app:v1", operation: "reading the image")
        let failure = """
            {"cause":"the image does not exist","image":"a.test/app:v1","kind":"failed",\
            "operation":"reading the image","reason":"imageMissing","remedy":"list the images with: ecr-replicate ls a.test/app",\
            "side":"source"}
            """
        #expect(
            try json([
                .failed(source: ImageReference(of: "s.test/app"), destination: ImageReference(of: "d.test/app"), error),
                .cancelled(
                    source: ImageReference(of: "s.test/app"),
                    destination: ImageReference(of: "e.test/app"),
                    left: nil
                ),
                .cancelled(
                    source: ImageReference(of: "s.test/app"),
                    destination: ImageReference(of: "f.test/app"),
                    left: CopyResult.Remainder(blobs: 2, bytes: 70, manifests: 1)
                ),
            ]) == """
                {"command":"copy","exitCode":1,"requests":12,"results":[{"destination":"d.test/app","error":\(failure),\
                "notes":[],"source":"s.test/app","status":"failed","tags":[]},{"destination":"e.test/app","notes":[],"source":"s.test/app",\
                "status":"cancelled","tags":[]},{"destination":"f.test/app","left":{"blobs":2,"bytes":70,"manifests":1},"notes":[],\
                "source":"s.test/app","status":"cancelled","tags":[]}],"seconds":1.5,"version":1}
                """
        )
        error.requestID = "r-1"
        let wanted = failure.replacing(
            #","side":"source"}"#,
            with: #","requestId":"r-1","side":"source"}"#
        )
        #expect(
            try json([], error) == """
                {"command":"copy","error":\(wanted),"exitCode":1,"requests":12,"results":[],"seconds":1.5,"version":1}
                """
        )
    }
}
