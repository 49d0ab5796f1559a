import Content
import FoundationEssentials
import Testing

@testable import ECRAPI

/// The operations on repositories and registries, and the settings for tags.
@Suite("Repositories")
struct RepositoryTests {
    private let common = #""registryId":"001122223333","repositoryName":"team/app""#

    @Test("DescribeRepositories and CreateRepository")
    func repositories() async throws {
        let reply = """
            {"repositoryArn":"arn:aws:ecr:eu-west-1:001122223333:repository/team/app","registryId":"001122223333",
            "repositoryName":"team/app","createdAt":1.5E9,"imageTagMutability":"IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"dev-*"}],
            "imageScanningConfiguration":{"scanOnPush":true},
            "encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"k"}}
            """
        let described = try await exchange(
            DescribeRepositories(registryId: account, repositoryNames: [repository]),
            "DescribeRepositories",
            sends: #"{"registryId":"001122223333","repositoryNames":["team/app"]}"#,
            gets: #"{"repositories":[\#(reply)]}"#
        )
        #expect(described.repositories[0].registryId == account)
        #expect(described.repositories[0].fixes(v1))
        let created = try await exchange(
            CreateRepository(
                registryId: account,
                repositoryName: repository,
                tags: [.init(key: "team", value: "a/b")],
                imageTagMutability: .immutableWithExclusion,
                imageTagMutabilityExclusionFilters: [.init(filter: "dev-*")],
                imageScanningConfiguration: .init(scanOnPush: true),
                encryptionConfiguration: .init(encryptionType: "KMS", kmsKey: "k")
            ),
            "CreateRepository",
            sends: #"{"encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"k"},"#
                + #""imageScanningConfiguration":{"scanOnPush":true},"imageTagMutability":"IMMUTABLE_WITH_EXCLUSION","#
                + #""imageTagMutabilityExclusionFilters":[{"filter":"dev-*","filterType":"WILDCARD"}],\#(common),"#
                + #""tags":[{"Key":"team","Value":"a\/b"}]}"#.replacing("\\/", with: "/"),
            gets: #"{"repository":\#(reply)}"#
        )
        #expect(created.repository == described.repositories[0])
    }

    @Test("lifecycle policies, repository policies and resource tags")
    func settings() async throws {
        let text = #"{"rules":[]}"#
        let quoted = #"{\"rules\":[]}"#
        _ = try await exchange(
            PutLifecyclePolicy(registryId: account, repositoryName: repository, lifecyclePolicyText: text),
            "PutLifecyclePolicy",
            sends: #"{"lifecyclePolicyText":"\#(quoted)",\#(common)}"#,
            gets: #"{\#(common),"lifecyclePolicyText":"\#(quoted)"}"#
        )
        let lifecycle = try await exchange(
            GetLifecyclePolicy(registryId: account, repositoryName: repository),
            "GetLifecyclePolicy",
            sends: "{\(common)}",
            gets: #"{\#(common),"lifecyclePolicyText":"\#(quoted)","lastEvaluatedAt":1.5E9}"#
        )
        #expect(lifecycle.lifecyclePolicyText == text)
        _ = try await exchange(
            SetRepositoryPolicy(registryId: account, repositoryName: repository, policyText: text),
            "SetRepositoryPolicy",
            sends: #"{"policyText":"\#(quoted)",\#(common)}"#,
            gets: "{}"
        )
        let policy = try await exchange(
            GetRepositoryPolicy(registryId: account, repositoryName: repository),
            "GetRepositoryPolicy",
            sends: "{\(common)}",
            gets: #"{\#(common),"policyText":"\#(quoted)"}"#
        )
        #expect(policy.policyText == text)
        let arn = "arn:aws:ecr:eu-west-1:001122223333:repository/team/app"
        _ = try await exchange(
            TagResource(resourceArn: arn, tags: [.init(key: "team", value: "a")]),
            "TagResource",
            sends: #"{"resourceArn":"\#(arn)","tags":[{"Key":"team","Value":"a"}]}"#,
            gets: "{}"
        )
        for (reply, count) in [(#"{"tags":[{"Key":"aws:x","Value":""}]}"#, 1), ("{}", 0)] {
            let tags = try await exchange(
                ListTagsForResource(resourceArn: arn),
                "ListTagsForResource",
                sends: #"{"resourceArn":"\#(arn)"}"#,
                gets: reply
            )
            #expect(tags.tags.count == count)
        }
    }

    @Test("DescribeRegistry and GetAccountSetting, which have no registryId")
    func registry() async throws {
        let registry = try await exchange(
            DescribeRegistry(),
            "DescribeRegistry",
            sends: "{}",
            gets: """
                {"registryId":"001122223333","replicationConfiguration":{"rules":[{"destinations":
                [{"region":"eu-north-1","registryId":"001122223333"}],
                "repositoryFilters":[{"filter":"team","filterType":"PREFIX_MATCH"}]}]}}
                """
        )
        #expect(registry.replicationConfiguration?.rules?[0].destinations?[0].region == "eu-north-1")
        let setting = try await exchange(
            GetAccountSetting(.blobMounting),
            "GetAccountSetting",
            sends: #"{"name":"BLOB_MOUNTING"}"#,
            gets: #"{"name":"BLOB_MOUNTING","value":"ENABLED"}"#
        )
        #expect(setting.name == .blobMounting && setting.value == "ENABLED")
    }

    @Test(
        "repositories fix tags by their mode and filters",
        arguments: [
            ("MUTABLE", "dev-*", "v1", false), ("IMMUTABLE", "v*", "v1", true), ("", "v*", "v1", false),
            ("IMMUTABLE_WITH_EXCLUSION", "v*", "v1", false), ("IMMUTABLE_WITH_EXCLUSION", "v*", "w1", true),
            ("MUTABLE_WITH_EXCLUSION", "v*", "v1", true), ("MUTABLE_WITH_EXCLUSION", "v*", "w1", false),
            ("MUTABLE_WITH_EXCLUSION", "*-rc*", "v1-rc2", true), ("MUTABLE_WITH_EXCLUSION", "*-rc*", "v1-r", false),
            ("MUTABLE_WITH_EXCLUSION", "v1", "v1", true), ("MUTABLE_WITH_EXCLUSION", "v1", "v10", false),
            ("MUTABLE_WITH_EXCLUSION", "*", "x", true), ("MUTABLE_WITH_EXCLUSION", "ab*ba", "aba", false),
            ("MUTABLE_WITH_EXCLUSION", "a*b*b", "ab", false), ("MUTABLE_WITH_EXCLUSION", "*1", "v1", true),
        ]
    )
    func mutability(_ mode: String, _ filter: String, _ tag: String, _ isFixed: Bool) throws {
        let text = """
            {"repositoryName":"r2","imageTagMutability":"\(mode)",
            "imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"\(filter)"}]}
            """
        let repository = try JSONDecoder().decode(ECRRepository.self, from: Data(text.utf8))
        #expect(repository.fixes(try Content.Tag(parsing: tag)) == isFixed)
    }
}
