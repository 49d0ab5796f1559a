import Content
import ECREmulator
import TestPrograms
import Testing

/// An image whose layers are uploaded in parts, and the command that copies it to a destination of its own.
struct LargeScene: Sendable {
    let stage: Stage
    let image: SeedImage
    let directory: String

    /// The size of a part in bytes, the smallest that ECR accepts.
    static let partSize = 5 << 20
    /// The size of a layer in bytes: four parts and a bit.
    static let layer = Int64(4 * partSize + 1_000)
    /// The number of parts of each layer.
    static let parts = 5

    static func with(layers: Int = 1, _ body: (LargeScene) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.partSize = Int64(partSize)
        try await withStage(configuration) { stage in
            try await withScratchDirectory { directory in
                let image = SeedImage.oci("large", layers: Array(repeating: layer, count: layers))
                try stage.emulator.seed(
                    image,
                    tag: "v1",
                    account: Stage.account,
                    region: Stage.home,
                    repository: "team/large"
                )
                try stage.emulator.createRepository(account: Stage.account, region: Stage.far, "team/large")
                try await body(LargeScene(stage: stage, image: image, directory: directory))
            }
        }
    }

    var source: String { "\(stage.emulator.registryHost(account: Stage.account, region: Stage.home))/team/large" }
    var destination: String { "\(stage.emulator.registryHost(account: Stage.account, region: Stage.far))/team/large" }

    var arguments: [String] {
        ["copy", "--log-level", "debug", "--resumable-above", "20MiB", "\(source):v1", destination]
    }

    var environment: [String: String] {
        stage.environment.merging(["XDG_STATE_HOME": directory]) { _, new in new }
    }

    var journal: [String] { names(in: "\(directory)/ecr-replicate/uploads").filter { $0.hasSuffix(".json") } }
    /// The blobs at the destination.
    var blobs: Set<Digest> {
        stage.emulator.blobs(account: Stage.account, region: Stage.far, repository: "team/large")
    }
    var tags: [String: Digest] {
        stage.emulator.tags(account: Stage.account, region: Stage.far, repository: "team/large")
    }

    func count(_ operation: String) -> Int { stage.emulator.requests.count { $0.operation == operation } }

    /// Waits until the destination has this many parts of the running layer.
    func arrived(parts: Int, of child: Child) async throws {
        _ = try await child.errors.first {
            $0.contains("journaled") && $0.hasSuffix("at byte \(parts * Self.partSize) side=destination")
        }
    }

    /// Runs until two parts have arrived and the third stalls; `body` then ends the program, or the program is killed.
    func stopInTheMiddle(killed: Bool = true, _ body: (Child) async throws -> Void = { _ in }) async throws -> Ended {
        stage.emulator.inject(Fault(on: "UploadLayerPart", at: 3...3, .stall))
        let stopped = try await withChild(.ecrReplicate, arguments, environment: environment, killed: killed) { child in
            try await arrived(parts: 2, of: child)
            try await body(child)
        }.ended
        #expect(journal.count == 1)
        stage.emulator.clearFaults()
        stage.emulator.clearRequests()
        return stopped
    }

    /// Runs until the copy is complete.
    func finish() async throws -> Ended {
        let ended = try await run(.ecrReplicate, arguments, environment: environment)
        #expect(ended.exitCode == 0, "\(ended.errors)")
        #expect(ended.lines == ["\(destination):v1@\(image.digest)"])
        #expect(blobs == Set(image.blobs.map(\.digest)))
        #expect(journal == [])
        return ended
    }
}
