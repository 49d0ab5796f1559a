import Content
import Foundation
import Testing

@testable import ECREmulator

/// What `--create-repository like-source` reads and writes, as ECR answers it.
@Suite("The settings of a repository", .timeLimit(.minutes(1)))
struct RepositorySettingTests {
    private static let name = #""repositoryName":"new/app""#
    private static let arn = "arn:aws:ecr:\(region):\(account):repository/new/app"

    private func quoted(_ text: String) -> String {
        String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self)
    }

    @Test("are stored as they are given, and can be compared")
    func stored() async throws {
        try await withClient { emulator, client in
            let policy = #"{"Statement":{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":"*"}}"#
            let lifecycle =
                #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","#
                + #""countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#
            let created = try await client.call(
                "CreateRepository",
                #"{\#(Self.name),"imageTagMutability":"MUTABLE_WITH_EXCLUSION","imageTagMutabilityExclusionFilters":"#
                    + #"[{"filterType":"WILDCARD","filter":"v*"}],"imageScanningConfiguration":{"scanOnPush":true},"#
                    + #""encryptionConfiguration":{"encryptionType":"KMS_DSSE","kmsKey":"alias/a"},"#
                    + #""tags":[{"Key":"team","Value":"a"}]}"#
            )
            #expect(created.status == 200)
            for (operation, member, text) in [
                ("PutLifecyclePolicy", "lifecyclePolicyText", lifecycle), ("SetRepositoryPolicy", "policyText", policy),
            ] {
                let put = try await client.call(operation, "{\(Self.name),\"\(member)\":\(quoted(text))}")
                #expect(try put.json(member) == text)
            }
            var expected = EmulatedSettings()
            (expected.mutability, expected.exclusions) = ("MUTABLE_WITH_EXCLUSION", ["v*"])
            (expected.encryption, expected.kmsKey, expected.scansOnPush) = ("KMS_DSSE", "alias/a", true)
            (expected.tags, expected.lifecyclePolicy, expected.repositoryPolicy) = (["team": "a"], lifecycle, policy)
            #expect(emulator.settings(account: account, region: region, repository: "new/app") == expected)
            try emulator.setSettings(EmulatedSettings(), account: account, region: region, repository: "new/app")
            let plain = emulator.settings(account: account, region: region, repository: "new/app")
            #expect(plain == EmulatedSettings())
            let none = try await client.call("GetLifecyclePolicy", "{\(Self.name)}")
            #expect(try none.code == "LifecyclePolicyNotFoundException")
            #expect(emulator.settings(account: account, region: region, repository: "nope") == nil)
        }
    }

    private static func filter(_ text: String) -> String { #"{"filterType":"WILDCARD","filter":"\#(text)"}"# }

    private static func mutability(_ mode: String, _ filters: [String]) -> String {
        let filters = filters.map(filter).joined(separator: ",")
        return #""imageTagMutability":"\#(mode)","imageTagMutabilityExclusionFilters":[\#(filters)]"#
    }

    private static func tags(_ keys: [String]) -> String {
        #""tags":["# + keys.map { #"{"Key":"\#($0)","Value":""}"# }.joined(separator: ",") + "]"
    }

    private static let wrong: [(members: String, code: String)] = [
        (#""imageTagMutability":"IMMUTABLE_WITH_EXCLUSION""#, "InvalidParameterException"),
        (mutability("IMMUTABLE", ["a"]), "InvalidParameterException"),
        (mutability("MUTABLE_WITH_EXCLUSION", ["a*b*c*"]), "InvalidParameterException"),
        (mutability("MUTABLE_WITH_EXCLUSION", ["a?"]), "InvalidParameterException"),
        (mutability("MUTABLE_WITH_EXCLUSION", (0..<6).map { "t\($0)" }), "InvalidParameterException"),
        (#""encryptionConfiguration":{"encryptionType":"ROT13"}"#, "InvalidParameterException"),
        (
            #""encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"arn:aws:kms:eu-north-1:1:key/1"}"#,
            "KmsException"
        ), (tags(["aws:x"]), "InvalidTagParameterException"), (tags([""]), "InvalidTagParameterException"),
        (tags((0..<51).map { "k\($0)" }), "TooManyTagsException"),
    ]

    @Test("that ECR refuses are refused, and no repository is created", arguments: wrong)
    func refused(_ members: String, _ code: String) async throws {
        try await withClient { emulator, client in
            let answer = try await client.call("CreateRepository", "{\(Self.name),\(members)}")
            #expect(try answer.code == code)
            if code == "KmsException" { #expect(try answer.json("kmsError") == "NotFoundException") }
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])
        }
    }

    @Test("count tags by their keys")
    func tagCount() async throws {
        try await withClient { _, client in
            let arn = Self.arn.replacing("new/app", with: "team/app")
            func tag(_ keys: Range<Int>) async throws -> String? {
                let tags = keys.map { #"{"Key":"k\#($0)","Value":"v"}"# }.joined(separator: ",")
                return try await client.call("TagResource", #"{"resourceArn":"\#(arn)","tags":[\#(tags)]}"#).code
            }
            let codes = [try await tag(0..<50), try await tag(10..<20), try await tag(49..<51)]
            // The second request has only keys that are there already.
            #expect(codes == [nil, nil, "TooManyTagsException"])
        }
    }

    @Test("need an action of their own each, also for the tags of a new repository")
    func denied() async throws {
        try await withClient { emulator, client in
            let calls = [
                ("ListTagsForResource", #"{"resourceArn":"\#(Self.arn.replacing("new/app", with: "team/app"))"}"#),
                ("GetLifecyclePolicy", #"{"repositoryName":"team/app"}"#),
                ("GetRepositoryPolicy", #"{"repositoryName":"team/app"}"#),
                ("PutLifecyclePolicy", #"{"repositoryName":"team/app","lifecyclePolicyText":"x"}"#),
                ("SetRepositoryPolicy", #"{"repositoryName":"team/app","policyText":"x"}"#),
            ]
            for (operation, body) in calls {
                emulator.deny(action: operation)
                #expect(try await client.call(operation, body).code == "AccessDeniedException", "\(operation)")
            }
            emulator.deny(action: "TagResource")
            let tagged = try await client.call("CreateRepository", #"{\#(Self.name),"tags":[{"Key":"a","Value":""}]}"#)
            #expect(try tagged.code == "AccessDeniedException")
            #expect(try tagged.json("message")?.contains("ecr:TagResource") == true)
            #expect(try await client.call("CreateRepository", "{\(Self.name)}").status == 200)
        }
    }
}
