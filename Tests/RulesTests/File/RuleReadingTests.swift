import Content
import Promotion
import Replicate
import Testing

@testable import Rules

@Suite("A rule file")
struct RuleReadingTests {
    /// The example of the design, with every key.
    private static let whole = """
        version: 1
        registries:
          build:      { account: "111122223333", region: ap-southeast-1, profile: build }
          production: { account: 444455556666, region: eu-west-1, roleArn: "arn:aws:iam::444455556666:role/promoter", externalId: ex-1,
                        kmsKeys: { alias/build: alias/prod } }
          hub:        { host: docker.io }
          local:      { host: "http://127.0.0.1:5000" }
          fips:       { host: 111122223333.dkr.ecr-fips.us-east-1.amazonaws.com }
          disk:       { layout: "oci:/srv/images/" }
        defaults: { referrers: none, createRepository: like-source, tags: { match: [latest] } }
        rules:
          - name: releases
            from: { registry: build, repository: "team/*", exclude: ["team/scratch-*"] }
            to:   [ { registry: production, repository: "prod/{repository}", tag: "{tag}" } ]
            tags: { match: ["v*"], exclude: ["*-rc*"], semver: ">=1.2", newest: 10, minAge: 1h, include: [1.10], minTags: 2 }
            platforms: []
            ifExists: fail
            gates: { maxSeverity: HIGH, requireSignature: ["keys/release.pub"], minAge: 1h30m }
            prune: { enabled: true, maxDelete: 5 }
          - name: hub
            from: { registry: hub, repository: [nginx, grafana/grafana] }
            to: [{ registry: production, repository: "mirror/{registry}/{repository}" }, { registry: disk }]
            platforms: [linux/amd64, linux/arm64]
            gates: { requireSignature: keys/hub.pub }
            prune: { enabled: false }
        """

    private func file() throws -> RuleFile {
        try RuleFile(parsing: Array(Self.whole.utf8), name: "rules.yaml", variables: [:])
    }

    @Test("has its registries read, with identities and endpoints")
    func registries() throws {
        let file = try file()
        let byName = Dictionary(uniqueKeysWithValues: file.registries.map { ($0.name, $0) })
        let name = try RepositoryName(parsing: "team/app")
        #expect(
            byName.mapValues { $0.reference(to: name).description } == [
                "build": "111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/team/app",
                "production": "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/app",
                "hub": "docker.io/team/app", "local": "http://127.0.0.1:5000/team/app",
                "fips": "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/team/app",
                "disk": "oci:/srv/images/team/app",
            ]
        )
        #expect(byName["build"]?.options.identity.profile == "build")
        #expect(byName["production"]?.options.identity.roleARN == "arn:aws:iam::444455556666:role/promoter")
        #expect(byName["production"]?.options.identity.externalID == "ex-1")
        #expect(byName["production"]?.kmsKeys == ["alias/build": "alias/prod"])
    }

    @Test("has every setting of a rule read")
    func settings() throws {
        let rule = try #require(try file().rules.first)
        #expect(rule.position == FilePosition(line: 12, column: 5))
        #expect(rule.source.patterns.map(\.text) == ["team/*"])
        #expect(rule.source.fixedRepositories == nil)
        #expect(rule.destinations.map(\.repository.text) == ["prod/{repository}"])
        #expect(rule.tags.match.map(\.text) == ["v*"] && rule.tags.exclude.map(\.text) == ["*-rc*"])
        #expect(rule.tags.semver?.text == ">=1.2" && rule.tags.newest == 10 && rule.tags.minAge == .seconds(3_600))
        #expect(rule.tags.include.map(\.value) == ["1.10"] && rule.tags.minTags == 2)
        #expect(rule.platforms.isEmpty && rule.ifExists == .fail)
        #expect(rule.referrers == CopyOptions.Referrers.none && rule.createRepository == .likeSource)
        var gates = GateSettings()
        gates.scan = ScanRequirement(maxSeverity: .high)
        (gates.signatures, gates.minAge) = (["keys/release.pub"], .seconds(5_400))
        #expect(rule.gates == gates)
        #expect(rule.prune == RulePrune(maxDelete: 5))
    }

    @Test("gives a rule the defaults that it does not replace, key by key")
    func defaults() throws {
        let file = try file()
        let rule = try #require(file.rules.last)
        #expect(rule.tags.match.map(\.text) == ["latest"] && rule.tags.newest == nil)
        #expect(rule.platforms.map(\.description) == ["linux/amd64", "linux/arm64"])
        #expect(rule.ifExists == .fail, "a rule with gates does not move tags unless it says so")
        #expect(rule.prune == nil)
        #expect(rule.source.fixedRepositories?.map(\.value) == ["library/nginx", "grafana/grafana"])
        #expect(try file.rules(named: ["hub"]).map(\.name) == ["hub"])
        #expect(try file.rules(named: []).count == 2)
        let error = try #require(throws: UnknownRule.self) { try file.rules(named: ["relaeses"]) }
        #expect("\(error)" == "rules.yaml has no rule 'relaeses'. Did you mean 'releases'?")
    }

    @Test("may retag within a registry, and write one tag from one image")
    func oneTag() throws {
        let file = try ruleFile(
            """
              - { name: one, from: { registry: a, repository: t/a }, to: { registry: a, tag: stable }, tags: { newest: 1 } }
              - { name: two, from: { registry: a, repository: t/a }, to: { registry: b, tag: live }, tags: { match: v1 } }
              - { name: three, from: { registry: a, repository: "t/*" }, to: { registry: b, repository: "u/{name}", tag: x }, tags: { match: v1 } }
              - { name: four, from: { registry: a, repository: t/a }, to: { registry: b }, tags: { match: v1 } }
              - { name: five, from: { registry: a, repository: t/a }, to: { registry: b }, tags: { match: v1 } }

            """
        )
        #expect(file.rules.count == 5)
    }

    @Test(
        "reads lengths of time",
        arguments: [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("1h30m", 5_400), ("7d", 604_800), ("2w", 1_209_600)]
    )
    func durations(_ text: String, _ seconds: Int) throws {
        #expect(try onlyRule("tags: { minAge: \(text) }").tags.minAge == .seconds(seconds))
    }

    @Test("refuses lengths of time that are none", arguments: ["0s", "1", "1.5h", "h", "-1h", "1h x", "11y", "9999w"])
    func noDurations(_ text: String) {
        #expect(throws: RuleFileError.self) { try onlyRule("tags: { minAge: \"\(text)\" }") }
    }

    @Test("selects digests and untagged images without the stages")
    func withoutTags() throws {
        let digest = "sha256:" + String(repeating: "a", count: 64)
        #expect(try !onlyRule("tags: { digests: [\"\(digest)\"] }").tags.selectsTags)
        #expect(try !onlyRule("tags: { untagged: true }").tags.selectsTags)
        #expect(try onlyRule("tags: { untagged: true, match: \"*\" }").tags.selectsTags)
        #expect(try onlyRule("tags: {}").tags.selectsTags)
    }
}
