import Content
import Foundation
import TestPrograms
import Testing

@testable import ecr_replicate

/// `ls HOST`, which lists the repositories of a registry.
@Suite("The repositories of a registry", .timeLimit(.minutes(1)))
struct RepositoryListTests {
    @Test("of ECR's are listed by host, with and without a slash", arguments: ["", "/"])
    func ecr(slash: String) async throws {
        try await withStage { stage in
            for name in ["b/two", "a-one"] {
                try stage.emulator.createRepository(account: Stage.account, region: Stage.home, name)
            }
            let host = String(stage.source.dropLast("/team/app".count))
            let listed = try await stage.run("ls", host + slash)
            #expect(listed.exitCode == 0, "\(listed.errors)")
            #expect(listed.lines.map { String($0.prefix { $0 != " " }) } == ["a-one", "b/two", "team/app"])
            let document = try object(try await stage.run("ls", "--output", "json", host + slash))
            #expect(document["registry"] as? String == "\(host)/")
            let repositories = try #require(document["repositories"] as? [[String: Any]])
            #expect(repositories.map { $0["name"] as? String } == ["a-one", "b/two", "team/app"])
            #expect(repositories.allSatisfy { $0["createdAt"] is String && $0["immutableTags"] as? Bool == false })
        }
    }

    @Test("are listed for the names of well-known registries", arguments: ["ghcr.io", "docker.io", "QUAY.io"])
    func wellKnown(name: String) throws {
        guard case .registry(let registry) = try parseListTarget(name) else {
            Issue.record("\(name) is read as a repository")
            return
        }
        #expect("\(registry)" == "\(name.lowercased())/")
    }

    @Test("are suggested by the error for a repository that may be a registry")
    func mayBeRegistry() async throws {
        try await withStage { stage in
            let listed = try await stage.run("ls", "registry.corp.example")
            #expect(listed.exitCode == 1, "\(listed.errors)")
            #expect(
                listed.errors.contains(
                    "if 'registry.corp.example' is a registry, list its repositories with: "
                        + "ecr-replicate ls registry.corp.example/"
                ),
                "\(listed.errors)"
            )
            let other = try await stage.run("ls", "team/missing")
            #expect(other.exitCode == 1 && !other.errors.contains("is a registry"), "\(other.errors)")
        }
    }

    @Test("can't be selected by tag")
    func filters() async throws {
        try await withStage { stage in
            let host = String(stage.source.dropLast("/team/app".count))
            let listed = try await stage.run("ls", "--match", "v*", host)
            #expect(listed.exitCode == 64, "\(listed.errors)")
        }
    }

    @Test("give a denial if the caller may not list them")
    func denied() async throws {
        try await withStage { stage in
            stage.emulator.deny(action: "DescribeRepositories")
            let host = String(stage.source.dropLast("/team/app".count))
            let listed = try await stage.run("ls", host)
            #expect(listed.exitCode == 4 && listed.errors.contains("ecr:DescribeRepositories"), "\(listed.errors)")
        }
    }

    @Test("of a plain registry are its catalog, page by page, with printable names")
    func catalog() async throws {
        try await withServer { connection in
            while true {
                let head = try connection.readHead()
                guard head.path.hasPrefix("/v2/_catalog") else {
                    try connection.answer("404 Not Found")
                    continue
                }
                if head.path.contains("last=") {
                    try connection.answer("200 OK", text: #"{"repositories":["team/app","a\u001b[1m"]}"#)
                } else {
                    let link = #"Link: </v2/_catalog?n=1000&last=x>; rel="next""#
                    try connection.answer("200 OK", [link], Array(#"{"repositories":["x","team/app"]}"#.utf8))
                }
            }
        } _: { server in
            let listed = try await run(.ecrReplicate, ["ls", "http://127.0.0.1:\(server.port)/"])
            #expect(listed.exitCode == 0, "\(listed.errors)")
            #expect(listed.lines == ["a?[1m", "team/app", "x"])
        }
    }

    @Test(
        "give an error if a registry has no catalog, or requires a login for it",
        arguments: [
            ("404 Not Found", "", 1), ("405 Method Not Allowed", "", 1), ("200 OK", "<html>", 1),
            ("501 Not Implemented", "", 1),
            ("403 Forbidden", #"{"errors":[{"code":"DENIED","message":"no"}]}"#, 4), ("401 Unauthorized", "", 4),
        ]
    )
    func noCatalog(status: String, body: String, exit: Int) async throws {
        try await withServer { connection in
            while true {
                _ = try connection.readHead()
                try connection.answer(status, text: body)
            }
        } _: { server in
            let place = "http://127.0.0.1:\(server.port)/"
            let listed = try await run(.ecrReplicate, ["ls", place])
            #expect(listed.exitCode == Int32(exit), "\(listed.errors)")
            #expect(listed.errors.contains("name the repository: ecr-replicate ls \(place)REPO"), "\(listed.errors)")
            #expect(listed.errors.contains("/v2/_catalog"))
        }
    }

    @Test(
        "are listed for hosts, and not for texts that may be repository names",
        arguments: [
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", true),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/", true),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app", false), ("localhost:5000", true),
            ("localhost", true),
            ("registry.example:5000", true), ("ghcr.io/", true), ("http://localhost:5000/", true),
            ("http://r.example", true),
            ("app", false), ("my.app", false), ("team/app", false), ("oci:dir", false), ("oci:dir/", false),
            ("arn:aws:ecr:eu-west-1:111122223333:repository/team/app", false), ("docker.io/library/alpine", false),
            ("app:v1", false),
        ]
    )
    func places(text: String, isRegistry: Bool) throws {
        if case .registry = try parseListTarget(text) { #expect(isRegistry) } else { #expect(!isRegistry) }
    }

    private func object(_ ended: Ended) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(ended.outputBytes)) as? [String: Any])
    }
}
