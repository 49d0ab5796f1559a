import Content
import ECRAPI
import ECREmulator
import FoundationEssentials
import Platform
import Replicate
import Reporting
import TestClouds
import Testing
import Wire

@testable import Doctor

@Suite("The doctor on settings around a copy", .timeLimit(.minutes(1)))
struct DoctorSurroundingsTests: DoctorScene {
    @Test("distinguishes an archived image from a missing one")
    func archived() async throws {
        try await withPatient { cloud, doctor in
            try cloud.emulator.archive(
                Self.image.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            #expect(lines(diagnosis).contains("failed source ecr:BatchGetImage: the image is archived"))
        }
    }

    @Test("reads the children of an index, and a layer of theirs")
    func index() async throws {
        try await withPatient { cloud, doctor in
            let index = SeedImage.twoPlatforms("multi", layersEach: [1_000])
            try cloud.seed(index, tag: "multi")
            let diagnosis = try await doctor.examine(cloud.image("multi"), nil)
            #expect(lines(diagnosis).contains("ok source layers: can be downloaded from localhost"))
            #expect(diagnosis.exitCode == 0)
        }
    }

    @Test("says how far this machine's clock is off", arguments: [0, 20, -20, 120, -3_600])
    func clock(_ seconds: Int) async throws {
        let begin = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
        try await withPatient({ $0.now = { begin } }) { cloud, _ in
            cloud.emulator.inject(Fault(on: "GET /", .skew(seconds: seconds)))
            // This machine's clock stands still, and so does the emulator's.
            let still = Doctor(cloud.replicator, now: { begin })
            let diagnosis = try await still.examine(cloud.image("v1"), nil)
            let found = diagnosis.findings.filter { $0.check == "clock" }
            guard abs(seconds) > 30 else { return #expect(found.map(\.status) == [.ok]) }
            #expect(found.map(\.status) == [.warning])
            let origin = "http://127.0.0.1:\(cloud.emulator.port)"
            let words = "this machine's is \(abs(seconds)) s \(seconds > 0 ? "behind" : "ahead of") that of \(origin)"
            let signed = "; requests there are signed with its time"
            #expect(found.first?.text == (abs(seconds) > 300 ? words + signed : words))
            #expect(found.first?.remedy?.hasPrefix("correct the clock that is wrong") == true)
            #expect(diagnosis.exitCode == 0, "the difference is put right")
        }
    }

    @Test("warns of an immutable tag that holds something else")
    func immutable() async throws {
        try await withPatient { cloud, doctor in
            try cloud.emulator.createRepository(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                "fixed",
                mutability: "IMMUTABLE_WITH_EXCLUSION",
                exclusions: ["dev-*"]
            )
            let other = SeedImage.oci("other", layers: [100])
            try cloud.emulator.seed(
                other,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "fixed"
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("fixed"))
            let said = lines(diagnosis)
            #expect(said.contains("ok destination repository: exists; tags are immutable except dev-*"))
            #expect(
                said.contains(
                    "warning destination tag: v1 is immutable and holds \(other.digest): it can't move to another image"
                )
            )
            let dev = try await doctor.examine(cloud.image("v1"), cloud.destination("fixed", tag: "dev-1"))
            #expect(!dev.findings.contains { $0.check == "tag" })

            // The very image is no trouble, and one that may move is told.
            try cloud.seed(other, tag: "same")
            let same = try await doctor.examine(cloud.image("same"), cloud.destination("fixed", tag: "v1"))
            #expect(lines(same).contains("ok destination tag: v1 holds this image already"))
            cloud.emulator.deny(action: "DescribeRepositories")
            let unknown = try await doctor.examine(cloud.image("v1"), cloud.destination("fixed"))
            #expect(
                lines(unknown).contains(
                    "warning destination tag: v1 holds \(other.digest); whether it may move is unknown"
                )
            )
        }
    }

    @Test("names the layers' host when it refuses", arguments: [403, 503])
    func layers(_ status: Int) async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.inject(
                Fault(on: "GET layer", at: 1...9, .status(status, retryAfter: nil))
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["layers"])
            #expect(failed.first?.text.contains("\(status)") == true)
            #expect(!"\(failed)".contains("X-Amz"), "a presigned query is a secret")
        }
    }

    @Test("distinguishes a wrong endpoint from wrong credentials")
    func endpoint() async throws {
        let nowhere = SideOptions(endpointURL: "http://127.0.0.1:1")
        try await withPatient(source: nowhere) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            #expect(diagnosis.findings.map { "\($0.status) \($0.check)" } == ["failed endpoint", "ok identity"])
            #expect(diagnosis.exitCode == 1)
        }
        let unknown = SideOptions(identity: .init(profile: "unknown"))
        try await withPatient(source: unknown) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            #expect(diagnosis.findings.map { "\($0.status) \($0.check)" } == ["failed identity"])
            #expect(diagnosis.exitCode == 4)
        }
    }

    @Test("reports an unreachable registry as a failed endpoint, without a word about what has arrived")
    func otherRegistry() async throws {
        try await withPatient { _, doctor in
            let diagnosis = try await doctor.examine(ImageReference(parsing: "localhost:1/team/app:v1"), nil)
            #expect(diagnosis.findings.map { "\($0.status) \($0.check)" } == ["failed endpoint"])
            #expect(!diagnosis.text.contains("what has arrived"), "\(diagnosis.text)")
            #expect(diagnosis.exitCode == 1)
        }
    }

    @Test("warns if a policy will delete or archive what arrives")
    func afterwards() async throws {
        try await withPatient { cloud, doctor in
            let home = try await cloud.api(ScenarioCloud.home)
            let far = try await cloud.api(ScenarioCloud.far)
            let rules = """
                {"rules":[{"rulePriority":1,"description":"few releases","selection":{"tagStatus":"tagged",\
                "tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":10},"action":{"type":"expire"}}]}
                """
            _ = try await far.send(PutLifecyclePolicy(repositoryName: "team/app", lifecyclePolicyText: rules))
            _ = try await far.send(
                CreatePullThroughCacheRule(ecrRepositoryPrefix: "team", upstreamRegistryUrl: "public.ecr.aws")
            )
            _ = try await far.send(PutAccountSetting(name: "BLOB_MOUNTING", value: "ENABLED"))
            _ = try await home.send(
                PutReplicationConfiguration(prefix: "team/", region: ScenarioCloud.far, account: ScenarioCloud.build)
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let said = lines(diagnosis)
            let expected = [
                "warning source replication: ECR's replication copies team/app to 111122223333 in us-east-1 already, "
                    + "under the same name",
                "warning destination lifecycle: rule 1 (few releases) deletes images tagged v* when there are more than "
                    + "10 of them",
                "warning destination pull-through: team/app is a cache of public.ecr.aws: pulls may overwrite tags",
                "ok destination mounting: on: layers that another repository has are not uploaded again",
            ]
            for line in expected { #expect(said.contains(line), "\(said)") }
            #expect(diagnosis.exitCode == 0 && diagnosis.text.hasSuffix("\n3 warnings\n"))

            let elsewhere = try await doctor.examine(cloud.image("v1"), cloud.destination("other", tag: "dev"))
            #expect(!elsewhere.findings.contains { $0.check == "lifecycle" && $0.status == .warning })
        }
    }

    @Test("accepts a directory, and says so if a registry can't be reached")
    func elsewhere() async throws {
        try await withPatient { cloud, doctor in
            let layout = try DestinationReference(parsing: "oci:/tmp/ecr-replicate-doctor-nowhere")
            let directory = try await doctor.examine(cloud.image("v1"), layout)
            #expect(directory.exitCode == 0 && directory.text.hasSuffix("\n1 skipped\n"))
            let plain = try DestinationReference(parsing: "http://127.0.0.1:1/team/app")
            let diagnosis = try await doctor.examine(cloud.image("v1"), plain)
            #expect(diagnosis.findings.filter { $0.status == .failed }.map(\.check) == ["upload"])
            #expect(diagnosis.exitCode == 1)
        }
    }
}

// MARK: What the doctor never does itself

private struct Nothing: Decodable, Sendable {}

private struct PutLifecyclePolicy: ECROperation {
    static let name = "PutLifecyclePolicy"
    typealias Response = Nothing
    var repositoryName: String
    var lifecyclePolicyText: String
}

private struct CreatePullThroughCacheRule: ECROperation {
    static let name = "CreatePullThroughCacheRule"
    typealias Response = Nothing
    var ecrRepositoryPrefix: String
    var upstreamRegistryUrl: String
}

private struct PutAccountSetting: ECROperation {
    static let name = "PutAccountSetting"
    typealias Response = Nothing
    enum CodingKeys: String, CodingKey { case setting = "name", value }
    var setting: String
    var value: String
    init(name setting: String, value: String) { (self.setting, self.value) = (setting, value) }
}

private struct PutReplicationConfiguration: ECROperation {
    static let name = "PutReplicationConfiguration"
    typealias Response = Nothing

    struct Configuration: Encodable, Sendable { var rules: [Rule] }
    struct Rule: Encodable, Sendable {
        var destinations: [[String: String]]
        var repositoryFilters: [[String: String]]
    }
    var replicationConfiguration: Configuration

    init(prefix: String, region: String, account: String) {
        replicationConfiguration = Configuration(rules: [
            Rule(
                destinations: [["region": region, "registryId": account]],
                repositoryFilters: [["filter": prefix, "filterType": "PREFIX_MATCH"]]
            )
        ])
    }
}

extension ScenarioCloud {
    /// The API of the build account's registry in a region.
    fileprivate func api(_ region: String) async throws -> ECRClient {
        let reference = try ImageReference(
            parsing: "\(emulator.registryHost(account: Self.build, region: region))/team/app"
        )
        let repository = try await replicator.opener.probe(reference, side: .source, SideOptions())
        guard let ecr = repository.ecr else { throw CancellationError() }
        return ecr.api
    }
}
