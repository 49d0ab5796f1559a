import Content
import Replicate
import Testing

@testable import IAMPolicies

@Suite("Policies of a copy that creates a repository like the source's")
struct PolicyLikeSourceTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    private static let production = "444455556666.dkr.ecr.us-east-1.amazonaws.com"
    private static let promoter = Principal(arn: "arn:aws:iam::444455556666:role/promoter")

    private func policies(
        _ source: String,
        _ destination: String,
        _ change: (inout PolicyRequest) -> Void = { _ in }
    ) throws -> PolicySet {
        var request = PolicyRequest(
            source: try PolicyPlace(parsing: source),
            destination: try PolicyPlace(parsing: destination)
        )
        request.writer.start = Self.promoter
        request.createsLikeSource = true
        change(&request)
        return try PolicySet(request)
    }

    private func statement(_ id: String, _ document: PolicyDocument?) -> PolicyStatement? {
        document?.statements.first { $0.id == id }
    }

    private static let reading = [
        "ecr:DescribeRepositories", "ecr:ListTagsForResource", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy",
    ]

    @Test("add four actions at the source and four at the destination, and no other")
    func exactly() throws {
        let (source, destination) = ("\(Self.build)/team/app", "\(Self.production)/prod/app")
        let set = try policies(source, destination)
        let plain = try policies(source, destination) { $0.createsLikeSource = false }
        let read = try #require(statement("ReadSettings", set[.sourceIdentity]))
        #expect(
            read.actions == Self.reading && read.resources == ["arn:aws:ecr:eu-west-1:111122223333:repository/team/app"]
        )
        #expect(
            set[.sourceIdentity]?.statements.filter { $0.id != "ReadSettings" } == plain[.sourceIdentity]?.statements
        )
        let create = try #require(statement("Create", set[.destinationIdentity]))
        #expect(
            create.actions == [
                "ecr:CreateRepository", "ecr:TagResource", "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy",
            ]
        )
        #expect(create.resources == ["arn:aws:ecr:us-east-1:444455556666:repository/prod/app"])
        #expect(
            set[.destinationIdentity]?.statements.filter { $0.id != "Create" }
                == plain[.destinationIdentity]?.statements
        )
    }

    @Test("let a reader of another account in by the policy of the source's repository")
    func repositoryPolicy() throws {
        let set = try policies("\(Self.build)/team/app", "\(Self.production)/prod/app") {
            $0.reader.start = Self.promoter
        }
        #expect(set[.sourceRepository]?.statements.first?.actions.suffix(4) == Self.reading[...])
    }

    @Test("of a source that is not ECR only create the repository, and of a retag do neither")
    func elsewhere() throws {
        let pull = try policies("docker.io/alpine", "\(Self.production)/mirror/alpine")
        #expect(statement("Create", pull[.destinationIdentity])?.actions == ["ecr:CreateRepository"])
        let retag = try policies("\(Self.production)/prod/app", "\(Self.production)/prod/app") {
            $0.reader.start = Self.promoter
        }
        #expect(retag[.sourceIdentity] == nil && statement("Create", retag[.destinationIdentity]) == nil)
        let out = try policies("\(Self.build)/team/app", "x.test/team/app")
        #expect(statement("ReadSettings", out[.sourceIdentity]) == nil)
    }

    @Test("name keys by ARN, id and alias, and AWS's own key not at all")
    func keys() throws {
        let keys = [
            "arn:aws:kms:us-east-1:444455556666:key/1", "22222222-0000-0000-0000-000000000000", "alias/prod",
            "arn:aws:kms:eu-west-1:444455556666:key/3", "alias/aws/ecr",
        ]
        let set = try policies("\(Self.build)/team/app", "\(Self.production)/prod/app") {
            $0.keys = keys.compactMap(KeyName.init)
            #expect($0.keys.count == keys.count)
        }
        let lines = set[.destinationIdentity]?.statements.map(\.line).filter { $0.contains("kms:") }
        let actions = #""Action":["kms:CreateGrant","kms:RetireGrant","kms:DescribeKey"]"#
        let service = #""StringEquals":{"kms:ViaService":"ecr.us-east-1.amazonaws.com"}"#
        #expect(
            lines == [
                #"{"Sid":"CreateWithKey","Effect":"Allow",\#(actions),"Resource":"#
                    + #"["arn:aws:kms:us-east-1:444455556666:key/1","#
                    + #""arn:aws:kms:us-east-1:444455556666:key/22222222-0000-0000-0000-000000000000"],"#
                    + #""Condition":{\#(service)}}"#,
                #"{"Sid":"CreateWithKey2","Effect":"Allow",\#(actions),"#
                    + #""Resource":"arn:aws:kms:us-east-1:444455556666:key/*","Condition":{\#(service),"#
                    + #""ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/prod"}}}"#,
            ]
        )
    }

    @Test(
        "refuse texts that name no key",
        arguments: [
            "", "alias/", "a b", "arn:aws:s3:eu-west-1:1:key/1", "arn:aws:kms:eu-west-1:1:grant/1",
            "arn:aws:kms::1:key/1",
            "key/1", "arn:aws:kms:eu-west-1:1:key/*", "alias/a\"b",
        ]
    )
    func noKey(_ text: String) { #expect(KeyName(text) == nil) }
}
