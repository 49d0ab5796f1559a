import Content
import Foundation
import Platform
import Promotion
import Testing

@testable import Rules

/// The gates of rules, as they are written and as they are read.
@Suite("Gates in rule files")
struct GateReadingTests {
    private func gates(_ text: String) throws -> GateSettings? {
        let file = try ruleFile(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b }, gates: \(text) }"
        )
        return file.rules.first?.gates
    }

    @Test("are read key by key")
    func everyKey() throws {
        let read = try gates(
            "{ maxSeverity: HIGH, scanNotOlderThan: 24h, waitScan: 5m, requireSignature: [release.pub], "
                + "ignore: [{ finding: CVE-2026-1, reason: not reachable, until: 2026-12-31 }], "
                + "requireAttestation: 'spdx:release.pub', provenanceBuilder: 'https://ci', "
                + "provenanceSource: 'https://git/app', minAge: 1h, requireImmutableTag: true, "
                + "approved: [approved.txt], approvedKey: lead.pub, requirePlatform: [linux/amd64, linux/arm64], "
                + "command: ./check, commandTimeout: 10s }"
        )
        var wanted = GateSettings()
        wanted.scan = ScanRequirement(
            maxSeverity: .high,
            ignored: [
                // The last day counts to its end, in UTC.
                IgnoredFinding(
                    "CVE-2026-1",
                    reason: "not reachable",
                    expiry: Date(timeIntervalSince1970: 1_798_761_600)
                )
            ],
            notOlderThan: .seconds(86_400),
            wait: .seconds(300)
        )
        wanted.signatures = ["release.pub"]
        wanted.attestations = ["spdx:release.pub"]
        (wanted.provenanceBuilder, wanted.provenanceSource) = ("https://ci", "https://git/app")
        (wanted.minAge, wanted.requiresImmutableTag) = (.seconds(3_600), true)
        (wanted.approvals, wanted.approvalKeys) = (["approved.txt"], ["lead.pub"])
        wanted.platforms = [
            ImagePlatform(os: "linux", architecture: "amd64"), ImagePlatform(os: "linux", architecture: "arm64"),
        ]
        (wanted.commands, wanted.commandLimit) = (["./check"], .seconds(10))
        #expect(read == wanted)
        #expect(try gates("{}") == GateSettings())
    }

    @Test(
        "are refused where they can't be meant",
        arguments: [
            (
                "{ ignore: { finding: CVE-1, reason: r, until: 2026-12-31 } }",
                "'ignore' has no effect without maxSeverity"
            ),
            ("{ maxSeverity: LOW, ignore: { finding: CVE-1, until: 2026-12-31 } }", "'reason' is missing"),
            ("{ maxSeverity: LOW, ignore: { finding: CVE-1, reason: r } }", "'until' is missing"),
            ("{ maxSeverity: LOW, ignore: { finding: CVE-1, reason: r, until: soon } }", "'soon' is not a date"),
            (
                "{ maxSeverity: LOW, ignore: { finding: \"a b\", reason: r, until: 2026-12-31 } }",
                "'a b' is not the name of a finding"
            ),
            ("{ waitScan: 5m }", "'waitScan' has no effect without maxSeverity or scanNotOlderThan"),
            ("{ requireSignature: [] }", "this list is empty, so it asks for nothing"),
            ("{ approved: [], maxSeverity: LOW }", "this list is empty, so it asks for nothing"),
            ("{ requireAttestation: [] }", "this list is empty"), ("{ command: [] }", "this list is empty"),
            ("{ requirePlatform: [] }", "this list is empty"),
            ("{ approvedKey: k.pub }", "'approvedKey' has no effect without approved"),
            ("{ commandTimeout: 5s }", "'commandTimeout' has no effect without command"),
            ("{ requirePlatform: linux }", "'linux' is not a platform"),
            ("{ severity: LOW }", "unknown key 'severity'"),
        ]
    )
    func wrong(_ text: String, _ message: String) throws {
        let error = try #require(throws: RuleFileError.self) { try gates(text) }
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test("that only ECR can decide are refused for other sources")
    func otherSources() throws {
        func read(_ gates: String) throws {
            _ = try RuleFile(
                parsing: Array(
                    """
                    version: 1
                    registries:
                      hub: { host: docker.io }
                      b: { account: "111122223333", region: eu-west-1 }
                    rules:
                      - { name: r, from: { registry: hub, repository: nginx }, to: { registry: b }, gates: \(gates) }
                    """.utf8
                ),
                name: "rules.yaml",
                variables: [:]
            )
        }
        for gate in ["maxSeverity: LOW", "minAge: 1h", "requireImmutableTag: true", "scanNotOlderThan: 1d"] {
            let error = try #require(throws: RuleFileError.self) { try read("{ \(gate) }") }
            #expect("\(error)".contains("needs a source in ECR, and docker.io is not"), "\(error)")
        }
        #expect(throws: Never.self) { try read("{ approved: list.txt, requirePlatform: linux/arm64 }") }
    }
}
