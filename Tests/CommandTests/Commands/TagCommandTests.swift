import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// Tags that ECR allows and docker doesn't, and patterns that select tags, on the command line.
@Suite("Unusual tags", .timeLimit(.minutes(1)))
struct TagCommandTests {
    private static let long = "release-" + String(repeating: "x", count: 130)

    @Test("are set by name, listed, and copied between ECR registries")
    func betweenECR() async throws {
        try await withStage { stage in
            let retagged = try await stage.run("retag", "\(stage.source):v1", "--", "-nightly", ".hidden", Self.long)
            #expect(retagged.exitCode == 0, "\(retagged.errors)")
            #expect(retagged.lines.first == "\(stage.source):-nightly@\(stage.image.digest)")
            let listed = try await stage.run("ls", stage.source)
            #expect(
                Set(listed.lines.map { String($0.prefix { $0 != " " }) }) == ["-nightly", ".hidden", Self.long, "v1"]
            )
            let copied = try await stage.run("copy", "--all-tags", stage.source, stage.destination)
            #expect(copied.exitCode == 0 && copied.lines.count == 4, "\(copied.errors)")
            let tagged = try await stage.run("copy", "--tag=-x", "\(stage.source):-nightly", stage.destination)
            #expect(tagged.exitCode == 0, "\(tagged.errors)")
            #expect(stage.tags().keys.sorted() == ["-nightly", "-x", ".hidden", Self.long, "v1"])
        }
    }

    @Test("are named, counted and give exit 1 if a destination can't hold them")
    func elsewhere() async throws {
        try await withStage { stage in
            let retagged = try await stage.run("retag", "\(stage.source):v1", "--", "-nightly", Self.long)
            #expect(retagged.exitCode == 0, "\(retagged.errors)")
            let server = try ScriptedServer { connection in
                // A registry without content that accepts every well-formed request.
                while true {
                    let head = try connection.readHead()
                    _ = try connection.read(head.contentLength)
                    try connection.answer("404 Not Found")
                }
            }
            defer { server.stop() }
            let place = "http://127.0.0.1:\(server.port)/team/app"
            let planned = try await stage.run("copy", "--dry-run", "--all-tags", stage.source, place)
            #expect(planned.exitCode == 1, "\(planned.errors)")
            for tag in ["-nightly", Self.long] {
                #expect(
                    planned.errors.contains("\(place):\(tag): the registry can't hold the tag '\(tag)'"),
                    "\(planned.errors)"
                )
            }
            #expect(planned.errors.contains("2 failed"))
            let document = try object(
                try await stage.run(
                    "copy",
                    "--dry-run",
                    "--all-tags",
                    "--output",
                    "json",
                    stage.source,
                    place
                )
            )
            let results = try #require(document["results"] as? [[String: Any]])
            let reasons = results.compactMap { ($0["error"] as? [String: Any])?["reason"] as? String }
            #expect(reasons == ["tagUnfit", "tagUnfit"])
            let excluded = try await stage.run(
                "copy",
                "--dry-run",
                "--all-tags",
                "--exclude=-*",
                "--exclude",
                "release-*",
                stage.source,
                place
            )
            #expect(excluded.exitCode == 0, "\(excluded.errors)")
        }
    }

    @Test("in a plain registry's list are shown, valid or not")
    func plainListing() async throws {
        let digest = "sha256:" + String(repeating: "a", count: 64)
        let server = try ScriptedServer { connection in
            while true {
                let head = try connection.readHead()
                _ = try connection.read(head.contentLength)
                if head.path.contains("/tags/list") {
                    let list = #"{"tags":["v1","-odd","-refused","a b","e\u001b[31m\u202e","gone"]}"#
                    try connection.answer("200 OK", text: list)
                } else if head.path.hasSuffix("/-refused") {
                    try connection.answer("400 Bad Request")
                } else if head.path.hasSuffix("/gone") {
                    try connection.answer("404 Not Found")
                } else {
                    // Only the head is sent, because the request is a HEAD.
                    try connection.send(
                        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nDocker-Content-Digest: \(digest)\r\n\r\n"
                    )
                }
            }
        }
        defer { server.stop() }
        let listed = try await run(.ecrReplicate, ["ls", "http://127.0.0.1:\(server.port)/team/app"])
        #expect(listed.exitCode == 0, "\(listed.errors)")
        let lines = listed.lines.sorted()
        #expect(lines.count == 6)
        #expect(lines.contains { $0.hasPrefix("-refused") && $0.contains("  -  ") && !$0.contains("sha256:") })
        #expect(lines.contains { $0.hasPrefix("-odd") && $0.contains(digest) })
        #expect(lines.contains { $0.hasPrefix("a b") && $0.contains("  -  not a tag: only letters") })
        #expect(lines.contains { $0.hasPrefix("e?[31m?") })
        #expect(lines.contains { $0.hasPrefix("gone") && $0.hasSuffix("  -  the registry has no image with this tag") })
        let place = "http://127.0.0.1:\(server.port)/team/app"
        let document = try object(try await run(.ecrReplicate, ["ls", "--output", "json", "--exclude", "e*", place]))
        let unusable = try #require(document["unusableTags"] as? [[String: String]])
        #expect(unusable.map { $0["name"] } == ["-refused", "a b", "gone"])
    }

    @Test("are not selected silently: a note says how many there are")
    func nothingChosen() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "--match", "release-*", stage.source, stage.destination)
            let note = "note: nothing selected: none of the repository's 1 tag passes --match and --exclude"
            #expect(copied.exitCode == 0 && copied.errors.contains(note), "\(copied.errors)")
            let listed = try await stage.run("ls", "--exclude", "*", stage.source)
            #expect(listed.exitCode == 0 && listed.output.isEmpty && listed.errors.contains(note), "\(listed.errors)")
            let document = try object(try await stage.run("ls", "--output", "json", "--match", "x", stage.source))
            #expect((document["note"] as? String)?.hasPrefix("nothing selected") == true)
        }
    }

    private func object(_ ended: Ended) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(ended.outputBytes)) as? [String: Any])
    }
}
