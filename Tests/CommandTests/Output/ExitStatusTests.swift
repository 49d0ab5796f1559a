import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("Exit status", .timeLimit(.minutes(1)))
struct ExitStatusTests {
    @Test("is 3 for a tag that holds another image, before any byte moves", arguments: ["fail", "immutable", "moved"])
    func refused(why: String) async throws {
        try await withStage { stage in
            let other = try stage.seed(.oci("other", layers: [10]), tag: "v1")
            if why == "immutable" {
                try stage.emulator.createRepository(
                    account: Stage.account,
                    region: Stage.far,
                    "team/app",
                    mutability: "IMMUTABLE"
                )
            }
            let flags =
                switch why {
                case "fail": ["--if-exists", "fail"]
                case "moved": ["--if-current", "sha256:" + String(repeating: "0", count: 64)]
                default: [String]()
                }
            let ended = try await run(
                .ecrReplicate,
                ["copy"] + flags + ["\(stage.source):v1", stage.destination],
                environment: stage.environment
            )
            #expect(ended.exitCode == 3, "\(ended.errors)")
            #expect(ended.output.isEmpty)
            #expect(ended.errors.contains("\(other)"), "\(ended.errors)")
            #expect(!stage.emulator.requests.contains { $0.operation == "POST upload" })
            #expect(stage.tags() == ["v1": other])
        }
    }

    @Test("is 4 for a denied action, which the error names")
    func denied() async throws {
        try await withStage { stage in
            stage.emulator.deny(action: "PutImage")
            let ended = try await stage.run("retag", "\(stage.source):v1", "v2")
            #expect(ended.exitCode == 4, "\(ended.errors)")
            #expect(ended.output.isEmpty)
            #expect(ended.errors.contains("not allowed to ecr:PutImage"), "\(ended.errors)")
            #expect(ended.errors.contains("arn:aws:iam::\(Stage.account):user/emulator"), "\(ended.errors)")
        }
    }

    @Test("is 4 without credentials, and the error says how to set them")
    func noCredentials() async throws {
        try await withStage { stage in
            let ended = try await stage.run(
                "retag",
                "\(stage.source):v1",
                "v2",
                with: ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]
            )
            #expect(ended.exitCode == 4, "\(ended.errors)")
            #expect(ended.output.isEmpty)
            #expect(ended.errors.contains("AWS_ACCESS_KEY_ID"), "\(ended.errors)")
        }
    }

    @Test("is 1 if one of several destinations fails, and the others get the image")
    func oneDead() async throws {
        try await withStage { stage in
            let ended = try await stage.run(
                "copy",
                "\(stage.source):v1",
                "127.0.0.1:1/team/app",
                stage.destination,
                "\(stage.destination)-missing"
            )
            #expect(ended.exitCode == 1)
            #expect(ended.lines == ["\(stage.destination):v1@\(stage.image.digest)"])
            #expect(ended.errors.contains("127.0.0.1:1/team/app"), "\(ended.errors)")
            #expect(ended.errors.contains("\(stage.destination)-missing"), "\(ended.errors)")
            #expect(ended.errors.contains("2 failed"), "\(ended.errors)")
        }
    }

    @Test("is 64 for wrong usage, with the message on standard error only")
    func usage() async throws {
        let ended = try await run(.ecrReplicate, ["copy", "--jobs", "0", "team/app:v1", "team/other"])
        #expect(ended.exitCode == 64)
        #expect(ended.output.isEmpty)
        #expect(
            ended.errors.hasPrefix("Error: '0' is not valid for --jobs\n  next: write a number from 1 to 64\n"),
            "\(ended.errors)"
        )
    }
}
