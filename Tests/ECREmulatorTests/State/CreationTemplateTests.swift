import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Repository creation templates", .timeLimit(.minutes(1)))
struct CreationTemplateTests {
    private static let role = "arn:aws:iam::\(account):role/templates"
    private static let policy = #"{"Statement":{"Effect":"Allow","Action":"ecr:*","Principal":"*"}}"#

    private static func quoted(_ text: String) -> String { text.replacing(#"""#, with: #"\""#) }

    @Test("are created, updated member by member, described page by page, and deleted")
    func lifecycle() async throws {
        var configuration = EmulatorConfiguration()
        let clock = HandClock()
        configuration.now = { clock.now }
        try await withClient(configuration) { _, client in
            let made = try await client.call(
                "CreateRepositoryCreationTemplate",
                #"{"prefix":"prod","description":"d","appliedFor":["CREATE_ON_PUSH","REPLICATION"],"#
                    + #""imageTagMutability":"IMMUTABLE_WITH_EXCLUSION","#
                    + #""imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"dev*"}],"#
                    + #""resourceTags":[{"Key":"a","Value":"b"}],"customRoleArn":"\#(Self.role)","#
                    + #""repositoryPolicy":"\#(Self.quoted(Self.policy))"}"#
            )
            #expect(made.status == 200, "\(made.text)")
            #expect(try made.json("registryId") == account)
            #expect(try made.json("repositoryCreationTemplate", "appliedFor", "1") == "REPLICATION")
            #expect(
                try made.json("repositoryCreationTemplate", "encryptionConfiguration", "encryptionType") == "AES256"
            )
            let again = try await client.call(
                "CreateRepositoryCreationTemplate",
                #"{"prefix":"prod/","appliedFor":["CREATE_ON_PUSH"]}"#
            )
            #expect(try again.code == "TemplateAlreadyExistsException", "a slash at the end is assumed")
            clock.advance(60)
            let updated = try await client.call(
                "UpdateRepositoryCreationTemplate",
                #"{"prefix":"prod","imageTagMutability":"IMMUTABLE","appliedFor":["CREATE_ON_PUSH"]}"#
            )
            let template = "repositoryCreationTemplate"
            #expect(try updated.json(template, "imageTagMutability") == "IMMUTABLE")
            #expect(try updated.json(template, "imageTagMutabilityExclusionFilters") == nil)
            #expect(try updated.json(template, "description") == "d", "what isn't given stays")
            #expect(try updated.json(template, "resourceTags", "0", "Value") == "b")
            #expect(try updated.json(template, "repositoryPolicy") == Self.policy)
            #expect(try updated.json(template, "createdAt") == made.json(template, "createdAt"))
            #expect(try updated.json(template, "updatedAt") != made.json(template, "updatedAt"))
            for prefix in ["ROOT", "a"] {
                let more = try await client.call(
                    "CreateRepositoryCreationTemplate",
                    #"{"prefix":"\#(prefix)","appliedFor":["PULL_THROUGH_CACHE"]}"#
                )
                #expect(more.status == 200, "\(more.text)")
            }
            let first = try await client.call("DescribeRepositoryCreationTemplates", #"{"maxResults":2}"#)
            #expect(try first.json("repositoryCreationTemplates", "0", "prefix") == "ROOT")
            #expect(try first.json("repositoryCreationTemplates", "1", "prefix") == "a")
            let token = try #require(try first.json("nextToken"))
            let rest = try await client.call("DescribeRepositoryCreationTemplates", #"{"nextToken":"\#(token)"}"#)
            #expect(try rest.json("repositoryCreationTemplates", "0", "prefix") == "prod")
            #expect(try rest.json("nextToken") == nil)
            let named = try await client.call(
                "DescribeRepositoryCreationTemplates",
                #"{"prefixes":["prod/","nothing"]}"#
            )
            #expect(try named.json("repositoryCreationTemplates", "0", "prefix") == "prod")
            #expect(try named.json("repositoryCreationTemplates", "1") == nil)
            var other = client
            other.account = otherAccount
            let others = try await other.call("DescribeRepositoryCreationTemplates")
            #expect(others.text == #"{"registryId":"\#(otherAccount)","repositoryCreationTemplates":[]}"#)
            #expect(try await client.call("DeleteRepositoryCreationTemplate", #"{"prefix":"prod"}"#).status == 200)
            for operation in ["DeleteRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate"] {
                #expect(try await client.call(operation, #"{"prefix":"prod"}"#).code == "TemplateNotFoundException")
            }
        }
    }

    @Test(
        "that violate the service model are refused",
        arguments: [
            (#""prefix":"Prod","appliedFor":[]"#, "InvalidParameterException"),
            (#""prefix":"prod//","appliedFor":[]"#, "InvalidParameterException"),
            (#""appliedFor":[]"#, "InvalidParameterException"),
            (#""prefix":"prod""#, "InvalidParameterException"),
            (#""prefix":"prod","appliedFor":["PUSH"]"#, "InvalidParameterException"),
            (#""prefix":"prod","appliedFor":[],"imageTagMutability":"SOMETIMES""#, "InvalidParameterException"),
            (#""prefix":"prod","appliedFor":[],"repositoryPolicy":"{}""#, "InvalidParameterException"),
            (#""prefix":"prod","appliedFor":[],"lifecyclePolicy":"{}""#, "InvalidParameterException"),
            (
                #""prefix":"prod","appliedFor":[],"encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"alias/a"}"#,
                "InvalidParameterException"
            ),
            (#""prefix":"prod","appliedFor":[],"resourceTags":[{"Key":"a","Value":"b"}]"#, "ValidationException"),
            (
                #""prefix":"prod","appliedFor":[],"encryptionConfiguration":{"encryptionType":"KMS"}"#,
                "ValidationException"
            ),
        ]
    )
    func refused(members: String, code: String) async throws {
        try await withClient { _, client in
            let answer = try await client.call("CreateRepositoryCreationTemplate", "{\(members)}")
            #expect(try answer.code == code, "\(answer.text)")
            #expect(try await client.call("DescribeRepositoryCreationTemplates").text.hasSuffix(#"Templates":[]}"#))
        }
    }

    @Test("the template for pushes with the longest prefix applies, and ROOT applies to the rest")
    func longest() {
        func template(_ prefix: String, _ events: [CreationTemplate.Event] = [.push]) -> CreationTemplate {
            CreationTemplate(prefix: prefix, appliedFor: events, createdAt: noon, updatedAt: noon)
        }
        var registry = EmulatedRegistry(key: RegistryKey(account: account, region: region))
        registry.templates = [
            template("team"), template("ROOT"), template("team/a/"), template("team/a/b", [.replication]),
        ]
        func prefix(_ name: String) -> String? { registry.template(for: name, on: .push)?.prefix }
        #expect(prefix("team/a/b/c") == "team/a/")
        #expect(prefix("team/x") == "team")
        #expect(prefix("team") == "ROOT")
        #expect(prefix("teams/x") == "ROOT")
        #expect(registry.template(for: "team/a/b/c", on: .replication)?.prefix == "team/a/b")
        #expect(registry.template(for: "team/x", on: .pullThrough) == nil)
    }

    @Test(
        "a first push creates the repository, but reads don't",
        arguments: ["POST", "PUT", "InitiateLayerUpload", "PutImage"]
    )
    func push(way: String) async throws {
        try await withClient { emulator, client in
            let made = try await client.call(
                "CreateRepositoryCreationTemplate",
                #"{"prefix":"mirror","appliedFor":["CREATE_ON_PUSH"],"imageTagMutability":"IMMUTABLE","#
                    + #""resourceTags":[{"Key":"a","Value":"b"}],"customRoleArn":"\#(Self.role)","#
                    + #""repositoryPolicy":"\#(Self.quoted(Self.policy))"}"#
            )
            #expect(made.status == 200, "\(made.text)")
            let name = #""repositoryName":"mirror/app""#
            for (operation, members) in [
                ("BatchGetImage", #","imageIds":[{"imageTag":"v1"}]"#), ("ListImages", ""),
                ("BatchCheckLayerAvailability", #","layerDigests":["\#(Digest.ofNothing)"]"#), ("DescribeImages", ""),
            ] {
                let read = try await client.call(operation, "{\(name)\(members)}")
                #expect(try read.code == "RepositoryNotFoundException")
            }
            for path in ["manifests/v1", "tags/list", "blobs/\(Digest.ofNothing)"] {
                let read = try await client.registry("GET", "/v2/mirror/app/\(path)")
                #expect(try read.code == "NAME_UNKNOWN", "\(path): \(read.text)")
            }
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])

            let manifest = String(decoding: SeedImage.oci("x", layers: [10]).bytes, as: UTF8.self)
            switch way {
            case "POST": #expect(try await client.registry("POST", "/v2/mirror/app/blobs/uploads/").status == 202)
            case "PUT":
                let type = ("Content-Type", ManifestType.ociImage)
                let put = try await client.registry(
                    "PUT",
                    "/v2/mirror/app/manifests/v1",
                    [type],
                    body: Array(manifest.utf8)
                )
                #expect(try put.code == "MANIFEST_BLOB_UNKNOWN")
            case "PutImage":
                let put = try await client.call(way, #"{\#(name),"imageManifest":"\#(Self.quoted(manifest))"}"#)
                #expect(try put.code == "LayersNotFoundException")
            default: #expect(try await client.call(way, "{\(name)}").status == 200)
            }

            let told = try await client.call("DescribeRepositories", #"{"repositoryNames":["mirror/app"]}"#)
            #expect(try told.json("repositories", "0", "imageTagMutability") == "IMMUTABLE")
            let arn = try #require(try told.json("repositories", "0", "repositoryArn"))
            let tags = try await client.call("ListTagsForResource", #"{"resourceArn":"\#(arn)"}"#)
            #expect(try tags.json("tags", "0", "Value") == "b")
            #expect(try await client.call("GetRepositoryPolicy", "{\(name)}").json("policyText") == Self.policy)
        }
    }

    @Test("a push without a matching template for pushes fails, because the repository is missing")
    func uncovered() async throws {
        try await withClient { emulator, client in
            for (prefix, event) in [("mirror", "CREATE_ON_PUSH"), ("other", "REPLICATION")] {
                let members = #"{"prefix":"\#(prefix)","appliedFor":["\#(event)"]}"#
                #expect(try await client.call("CreateRepositoryCreationTemplate", members).status == 200)
            }
            for name in ["mirrors/app", "other/app", "mirror"] {
                let begun = try await client.call("InitiateLayerUpload", #"{"repositoryName":"\#(name)"}"#)
                #expect(try begun.code == "RepositoryNotFoundException")
                #expect(try await client.registry("POST", "/v2/\(name)/blobs/uploads/").status == 0)
            }
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])
            let odd = try await client.call("InitiateLayerUpload", #"{"repositoryName":"mirror/No"}"#)
            #expect(try odd.code == "InvalidParameterException")
        }
    }

    @Test("are kept between processes")
    func persistence() async throws {
        var configuration = EmulatorConfiguration()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("emulator-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        configuration.stateDirectory = directory.path
        let made = try await withEmulator(configuration) { emulator in
            try await PlainClient(emulator: emulator).call(
                "CreateRepositoryCreationTemplate",
                #"{"prefix":"mirror","appliedFor":["CREATE_ON_PUSH"]}"#
            )
        }
        #expect(made.status == 200)
        try await withEmulator(configuration) { emulator in
            let client = PlainClient(emulator: emulator)
            let told = try await client.call("DescribeRepositoryCreationTemplates")
            #expect(try told.json("repositoryCreationTemplates", "0", "createdAt") != nil)
            #expect(try await client.call("InitiateLayerUpload", #"{"repositoryName":"mirror/app"}"#).status == 200)
        }
    }
}
