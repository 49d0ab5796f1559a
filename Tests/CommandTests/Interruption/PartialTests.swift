import Content
import ECREmulator
import Replicate
import TestPrograms
import Testing

@testable import ecr_replicate

@Suite("Tags that were set before a failure", .timeLimit(.minutes(1)))
struct PartialTests {
    @Test("are on standard output, and a result that can't be written is a failure")
    func partial() async throws {
        try await withEmulator { emulator in
            let image = SeedImage.oci("app", layers: [100])
            try emulator.seed(image, tag: "v1", account: "111122223333", region: "eu-west-1", repository: "team/app")
            let app = emulator.registryHost(account: "111122223333", region: "eu-west-1") + "/team/app"
            let variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
            emulator.inject(Fault(on: "PutImage", at: 2...2, .refuse))
            let ended = try await run(.ecrReplicate, ["retag", "\(app):v1", "a", "b"], environment: variables)
            #expect(ended.exitCode == 4)
            #expect(ended.lines == ["\(app):a@\(image.digest)"])

            let full = try await run(
                .shell,
                ["-c", "exec '\(Program.ecrReplicate.path ?? "")' retag \(app):v1 c > /dev/full"],
                environment: variables
            )
            #expect(full.exitCode == 1)
            #expect(full.errors.contains("the result could not be written"))
        }
    }

    @Test("are found quickly among thousands of images")
    func many() throws {
        let digest = Digest(of: "image".utf8)
        let destination = try ImageReference(parsing: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        let receipts = try (0..<5_000).map { number in
            CopyReceipt(
                source: destination,
                destination: destination,
                digest: digest,
                mediaType: .ociManifest,
                tags: [.init(tag: try Tag(parsing: "v\(number)"), outcome: .set)]
            )
        }
        let lines = receipts.flatMap(\.lines)
        let results = receipts.map { CopyResult.done($0) }
        let spent = ContinuousClock().measure {
            #expect((results.dropFirst(7) + []).unreported(of: lines) == Array(lines.prefix(7)))
        }
        // Comparing each with each would take millions of comparisons, and too long.
        #expect(spent < .seconds(3), "\(spent)")
    }
}
