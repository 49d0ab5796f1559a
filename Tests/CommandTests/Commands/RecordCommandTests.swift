import ArgumentParser
import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

@testable import ecr_replicate

@Suite("Records, history and undo as commands", .timeLimit(.minutes(2)))
struct RecordCommandTests {
    private func records(_ stage: Stage) throws -> Int {
        let manifests = stage.emulator.manifests(account: Stage.account, region: Stage.far, repository: "team/app")
        return try manifests.count { digest in
            let bytes = try #require(
                stage.emulator.manifest(digest, account: Stage.account, region: Stage.far, repository: "team/app")
            )
            return String(decoding: bytes, as: UTF8.self).contains("ecr-replicate.promotion.tags")
        }
    }

    private func document(_ ended: Ended) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(ended.outputBytes)) as? [String: Any])
    }

    @Test("promote says where it recorded, and that the record is unsigned; the second time there is nothing to do")
    func promote() async throws {
        try await withStage { stage in
            let ended = try await stage.run("promote", "--reason", "CHG-1", "\(stage.source):v1", stage.destination)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(ended.lines == ["\(stage.destination):v1@\(stage.image.digest)"])
            #expect(ended.errors.contains("note: recorded in \(stage.destination)@sha256:"))
            #expect(ended.errors.contains("unsigned; pass --sign-record KEY to sign records"))
            #expect(try records(stage) == 1)
            let again = try await stage.run("promote", "\(stage.source):v1", stage.destination)
            #expect(again.exitCode == 0 && again.errors.contains("nothing to do"))
            #expect(try records(stage) == 1)

            let shown = try await stage.run("history", "\(stage.destination):v1")
            #expect(shown.exitCode == 0)
            for words in [
                "promote  v1: new → \(stage.image.digest)", "  by       arn:aws:", "  from     \(stage.source):v1",
                "  reason   CHG-1", " unsigned\n",
            ] { #expect(shown.output.contains(words), "\(words)\n\(shown.output)") }
            let json = try document(try await stage.run("history", "--output", "json", "\(stage.destination):v1"))
            let first = try #require((json["records"] as? [[String: Any]])?.first)
            #expect(first["signature"] as? String == "unsigned")
            let record = try #require(first["record"] as? [String: Any])
            #expect((record["by"] as? String)?.hasPrefix("arn:aws:") == true)
            #expect((record["tool"] as? [String: String])?["version"] == Build.version)
        }
    }

    @Test("--no-record and --dry-run record nothing, and the document names what was recorded")
    func without() async throws {
        try await withStage { stage in
            let dry = try await stage.run("promote", "--dry-run", "\(stage.source):v1", stage.destination)
            #expect(dry.exitCode == 0, "\(dry.errors)")
            let bare = try await stage.run("promote", "--no-record", "\(stage.source):v1", stage.destination)
            #expect(bare.exitCode == 0 && !bare.errors.contains("recorded"))
            #expect(try records(stage) == 0)
            let ended = try await stage.run("promote", "--output", "json", "\(stage.source):v1", stage.destination)
            let result = try #require((try document(ended)["results"] as? [[String: Any]])?.first)
            #expect(result["status"] as? String == "done" && (result["records"] as? [String])?.count == 1)
            #expect(try records(stage) == 1)
            let again = try await stage.run("promote", "--output", "json", "\(stage.source):v1", stage.destination)
            let unchanged = try #require((try document(again)["results"] as? [[String: Any]])?.first)
            #expect(unchanged["status"] as? String == "unchanged" && unchanged["records"] == nil)
        }
    }

    @Test("undo puts the tag back once, and says what held it")
    func undo() async throws {
        try await withStage { stage in
            let old = SeedImage.oci("old", layers: [500])
            try stage.seed(old, tag: "v1")
            let promoted = try await stage.run(
                "promote",
                "--if-exists",
                "move",
                "\(stage.source):v1",
                stage.destination
            )
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            #expect(stage.tags()["v1"] == stage.image.digest)
            let place = "\(stage.destination):v1"
            let dry = try await stage.run("undo", "--dry-run", place)
            #expect(dry.exitCode == 0 && stage.tags()["v1"] == stage.image.digest, "\(dry.errors)")
            let undone = try await stage.run("undo", "--reason", "INC-42", place)
            #expect(undone.exitCode == 0 && undone.lines == ["\(place)@\(old.digest)"], "\(undone.errors)")
            #expect(undone.errors.contains("\(place) held \(stage.image.digest) before"))
            #expect(stage.tags()["v1"] == old.digest)
            let again = try await stage.run("undo", place)
            #expect(again.exitCode == 3 && again.errors.contains("can't undo: the last change of"), "\(again.errors)")
            #expect(stage.tags()["v1"] == old.digest)
            let shown = try await stage.run("history", place)
            #expect(shown.output.contains("undo  v1: \(stage.image.digest) → \(old.digest)"), "\(shown.output)")
            #expect(shown.output.contains("  reason   INC-42"))
        }
    }

    @Test("history and undo of what isn't there say so")
    func missing() async throws {
        try await withStage { stage in
            for command in ["history", "undo"] {
                let ended = try await stage.run(command, "\(stage.destination):v9")
                #expect(ended.exitCode == 1 && ended.errors.contains("the image does not exist"), "\(ended.errors)")
            }
            try stage.seed(stage.image, tag: "v1")
            let none = try await stage.run("history", "\(stage.destination):v1")
            #expect(none.exitCode == 0 && none.output.hasSuffix("\nno records\n"), "\(none)")
            let undo = try await stage.run("undo", "\(stage.destination):v1")
            #expect(undo.exitCode == 3 && undo.errors.contains("there is no record of how"), "\(undo.errors)")
        }
    }

    @Test(
        "options about records that can't be used together are wrong usage",
        arguments: [
            (["promote", "--no-record", "--reason", "x", "team/app:v1", "x/y"], "leave out one of them"),
            (["promote", "--no-record", "--sign-record", "k", "team/app:v1", "x/y"], "leave out one of them"),
            (["promote", "--reason", "a\nb", "team/app:v1", "x/y"], "one line of plain text"),
            (["promote", "--reason", "", "team/app:v1", "x/y"], "--reason takes 1 to 500 bytes"),
            (["promote", "--reason", "x", "team/app:v1", "oci:dir:v1"], "a layout gets no record"),
            (["history", "team/app"], "has no tag or digest"), (["history", "oci:dir:v1"], "there are no records"),
            (["undo", "team/app"], "has no tag or digest"), (["undo", "oci:dir:v1"], "there are no records"),
            (["history", "--destination-profile", "p", "team/app:v1"], "next: use --profile"),
        ]
    )
    func usage(arguments: [String], words: String) throws {
        let error = try #require(throws: (any Error).self) { _ = try EcrReplicate.parse(arguments) }
        #expect(EcrReplicate.exitCode(for: error) == .validationFailure)
        let text = EcrReplicate.message(for: error)
        #expect(text.contains(words), "\(text)")
    }

    @Test("key arguments that name no key are wrong usage")
    func keys() async throws {
        try await withStage { stage in
            for arguments in [
                ["promote", "--sign-record", "/nonexistent", "\(stage.source):v1", stage.destination],
                ["promote", "--sign-record", "awskms://x", "\(stage.source):v1", stage.destination],
                ["history", "--key", "/nonexistent", "\(stage.destination):v1"],
                ["undo", "--key", "awskms:///alias/x", "\(stage.destination):v1"],
            ] {
                let ended = try await TestPrograms.run(.ecrReplicate, arguments, environment: stage.environment)
                #expect(ended.exitCode == 64 && ended.errors.contains("next: "), "\(arguments): \(ended.errors)")
            }
            #expect(stage.tags().isEmpty)
        }
    }
}
