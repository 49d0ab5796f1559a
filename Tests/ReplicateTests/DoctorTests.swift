import Content
import ECRAPI
import ECREmulator
import FoundationEssentials
import Platform
import TestClouds
import Testing
import Wire

@testable import Replicate

@Suite("The doctor", .timeLimit(.minutes(1)))
struct DoctorTests {
    private static let image = SeedImage.oci("app", layers: [40_000, 70_000])

    /// A source with `image` as v1, and an empty destination of the same account.
    private func withPatient(
        _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
        source: SideOptions = SideOptions(),
        _ body: (ScenarioCloud, Doctor) async throws -> Void
    ) async throws {
        try await withCloud(configure, source: source, attempts: 2) { cloud in
            try cloud.seed(Self.image, tag: "v1")
            try cloud.makeDestination()
            try await body(cloud, Doctor(cloud.replicator))
        }
    }

    private func lines(_ diagnosis: Diagnosis) -> [String] {
        diagnosis.findings.map { "\($0.status) \($0.side) \($0.check): \($0.text)" }
    }

    @Test("tries every permission that a copy can't do without")
    func complete() async throws {
        let conditional: Set<Permission.Occasion> = [.creating, .creatingWithKey]
        let needed = Permission.all.filter { !$0.isOptional && !conditional.contains($0.occasion) }
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let tried = Set(diagnosis.findings.map { "\($0.side) \($0.check)" })
            for permission in needed { #expect(tried.contains("\(permission.side) \(permission.action)")) }
            #expect(needed.count >= 9)
        }
    }

    @Test("finds all well, looks at everything, and leaves nothing behind")
    func well() async throws {
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let api = "http://127.0.0.1:\(cloud.emulator.port)"
            let me = "arn:aws:iam::111122223333:user/emulator, account 111122223333, with …3333 from environment"
            #expect(
                lines(diagnosis) == [
                    "ok source endpoint: \(api)", "ok source clock: agrees with AWS's", "ok source identity: \(me)",
                    "ok source repository: is there; tags may move",
                    "ok source ecr:BatchGetImage: allowed; the image is there",
                    "ok source referrers: allowed", "ok source ecr:GetDownloadUrlForLayer: allowed",
                    "ok source layers: 127.0.0.1 gives them", "ok source ecr:DescribeImages: allowed",
                    "ok source replication: ECR's own doesn't copy this repository there",
                    "ok destination endpoint: \(api)", "ok destination clock: agrees with AWS's",
                    "ok destination identity: \(me)", "ok destination repository: is there; tags may move",
                    "ok destination ecr:BatchGetImage: allowed",
                    "ok destination ecr:BatchCheckLayerAvailability: allowed",
                    "ok destination ecr:GetAuthorizationToken: allowed",
                    "ok destination ecr:InitiateLayerUpload: allowed", "ok destination ecr:UploadLayerPart: allowed",
                    "ok destination ecr:CompleteLayerUpload: allowed", "ok destination ecr:PutImage: allowed",
                    "ok destination lifecycle: no policy: what arrives stays",
                    "ok destination pull-through: no rule covers the repository",
                    "ok destination mounting: off: every repository gets its own layers",
                ]
            )
            #expect(diagnosis.exitCode == 0 && diagnosis.text.hasSuffix("\nall is well\n"))
            #expect(cloud.openUploads() == 0)
            let there = cloud.emulator.manifests(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            #expect(there.isEmpty)
            // What it says must be true: the copy works.
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [cloud.destination()],
                tags: [],
                CopyOptions()
            )
            #expect(ExitStatus.of(results) == 0)
        }
    }

    @Test("tries nothing that layers need where only a tag is set")
    func retag() async throws {
        try await withPatient { cloud, doctor in
            for action in ["GetDownloadUrlForLayer", "BatchCheckLayerAvailability", "InitiateLayerUpload"] {
                cloud.emulator.deny(action: action)
            }
            let place = try DestinationReference(parsing: "\(cloud.source()):v2")
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(diagnosis.exitCode == 0, "\(diagnosis.text)")
            #expect(diagnosis.findings.contains { $0.check == "ecr:PutImage" && $0.status == .ok })
        }
    }

    @Test(
        "names each permission that is missing, and ends with 4",
        arguments: [
            ("BatchGetImage", "source"), ("ListImageReferrers", "source"), ("GetDownloadUrlForLayer", "source"),
            ("BatchGetImage", "destination"), ("BatchCheckLayerAvailability", "destination"),
            ("InitiateLayerUpload", "destination"), ("UploadLayerPart", "destination"),
            ("CompleteLayerUpload", "destination"), ("PutImage", "destination"),
        ]
    )
    func denied(_ action: String, _ side: String) async throws {
        try await withPatient { cloud, doctor in
            try cloud.makeDestination("other")
            cloud.emulator.deny(action: action, repository: side == "source" ? "team/app" : "other")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("other"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            let check = action == "ListImageReferrers" ? "referrers" : "ecr:\(action)"
            #expect(failed.map { "\($0.side) \($0.check)" } == ["\(side) \(check)"])
            #expect(failed.first?.text.contains("not allowed to ecr:\(action)") == true)
            #expect(failed.first?.remedy != nil && failed.first?.requestID != nil)
            #expect(diagnosis.exitCode == 4)
            // Nobody can close what they may not upload to; it ends by itself.
            #expect(cloud.openUploads("other") == (action == "UploadLayerPart" ? 1 : 0))
        }
    }

    @Test(
        "misses no permission that a copy can do without",
        arguments: [
            "DescribeRepositories", "DescribeImages", "GetLifecyclePolicy", "GetAccountSetting", "DescribeRegistry",
        ]
    )
    func optional(_ action: String) async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: action)
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let skipped = diagnosis.findings.filter { $0.status == .skipped }
            #expect(!skipped.isEmpty && skipped.allSatisfy { $0.text.contains("not needed") })
            #expect(skipped.allSatisfy { "\($0.check) \($0.text)".contains("ecr:\(action)") })
            #expect(diagnosis.exitCode == 0)
        }
    }

    @Test("says what isn't there, and stops asking about it")
    func absent() async throws {
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v9"), cloud.destination("nowhere"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(
                failed.map { "\($0.side) \($0.check): \($0.text)" } == [
                    "source ecr:BatchGetImage: there is no such image",
                    "destination repository: the repository does not exist",
                ]
            )
            #expect(diagnosis.exitCode == 1)
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
            let bare = try await doctor.examine(cloud.source(), nil)
            #expect(lines(bare).contains("skipped source image: name a tag or a digest, and its layers are tried"))
            #expect(bare.exitCode == 0 && bare.destination == nil)
        }
    }

    @Test("uploads nothing where a registry may create what is pushed to")
    func wouldBeCreated() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: "DescribeRepositories")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.allSatisfy { $0.text.hasPrefix("the repository does not exist") } && !failed.isEmpty)
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("goes on where the settings can't be read, and fails for nothing that a copy can do without")
    func troubled() async throws {
        try await withPatient { cloud, doctor in
            for operation in ["GetAccountSetting", "GetLifecyclePolicy", "DescribeRegistry"] {
                cloud.emulator.order(
                    Fault(on: operation, at: nil, .error(code: "InvalidParameterException", message: "no", status: 400))
                )
            }
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            #expect(diagnosis.exitCode == 0)
            let skipped = diagnosis.findings.filter { $0.status == .skipped }.map(\.check)
            #expect(skipped == ["replication", "lifecycle", "mounting"])
        }
    }

    @Test("can't tell what is said of the parameters from what is said of permissions")
    func inconclusive() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.order(
                Fault(on: "PutImage", at: nil, .error(code: "InvalidParameterException", message: "no", status: 400))
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            #expect(
                lines(diagnosis).contains(
                    "skipped destination ecr:PutImage: can't be told without doing it: InvalidParameterException"
                )
            )
        }
    }

    @Test("opens no upload without a token")
    func noToken() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: "GetAuthorizationToken")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map { "\($0.side) \($0.check)" } == ["destination ecr:GetAuthorizationToken"])
            #expect(diagnosis.exitCode == 4 && cloud.counts["POST upload"] == nil)
        }
    }

    @Test("tells an archived image from one that isn't there")
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

    @Test("looks at the children of an index, and at a layer of theirs")
    func index() async throws {
        try await withPatient { cloud, doctor in
            let index = SeedImage.twoPlatforms("multi", layersEach: [1_000])
            try cloud.seed(index, tag: "multi")
            let diagnosis = try await doctor.examine(cloud.image("multi"), nil)
            #expect(lines(diagnosis).contains("ok source layers: 127.0.0.1 gives them"))
            #expect(diagnosis.exitCode == 0)
        }
    }

    @Test("says how far this machine's clock is off", arguments: [0, 20, -20, 120, -3_600])
    func clock(_ seconds: Int) async throws {
        let begin = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
        try await withPatient({ $0.now = { begin } }) { cloud, _ in
            cloud.emulator.order(Fault(on: "GET /", .skew(seconds: seconds)))
            // This machine's clock stands still, and so does the emulator's.
            let still = Doctor(cloud.replicator, now: { begin })
            let diagnosis = try await still.examine(cloud.image("v1"), nil)
            let found = diagnosis.findings.filter { $0.check == "clock" }
            guard abs(seconds) > 30 else { return #expect(found.map(\.status) == [.ok]) }
            #expect(found.map(\.status) == [.warning])
            let words = "this machine's is \(abs(seconds)) s \(seconds > 0 ? "behind" : "ahead of") AWS's"
            #expect(found.first?.text == (abs(seconds) > 300 ? words + "; requests are signed with AWS's" : words))
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
            #expect(said.contains("ok destination repository: is there; tags are immutable except dev-*"))
            #expect(
                said.contains(
                    "warning destination tag: v1 is immutable and holds \(other.digest): another image won't get it"
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
                    "warning destination tag: v1 holds \(other.digest); whether it may move isn't known"
                )
            )
        }
    }

    @Test("names the layers' host when it refuses", arguments: [403, 503])
    func layers(_ status: Int) async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.order(
                Fault(on: "GET layer", at: 1...9, .status(status, retryAfter: nil))
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["layers"])
            #expect(failed.first?.text.contains("\(status)") == true)
            #expect(!"\(failed)".contains("X-Amz"), "a presigned query is a secret")
        }
    }

    @Test("tells a wrong endpoint from wrong credentials")
    func endpoint() async throws {
        let nowhere = SideOptions(endpointURL: "http://127.0.0.1:1")
        try await withPatient(source: nowhere) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            #expect(diagnosis.findings.map { "\($0.status) \($0.check)" } == ["failed endpoint", "ok identity"])
            #expect(diagnosis.exitCode == 1)
        }
        let nobody = SideOptions(identity: .init(profile: "nobody"))
        try await withPatient(source: nobody) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            #expect(diagnosis.findings.map { "\($0.status) \($0.check)" } == ["failed identity"])
            #expect(diagnosis.exitCode == 4)
        }
    }

    @Test("warns of what will happen to what arrives")
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
                "warning source replication: ECR's own copies team/app to 111122223333 in us-east-1 already, "
                    + "under the same name",
                "warning destination lifecycle: rule 1 (few releases) deletes images tagged v* when there are more than "
                    + "10 of them",
                "warning destination pull-through: team/app is a cache of public.ecr.aws: pulls may overwrite tags",
                "ok destination mounting: on: what another repository has isn't uploaded again",
            ]
            for line in expected { #expect(said.contains(line), "\(said)") }
            #expect(diagnosis.exitCode == 0 && diagnosis.text.hasSuffix("\n3 warnings\n"))

            let elsewhere = try await doctor.examine(cloud.image("v1"), cloud.destination("other", tag: "dev"))
            #expect(!elsewhere.findings.contains { $0.check == "lifecycle" && $0.status == .warning })
        }
    }

    @Test("of another account's repository asks nothing that only its owner may be told")
    func crossAccount() async throws {
        try await withPatient { cloud, doctor in
            try cloud.makeDestination("prod/app", account: ScenarioCloud.production)
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(
                lines(diagnosis).contains(
                    "ok destination identity: arn:aws:iam::111122223333:user/emulator, account 111122223333, with …3333 "
                        + "from environment; the repository is 444455556666's, whose policy must allow it, too"
                )
            )
            #expect(!diagnosis.findings.contains { $0.check == "mounting" })
            #expect(cloud.counts["GetAccountSetting"] == nil)
        }
    }

    @Test("tells of another account's policy once, with one statement for all that is missing")
    func oneStatement() async throws {
        let enforcing: (inout EmulatorConfiguration) -> Void = { $0.enforcesPolicies = true }
        try await withPatient(enforcing) { cloud, doctor in
            try cloud.makeDestination("prod/app", account: ScenarioCloud.production)
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(diagnosis.exitCode == 4)
            let actions = [
                "BatchGetImage", "BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart",
                "CompleteLayerUpload", "PutImage",
            ].map { "ecr:\($0)" }
            #expect(diagnosis.findings.filter { $0.status == .failed }.map(\.check) == actions)
            let me = "arn:aws:iam::111122223333:user/emulator"
            let list = actions.map { "\"\($0)\"" }.joined(separator: ",")
            let advice = """
                           next: add this to the policy of repository prod/app in account 444455556666, us-east-1:
                               {"Effect":"Allow","Principal":{"AWS":"\(me)"},"Action":[\(list)]}
                               all that it takes, at once: ecr-replicate iam-policy --principal \(me) SOURCE DESTINATION
                """
            #expect(diagnosis.text.contains(advice), "\(diagnosis.text)")
            #expect(diagnosis.text.split(separator: "next: ").count == 2)
            #expect(diagnosis.text.split(separator: "not allowed, as above").count == 6)

            // What it says is enough, is enough.
            let policy = """
                {"Version":"2012-10-17","Statement":[\
                {"Effect":"Allow","Principal":{"AWS":"\(me)"},"Action":[\(list)]}]}
                """
            try cloud.emulator.setRepositoryPolicy(
                policy,
                account: ScenarioCloud.production,
                region: ScenarioCloud.far,
                repository: "prod/app"
            )
            #expect(try await doctor.examine(cloud.image("v1"), place).exitCode == 0)
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [place],
                tags: [],
                CopyOptions()
            )
            #expect(ExitStatus.of(results) == 0)
        }
    }

    @Test("is content with a directory, and with a registry that isn't there says so")
    func elsewhere() async throws {
        try await withPatient { cloud, doctor in
            let layout = try DestinationReference(parsing: "oci:/tmp/ecr-replicate-doctor-nowhere")
            let directory = try await doctor.examine(cloud.image("v1"), layout)
            #expect(directory.exitCode == 0 && directory.text.hasSuffix("\n1 not looked at\n"))
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
        let repository = try await replicator.opener.open(reference, side: .source, SideOptions())
        guard let ecr = repository as? ECRImageRepository else { throw CancellationError() }
        return ecr.api
    }
}

@Suite("A lifecycle policy")
struct LifecycleForecastTests {
    private static func rule(_ priority: Int, _ selection: String, _ action: String = "expire") -> String {
        #"{"rulePriority":\#(priority),"selection":{\#(selection)},"action":{"type":"\#(action)"}}"#
    }

    private static let pushed = #""countType":"sinceImagePushed","countUnit":"days","countNumber":14"#

    @Test(
        "is told for a tag, the first rule by priority",
        arguments: [
            ("v1", #""tagStatus":"any",\#(pushed)"#, "rule 7 deletes images 14 days after they were pushed"),
            ("v1", #""tagStatus":"untagged",\#(pushed)"#, nil),
            (
                nil, #""tagStatus":"untagged",\#(pushed)"#,
                "rule 7 deletes untagged images 14 days after they were pushed"
            ),
            (
                "v1", #""tagStatus":"tagged","tagPrefixList":["dev","v"],\#(pushed)"#,
                "rule 7 deletes images tagged dev…, v… 14 days after they were pushed, if they have a tag for each of these"
            ),
            ("v1", #""tagStatus":"tagged","tagPrefixList":["dev"],\#(pushed)"#, nil),
            (
                "v1", #""tagStatus":"tagged","tagPrefixList":["v"],\#(pushed)"#,
                "rule 7 deletes images tagged v… 14 days after they were pushed"
            ),
            ("v1", #""tagStatus":"tagged","tagPatternList":["*2"],\#(pushed)"#, nil),
            (
                "v1", #""tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":30"#,
                "rule 7 deletes images 30 days after they were last pulled"
            ),
        ] as [(String?, String, String?)]
    )
    func fate(_ tag: String?, _ selection: String, _ words: String?) throws {
        let later = Self.rule(9, #""tagStatus":"tagged","tagPrefixList":["none"],\#(Self.pushed)"#)
        let forecast = LifecycleForecast(#"{"rules":[\#(later),\#(Self.rule(7, selection))]}"#)
        #expect(try #require(forecast).fate(of: tag.map { try Tag(parsing: $0) }) == words)
    }

    @Test("whose first rule only may select a tag is read on to the one that does")
    func perhaps() throws {
        let first = Self.rule(1, #""tagStatus":"tagged","tagPrefixList":["prod","v"],\#(Self.pushed)"#)
        let second = Self.rule(2, #""tagStatus":"tagged","tagPrefixList":["v"],\#(Self.pushed)"#)
        let forecast = try #require(LifecycleForecast(#"{"rules":[\#(first),\#(second)]}"#))
        let fate = try forecast.fate(of: Tag(parsing: "v1"))
        #expect(fate == "rule 2 deletes images tagged v… 14 days after they were pushed")
    }

    @Test("that archives says so, and one that isn't understood is none")
    func others() throws {
        let archives = Self.rule(1, #""tagStatus":"any",\#(Self.pushed)"#, "transition")
        let forecast = try #require(LifecycleForecast(#"{"rules":[\#(archives)]}"#))
        #expect(forecast.fate(of: nil) == "rule 1 archives images 14 days after they were pushed")
        for text in ["", "{}", #"{"rules":[{"rulePriority":1}]}"#] { #expect(LifecycleForecast(text) == nil) }
    }
}
