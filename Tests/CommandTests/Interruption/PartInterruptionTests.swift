import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// SIGINT while a layer is uploaded in parts: the first lets the layer finish, the second ends the process at once.
@Suite("A signal during an upload in parts", .timeLimit(.minutes(3)))
struct PartInterruptionTests {
    @Test("lets the running layer finish with all its parts, and the next run sends only the other")
    func first() async throws {
        try await LargeScene.with(layers: 2) { scene in
            // Each part takes about a tenth of a second, so that the signal arrives before most of them.
            scene.stage.emulator.inject(Fault(on: "UploadLayerPart", at: nil, .drip(bytes: 600_000)))
            let stopped = try await withChild(
                .ecrReplicate,
                scene.arguments + ["--jobs", "1", "--output", "json"],
                environment: scene.environment,
                killed: false
            ) { child in
                try await scene.arrived(parts: 1, of: child)
                child.interrupt()
            }.ended
            #expect(stopped.exitCode == 130, "\(stopped.errors)")
            #expect(stopped.errors.contains("stopping after the running transfers"))
            let here = scene.blobs
            let rest = scene.image.blobs.filter { !here.contains($0.digest) }
            #expect(rest.count { $0.size == LargeScene.layer } == 1, "one arrived, one was not begun")
            #expect(scene.count("InitiateLayerUpload") == 1 && scene.count("UploadLayerPart") == LargeScene.parts)
            #expect(scene.count("CompleteLayerUpload") == 1)
            #expect(scene.journal == [] && scene.tags.isEmpty)
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(stopped.outputBytes)) as? [String: Any]
            )
            let result = try #require((document["results"] as? [[String: Any]])?.first)
            #expect(result["status"] as? String == "cancelled")
            let left = try #require(result["left"] as? [String: Int])
            #expect(left == ["blobs": rest.count, "bytes": rest.reduce(0) { $0 + Int($1.size) }, "manifests": 1])

            scene.stage.emulator.clearFaults()
            scene.stage.emulator.clearRequests()
            _ = try await scene.finish()
            #expect(scene.count("InitiateLayerUpload") == 1 && scene.count("UploadLayerPart") == LargeScene.parts)
        }
    }

    @Test("ends the process at once the second time, and the next run resumes at the same byte")
    func second() async throws {
        try await LargeScene.with { scene in
            let stopped = try await scene.stopInTheMiddle(killed: false) { child in
                child.interrupt()
                _ = try await child.errors.first { $0.contains("stopping") }
                child.interrupt()
            }
            #expect(stopped.exitCode == 130, "\(stopped.errors)")
            #expect(stopped.output.isEmpty)
            #expect(scene.tags.isEmpty)

            let ended = try await scene.finish()
            #expect(ended.errors.contains("resume sha256:"), "\(ended.errors)")
            #expect(scene.count("InitiateLayerUpload") == 0)
            #expect(scene.count("UploadLayerPart") == LargeScene.parts - 2)
            // The first run's read-ahead may end, and be logged, only now; it started before this run.
            let requests = scene.stage.emulator.requests
            let begin = try #require(requests.first { $0.operation == "BatchGetImage" }?.number)
            let read = requests.filter { $0.operation == "GET layer" && $0.status == 206 && $0.number > begin }
            #expect(read.reduce(0) { $0 + $1.bytesOut } == LargeScene.layer - 2 * Int64(LargeScene.partSize))
        }
    }
}
