import AWSIdentity
import Content
import ECREmulator
import Platform
import Reporting
import TestClouds
import TestPrograms
import Testing

@testable import Replicate

/// `--create-repository like-source`: each setting at the emulator, before and after.
@Suite("Repositories created like the source's", .timeLimit(.minutes(1)))
struct ScenarioLikeSourceTests {
    private let image = SeedImage.twoPlatforms("app", layersEach: [3_000, 200])
    private let options = CopyOptions(referrers: .none, createRepository: .likeSource)

    private static let lifecycle =
        #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","#
        + #""countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#

    private static func policy(_ account: String) -> String {
        #"{"Version":"2012-10-17","Statement":[{"Sid":"Pull","Effect":"Allow","Action":"ecr:BatchGetImage","#
            + #""Principal":{"AWS":"arn:aws:iam::\#(account):role/node"}}]}"#
    }

    private static let sourceKey = "arn:aws:kms:eu-west-1:111122223333:key/1"

    /// The settings of the source's repository, none of which is ECR's default.
    private static let sourceSettings: EmulatedSettings = {
        var settings = EmulatedSettings()
        (settings.mutability, settings.exclusions) = ("IMMUTABLE_WITH_EXCLUSION", ["dev-*", "tmp"])
        (settings.encryption, settings.kmsKey, settings.scansOnPush) = ("KMS", sourceKey, true)
        settings.tags = ["team": "a", "cost": "7", "aws:cloudformation:stack-name": "app"]
        settings.lifecyclePolicy = lifecycle
        settings.repositoryPolicy = policy(ScenarioCloud.build)
        return settings
    }()

    /// The same settings, as another repository gets them.
    private static func copied(_ kmsKey: String?, account: String = ScenarioCloud.build) -> EmulatedSettings {
        var copied = sourceSettings
        copied.kmsKey = kmsKey
        copied.tags["aws:cloudformation:stack-name"] = nil
        copied.repositoryPolicy = policy(account)
        return copied
    }

    private func prepare(_ cloud: ScenarioCloud, _ settings: EmulatedSettings = sourceSettings) throws {
        try cloud.seed(image, tag: "v1")
        try cloud.emulator.setSettings(
            settings,
            account: ScenarioCloud.build,
            region: ScenarioCloud.home,
            repository: "team/app"
        )
        cloud.emulator.clearRequests()
    }

    private func settings(
        _ cloud: ScenarioCloud,
        _ name: String = "team/app",
        account: String = ScenarioCloud.build,
        region: String = ScenarioCloud.far
    ) -> EmulatedSettings? {
        cloud.emulator.settings(account: account, region: region, repository: name)
    }

    private func copy(
        _ cloud: ScenarioCloud,
        _ options: CopyOptions? = nil,
        to destinations: [DestinationReference]? = nil,
        keys: [String: String] = [sourceKey: "alias/far"]
    ) async throws -> [CopyResult] {
        try await cloud.replicator.copy(
            cloud.image("v1"),
            .one(.tag(Tag(parsing: "v1"))),
            to: destinations ?? [cloud.destination()],
            tags: [],
            options ?? self.options,
            kmsKeys: keys
        )
    }

    // MARK: Settings and requests

    @Test("Every setting is there, for four requests at the source and three at the destination")
    func everySetting() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let receipt = try #require(try await copy(cloud).receipt)
            #expect(receipt.notes.isEmpty && cloud.holds(image))
            #expect(settings(cloud) == Self.copied("alias/far"))
            #expect(
                cloud.counts.filter { !["BatchGetImage", "PutImage"].contains($0.key) && !$0.key.contains(" ") } == [
                    "DescribeRepositories": 1, "ListTagsForResource": 1, "GetLifecyclePolicy": 1,
                    "GetRepositoryPolicy": 1, "CreateRepository": 1, "PutLifecyclePolicy": 1, "SetRepositoryPolicy": 1,
                    "GetDownloadUrlForLayer": Set(image.blobs.map(\.digest)).count,
                ]
            )
            let read = cloud.emulator.requests.filter { $0.region == ScenarioCloud.home }.map(\.operation)
            #expect(read.contains("ListTagsForResource") && read.contains("DescribeRepositories"))
        }
    }

    @Test("A source with defaults costs four requests and a CreateRepository, and nothing else is set")
    func plain() async throws {
        try await withCloud { cloud in
            try prepare(cloud, EmulatedSettings())
            #expect(try await copy(cloud).receipt?.notes == [])
            #expect(settings(cloud) == EmulatedSettings())
            #expect(cloud.counts["CreateRepository"] == 1 && cloud.counts["GetLifecyclePolicy"] == 1)
            #expect(cloud.counts["PutLifecyclePolicy"] == nil && cloud.counts["SetRepositoryPolicy"] == nil)
        }
    }

    @Test("A second run asks for no settings and changes none, whatever they are by then")
    func secondRun() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            _ = try await copy(cloud)
            var changed = EmulatedSettings()
            changed.tags = ["own": "1"]
            let (account, region) = (ScenarioCloud.build, ScenarioCloud.far)
            try cloud.emulator.setSettings(changed, account: account, region: region, repository: "team/app")
            cloud.emulator.clearRequests()
            let again = try #require(try await copy(cloud).receipt)
            #expect(!again.changedAnything && again.notes.isEmpty)
            #expect(cloud.counts == ["BatchGetImage": 2])
            #expect(settings(cloud) == changed)
            // Another image goes there too, and the repository stays as it is.
            let other = try Tag(parsing: "w1")
            try cloud.seed(.oci("other", layers: [10]), tag: "w1")
            let place = try cloud.destination()
            let results = try await cloud.replicator.copy(
                cloud.image("w1"),
                .one(.tag(other)),
                to: [place],
                tags: [],
                options
            )
            #expect(results.receipt?.changedAnything == true)
            #expect(settings(cloud) == changed && cloud.counts["GetRepositoryPolicy"] == nil)
        }
    }

    @Test("Across accounts, with two identities and a KMS map, the policy names the other account")
    func acrossAccounts() async throws {
        let role = "arn:aws:iam::\(ScenarioCloud.production):role/promoter"
        try await withCloud(
            { $0.roles = [.init(arn: role, externalID: "ex-1")] },
            destination: SideOptions(identity: IdentityOptions(roleARN: role, externalID: "ex-1"))
        ) { cloud in
            try prepare(cloud)
            let (account, region) = (ScenarioCloud.production, ScenarioCloud.home)
            let there = "arn:aws:kms:eu-west-1:444455556666:key/2"
            let receipt = try #require(
                try await copy(
                    cloud,
                    to: [cloud.destination("prod/app", account: account, region: region)],
                    keys: ["1": there]
                ).receipt
            )
            #expect(
                receipt.notes == ["in the repository policy, account 111122223333 is replaced by 444455556666"]
            )
            #expect(
                settings(cloud, "prod/app", account: account, region: region) == Self.copied(there, account: account)
            )
            let callers = Dictionary(
                grouping: cloud.emulator.requests.filter { $0.api == .controlPlane },
                by: \.account
            )
            .mapValues { Set($0.compactMap(\.caller)) }
            #expect(callers[account]?.allSatisfy { $0.contains("promoter") } == true, "\(callers)")
            #expect(callers[ScenarioCloud.build]?.contains { $0.contains("promoter") } == false)
        }
    }

    @Test("A policy that lets in a third account stays behind, and a note says so")
    func thirdAccount() async throws {
        try await withCloud { cloud in
            var open = Self.sourceSettings
            open.repositoryPolicy = Self.policy("777788889999")
            try prepare(cloud, open)
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let receipt = try #require(try await copy(cloud, to: [place]).receipt)
            let made = settings(cloud, "prod/app", account: ScenarioCloud.production)
            #expect(made != nil && made?.repositoryPolicy == nil && made?.lifecyclePolicy == Self.lifecycle)
            #expect(receipt.notes.count == 1 && receipt.notes[0].contains("account 777788889999"))
            #expect(cloud.counts["SetRepositoryPolicy"] == nil)
        }
    }

    @Test("Within one registry the source's own key is used")
    func ownKey() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let place = try cloud.destination("mirror/app", region: ScenarioCloud.home)
            #expect(try await copy(cloud, to: [place], keys: [:]).receipt?.notes == [])
            #expect(settings(cloud, "mirror/app", region: ScenarioCloud.home) == Self.copied(Self.sourceKey))
        }
    }

    @Test("The source's settings are read once for all destinations and images")
    func once() async throws {
        try await withCloud { cloud in
            for number in 0..<5 {
                try cloud.seed(.oci("app \(number)", layers: [Int64(100 + number)]), tag: "w\(number)")
            }
            try prepare(cloud)
            let places = try [
                cloud.destination(), cloud.destination("mirror/app"),
                cloud.destination("prod/app", account: ScenarioCloud.production),
            ]
            let results = try await cloud.replicator.copy(
                cloud.source(),
                .many(TagFilter()),
                to: places,
                tags: [],
                options,
                kmsKeys: [Self.sourceKey: "alias/far"]
            )
            #expect(results.count == 18 && ExitStatus.of(results) == 0)
            for operation in [
                "DescribeRepositories", "ListTagsForResource", "GetLifecyclePolicy", "GetRepositoryPolicy",
            ] {
                #expect(cloud.counts[operation] == 1, "\(operation)")
            }
            #expect(cloud.counts["CreateRepository"] == 3 && cloud.counts["PutLifecyclePolicy"] == 3)
            #expect(settings(cloud, "mirror/app") == Self.copied("alias/far"))
        }
    }

    // MARK: Dry runs and refusals

    @Test("A dry run says how the repository is created, and creates none")
    func dryRun() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            var dry = options
            dry.isDryRun = true
            guard case .planned(let plan)? = try await copy(cloud, dry).first else {
                Issue.record("no plan")
                return
            }
            #expect(
                plan.lines.contains(
                    "  create  \(plan.destination)  like the source: immutable tags (except dev-*, tmp), KMS key alias/far, "
                        + "scan on push, 2 resource tags, lifecycle policy (1 rule), repository policy (1 statement)"
                ),
                "\(plan.lines)"
            )
            #expect(plan.refusals.isEmpty && settings(cloud) == nil)
            #expect(cloud.counts["CreateRepository"] == nil)
        }
    }

    @Test("Without an entry for the source's key nothing is created, and a dry run says why")
    func unmappedKey() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let results = try await copy(cloud, keys: ["alias/other": "alias/far"])
            let error = try #require(results.firstError)
            #expect(error.reason == .unsupported(.unmappedKey(Self.sourceKey)) && error.side == .destination)
            #expect(error.remedy.contains("--kms-key \(Self.sourceKey)=KEY") && ExitStatus.of(results) == 1)
            #expect(settings(cloud) == nil && cloud.counts["CreateRepository"] == nil)
            #expect(cloud.counts["GetDownloadUrlForLayer"] == nil && cloud.counts["POST upload"] == nil)
            var dry = options
            dry.isDryRun = true
            guard case .planned(let plan)? = try await copy(cloud, dry, keys: [:]).first else {
                Issue.record("no plan")
                return
            }
            #expect(plan.refusals.map(\.reason) == [.unsupported(.unmappedKey(Self.sourceKey))])
            #expect(plan.lines.contains { $0.contains("refuse") && $0.contains("no key is named for it") })
        }
    }

    @Test("A key of another region is refused before the repository is created, as ECR would refuse it")
    func otherRegion() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let key = "arn:aws:kms:eu-north-1:111122223333:key/2"
            let error = try #require(try await copy(cloud, keys: [Self.sourceKey: key]).firstError)
            #expect(error.reason == .unsupported(.keyOfOtherRegion(key, region: ScenarioCloud.far)))
            #expect(cloud.counts["CreateRepository"] == nil)
        }
    }

    @Test(
        "A setting that can't be read ends the copy before anything is created",
        arguments: ["DescribeRepositories", "ListTagsForResource", "GetLifecyclePolicy", "GetRepositoryPolicy"]
    )
    func deniedAtSource(_ action: String) async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.deny(action: action, repository: "team/app")
            let results = try await copy(cloud, to: [cloud.destination("mirror/app")])
            let error = try #require(results.firstError)
            #expect(error.kind == .notPermitted && error.side == .source && error.operation == action)
            #expect(error.cause.contains("ecr:\(action)") && ExitStatus.of(results) == 4)
            #expect(settings(cloud, "mirror/app") == nil)
        }
    }

    @Test(
        "Tags that may not be set keep the repository from being created",
        arguments: ["CreateRepository", "TagResource"]
    )
    func deniedCreation(_ action: String) async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.deny(action: action)
            let results = try await copy(cloud)
            #expect(results.firstError?.cause.contains("ecr:\(action)") == true && ExitStatus.of(results) == 4)
            #expect(settings(cloud) == nil)
        }
    }

    @Test("A policy that may not be set is named in a note, and the copy goes on")
    func deniedPolicies() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.deny(action: "PutLifecyclePolicy")
            cloud.emulator.deny(action: "SetRepositoryPolicy")
            let results = try await copy(cloud)
            let notes = try #require(results.receipt?.notes)
            #expect(notes.count == 2 && ExitStatus.of(results) == 0 && cloud.holds(image))
            #expect(
                notes[0].contains(
                    "was created without its lifecycle policy, because PutLifecyclePolicy failed: not allowed to"
                )
                    && notes[0].hasSuffix(
                        "set it with: aws ecr put-lifecycle-policy --region us-east-1 --registry-id 111122223333 "
                            + "--repository-name team/app --lifecycle-policy-text file://FILE"
                    ),
                "\(notes)"
            )
            #expect(notes[1].contains("without its repository policy") && notes[1].contains("set-repository-policy"))
            var expected = Self.copied("alias/far")
            (expected.lifecyclePolicy, expected.repositoryPolicy) = (nil, nil)
            #expect(settings(cloud) == expected)
            // A later run doesn't touch the repository.
            cloud.emulator.clearDenials()
            #expect(try await copy(cloud).receipt?.notes == [])
            #expect(settings(cloud) == expected)
        }
    }

    @Test("A copy that fails after the repository was created still says what the repository lacks")
    func failsLater() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.deny(action: "PutLifecyclePolicy")
            cloud.emulator.deny(action: "PutImage")
            #expect(try await copy(cloud).firstError?.cause.contains("ecr:PutImage") == true)
            let notices = cloud.events.withLock { events in
                events.compactMap { if case .notice(let text) = $0 { text } else { nil } }
            }
            #expect(notices.count == 1 && notices[0].contains("without its lifecycle policy"))
        }
    }

    // MARK: Others at work

    @Test("Two copies into one missing repository make it once, with every setting")
    func race() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let other = SeedImage.oci("other", layers: [50])
            try cloud.seed(other, tag: "w1")
            let keys = [Self.sourceKey: "alias/far"]
            let results = try await ["v1", "w1"].mapConcurrently(limit: 2) { tag in
                // Each copy has a run of its own, as two processes have.
                try await cloud.replicator.replicator.run().copy(
                    CopyRequest(
                        cloud.image(tag),
                        to: [CopyDestination(cloud.destination(), kmsKeys: keys)],
                        options
                    )
                )
            }
            #expect(results.allSatisfy { $0.receipt != nil })
            #expect(settings(cloud) == Self.copied("alias/far"))
            #expect(cloud.holds(image) && cloud.holds(other))
            #expect((1...2).contains(cloud.counts["PutLifecyclePolicy"] ?? 0), "the second one may set the same text")
        }
    }

    @Test(
        "A repository that another client creates meanwhile keeps its settings",
        arguments: [nil, .throttle(retryAfter: nil), .resetBefore] as [Fault.Kind?]
    )
    func overtaken(_ fault: Fault.Kind?) async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            let opener = cloud.replicator.opener
            let place = try cloud.destination().repository(for: cloud.source())
            let state = DestinationState(
                try await opener.open(place, side: .destination, SideOptions()),
                isSource: false,
                kmsKeys: [Self.sourceKey: "alias/far"]
            )
            let missing = CopyError(.repositoryMissing, side: .destination, image: place, operation: "asking")
            try await state.beginEmpty(after: missing, creating: .likeSource)
            let source = try await opener.open(cloud.source(), side: .source, SideOptions())
            #expect(try await state.newRepository(like: source, .likeSource)?.lifecyclePolicy == Self.lifecycle)
            try cloud.makeDestination()
            if let fault { cloud.emulator.inject(Fault(on: "CreateRepository", fault)) }
            let notes = try await state.createIfMissing()
            #expect(notes.count == 1 && notes[0].contains("was created meanwhile, so its settings stay as they are"))
            #expect(settings(cloud) == EmulatedSettings())
            #expect(cloud.counts["PutLifecyclePolicy"] == nil && cloud.counts["SetRepositoryPolicy"] == nil)
        }
    }

    @Test(
        "A lost answer to any of the requests changes nothing about the outcome",
        arguments: ["CreateRepository", "PutLifecyclePolicy", "SetRepositoryPolicy", "ListTagsForResource"]
    )
    func lostAnswer(_ operation: String) async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.inject(Fault(on: operation, .loseAnswer))
            #expect(try await copy(cloud).receipt?.notes == [])
            #expect(settings(cloud) == Self.copied("alias/far") && cloud.holds(image))
        }
    }

    // MARK: Other sources, and templates

    @Test("A source that is not in ECR gives a repository with the defaults, and a note")
    func otherSource() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try await withScratchDirectory { directory in
                let place = try DestinationReference(parsing: "oci:\(directory)/app:v1")
                #expect(try await copy(cloud, CopyOptions(), to: [place]).receipt != nil)
                cloud.emulator.clearRequests()
                let results = try await cloud.replicator.copy(
                    ImageReference(parsing: "oci:\(directory)/app:v1"),
                    .named,
                    to: [cloud.destination("mirror/app", tag: "v1")],
                    tags: [],
                    options
                )
                #expect(
                    results.receipt?.notes == [
                        "the source is not in ECR, so the repository is created with ECR's default settings"
                    ]
                )
                #expect(settings(cloud, "mirror/app") == EmulatedSettings())
                // A destination that is not ECR has no settings, so the source is not asked.
                let other = try DestinationReference(parsing: "oci:\(directory)/other:v1")
                #expect(try await copy(cloud, to: [other]).receipt != nil)
                #expect(cloud.counts["DescribeRepositories"] == nil && cloud.counts["ListTagsForResource"] == nil)
            }
        }
    }

    @Test("A template replaces a denied CreateRepository, as it does with defaults")
    func template() async throws {
        try await withCloud { cloud in
            try prepare(cloud)
            cloud.emulator.deny(action: "CreateRepository")
            try await cloud.add(template: "mirror", for: ["CREATE_ON_PUSH"])
            let receipt = try #require(try await copy(cloud, to: [cloud.destination("mirror/app")]).receipt)
            #expect(
                receipt.notes == [
                    "ecr:CreateRepository is not allowed; ECR creates the repository on push, by the creation template 'mirror'"
                ]
            )
            #expect(settings(cloud, "mirror/app") == EmulatedSettings())
        }
    }
}
