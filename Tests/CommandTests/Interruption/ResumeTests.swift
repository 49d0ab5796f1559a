import Content
import ECREmulator
import TestPrograms
import Testing

/// `kill -9` in the middle of a large layer, and the same command again.
@Suite("A run that is killed", .timeLimit(.minutes(3)))
struct ResumeTests {
    @Test("is resumed at its byte: the next run reads and sends only what is missing")
    func goesOn() async throws {
        try await LargeScene.with { scene in
            #expect(try await scene.stopInTheMiddle().exitCode == 137)
            let ended = try await scene.finish()
            #expect(ended.errors.contains("resume sha256:"), "\(ended.errors)")
            #expect(scene.count("InitiateLayerUpload") == 0)
            #expect(scene.count("UploadLayerPart") == 3)
            #expect(scene.stage.emulator.requests.count { $0.operation == "GET layer" && $0.status == 206 } == 3)
        }
    }

    @Test("starts over if the registry has dropped the upload, or the journal can't be read")
    func startsOver() async throws {
        for isForgotten in [true, false] {
            try await LargeScene.with { scene in
                #expect(try await scene.stopInTheMiddle().exitCode == 137)
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

    @Test("warns once if it can't keep a journal, and copies anyway")
    func noJournal() async throws {
        try await LargeScene.with { scene in
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
