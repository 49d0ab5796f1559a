import Content
import ECRAPI
import ECREmulator
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Destinations that ECR creates on push, with a repository creation template.
@Suite("Repositories created on push", .timeLimit(.minutes(1)))
struct ScenarioCreationTests {
    private let image = SeedImage.twoPlatforms("app", layersEach: [3_000, 200])

    private func copy(
        _ cloud: ScenarioCloud,
        _ options: CopyOptions = CopyOptions()
    ) async throws -> [CopyResult] {
        try await cloud.copy(options, to: [cloud.destination("mirror/app")])
    }

    @Test(
        "A push creates the repository in every upload mode, and referrers arrive",
        arguments: UploadOptions.Mode.allCases
    )
    func pushed(mode: UploadOptions.Mode) async throws {
        try await withCloud(uploads: UploadOptions(mode: mode)) { cloud in
            try cloud.seed(image, tag: "v1")
            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"], tags: "IMMUTABLE")
            cloud.emulator.clearRequests()
            let receipt = try #require(try await copy(cloud).receipt)
            #expect(
                receipt.notes == [
                    "ECR creates the repository on push, by the creation template 'mirror'; its tags are immutable"
                ]
            )
            #expect(cloud.counts["DescribeRepositoryCreationTemplates"] == 1)
            #expect(cloud.counts["CreateRepository"] == nil && cloud.counts["BatchCheckLayerAvailability"] == nil)
            #expect(cloud.holds(image, "mirror/app") && cloud.tag("v1", "mirror/app") == image.digest)
            // Its tags are immutable and already hold the image.
            let again = try #require(try await copy(cloud).receipt)
            #expect(!again.changedAnything && again.notes.isEmpty)
        }
    }

    @Test("A dry run names the creation template and pushes nothing")
    func planned() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try await cloud.add(template: "ROOT", for: ["REPLICATION", "CREATE_ON_PUSH"])
            guard case .planned(let plan)? = try await copy(cloud, CopyOptions(isDryRun: true)).first else {
                Issue.record("no plan")
                return
            }
            #expect(plan.createsRepository && plan.creationTemplate == "ROOT")
            #expect(
                plan.lines.contains {
                    $0.contains("ECR creates the repository on push, by the creation template 'ROOT'")
                }
            )
            #expect(cloud.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far).isEmpty)
        }
    }

    @Test(
        "Without a template for the name and for pushes the repository is missing",
        arguments: [("mirror", ["REPLICATION"]), ("mirrors", ["CREATE_ON_PUSH"]), ("mirror/app", ["CREATE_ON_PUSH"])]
    )
    func notCovered(prefix: String, occasions: [String]) async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try await cloud.add(template: prefix, for: occasions)
            cloud.emulator.clearRequests()
            let error = try #require(try await copy(cloud, CopyOptions(referrers: .none)).firstError)
            #expect(error.reason == .repositoryMissing && error.side == .destination)
            #expect(error.remedy.contains("aws ecr create-repository") && !error.remedy.contains("template"))
            #expect(cloud.counts == ["BatchGetImage": 2, "DescribeRepositoryCreationTemplates": 1])
        }
    }

    @Test("A caller that may not list templates gets a missing repository, not a denial")
    func unknown() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"])
            cloud.emulator.deny(action: "DescribeRepositoryCreationTemplates")
            let results = try await copy(cloud)
            let error = try #require(results.firstError)
            #expect(error.reason == .repositoryMissing && ExitStatus.of(results) == 1)
            #expect(error.remedy.contains("also allow ecr:DescribeRepositoryCreationTemplates"))
            #expect(cloud.counts["PutImage"] == nil && cloud.counts["POST upload"] == nil)
        }
    }

    @Test("A template replaces a denied CreateRepository")
    func instead() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            cloud.emulator.deny(action: "CreateRepository")
            let options = CopyOptions(createRepository: .defaults)
            let denied = try #require(try await copy(cloud, options).firstError)
            #expect(denied.kind == .notPermitted && denied.cause.contains("ecr:CreateRepository"))

            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"])
            let receipt = try #require(try await copy(cloud, options).receipt)
            #expect(
                receipt.notes == [
                    "ecr:CreateRepository is not allowed; ECR creates the repository on push, by the creation template 'mirror'"
                ]
            )
            #expect(cloud.holds(image, "mirror/app"))
        }
    }

    @Test("Templates are requested once for all images of a run")
    func many() async throws {
        try await withCloud { cloud in
            for number in 0..<5 {
                try cloud.seed(.oci("app \(number)", layers: [Int64(100 + number)]), tag: "v\(number)")
            }
            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"])
            cloud.emulator.clearRequests()
            let results = try await cloud.replicator.copy(
                cloud.source(),
                .many(TagFilter()),
                to: [cloud.destination("mirror/app")],
                tags: [],
                CopyOptions(referrers: .none)
            )
            #expect(results.count == 5 && ExitStatus.of(results) == 0)
            #expect(cloud.counts["DescribeRepositoryCreationTemplates"] == 1)
        }
    }

    @Test("The error names the template if the push does not create the repository")
    func pushRefused() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"])
            let missing = Fault.Kind.error(code: "RepositoryNotFoundException", message: "no", status: 400)
            cloud.emulator.inject(Fault(on: "InitiateLayerUpload", at: nil, missing))
            cloud.emulator.inject(Fault(on: "POST upload", at: nil, .resetBefore))
            let error = try #require(try await copy(cloud).firstError)
            #expect(error.reason == .repositoryMissing, "\(error)")
            #expect(error.remedy.contains("creation template 'mirror', but the push did not create it"))
            #expect(error.remedy.contains("ecr:CreateRepository"))
        }
    }
}

@Suite("Prefixes of creation templates and cache rules")
struct CreationRuleTests {
    private func template(_ prefix: String, _ occasions: [RepositoryCreationTemplate.Occasion]? = [.createOnPush])
        -> RepositoryCreationTemplate
    {
        RepositoryCreationTemplate(prefix: prefix, appliedFor: occasions)
    }

    @Test(
        "The longest prefix above a name applies, and ROOT last",
        arguments: [
            (["prod"], "prod/app", "prod"), (["prod/"], "prod/app", "prod/"), (["prod"], "prod", nil),
            (["prod"], "production/app", nil), (["ROOT"], "anything", "ROOT"), (["ROOT", "prod"], "prod/app", "prod"),
            (["prod", "prod/team", "ROOT"], "prod/team/app", "prod/team"), (["prod/team"], "prod/app", nil),
            ([], "a/b", nil),
            (["ROOT", "a"], "a/b/c", "a"), ([""], "a/b", nil),
        ] as [([String], String, String?)]
    )
    func longest(prefixes: [String], name: String, found: String?) throws {
        let name = try RepositoryName(parsing: name)
        #expect(prefixes.map { template($0) }.creatingOnPush(name)?.prefix == found)
        let rules = prefixes.map { PullThroughCacheRule(ecrRepositoryPrefix: $0, upstreamRegistryUrl: nil) }
        #expect(rules.covering(name)?.ecrRepositoryPrefix == found)
    }

    @Test("Templates for other occasions are ignored")
    func occasions() throws {
        let name = try RepositoryName(parsing: "prod/team/app")
        let templates = [
            template("prod"), template("prod/team", [.replication, .pullThroughCache]), template("ROOT", nil),
        ]
        #expect(templates.creatingOnPush(name)?.prefix == "prod")
        #expect([template("prod", nil), template("ROOT", [])].creatingOnPush(name) == nil)
    }
}
