import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// SIGINT and SIGTERM: the first lets running transfers finish, the second ends the process at once.
@Suite("A signal", .timeLimit(.minutes(1)))
struct InterruptionTests {
    /// Half a second for each layer at ``rate``, so that a signal arrives during a transfer.
    private static let layer: Int64 = 1_000_000
    private static let rate = "2MB"

    @Test(
        "lets the running transfer finish, says what is left, and the next run does only that",
        arguments: [130, 143]
    )
    func first(code: Int32) async throws {
        try await withSlowImage(layers: 3) { stage, image in
            let flags = ["--progress", "json", "--output", "json", "--jobs", "1"]
            let child = try await withChild(
                .ecrReplicate,
                ["copy", "--limit-rate", Self.rate] + flags + ["\(stage.source):slow", stage.destination],
                environment: stage.environment,
                killed: false
            ) { child in
                let line = try await child.errors.first {
                    $0.contains("blobStarted") && $0.contains("\"bytes\":\(Self.layer)")
                }
                code == 130 ? child.interrupt() : child.terminate()
                return line
            }
            let stopped = child.ended
            let begun = try #require(image.blobs.first { child.result.contains($0.digest.description) })
            #expect(stopped.exitCode == code, "\(stopped.errors)")
            let stopping = "stopping after the running transfers \\(1 blob, .* to go\\); send the signal again"
            #expect(try stopped.errors.contains(Regex(stopping)), "\(stopped.errors)")
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(stopped.outputBytes)) as? [String: Any]
            )
            #expect(document["exitCode"] as? Int == Int(code))
            let result = try #require((document["results"] as? [[String: Any]])?.first)
            #expect(result["status"] as? String == "cancelled")
            let left = try #require(result["left"] as? [String: Int])

            let here = stage.emulator.blobs(account: Stage.account, region: Stage.far, repository: "team/app")
            let rest = image.blobs.filter { !here.contains($0.digest) }
            #expect(here.contains(begun.digest), "the layer on its way arrived")
            #expect(rest.contains { $0.size == Self.layer }, "one at least was not begun")
            #expect(left["blobs"] == rest.count && left["manifests"] == 1)
            #expect(left["bytes"] == rest.reduce(0) { $0 + Int($1.size) })
            #expect(stage.tags().isEmpty)
            #expect(stage.emulator.openUploads(account: Stage.account, region: Stage.far, repository: "team/app") == 0)

            let next = try await run(
                .ecrReplicate,
                ["copy", "--progress", "json", "\(stage.source):slow", stage.destination],
                environment: stage.environment
            )
            #expect(next.exitCode == 0, "\(next.errors)")
            #expect(next.lines == ["\(stage.destination):slow@\(image.digest)"])
            let moved = next.errors.split(separator: "\n").filter { $0.contains(#""event":"blobMoved""#) }
            #expect(moved.count == rest.count)
        }
    }

    @Test("lets an image finish that lacks only its manifest, and says that nothing is left")
    func lastBlob() async throws {
        try await withSlowImage(layers: 1) { stage, image in
            let stopped = try await withChild(
                .ecrReplicate,
                ["copy", "--limit-rate", Self.rate, "--progress", "json", "\(stage.source):slow", stage.destination],
                environment: stage.environment,
                killed: false
            ) { child in
                _ = try await child.errors.first { $0.contains("blobMoved") }
                _ = try await child.errors.first {
                    $0.contains("blobStarted") && $0.contains("\"bytes\":\(Self.layer)")
                }
                child.interrupt()
            }.ended
            #expect(stopped.exitCode == 130, "\(stopped.errors)")
            #expect(stopped.lines == ["\(stage.destination):slow@\(image.digest)"])
            #expect(stopped.errors.contains("interrupted: nothing is left to do"), "\(stopped.errors)")
            #expect(stage.tags() == ["slow": image.digest])
        }
    }

    @Test("ends the process at once the second time, even if nothing moves")
    func second() async throws {
        try await withStage { stage in
            stage.emulator.inject(Fault(on: "PUT blob", at: nil, .stall))
            let arguments = ["copy", "--progress", "json", "\(stage.source):v1", stage.destination]
            let stopped = try await withChild(
                .ecrReplicate,
                arguments,
                environment: stage.environment,
                killed: false
            ) { child in
                _ = try await child.errors.first { $0.contains("blobStarted") }
                child.interrupt()
                _ = try await child.errors.first { $0.contains("stopping") }
                child.terminate()
            }.ended
            #expect(stopped.exitCode == 143, "\(stopped.errors)")
            #expect(stopped.output.isEmpty)
            #expect(stage.tags().isEmpty)

            stage.emulator.clearFaults()
            let next = try await run(.ecrReplicate, arguments, environment: stage.environment)
            #expect(next.exitCode == 0, "\(next.errors)")
            #expect(next.lines == ["\(stage.destination):v1@\(stage.image.digest)"])
        }
    }

    @Test("cancels a command that only reads", arguments: ["copy", "ls"])
    func reading(command: String) async throws {
        try await withStage { stage in
            let operation = command == "copy" ? "BatchGetImage" : "DescribeImages"
            stage.emulator.inject(Fault(on: operation, at: nil, .throttle(retryAfter: 200)))
            let stopped = try await withChild(
                .ecrReplicate,
                command == "copy"
                    ? ["copy", "--log-level", "notice", "\(stage.source):v1", stage.destination]
                    : ["ls", "--log-level", "notice", stage.source],
                environment: stage.environment,
                killed: false
            ) { child in
                _ = try await child.errors.first { $0.contains("next attempt in 200") }
                child.interrupt()
            }.ended
            #expect(stopped.exitCode == 130, "\(stopped.errors)")
            #expect(stopped.output.isEmpty)
            if command == "copy" {
                #expect(stopped.errors.contains("\(stage.source):v1 to \(stage.destination); not started"))
            }
        }
    }

    /// The run itself would wait for longer than the suite's time limit.
    @Test(
        "ends a wait for credentials at once",
        arguments: [HostileServer.Operation.metadataRole, .metadataCredentials, .container],
        ["copy", "doctor", "ls"]
    )
    func credentials(_ operation: HostileServer.Operation, command: String) async throws {
        try await withScratchDirectory { home in
            let server = try HostileServer(operation, .stalls)
            defer { server.stop() }
            let scene = try HostileScene(server, operation, home: home)
            var environment = scene.environment
            environment["AWS_METADATA_SERVICE_TIMEOUT"] = "300"
            environment["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = "20"
            let arguments = command == "doctor" ? scene.doctor : scene.commands.first { $0.first == command }
            let stopped = try await withChild(
                .ecrReplicate,
                try #require(arguments),
                environment: environment,
                killed: false
            ) { child in
                for await _ in server.struck { break }
                child.interrupt()
            }.ended
            #expect(stopped.exitCode == 130, "\(stopped.errors)")
            // Otherwise the signal itself would have ended the process.
            #expect(stopped.errors.contains("stopping"), "\(stopped.errors)")
        }
    }

    private func withSlowImage(layers: Int, _ body: (Stage, SeedImage) async throws -> Void) async throws {
        try await withStage { stage in
            let image = SeedImage.oci("slow", layers: Array(repeating: Self.layer, count: layers))
            try stage.seed(image, tag: "slow", in: Stage.home)
            try await body(stage, image)
        }
    }
}
