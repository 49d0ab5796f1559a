import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("The emulator command", .timeLimit(.minutes(1)))
struct EmulatorCommandTests {
    @Test("starts with the seed image, and keeps its state readable by its owner only")
    func seeds() async throws {
        try await withScratchDirectory { directory in
            let arguments = [
                "emulator", "--region", "eu-west-1", "--region", "us-east-1", "--seed", "team/app:v1", "--state-dir",
                "\(directory)/state", "--env-file", "\(directory)/env",
            ]
            _ = try await withChild(.ecrReplicate, arguments) { child in
                _ = try await child.output.first { $0.contains("Accounts, each with its own keys") }
                let variables = exported(try String(contentsOfFile: "\(directory)/env", encoding: .utf8))
                let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
                let ended = try await run(.ecrReplicate, ["retag", "\(host):v1", "v2"], environment: variables)
                #expect(ended.exitCode == 0, "\(ended.errors)")
                #expect(ended.lines.first?.hasPrefix("\(host):v2@sha256:") == true)
                let raw = try await run(.ecrReplicate, ["inspect", "\(host):v2"], environment: variables)
                #expect(raw.output.contains("linux/arm64"), "\(raw.output)")
            }
            let facts = try FileManager.default.attributesOfItem(atPath: "\(directory)/state/state.json")
            #expect((facts[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test("starts with many tiny images in two regions, and a plan finds those that one of them lacks")
    func manySeeds() async throws {
        let arguments = ["emulator", "--seed-many", "3x25", "--seed-many", "3x20@eu-west-1"]
        _ = try await withChild(.ecrReplicate, arguments) { child in
            _ = try await child.output.first { $0.contains("Accounts, each with its own keys") }
            let variables = exported(String(decoding: child.output.bytes, as: UTF8.self))
            try await withScratchDirectory { directory in
                let rules = """
                    version: 1
                    registries:
                      home: { account: "111122223333", region: us-east-1 }
                      far: { account: "111122223333", region: eu-west-1 }
                    rules:
                      - { name: all, from: { registry: home, repository: "team/*" }, to: { registry: far } }
                    """
                try write(rules, to: "\(directory)/rules.yaml")
                let planned = try await run(
                    .ecrReplicate,
                    ["plan", "-f", "rules.yaml"],
                    environment: variables,
                    directory: directory
                )
                #expect(planned.exitCode == 2, "\(planned.errors)")
                #expect(
                    planned.errors.contains("15 to add, 0 to move, 60 in sync in 3 repositories"),
                    "\(planned.errors)"
                )
            }
        }
        let nowhere = try await run(.ecrReplicate, ["emulator", "--seed-many", "1x1@ap-south-1"])
        #expect(nowhere.exitCode == 64 && nowhere.errors.contains("add --region ap-south-1"), "\(nowhere.errors)")
    }

    @Test("throttles requests above ECR's quotas, with that option")
    func quotas() async throws {
        let arguments = ["emulator", "--enforce-quotas", "--seed", "team/app:v1"]
        _ = try await withChild(.ecrReplicate, arguments) { child in
            _ = try await child.output.first { $0.contains("Accounts, each with its own keys") }
            let variables = exported(String(decoding: child.output.bytes, as: UTF8.self))
            let started = ContinuousClock.now
            let tags = (0..<20).map { "t\($0)" }
            let ended = try await run(
                .ecrReplicate,
                ["retag", "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"] + tags,
                environment: variables
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(ended.lines.count == 20)
            // Ten requests are available at once, and ten a second after that.
            #expect(ContinuousClock.now - started >= .milliseconds(900))
        }
    }

    @Test("isolates accounts, with that option", arguments: [(false, 0), (true, 4)])
    func policies(_ enforced: Bool, _ exitCode: Int32) async throws {
        let arguments = ["emulator", "--seed", "team/app:v1"] + (enforced ? ["--enforce-policies"] : [])
        _ = try await withChild(.ecrReplicate, arguments) { child in
            _ = try await child.output.first { $0.contains("Accounts, each with its own keys") }
            let text = String(decoding: child.output.bytes, as: UTF8.self)
            let example = try #require(text.split(separator: "\n").first { $0.contains("ecr-replicate copy") })
            #expect(example.contains(" 444455556666.") == !enforced, "what is shown works")
            var variables = exported(text)
            let other = EmulatorConfiguration.Account(id: "444455556666")
            variables["AWS_ACCESS_KEY_ID"] = other.accessKeyID
            variables["AWS_SECRET_ACCESS_KEY"] = other.secretAccessKey
            let image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
            let ended = try await run(.ecrReplicate, ["inspect", image], environment: variables)
            #expect(ended.exitCode == exitCode, "\(ended.errors)")
        }
    }

    @Test("has accounts in several partitions, with keys that are valid there")
    func partitions() async throws {
        let arguments = [
            "emulator", "--region", "cn-north-1", "--region", "eu-west-1", "--account", "111122223333:aws", "--account",
            "444455556666", "--seed", "team/app:v1",
        ]
        _ = try await withChild(.ecrReplicate, arguments) { child in
            _ = try await child.output.first { $0.contains("Accounts, each with its own keys") }
            let said = String(decoding: child.output.bytes, as: UTF8.self)
            // An account without a partition belongs to the partition of the first region.
            let hosts = said.matches(of: /#   (\d{12}\.dkr\.ecr\.[a-z0-9-]+)\.localhost/).map { String($0.output.1) }
            #expect(hosts == ["111122223333.dkr.ecr.eu-west-1", "444455556666.dkr.ecr.cn-north-1"])
            var variables = exported(said)
            #expect(variables["AWS_REGION"] == "eu-west-1")
            let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
            try await withScratchDirectory { home in
                let other = EmulatorConfiguration.Account(id: "444455556666")
                try write(
                    """
                    [profile china]
                    aws_access_key_id = \(other.accessKeyID)
                    aws_secret_access_key = \(other.secretAccessKey)
                    """,
                    to: "\(home)/config"
                )
                variables["AWS_CONFIG_FILE"] = "\(home)/config"
                let target = "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app"
                let copy = ["copy", "--create-repository", "defaults", image, target]
                let alone = try await run(.ecrReplicate, copy, environment: variables)
                #expect(alone.exitCode == 4 && alone.errors.contains("UnrecognizedClientException"), "\(alone.errors)")
                let both = try await run(
                    .ecrReplicate,
                    copy + ["--destination-profile", "china"],
                    environment: variables
                )
                #expect(both.exitCode == 0, "\(both.errors)")
                #expect(both.lines.first?.hasPrefix("\(target):v1@sha256:") == true)
            }
        }
    }

    @Test("gives the reason if it can't start", arguments: ["port", "state", "damaged"])
    func cantStart(why: String) async throws {
        try await withEmulator { other in
            try await withScratchDirectory { directory in
                let arguments: [String]
                switch why {
                case "port": arguments = ["--port", "\(other.port)"]
                case "state": arguments = ["--state-dir", "/dev/null/state"]
                default:
                    try write("{}}", to: "\(directory)/state.json")
                    arguments = ["--state-dir", directory]
                }
                let ended = try await run(.ecrReplicate, ["emulator"] + arguments)
                #expect(ended.exitCode == 1)
                #expect(ended.output.isEmpty)
                let lines = ended.errors.split(separator: "\n")
                #expect(lines.count == (why == "state" ? 1 : 2), "\(ended.errors)")
                #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  next: ") }, "\(ended.errors)")
                #expect(ended.errors.hasPrefix("ecr-replicate: the emulator can't start: "))
                let words = [
                    "port": "port \(other.port) of 127.0.0.1 can't be used: Address already in use",
                    "state": "mkdir /dev/null/state/blobs: Not a directory",
                    "damaged": "state.json' is not a state file of the emulator",
                ]
                #expect(ended.errors.contains(words[why] ?? "?"), "\(ended.errors)")
            }
        }
    }

    /// The environment of a shell that has read the export lines.
    private func exported(_ text: String) -> [String: String] {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("export ") }
        let pairs = lines.map { $0.dropFirst("export ".count).split(separator: "=", maxSplits: 1).map(String.init) }
        return Dictionary(pairs.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
    }
}
