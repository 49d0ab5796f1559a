import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Scans", .timeLimit(.minutes(1)))
struct ScanTests {
    private let body = #"{"repositoryName":"team/app","imageId":{"imageTag":"v1"}"#

    private func set(_ scan: EmulatedScan?, _ digest: Digest, _ emulator: Emulator) throws {
        try emulator.setScan(scan, of: digest, account: account, region: region, repository: "team/app")
    }

    @Test("answer findings of both kinds in pages")
    func pages() async throws {
        try await withClient { emulator, client in
            let digest = try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let first = EmulatedScan.Finding("CVE-1", "CRITICAL", package: "zlib", version: "1", fixedIn: "2")
            try set(EmulatedScan(completedAt: 1_000, findings: [first], counts: ["LOW": 3]), digest, emulator)
            let basic = try await client.call("DescribeImageScanFindings", body + #","maxResults":2}"#)
            #expect(try basic.json("imageScanFindings", "findings", "0", "name") == "CVE-1")
            #expect(try basic.json("imageScanFindings", "findings", "0", "attributes", "0", "value") == "zlib")
            #expect(try basic.json("imageScanFindings", "findings", "2") == nil)
            #expect(try basic.json("imageScanFindings", "findingSeverityCounts", "LOW") == "3")
            let token = try #require(try basic.json("nextToken"))
            let rest = try await client.call("DescribeImageScanFindings", body + #","nextToken":"\#(token)"}"#)
            #expect(try rest.json("imageScanFindings", "findings", "1", "name") == "CVE-2026-LOW-3")
            #expect(try rest.json("nextToken") == nil)
            try set(
                EmulatedScan(status: "ACTIVE", isEnhanced: true, completedAt: 1_000, findings: [first]),
                digest,
                emulator
            )
            let enhanced = try await client.call("DescribeImageScanFindings", body + "}")
            let place = ["imageScanFindings", "enhancedFindings", "0", "packageVulnerabilityDetails"]
            #expect(try enhanced.json("imageScanFindings", "enhancedFindings", "0", "status") == "ACTIVE")
            #expect(try enhanced.json("imageScanFindings", "enhancedFindings", "0", "fixAvailable") == "YES")
            #expect(try enhanced.json(place[0], place[1], place[2], place[3], "vulnerabilityId") == "CVE-1")
            #expect(try enhanced.json("imageScanFindings", "findings") == nil)
        }
    }

    @Test("answer states without a result, and deny who may not ask")
    func states() async throws {
        try await withClient { emulator, client in
            let digest = try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            for status in ["IN_PROGRESS", "FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED"] {
                try set(EmulatedScan(status: status, description: "why", completedAt: nil), digest, emulator)
                let answer = try await client.call("DescribeImageScanFindings", body + "}")
                #expect(try answer.json("imageScanStatus", "status") == status)
                #expect(try answer.json("imageScanStatus", "description") == "why")
                #expect(try answer.json("imageScanFindings") == nil)
            }
            try set(nil, digest, emulator)
            #expect(try await client.call("DescribeImageScanFindings", body + "}").code == "ScanNotFoundException")
            emulator.deny(action: "DescribeImageScanFindings")
            #expect(try await client.call("DescribeImageScanFindings", body + "}").code == "AccessDeniedException")
        }
    }

    @Test("are read from a seed file, for the images of an index too")
    func seeds() async throws {
        try await withClient { emulator, client in
            let index = SeedImage.twoPlatforms("two", layersEach: [10])
            try emulator.seedApp(index, tag: "two")
            try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let scans = try SeedScan.list(
                reading: Array(
                    """
                    [{"repository":"team/app","tag":"v1","findings":[{"name":"CVE-1","severity":"HIGH"}]},
                     {"repository":"team/app","tag":"two","platform":"linux/arm64","enhanced":true,"counts":{"LOW":2}}]
                    """.utf8
                )
            )
            for scan in scans { try emulator.seed(scan, account: account, region: region) }
            let one = try await client.call("DescribeImageScanFindings", body + "}")
            #expect(try one.json("imageScanFindings", "findings", "0", "name") == "CVE-1")
            var answers: [String] = []
            for part in index.manifests {
                let question = #"{"repositoryName":"team/app","imageId":{"imageDigest":"\#(part.digest)"}}"#
                let answer = try await client.call("DescribeImageScanFindings", question)
                if answer.status == 200 { answers.append(try answer.json("imageScanStatus", "status") ?? "") }
            }
            #expect(answers == ["ACTIVE"])
            let absent = try SeedScan.list(reading: Array(#"[{"repository":"team/app","tag":"v9"}]"#.utf8))
            let error = try #require(throws: ScanSeedError.self) {
                try emulator.seed(absent[0], account: account, region: region)
            }
            #expect("\(error)".hasPrefix("there is no image team/app:v9 to scan\n  next: "))
        }
    }

    @Test(
        "are refused in a file that can't be meant",
        arguments: [
            "{}", #"[{"tag":"v1"}]"#, #"[{"repository":"a/b"}]"#, #"[{"repository":"a/b","tag":1}]"#,
            #"[{"repository":"a/b","tag":"v1","digest":"sha256:0"}]"#, "",
        ]
    )
    func wrongFiles(_ text: String) {
        #expect(throws: ScanSeedError.self) { try SeedScan.list(reading: Array(text.utf8)) }
    }
}
