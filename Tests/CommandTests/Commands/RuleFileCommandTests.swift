import ECREmulator
import Foundation
import TestPrograms
import Testing

@testable import ecr_replicate

/// A rule file in a directory of its own, and the commands that read it.
private struct RuleStage: Sendable {
    let stage: Stage
    let file: String

    func run(_ arguments: String..., with more: [String: String] = [:]) async throws -> Ended {
        try await TestPrograms.run(
            .ecrReplicate,
            arguments,
            environment: stage.environment.merging(more) { _, new in new }
        )
    }
}

/// - Parameter rules: What follows the registries `build` and `far`; `BUILD` and `FAR` stand for their hosts.
private func withRules<Result>(
    _ rules: String,
    _ body: (RuleStage) async throws -> Result
) async throws -> Result {
    try await withScratchDirectory { directory in
        try await withStage { stage in
            let text = """
                version: 1
                registries:
                  build: { host: "\(stage.emulator.registryHost(account: Stage.account, region: Stage.home))" }
                  far: { host: "\(stage.emulator.registryHost(account: Stage.account, region: Stage.far))" }
                rules:
                \(rules)
                """
            try write(text, to: "\(directory)/rules.yaml")
            return try await body(RuleStage(stage: stage, file: "\(directory)/rules.yaml"))
        }
    }
}

private let twoRules = """
      - { name: releases, from: { registry: build, repository: "team/*" }, to: { registry: far } }
      - { name: other, from: { registry: build, repository: "other/*" }, to: { registry: far } }
    """

private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

@Suite("iam-policy of a rule file", .timeLimit(.minutes(1)))
struct RulePolicyCommandTests {
    private static let principal = "arn:aws:iam::111122223333:role/replicator"

    @Test("prints one policy for each identity, and sends nothing")
    func text() async throws {
        try await withRules(twoRules) { rules in
            let ended = try await rules.run("iam-policy", "-f", rules.file, "--principal", Self.principal)
            #expect(ended.exitCode == 0 && ended.errors.isEmpty, "\(ended.errors)")
            #expect(
                ended.lines.filter { $0.hasPrefix("#") } == [
                    "# source-identity, destination-identity: for role replicator in account 111122223333, who reads and "
                        + "writes",
                    "# this replaces a policy of that name",
                    "#   aws iam put-role-policy --role-name replicator --policy-name "
                        + "ecr-replicate-rules+rules+replicator --policy-document file://source-identity.json",
                ]
            )
            let json = ended.lines.filter { !$0.hasPrefix("#") }.joined(separator: "\n")
            let statements = try #require(try object(json)["Statement"] as? [[String: Any]])
            #expect(
                statements.map { $0["Sid"] as? String } == [
                    "Read", "List", "ListRegistry", "Token", "Write", "AskBeforeTagsMove",
                ]
            )
            #expect(rules.stage.emulator.requests.isEmpty)
        }
    }

    @Test("prints the policies of the rules that are named, also as a document or one policy alone")
    func selected() async throws {
        try await withRules(twoRules) { rules in
            let one = try await rules.run("iam-policy", "-f", rules.file, "--output", "json", "other")
            let document = try object(one.output)
            #expect(document["command"] as? String == "iam-policy" && document["exitCode"] as? Int == 0)
            let policies = try #require(document["policies"] as? [[String: Any]])
            #expect(policies.map { $0["keys"] as? String } == ["the keys without a profile"])
            #expect(policies.allSatisfy { ($0["characters"] as? Int ?? 0) > 100 })
            #expect(one.output.contains("repository\\/other\\/*") || one.output.contains("repository/other/*"))
            #expect(!one.output.contains("team"))
            let alone = try await rules.run("iam-policy", "-f", rules.file, "--only", "source-identity", "other")
            #expect(try object(alone.output)["Version"] as? String == "2012-10-17")
            let none = try await rules.run("iam-policy", "-f", rules.file, "--only", "source-trust")
            #expect(none.exitCode == 64)
            #expect(
                none.errors.contains("the rules don't need the policy 'source-trust'\n  next: choose one of source-")
            )
        }
    }

    @Test(
        "refuses options that the rules decide",
        arguments: [
            ["--profile", "x"], ["--destination-role-arn", "arn:aws:iam::111122223333:role/x"], ["--all-tags"],
            ["--create-repository", "defaults"], ["--match", "v*"],
            ["--kms-key", "arn:aws:kms:eu-west-1:444455556666:key/1"],
        ]
    )
    func refused(_ option: [String]) async throws {
        let ended = try await run(.ecrReplicate, ["iam-policy", "-f", "rules.yaml"] + option)
        #expect(ended.exitCode == 64 && ended.output.isEmpty)
        #expect(ended.errors.contains("\(option[0]) and -f can't be used together: the r"), "\(ended.errors)")
        #expect(ended.errors.contains("next: leave out one of them"))
    }

    @Test("names the profile whose keys' owner is given, or says that none uses it")
    func principals() async throws {
        try await withRules(twoRules) { rules in
            let stray = try await rules.run("iam-policy", "-f", rules.file, "--principal", "build=\(Self.principal)")
            #expect(stray.exitCode == 64 && stray.errors.contains("no registry of the rules uses the profile 'build'"))
            let place = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
            let alone = try await rules.run("iam-policy", "--principal", "build=\(Self.principal)", place, "\(place)-2")
            #expect(alone.exitCode == 64 && alone.errors.contains("'build=' names the keys of a profile"))
        }
    }
}

@Suite("doctor of a rule file", .timeLimit(.minutes(1)))
struct RuleDoctorCommandTests {
    @Test("prints each registry and each rule under a heading, and what was checked")
    func text() async throws {
        try await withRules(twoRules) { rules in
            let ended = try await rules.run("doctor", "-f", rules.file)
            #expect(ended.exitCode == 0 && ended.errors.isEmpty, "\(ended.output)\(ended.errors)")
            let headings = ended.lines.filter { $0.hasPrefix("registry ") || $0.hasPrefix("rule ") }
            #expect(headings.count == 4 && headings[0].hasPrefix("registry build: 111122223333.dkr.ecr.us-east-1."))
            #expect(headings.suffix(2) == ["rule releases: 1 repository selected and checked", "rule other"])
            #expect(ended.lines.contains("ok       source      team/app                         7 checks passed"))
            #expect(ended.lines.contains("ok       destination far: team/app                    9 checks passed"))
            #expect(ended.output.hasSuffix("\n1 warning\n"), "\(ended.output)")
        }
    }

    @Test("ends with 4 if only permissions are missing, and prints one document")
    func document() async throws {
        try await withRules(twoRules) { rules in
            rules.stage.emulator.deny(action: "PutImage")
            let ended = try await rules.run("doctor", "-f", rules.file, "--output", "json", "releases")
            let document = try object(ended.output)
            #expect(ended.exitCode == 4 && document["exitCode"] as? Int == 4)
            #expect(document["file"] as? String == rules.file)
            let checks = try #require(document["checks"] as? [[String: Any]])
            let failed = checks.filter { $0["status"] as? String == "failed" }
            #expect(failed.map { $0["check"] as? String } == ["ecr:PutImage"])
            #expect(failed.first?["rule"] as? String == "releases" && failed.first?["registry"] as? String == "far")
            let remedy = try #require(failed.first?["remedy"] as? String)
            let line = try #require(remedy.split(separator: "\n").last { $0.contains("iam-policy -f") })
            // The command can be pasted.
            let command = String(line[try #require(line.firstRange(of: "ecr-replicate ")).upperBound...])
            let path = try #require(Program.ecrReplicate.path)
            let pasted = try await run(
                Program("sh"),
                ["-c", "'\(path)' \(command)"],
                environment: rules.stage.environment
            )
            #expect(pasted.exitCode == 0 && pasted.output.contains("ecr:PutImage"), "\(pasted.errors)")
        }
    }

    @Test(
        "refuses options that the registries decide",
        arguments: [
            ["--source-profile", "x"], ["--destination-endpoint-url", "https://x.test"], ["--fips"],
            ["--referrers", "none"], ["--create-repository", "defaults"], ["--region", "eu-west-1"],
        ]
    )
    func refused(_ option: [String]) async throws {
        let ended = try await run(.ecrReplicate, ["doctor", "-f", "rules.yaml"] + option)
        #expect(ended.exitCode == 64 && ended.errors.contains("\(option[0]) and -f can't be used together"))
    }

    @Test("ends when it is interrupted, with what was found and what had no answer")
    func interrupted() async throws {
        try await withRules(twoRules) { rules in
            let began = rules.file + ".began"
            let config = rules.file + ".config"
            let program = "sh -c 'echo > \(began); exec sleep 600'"
            try write("[profile slow]\ncredential_process = \(program)\n", to: config)
            let text = try String(contentsOfFile: rules.file, encoding: .utf8)
            try write(
                text.replacing(
                    "localhost:\(rules.stage.emulator.port)\" }\n  far",
                    with: "localhost:\(rules.stage.emulator.port)\", profile: slow }\n  far"
                ),
                to: rules.file
            )
            let (_, ended) = try await withChild(
                .ecrReplicate,
                ["doctor", "-f", rules.file],
                environment: rules.stage.environment.merging(["AWS_CONFIG_FILE": config]) { $1 },
                killed: false
            ) { child in
                while !FileManager.default.fileExists(atPath: began) { await Task.yield() }
                child.interrupt()
            }
            #expect(ended.exitCode == 130)
            #expect(ended.lines.first?.hasPrefix("registry build: ") == true, "\(ended.output)")
            #expect(ended.lines.dropFirst().first?.hasPrefix("ok       source      endpoint") == true)
            // The other registry may be interrupted as well.
            let last = ended.errors.split(separator: "\n").last ?? ""
            #expect(
                last.hasPrefix("interrupted: no answer yet to ") && last.contains("identity of registry build"),
                "\(last)"
            )
        }
    }
}

@Suite("doctor of a rule file with directories of layouts", .timeLimit(.minutes(1)))
struct RuleDoctorLayoutTests {
    /// Runs `doctor -f` for a rule that copies `team/app` of the registry `disk`, or to it.
    ///
    /// - Parameters:
    ///   - layout: The directory; `images` has a layout of the image.
    ///   - isSource: Whether the rule copies from there.
    private func doctor(_ layout: String, isSource: Bool) async throws -> Ended {
        try await withRules("    X") { rules in
            let folder = String(rules.file.dropLast("/rules.yaml".count))
            let copied = try await rules.run("copy", "\(rules.stage.source):v1", "oci:\(folder)/images/team/app:v1")
            try #require(copied.exitCode == 0, "\(copied.errors)")
            try write("", to: "\(folder)/file")
            let (from, to) = isSource ? ("disk", "far") : ("build", "disk")
            let text = try String(contentsOfFile: rules.file, encoding: .utf8).replacing(
                "rules:\n    X",
                with: """
                      disk: { layout: "\(folder)/\(layout)" }
                    rules:
                      - { name: r, from: { registry: \(from), repository: "team/*" }, to: { registry: \(to) } }
                    """
            )
            try write(text, to: rules.file)
            let before = try contents(of: "\(folder)/images/team/app/index.json")
            let ended = try await rules.run("doctor", "-f", rules.file)
            #expect(try contents(of: "\(folder)/images/team/app/index.json") == before, "a check must change nothing")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
            return ended
        }
    }

    private func line(_ ended: Ended, _ check: String) -> String? {
        ended.lines.first { $0.contains(" \(check) ") }
    }

    @Test("reads the layouts of a source as its repositories, and an image of each")
    func source() async throws {
        let ended = try await doctor("images", isSource: true)
        #expect(ended.exitCode == 0, "\(ended.output)\(ended.errors)")
        #expect(line(ended, "directory")?.hasPrefix("ok       source ") == true, "\(ended.output)")
        #expect(line(ended, "directory")?.hasSuffix("has 1 repository") == true)
        #expect(ended.lines.contains("rule r: 1 repository selected and checked"))
        #expect(ended.lines.contains { $0.hasPrefix("ok       source      team/app ") }, "\(ended.output)")
        #expect(ended.lines.contains { $0.hasPrefix("ok       destination far: team/app ") })
    }

    @Test(
        "says why a source can't be used, and skips its rules",
        arguments: [("none", "there is no directory '"), ("file", "is not a directory")]
    )
    func unusableSource(_ layout: String, _ words: String) async throws {
        let ended = try await doctor(layout, isSource: true)
        #expect(ended.exitCode == 1, "\(ended.output)\(ended.errors)")
        #expect(line(ended, "directory")?.hasPrefix("FAILED   source ") == true, "\(ended.output)")
        #expect(ended.output.contains(words) && ended.output.contains("next: check layout: in the rule file"))
        #expect(ended.output.contains("the directory of registry disk can't be used, as said above"))
    }

    @Test(
        "says whether a destination can be written to, or will be created",
        arguments: [("images", "can be written", 0), ("none/there", "will be created", 0)]
    )
    func destination(_ layout: String, _ words: String, _ code: Int32) async throws {
        let ended = try await doctor(layout, isSource: false)
        #expect(ended.exitCode == code, "\(ended.output)\(ended.errors)")
        #expect(line(ended, "directory")?.hasSuffix(words) == true, "\(ended.output)")
    }

    @Test("fails for a destination below a file, and for one that may not be written to")
    func unwritable() async throws {
        let below = try await doctor("file/images", isSource: false)
        #expect(below.exitCode == 1 && below.output.contains("/file' is not a directory"), "\(below.output)")
        #expect(below.output.contains("the directory of registry disk can't be used, as said above"))
        // The system's own directories refuse all users but root.
        let system = try await withRules("    X") { rules in
            let text = try String(contentsOfFile: rules.file, encoding: .utf8).replacing(
                "rules:\n    X",
                with: """
                      disk: { layout: /usr/images }
                    rules:
                      - { name: r, from: { registry: build, repository: "team/*" }, to: { registry: disk } }
                    """
            )
            try write(text, to: rules.file)
            return try await rules.run("doctor", "-f", rules.file)
        }
        if FileManager.default.isWritableFile(atPath: "/usr") {
            #expect(system.exitCode == 0 && system.output.contains("will be created"))
        } else {
            #expect(system.exitCode == 1 && system.output.contains("the directory '/usr' may not be written to"))
        }
    }
}

@Suite("Commands that take references or a rule file", .timeLimit(.minutes(1)))
struct RuleFileArgumentTests {
    private static let place = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"

    @Test("refuse both together", arguments: ["iam-policy", "doctor"])
    func together(_ command: String) async throws {
        try await withRules(twoRules) { rules in
            for words in [[Self.place], ["releases", "team/app:v1"], ["oci:dir"]] {
                let ended = try await TestPrograms.run(
                    .ecrReplicate,
                    [command, "-f", rules.file] + words,
                    environment: rules.stage.environment
                )
                #expect(ended.exitCode == 64 && ended.output.isEmpty)
                #expect(ended.errors.contains("'\(words.last ?? "")' is a reference, and -f takes names of rules"))
            }
            #expect(rules.stage.emulator.requests.isEmpty)
        }
    }

    @Test("suggest the nearest rule for an unknown one", arguments: ["iam-policy", "doctor"])
    func unknown(_ command: String) async throws {
        try await withRules(twoRules) { rules in
            let ended = try await rules.run(command, "-f", rules.file, "relases")
            #expect(ended.exitCode == 64 && ended.errors.contains("has no rule 'relases'. Did you mean 'releases'?"))
            let json = try await rules.run(command, "-f", rules.file, "--output", "json", "relases")
            #expect(json.exitCode == 64)
            #expect(try object(json.output)["exitCode"] as? Int == 64)
        }
    }

    @Test("report every mistake of the file", arguments: ["iam-policy", "doctor"])
    func mistakes(_ command: String) async throws {
        try await withRules("  - { name: r, from: { registry: biuld, repository: T }, to: { registry: far } }") {
            rules in
            let ended = try await rules.run(command, "-f", rules.file)
            #expect(ended.exitCode == 64 && ended.output.isEmpty)
            #expect(ended.errors.contains("did you mean 'build'?") && ended.errors.contains("have no capitals"))
            let json = try await rules.run(command, "-f", rules.file, "--output", "json")
            let document = try object(json.output)
            #expect(json.exitCode == 64 && document["command"] as? String == command)
            #expect((document["problems"] as? [Any])?.count == 2)
            let none = try await rules.run(command, "-f", rules.file + ".not")
            #expect(none.exitCode == 64 && none.errors.contains("there is no such file"))
        }
    }

    @Test("still want their references without a rule file")
    func missing() async throws {
        for (arguments, words) in [
            (["iam-policy"], "Missing expected argument '<source>'"),
            (["iam-policy", Self.place], "Missing expected argument '<destinations> ...'"),
            (["doctor"], "Missing expected argument '<source>'"),
            (["doctor", "UPPER"], "The value 'UPPER' is invalid for '<source>': 'UPPER' is not a repository name"),
            (["doctor", "team/app", "UPPER"], "The value 'UPPER' is invalid for '<destination>': "),
            (["doctor", "team/app", "x/y", "z/z"], "Unexpected argument 'z/z'"),
        ] {
            let ended = try await run(.ecrReplicate, arguments)
            #expect(ended.exitCode == 64 && ended.errors.hasPrefix("Error: \(words)"), "\(ended.errors)")
        }
    }
}
