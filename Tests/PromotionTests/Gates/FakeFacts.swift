import Content
import ECRAPI
import Foundation
import Platform
import Replicate

@testable import Promotion

/// What ECR knows about images, in memory.
struct FakeFacts: GateFacts {
    /// The pages of each image's scan; each reading of an image takes the next list, and the last one stays.
    let scans: Lock<[Digest: [[String]]]>
    var times: [Digest: Date] = [:]
    var tags: TagImmutability?
    /// What every question fails with.
    var failure: FakeGateSource.Missing?

    /// - Parameter scans: The pages of a scan as JSON, for each reading.
    init(_ scans: [Digest: [[String]]] = [:]) { self.scans = Lock(scans) }

    /// - Parameter scan: The pages of one scan, which every reading gives.
    init(_ digest: Digest, _ pages: String...) { self.init([digest: [pages]]) }

    func pushTime(of digest: Digest) async throws -> Date? {
        if let failure { throw failure }
        return times[digest]
    }

    func fixedTags() async throws -> TagImmutability? {
        if let failure { throw failure }
        return tags
    }

    func readScan(
        of digest: Digest,
        pageSize: Int,
        _ page: (DescribeImageScanFindings.Response) throws -> Void
    ) async throws -> Bool {
        if let failure { throw failure }
        let pages = scans.withLock { scans -> [String]? in
            guard var readings = scans[digest], let first = readings.first else { return nil }
            if readings.count > 1 { readings.removeFirst() }
            scans[digest] = readings
            return first
        }
        guard let pages, !pages.isEmpty else { return false }
        for text in pages {
            try page(try JSONDecoder().decode(DescribeImageScanFindings.Response.self, from: Data(text.utf8)))
        }
        return true
    }
}

/// The JSON of one page of a scan.
func scanPage(
    _ status: String = "COMPLETE",
    _ findings: [(name: String, severity: String)] = [],
    enhanced: Bool = false,
    completedAt: Double? = 1_800_000_000,
    counts: [String: Int] = [:],
    state: String = "ACTIVE"
) -> String {
    let list = findings.map { finding in
        enhanced
            ? """
            {"severity":"\(finding.severity)","status":"\(state)","packageVulnerabilityDetails":\
            {"vulnerabilityId":"\(finding.name)","vulnerablePackages":[{"name":"zlib","version":"1.2","fixedInVersion":"1.3"}]}}
            """
            : """
            {"name":"\(finding.name)","severity":"\(finding.severity)","attributes":[{"key":"package_name","value":"zlib"}]}
            """
    }
    let time = completedAt.map { "\"imageScanCompletedAt\":\($0)," } ?? ""
    let stated = counts.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    return """
        {"imageScanStatus":{"status":"\(status)"},"imageScanFindings":{\(time)"findingSeverityCounts":{\(stated)},
         "\(enhanced ? "enhancedFindings" : "findings")":[\(list.joined(separator: ","))]}}
        """
}

/// A page without findings.
func emptyScanPage(_ status: String, description: String = "") -> String {
    #"{"imageScanStatus":{"status":"\#(status)","description":"\#(description)"}}"#
}

/// An image in memory, and the candidate that gates decide about.
struct GateScene {
    var source = FakeGateSource()
    var root: Manifest
    var tag: Tag?

    init(_ manifest: Manifest, tag: String? = "v1") throws {
        root = manifest
        self.tag = try tag.map { try Tag(parsing: $0) }
        source.manifests[manifest.digest] = manifest
    }

    /// A single image.
    static func image(_ config: String = "{}", tag: String? = "v1") throws -> GateScene {
        let bytes = Array(config.utf8)
        let manifest = try Manifest(
            bytes: Array(
                """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
                 "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\(Digest(of: bytes))","size":\(bytes.count)},
                 "layers":[]}
                """.utf8
            )
        )
        var scene = try GateScene(manifest, tag: tag)
        scene.source.blobs[Digest(of: bytes)] = bytes
        return scene
    }

    /// An index of images for these platforms, and an attestation.
    static func index(_ platforms: [String]) throws -> GateScene {
        let images = platforms.map { platform -> String in
            let parts = platform.split(separator: "/")
            return """
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(digest(platform))","size":7,
                 "platform":{"os":"\(parts[0])","architecture":"\(parts[1])"}}
                """
        }
        let attestation = """
            {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(digest("attestation"))","size":7,
             "platform":{"os":"unknown","architecture":"unknown"},
             "annotations":{"vnd.docker.reference.type":"attestation-manifest"}}
            """
        let manifest = try Manifest(
            bytes: Array(
                """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
                 "manifests":[\((images + [attestation]).joined(separator: ","))]}
                """.utf8
            )
        )
        return try GateScene(manifest)
    }

    /// The digest of an index's image.
    static func digest(_ platform: String) -> Digest { Digest(of: Array(platform.utf8)) }

    var candidate: GateCandidate {
        get throws {
            let place = try ImageReference(parsing: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
            return GateCandidate(image: place.tagged(tag, digest: root.digest), root: root, source: source)
        }
    }

    func decide(_ gate: some Gate) async throws -> GateDecision { try await gate.decide(about: try candidate) }
}

/// The time at which gates decide in tests.
let gateTime = Date(timeIntervalSince1970: 1_800_000_000)
