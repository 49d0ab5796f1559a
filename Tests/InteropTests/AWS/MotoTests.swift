import AWSIdentity
import Content
import ECRAPI
import Foundation
import HTTPTypes
import Platform
import TestPrograms
import Testing
import Wire

@Suite("moto, which distinguishes accounts", .timeLimit(.minutes(1)), .needs(.moto))
struct MotoTests {
    /// The account of callers whose key moto didn't issue.
    private static let home = "123456789012"

    private static let config = """
        [profile build]
        aws_access_key_id = AKIDEXAMPLE
        aws_secret_access_key = secret
        [profile hub]
        role_arn = arn:aws:iam::\(Cloud.build):role/hub
        source_profile = build
        role_session_name = promotion
        [profile promoter]
        role_arn = \(Cloud.promoter)
        source_profile = hub
        external_id = ex-1
        role_session_name = promotion
        """

    @Test("finds a promoter in production's account after a chain of roles, and no image elsewhere")
    func promotion() async throws {
        try await LocalCloud.moto { cloud in
            let forms = Lock<[String]>([])
            let noting = ChangingSender(transport: cloud.transport) { request in
                let form = String(decoding: request.body, as: UTF8.self)
                if form.contains("AssumeRole") { forms.withLock { $0.append(form) } }
            }
            let resolver = try cloud.resolver(Self.config, sender: noting)
            for (profile, account, arn) in [
                ("build", Self.home, nil),
                ("hub", Cloud.build, "arn:aws:sts::\(Cloud.build):assumed-role/hub/promotion"),
                ("promoter", Cloud.production, "arn:aws:sts::\(Cloud.production):assumed-role/promoter/promotion"),
            ] {
                let caller = try await cloud.sts(resolver, profile: profile).getCallerIdentity()
                #expect(caller.account == account)
                if let arn { #expect(caller.arn == arn) }
            }
            let externalIDs = forms.withLock { $0.map { $0.contains("ExternalId=ex-1") } }
            #expect(externalIDs.last == true, "the promoter's trust policy may ask for it")
            #expect(externalIDs.dropLast().allSatisfy { !$0 }, "the hub's is not told")

            // Each account has a repository of that name, created by a caller of that account.
            let name = try RepositoryName(parsing: "team/app")
            for (profile, account) in [("hub", Cloud.build), ("promoter", Cloud.production)] {
                let registry = try AccountID(parsing: account)
                let ecr = try cloud.ecr(resolver, profile: profile)
                let made = try await ecr.send(CreateRepository(registryId: registry, repositoryName: name))
                #expect(made.repository.registryId == registry)
                #expect(made.repository.repositoryArn == "arn:aws:ecr:eu-west-1:\(account):repository/team/app")
                let found = try await ecr.send(DescribeRepositories(registryId: registry, repositoryNames: [name]))
                #expect(found.repositories.map(\.registryId) == [registry])
            }
            let promoter = try cloud.ecr(resolver, profile: "promoter")
            let other = try RepositoryName(parsing: "prod/only")
            let production = try AccountID(parsing: Cloud.production)
            _ = try await promoter.send(CreateRepository(registryId: production, repositoryName: other))
            let hub = try cloud.ecr(resolver, profile: "hub")
            let error = await #expect(throws: ECRError.self) {
                try await hub.send(
                    DescribeRepositories(registryId: AccountID(parsing: Cloud.build), repositoryNames: [other])
                )
            }
            #expect(error?.code == .repositoryNotFound)
        }
    }

    @Test("keeps the settings with which a repository is created, and answers them as this program reads them")
    func settings() async throws {
        try await LocalCloud.moto { cloud in
            let ecr = try cloud.ecr(try cloud.resolver(Self.config), profile: "hub")
            let registry = try AccountID(parsing: Cloud.build)
            let name = try RepositoryName(parsing: "team/settings")
            let tags = [CreateRepository.ResourceTag(key: "team", value: "a")]
            let made = try await ecr.send(
                CreateRepository(
                    registryId: registry,
                    repositoryName: name,
                    tags: tags,
                    imageTagMutability: .immutable,
                    imageScanningConfiguration: .init(scanOnPush: true),
                    encryptionConfiguration: .init(encryptionType: "KMS", kmsKey: "alias/build")
                )
            ).repository
            let found = try await ecr.send(DescribeRepositories(registryId: registry, repositoryNames: [name]))
            #expect(found.repositories.first?.imageTagMutability == .immutable)
            #expect(found.repositories.first?.imageScanningConfiguration?.scanOnPush == true)
            #expect(found.repositories.first?.encryptionConfiguration?.encryptionType == "KMS")
            let arn = try #require(made.repositoryArn)
            #expect(try await ecr.send(ListTagsForResource(resourceArn: arn)).tags == tags)
            _ = try await ecr.send(TagResource(resourceArn: arn, tags: [.init(key: "team", value: "b")]))
            #expect(try await ecr.send(ListTagsForResource(resourceArn: arn)).tags.map(\.value) == ["b"])

            let lifecycle = GetLifecyclePolicy(registryId: registry, repositoryName: name)
            let policy = GetRepositoryPolicy(registryId: registry, repositoryName: name)
            let noLifecycle = await #expect(throws: ECRError.self) { try await ecr.send(lifecycle) }
            #expect(noLifecycle?.code == .lifecyclePolicyNotFound)
            let noPolicy = await #expect(throws: ECRError.self) { try await ecr.send(policy) }
            #expect(noPolicy?.code == .repositoryPolicyNotFound)
            let rules =
                #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","#
                + #""countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#
            _ = try await ecr.send(
                PutLifecyclePolicy(registryId: registry, repositoryName: name, lifecyclePolicyText: rules)
            )
            let statements =
                #"{"Version":"2012-10-17","Statement":[{"Sid":"Pull","Effect":"Allow","Action":"ecr:BatchGetImage","#
                + #""Principal":{"AWS":"arn:aws:iam::\#(Cloud.build):root"}}]}"#
            _ = try await ecr.send(
                SetRepositoryPolicy(registryId: registry, repositoryName: name, policyText: statements)
            )
            let storedRules = try await ecr.send(lifecycle).lifecyclePolicyText
            let storedStatements = try await ecr.send(policy).policyText
            #expect(try Self.object(storedRules) == Self.object(rules))
            #expect(try Self.object(storedStatements) == Self.object(statements))
        }
    }

    /// The value of a JSON text, in which the order of members doesn't count.
    private static func object(_ text: String) throws -> NSObject? {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSObject
    }
}
