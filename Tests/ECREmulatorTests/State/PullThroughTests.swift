import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Pull-through cache rules", .timeLimit(.minutes(1)))
struct PullThroughTests {
    private static let secret = "arn:aws:secretsmanager:us-east-1:\(account):secret:ecr-pullthroughcache/hub-a1b2c3"

    @Test("are listed, in pages or by prefix")
    func listed() async throws {
        try await withClient { _, client in
            let none = try await client.call("DescribePullThroughCacheRules")
            #expect(none.text == #"{"pullThroughCacheRules":[]}"#)
            for (prefix, upstream, kind) in [
                ("quay", "quay.io", "quay"), ("hub", "registry-1.docker.io", "docker-hub"),
            ] {
                let rule = #"{"ecrRepositoryPrefix":"\#(prefix)","upstreamRegistryUrl":"\#(upstream)"}"#
                let made = try await client.call("CreatePullThroughCacheRule", rule)
                #expect(try made.json("registryId") == account)
                #expect(try made.json("upstreamRegistry") == kind)
                let again = try await client.call("CreatePullThroughCacheRule", rule)
                #expect(try again.code == "PullThroughCacheRuleAlreadyExistsException")
            }
            let first = try await client.call("DescribePullThroughCacheRules", #"{"maxResults":1}"#)
            #expect(try first.json("pullThroughCacheRules", "0", "ecrRepositoryPrefix") == "hub")
            let token = try #require(try first.json("nextToken"))
            let second = try await client.call("DescribePullThroughCacheRules", #"{"nextToken":"\#(token)"}"#)
            #expect(try second.json("pullThroughCacheRules", "0", "upstreamRegistryUrl") == "quay.io")
            let named = try await client.call(
                "DescribePullThroughCacheRules",
                #"{"ecrRepositoryPrefixes":["quay"]}"#
            )
            #expect(try named.json("pullThroughCacheRules", "1") == nil)
            let missing = try await client.call(
                "DescribePullThroughCacheRules",
                #"{"ecrRepositoryPrefixes":["other"]}"#
            )
            #expect(try missing.code == "PullThroughCacheRuleNotFoundException")
        }
    }

    @Test("are updated, validated and deleted")
    func changed() async throws {
        try await withClient { _, client in
            let prefix = #""ecrRepositoryPrefix":"hub""#
            for operation in [
                "UpdatePullThroughCacheRule", "DeletePullThroughCacheRule", "ValidatePullThroughCacheRule",
            ] {
                #expect(
                    try await client.call(operation, "{\(prefix)}").code == "PullThroughCacheRuleNotFoundException"
                )
            }
            let made = try await client.call(
                "CreatePullThroughCacheRule",
                #"{\#(prefix),"upstreamRegistryUrl":"registry-1.docker.io","upstreamRepositoryPrefix":"library"}"#
            )
            #expect(try made.json("upstreamRepositoryPrefix") == "library")
            let updated = try await client.call(
                "UpdatePullThroughCacheRule",
                #"{\#(prefix),"credentialArn":"\#(Self.secret)"}"#
            )
            #expect(try updated.json("credentialArn") == Self.secret)
            #expect(try updated.json("updatedAt") != nil)
            let told = try await client.call("DescribePullThroughCacheRules")
            #expect(try told.json("pullThroughCacheRules", "0", "credentialArn") == Self.secret)
            #expect(try told.json("pullThroughCacheRules", "0", "updatedAt") == updated.json("updatedAt"))
            let validated = try await client.call("ValidatePullThroughCacheRule", "{\(prefix)}")
            #expect(try validated.json("isValid") == "0", "\(validated.text)")
            #expect(try validated.json("failure")?.contains("registry-1.docker.io") == true)
            let deleted = try await client.call("DeletePullThroughCacheRule", "{\(prefix)}")
            #expect(try deleted.json("upstreamRegistryUrl") == "registry-1.docker.io")
            #expect(try await client.call("DescribePullThroughCacheRules").json("pullThroughCacheRules", "0") == nil)
        }
    }

    @Test(
        "that violate the service model are refused",
        arguments: [
            (
                #""ecrRepositoryPrefix":"hub","upstreamRegistryUrl":"registry.example""#,
                "UnsupportedUpstreamRegistryException"
            ),
            (#""ecrRepositoryPrefix":"a","upstreamRegistryUrl":"quay.io""#, "InvalidParameterException"),
            (#""ecrRepositoryPrefix":"Hub","upstreamRegistryUrl":"quay.io""#, "InvalidParameterException"),
            (#""ecrRepositoryPrefix":"hub""#, "InvalidParameterException"),
            (
                #""ecrRepositoryPrefix":"hub","upstreamRegistryUrl":"quay.io","upstreamRegistry":"k8s""#,
                "InvalidParameterException"
            ),
            (
                #""ecrRepositoryPrefix":"hub","upstreamRegistryUrl":"quay.io","credentialArn":"arn:aws:secretsmanager:us-east-1:\#(account):secret:other/hub-a1b2c3""#,
                "InvalidParameterException"
            ),
        ]
    )
    func refused(members: String, code: String) async throws {
        try await withClient { _, client in
            let answer = try await client.call("CreatePullThroughCacheRule", "{\(members)}")
            #expect(try answer.code == code, "\(answer.text)")
        }
    }

    @Test(
        "recognize their upstreams by host",
        arguments: [
            ("public.ecr.aws", "ecr-public"), ("https://ghcr.io", "github-container-registry"),
            ("team.azurecr.io", "azure-container-registry"), ("registry.k8s.io", "k8s"), ("cgr.dev", "chainguard"),
            ("registry.gitlab.com", "gitlab-container-registry"),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", "ecr"),
            ("azurecr.io", nil), ("docker.io", nil), ("ghcr.io.example", nil),
        ]
    )
    func upstreams(url: String, kind: String?) {
        #expect(PullThroughRule.upstream(of: url) == kind)
    }

    @Test("a secret that can't be read fails only pulls by tag of images that aren't cached")
    func pull() async throws {
        try await withClient { emulator, client in
            for rule in [
                #""ecrRepositoryPrefix":"team","upstreamRegistryUrl":"ghcr.io","credentialArn":"\#(Self.secret)""#,
                #""ecrRepositoryPrefix":"ecr-public","upstreamRegistryUrl":"public.ecr.aws""#,
            ] {
                #expect(try await client.call("CreatePullThroughCacheRule", "{\(rule)}").status == 200)
            }
            try emulator.seedApp(.oci("cached", layers: [10]), tag: "v1")
            func pull(_ name: String, _ id: String) async throws -> PlainAnswer {
                try await client.call("BatchGetImage", #"{"repositoryName":"\#(name)","imageIds":[{\#(id)}]}"#)
            }
            let byTag = try await pull("team/new", #""imageTag":"v1""#)
            #expect(try byTag.code == "UnableToGetUpstreamImageException")
            #expect(try byTag.json("message")?.contains("ghcr.io") == true)
            #expect(try await pull("ecr-public/new", #""imageTag":"v1""#).code == "RepositoryNotFoundException")
            let digest = #""imageDigest":"\#(Digest.ofNothing)""#
            #expect(try await pull("team/new", digest).code == "RepositoryNotFoundException")
            #expect(try await pull("team/new", #"\#(digest),"imageTag":"v1""#).code == "RepositoryNotFoundException")
            #expect(try await pull("teams/new", #""imageTag":"v1""#).code == "RepositoryNotFoundException")
            #expect(try await pull("team/app", #""imageTag":"v1""#).json("images", "0", "imageId", "imageTag") == "v1")
            #expect(
                try await pull("team/app", #""imageTag":"v2""#).json("failures", "0", "failureCode") == "ImageNotFound"
            )
            emulator.deny(action: "BatchImportUpstreamImage")
            #expect(try await pull("team/new", #""imageTag":"v1""#).code == "RepositoryNotFoundException")
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])
        }
    }
}
