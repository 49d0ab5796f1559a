import Content
import Foundation
import Platform
import TestPrograms
import Testing

@testable import Replicate
@testable import ecr_replicate

/// The end of a command that has a problem with more than one image.
@Suite("The end of a command", .timeLimit(.minutes(1)))
struct EndingTests {
    @Test("draws no bars after it has removed them")
    func bars() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/screen"
            try Data().write(to: URL(filePath: path))
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            let display = ProgressDisplay(mode: .bar, stream: LineStream(descriptor: file.fileDescriptor))
            let place = try ImageReference(parsing: "registry.example/team/app")
            let blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: [1]), size: 1_000)
            let text =
                #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"\#(blob.digest)","size":1000},"layers":[]}"#
            let plan = Plan(
                source: place,
                destination: place,
                root: try Manifest(bytes: Array(text.utf8), mediaType: .ociManifest),
                tags: [],
                manifests: [],
                blobs: [blob],
                blobsThere: 0,
                blobsElsewhere: [],
                notes: [],
                createsRepository: false,
                referrerManifests: [:]
            )
            display.note(.planned(plan))
            display.note(.blobStarted(blob, to: place))
            display.draw()
            let before = try Data(contentsOf: URL(filePath: path)).count
            #expect(before > 0)
            display.finish()
            let after = try Data(contentsOf: URL(filePath: path)).count
            display.draw()
            #expect(try Data(contentsOf: URL(filePath: path)).count == after)
            try file.close()
        }
    }

    @Test("names neither side nor image if the command couldn't be set up, and gives one remedy")
    func setUp() async throws {
        try await withStage { stage in
            try await withScratchDirectory { home in
                let config = "[profile one]\nca_bundle = /one.pem\n[profile two]\nca_bundle = /two.pem\n"
                try Data(config.utf8).write(to: URL(filePath: "\(home)/config"))
                let environment = ["AWS_CONFIG_FILE": "\(home)/config"]
                func copy(_ output: String) async throws -> Ended {
                    try await stage.run(
                        "copy",
                        "--output",
                        output,
                        "--source-profile",
                        "one",
                        "--destination-profile",
                        "two",
                        "\(stage.source):v1",
                        stage.destination,
                        with: environment
                    )
                }
                let failed = try await copy("text")
                #expect(failed.exitCode == 1)
                #expect(failed.errors.contains("could not start: "), "\(failed.errors)")
                #expect(!failed.errors.contains("at the source :"), "\(failed.errors)")
                #expect(failed.errors.components(separatedBy: "next:").count <= 2, "\(failed.errors)")
                let document = try await copy("json")
                #expect(document.output.contains("\"reason\" : \"rejected\""), "\(document.output)")
                #expect(!document.output.contains("next:"), "\(document.output)")
            }
        }
    }

    @Test("keeps an error that came after the first signal, unless the error is the cancellation itself")
    func afterSignal() throws {
        let error = CopyError(
            .imageMissing,
            side: .source,
            image: try ImageReference(parsing: "registry.example/team/app:v1"),
            operation: "reading the image"
        )
        for (thrown, isKept) in [(error as any Error, true), (CancellationError(), false), (Drained(), false)] {
            guard case .interrupted(.interrupt, let failure) = Session.Ending(thrown, after: .interrupt) else {
                Issue.record("\(thrown)")
                continue
            }
            #expect((failure != nil) == isKept)
        }
        #expect(Session.Ending(error, after: .interrupt).failure?.explanation.contains("reading the image") == true)
    }

    @Test("is a failure if the document can't be encoded")
    func encoding() {
        struct Odd: Encodable { var seconds = Double.infinity }
        #expect(throws: EncodingError.self) { try jsonText(Odd()) }
        #expect(!printJSON(Odd()))
    }
}
