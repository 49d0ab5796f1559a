import Content
import ECREmulator
import TestPrograms
import Testing

/// `kill -9` in the middle of a large layer, and the same command again.
@Suite("A run that is killed", .timeLimit(.minutes(3)))
struct ResumeTests {
    /// In bytes: the smallest that ECR takes.
    static let partSize = 5 << 20
    /// In bytes: four parts and a bit.
    static let layer = Int64(4 * partSize + 1_000)

    private struct Scene: Sendable {
        let stage: Stage
        let image: SeedImage
        let directory: String

        var source: String { "\(stage.emulator.registryHost(account: Stage.account, region: Stage.home))/team/large" }
        var destination: String {
            "\(stage.emulator.registryHost(account: Stage.account, region: Stage.far))/team/large"
        }

        var arguments: [String] {
            ["copy", "--log-level", "debug", "--resumable-above", "20MiB", "\(source):v1", destination]
        }

        var environment: [String: String] {
            stage.environment.merging(["XDG_STATE_HOME": directory]) { _, new in new }
        }

        var journal: [String] { names(in: "\(directory)/ecr-replicate/uploads").filter { $0.hasSuffix(".json") } }

        func count(_ operation: String) -> Int { stage.emulator.requests.count { $0.operation == operation } }

        /// Runs until two parts have arrived and the third stands still, and kills that.
        func kill() async throws {
            stage.emulator.order(Fault(on: "UploadLayerPart", at: 3...3, .stall))
            let killed = try await withChild(.ecrReplicate, arguments, environment: environment) { child in
                _ = try await child.errors.first {
                    $0.contains("journaled") && $0.hasSuffix("at byte \(2 * ResumeTests.partSize)")
                }
            }.ended
            #expect(killed.exitCode == 137)
            #expect(journal.count == 1)
            stage.emulator.clearFaults()
            stage.emulator.clearRequests()
        }

        /// Runs to the end.
        func finish() async throws -> Ended {
            let ended = try await run(.ecrReplicate, arguments, environment: environment)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(ended.lines == ["\(destination):v1@\(image.digest)"])
            let there = stage.emulator.blobs(account: Stage.account, region: Stage.far, repository: "team/large")
            #expect(there == Set(image.blobs.map(\.digest)))
            #expect(journal == [])
            return ended
        }
    }

    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.partSize = Int64(Self.partSize)
        try await withStage(configuration) { stage in
            try await withScratchDirectory { directory in
                let image = SeedImage.oci("large", layers: [Self.layer])
                try stage.emulator.seed(
                    image,
                    tag: "v1",
                    account: Stage.account,
                    region: Stage.home,
                    repository: "team/large"
                )
                try stage.emulator.createRepository(account: Stage.account, region: Stage.far, "team/large")
                try await body(Scene(stage: stage, image: image, directory: directory))
            }
        }
    }

    @Test("goes on at its byte: the next one reads and sends only what is missing")
    func goesOn() async throws {
        try await withScene { scene in
            try await scene.kill()
            let ended = try await scene.finish()
            #expect(ended.errors.contains("resume sha256:"), "\(ended.errors)")
            #expect(scene.count("InitiateLayerUpload") == 0)
            #expect(scene.count("UploadLayerPart") == 3)
            #expect(scene.stage.emulator.requests.count { $0.operation == "GET layer" && $0.status == 206 } == 3)
        }
    }

    @Test("starts over where the registry has forgotten the upload, and where the journal can't be read")
    func startsOver() async throws {
        for isForgotten in [true, false] {
            try await withScene { scene in
                try await scene.kill()
                if isForgotten {
                    try scene.stage.emulator.dropUploads(
                        account: Stage.account,
                        region: Stage.far,
                        repository: "team/large"
                    )
                } else {
                    let path = "\(scene.directory)/ecr-replicate/uploads/\(scene.journal[0])"
                    try write(#"{"version":1,"registry":"#, to: path)
                }
                _ = try await scene.finish()
                #expect(scene.count("InitiateLayerUpload") == 1)
                #expect(scene.count("UploadLayerPart") == (isForgotten ? 6 : 5))
            }
        }
    }

    @Test("is warned, once, where nothing can be remembered, and copies all the same")
    func noJournal() async throws {
        try await withScene { scene in
            try write("", to: "\(scene.directory)/file")
            let ended = try await run(
                .ecrReplicate,
                scene.arguments + ["--upload", "api", "--state-dir", "\(scene.directory)/file"],
                environment: scene.environment
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(ended.errors.split(separator: "\n").count { $0.contains("can't be journaled") } == 1)
            #expect(scene.count("POST upload") == 0 && scene.count("CompleteLayerUpload") == 2)
        }
    }
}
