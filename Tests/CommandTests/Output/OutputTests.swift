import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("Standard output", .timeLimit(.minutes(1)))
struct OutputTests {
    @Test("has a line for each tag of retag, also the second time")
    func retag() async throws {
        try await withStage { stage in
            let expected = ["v2", "stable"].map { "\(stage.source):\($0)@\(stage.image.digest)" }
            let first = try await stage.run("retag", "\(stage.source):v1", "v2", "stable")
            let second = try await stage.run("retag", "\(stage.source):v1", "v2", "stable")
            #expect(first.exitCode == 0 && second.exitCode == 0, "\(first.errors)\(second.errors)")
            #expect(first.lines == expected)
            #expect(second.lines == expected)
            #expect(second.errors.hasPrefix("nothing to do, "))
        }
    }

    @Test("has a line for each tag of copy, without the progress")
    func copy() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "--tag", "stable", "\(stage.source):v1", "\(stage.destination):v1")
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(copied.lines == ["v1", "stable"].map { "\(stage.destination):\($0)@\(stage.image.digest)" })
            #expect(stage.tags() == ["v1": stage.image.digest, "stable": stage.image.digest])
        }
    }

    @Test("has the plan of a dry run, which writes nothing")
    func dryRun() async throws {
        try await withStage { stage in
            let planned = try await stage.run("copy", "--dry-run", "\(stage.source):v1", stage.destination)
            #expect(planned.exitCode == 0, "\(planned.errors)")
            #expect(planned.lines.first == "\(stage.source):v1@\(stage.image.digest) → \(stage.destination)")
            #expect(planned.lines.filter { $0.hasPrefix("  blob ") }.count == 3)
            #expect(planned.lines.contains("  put     \(stage.image.digest)  root"))
            #expect(planned.lines.contains("  tag     \(stage.destination):v1"))
            #expect(stage.tags().isEmpty)
            #expect(
                stage.emulator.blobs(account: Stage.account, region: Stage.far, repository: "team/app").isEmpty
            )
        }
    }

    @Test("has nothing for a tag that keeps its image")
    func skip() async throws {
        try await withStage { stage in
            let other = try stage.seed(.oci("other", layers: [10]), tag: "v1")
            let skipped = try await stage.run("copy", "--if-exists", "skip", "\(stage.source):v1", stage.destination)
            #expect(skipped.exitCode == 0, "\(skipped.errors)")
            #expect(skipped.output.isEmpty)
            #expect(skipped.errors.contains("\(stage.destination):v1 still holds \(other)"))
            #expect(stage.tags() == ["v1": other])
        }
    }

    @Test("has the manifest byte for byte")
    func raw() async throws {
        try await withStage { stage in
            let image = SeedImage.docker("spaced", layers: [10])
            try stage.seed(image, tag: "spaced", in: Stage.home)
            let raw = try await stage.run("inspect", "--raw", "\(stage.source):spaced")
            #expect(raw.outputBytes == image.bytes)
        }
    }

    @Test("has a line for each tag of a listing")
    func list() async throws {
        try await withStage { stage in
            try stage.seed(.oci("other", layers: [10]), tag: "v10", in: Stage.home)
            let listed = try await stage.run("ls", stage.source)
            #expect(listed.exitCode == 0, "\(listed.errors)")
            #expect(Set(listed.lines.map { $0.prefix { $0 != " " } }) == ["v1", "v10"])
            #expect(listed.output.contains("v1   \(stage.image.digest)  "))
        }
    }

    @Test("has only the version")
    func version() async throws {
        let ended = try await run(.ecrReplicate, ["--version"])
        #expect(ended.exitCode == 0)
        #expect(ended.errors.isEmpty)
        #expect(ended.lines.count == 1 && ended.output.contains(/^\d+\.\d+\.\d+\n$/))
    }

    @Test("has completions that name every subcommand", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let ended = try await run(.ecrReplicate, ["--generate-completion-script", shell])
        #expect(ended.exitCode == 0)
        for word in ["retag", "copy", "promote", "history", "undo", "inspect", "ls", "emulator", "demo", "if-current"] {
            #expect(ended.output.contains(word), "\(word)")
        }
    }
}

@Suite("--output json", .timeLimit(.minutes(1)))
struct JSONOutputTests {
    @Test("is one document with the results")
    func success() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "--output", "json", "\(stage.source):v1", stage.destination)
            let document = try object(copied)
            #expect(document["exitCode"] as? Int == 0)
            #expect(document["command"] as? String == "copy")
            let results = try #require(document["results"] as? [[String: Any]])
            #expect(results.count == 1)
            #expect(results[0]["status"] as? String == "done")
            #expect(results[0]["digest"] as? String == "\(stage.image.digest)")
            let tags = results[0]["tags"] as? [[String: String]]
            #expect(tags == [["tag": "v1", "outcome": "set"]])
            #expect((results[0]["blobs"] as? [String: Int])?["moved"] == 3)
        }
    }

    @Test("has the cause of a failure, and the process's exit status")
    func failure() async throws {
        try await withStage { stage in
            let missing = try await stage.run("copy", "--output", "json", "\(stage.source):v9", stage.destination)
            #expect(missing.exitCode == 1)
            #expect(try object(missing)["exitCode"] as? Int == 1)
            #expect(
                missing.errors.contains("failed at the source \(stage.source):v9: the image does not exist\n  next: ")
            )
            #expect(missing.errors.count { $0 == "\n" } == 2, "\(missing.errors)")
            let listed = try await stage.run("ls", "--output=json", "\(stage.source)-none")
            #expect(listed.exitCode == 1)
            let error = try #require(object(listed)["error"] as? [String: String])
            #expect(error["operation"] == "DescribeImages")
            #expect(error["side"] == "source")
            #expect(error["cause"] == "the repository does not exist")
            #expect(error["remedy"]?.isEmpty == false)
        }
    }

    @Test("has the refusals", arguments: ["fail", "wrong usage"])
    func refused(kind: String) async throws {
        try await withStage { stage in
            try stage.seed(.oci("other", layers: [10]), tag: "v1")
            let source = kind == "fail" ? "\(stage.source):v1" : stage.source
            let code: Int32 = kind == "fail" ? 3 : 64
            let ended = try await stage.run(
                "copy",
                "--if-exists",
                "fail",
                "--output",
                "json",
                source,
                stage.destination
            )
            #expect(ended.exitCode == code)
            #expect(try object(ended)["exitCode"] as? Int == Int(code))
        }
    }

    @Test(
        "is printed for wrong usage too",
        arguments: [
            (["cpoy", "--output", "json", "team/app:v1"], "", "unknown command 'cpoy'"),
            (["--output=json", "copy"], "", "Unknown option '--output'"),
            (["--nope", "--output", "json"], "", "Unknown option '--nope'"),
            (["copy", "team/app:v1", "x/y", "--nope", "--output=json"], "copy", "Unknown option '--nope'"),
            (["demo", "--output", "json"], "demo", "Unknown option '--output'"),
            (["inspect", "--raw", "--output", "json", "team/app:v1"], "inspect", "--raw prints the manifest instead"),
        ]
    )
    func usage(_ arguments: [String], _ command: String, _ cause: String) async throws {
        let ended = try await run(.ecrReplicate, arguments)
        #expect(ended.exitCode == 64)
        let document = try object(ended)
        #expect(document["command"] as? String == command && document["exitCode"] as? Int == 64)
        let error = try #require(document["error"] as? [String: Any])
        #expect(error["kind"] as? String == "usage")
        #expect((error["cause"] as? String)?.contains(cause) == true, "\(error)")
        // The output for people.
        #expect(ended.errors.contains(cause))
    }

    @Test("says that nothing matched, which isn't a failure")
    func nothingMatched() async throws {
        try await withStage { stage in
            let ended = try await stage.run(
                "copy",
                "--match",
                "release-*",
                "--output",
                "json",
                stage.source,
                stage.destination
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let document = try object(ended)
            #expect((document["results"] as? [Any])?.isEmpty == true)
            #expect(
                document["note"] as? String
                    == "nothing selected: none of the repository's 1 tag passes --match and --exclude"
            )
            #expect(
                try object(try await stage.run("copy", "--output", "json", "\(stage.source):v1", stage.destination))[
                    "note"
                ] == nil
            )
        }
    }

    @Test("has one result for a destination that is named twice, and a note about it")
    func namedTwice() async throws {
        try await withStage { stage in
            let host = stage.emulator.registryHost(account: Stage.account, region: Stage.far)
            let ended = try await stage.run(
                "copy",
                "--output",
                "json",
                "\(stage.source):v1",
                stage.destination,
                "\(host)/",
                "\(stage.destination):v1",
                "\(stage.destination):v2",
                "arn:aws:ecr:\(Stage.far):\(Stage.account):repository/team/app"
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let results = try #require(try object(ended)["results"] as? [[String: Any]])
            // A destination with two names or several tags is one destination.
            #expect(results.count == 1)
            #expect((results.first?["tags"] as? [[String: Any]])?.compactMap { $0["tag"] as? String } == ["v1", "v2"])
            let notes = results.map { $0["notes"] as? [String] }
            #expect(notes == [["\(stage.destination) was named more than once and counts as one destination"]])
            #expect(Set(stage.tags().keys) == ["v1", "v2"])
        }
    }

    private func object(_ ended: Ended) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(value as? [String: Any])
    }
}
