import Content
import Foundation
import Replicate
import TestPrograms
import Testing

@testable import IAMPolicies

@Suite("Policies")
struct PolicySetTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    private static let production = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
    private static let replicator = "arn:aws:iam::111122223333:role/replicator"

    private static func request(
        _ source: String,
        _ destination: String,
        _ change: (inout PolicyRequest) -> Void = { _ in }
    ) throws -> PolicyRequest {
        let from = try PolicyPlace(parsing: source)
        var request = PolicyRequest(
            source: from,
            destination: try PolicyPlace(parsing: destination, keeping: from?.pattern)
        )
        change(&request)
        return request
    }

    private func actions(_ document: PolicyDocument?) -> [String] { document?.statements.flatMap(\.actions) ?? [] }

    private static let write = [
        "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload", "ecr:PutImage",
    ]

    @Test("of a copy within one account are two identity policies")
    func oneAccount() throws {
        let set = try PolicySet(
            try Self.request("\(Self.build)/team/app:v1", "111122223333.dkr.ecr.us-east-1.amazonaws.com/")
        )
        #expect(actions(set[.sourceIdentity]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
        #expect(actions(set[.destinationIdentity]) == ["ecr:GetAuthorizationToken"] + Self.write)
        #expect(set[.sourceRepository] == nil && set[.destinationRepository] == nil)
        #expect(
            set[.destinationIdentity]?.statements.map(\.resources) == [
                ["*"], ["arn:aws:ecr:us-east-1:111122223333:repository/team/app"],
            ]
        )
    }

    @Test("of a retag are one, without permissions for layers, tokens and a source")
    func retag() throws {
        let set = try PolicySet(try Self.request("\(Self.build)/team/app:v1", "\(Self.build)/team/app:v2"))
        #expect(set[.sourceIdentity] == nil)
        #expect(actions(set[.destinationIdentity]) == ["ecr:BatchGetImage", "ecr:PutImage"])
        // Two identities are two sides, whatever they share.
        let two = try PolicySet(
            try Self.request("\(Self.build)/team/app:v1", "\(Self.build)/team/app:v2") {
                $0.writer.start = Principal(arn: Self.replicator)
            }
        )
        #expect(actions(two[.sourceIdentity]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
        // Of equal patterns a copy goes from any repository to any other.
        let any = try PolicySet(try Self.request("\(Self.build)/team/*", "\(Self.build)/team/*"))
        #expect(actions(any[.sourceIdentity]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
        #expect(actions(any[.destinationIdentity]) == ["ecr:GetAuthorizationToken"] + Self.write)
    }

    @Test("across accounts let the caller in by the repository's policy, where a repository policy can")
    func acrossAccounts() throws {
        let set = try PolicySet(
            try Self.request("\(Self.build)/team/app", "\(Self.production)/prod/app") {
                $0.reader.start = Principal(arn: "arn:aws:sts::111122223333:assumed-role/replicator/me")
                $0.writer = $0.reader
            }
        )
        #expect(set[.sourceRepository] == nil)
        #expect(
            set[.destinationRepository]?.text == """
                {
                  "Version": "2012-10-17",
                  "Statement": [
                    {
                      "Sid": "LetWrite",
                      "Effect": "Allow",
                      "Principal": {
                        "AWS": "arn:aws:iam::111122223333:role/replicator"
                      },
                      "Action": [
                        "ecr:BatchGetImage",
                        "ecr:BatchCheckLayerAvailability",
                        "ecr:InitiateLayerUpload",
                        "ecr:UploadLayerPart",
                        "ecr:CompleteLayerUpload",
                        "ecr:PutImage"
                      ]
                    }
                  ]
                }

                """
        )
        // A role in the account that owns the repository needs no repository policy.
        let role = try PolicySet(
            try Self.request("\(Self.build)/team/app", "\(Self.production)/prod/app") {
                $0.writer.start = Principal(arn: "arn:aws:iam::444455556666:role/promoter")
                $0.createsRepository = true
            }
        )
        #expect(actions(role[.destinationIdentity]).last == "ecr:CreateRepository")
        #expect(
            role[.destinationRepository] == nil
                && role.text.contains("# destination-identity: for role promoter in account 444455556666, who writes\n")
        )
    }

    @Test("let no caller of another account create a repository", arguments: [true, false])
    func foreignCreation(_ hasKey: Bool) throws {
        let request = try Self.request("\(Self.build)/team/app", "\(Self.production)/prod/app") {
            $0.createsRepository = !hasKey
            if hasKey { $0.keys = [KeyName("arn:aws:kms:eu-west-1:444455556666:key/1")].compactMap { $0 } }
        }
        #expect(throws: ForeignCreation(caller: "account 111122223333", account: "444455556666")) {
            try PolicySet(request)
        }
    }

    @Test("have a name for each repository, which IAM accepts")
    func names() throws {
        let name = { (repository: String) in
            let text = try PolicySet(
                try Self.request("docker.io/alpine", "\(Self.build)/\(repository)") {
                    $0.writer.start = Principal(arn: Self.replicator)
                }
            ).text
            let words = text.split(separator: " ")
            let flag = try #require(words.firstIndex(of: "--policy-name"))
            return String(words[flag + 1])
        }
        try #expect(name("team/app") == "ecr-replicate-destination-111122223333-eu-west-1-team+app")
        try #expect(name("team/*") == "ecr-replicate-destination-111122223333-eu-west-1-team+@")
        let long = String(repeating: "a", count: 100)
        let two = [try name("\(long)/one"), try name("\(long)/two")]
        #expect(two[0] != two[1] && two.allSatisfy { $0.count == 128 })
    }

    @Test("of a permission set say what they replace, and which command must follow")
    func permissionSet() throws {
        let text = try PolicySet(
            try Self.request("docker.io/alpine", "\(Self.build)/mirror/alpine") {
                $0.writer.start = Principal(
                    arn: "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann"
                )
            }
        ).text
        let comments = text.split(separator: "\n").filter { $0.hasPrefix("#") }.map(String.init)
        let expected = """
            # destination-identity: for permission set Deploy (IAM Identity Center, account 111122223333), who writes
            # a permission set has one inline policy, which this replaces: add the statements to it; this prints the current policy
            #   aws sso-admin get-inline-policy-for-permission-set --instance-arn INSTANCE --permission-set-arn SET
            #   aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE --permission-set-arn SET \
            --inline-policy file://destination-identity.json
            # without this command, nothing changes for the set's users
            #   aws sso-admin provision-permission-set --instance-arn INSTANCE --permission-set-arn SET \
            --target-type ALL_PROVISIONED_ACCOUNTS
            """
        #expect(comments.joined(separator: "\n") == expected)
    }

    @Test("to another partition assume a caller of that partition's account")
    func partitions() throws {
        let china = "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn"
        let set = try PolicySet(
            try Self.request("\(Self.build)/team/app", "\(china)/") {
                $0.keys = [KeyName("arn:aws-cn:kms:cn-north-1:444455556666:key/1")].compactMap { $0 }
            }
        )
        #expect(
            set[PolicyName(.destinationIdentity)]?.place
                == .identity(Principal(account: "444455556666", partition: "aws-cn"), does: "writes")
        )
        #expect(set[.destinationRepository] == nil)
        #expect(
            set[.destinationIdentity]?.statements.last?.line == #"""
                {"Sid":"CreateWithKey","Effect":"Allow","Action":["kms:CreateGrant","kms:RetireGrant","kms:DescribeKey"],\#
                "Resource":"arn:aws-cn:kms:cn-north-1:444455556666:key/1",\#
                "Condition":{"StringEquals":{"kms:ViaService":"ecr.cn-north-1.amazonaws.com.cn"}}}
                """#
        )
        #expect(actions(set[.destinationIdentity]).contains("ecr:CreateRepository"))
    }

    @Test("depend on what is copied and how")
    func shapes() throws {
        let many = try PolicySet(
            try Self.request("\(Self.build)/one", "\(Self.production)/one") { $0.listsImages = true }
        )
        #expect(actions(many[.sourceIdentity]).last == "ecr:DescribeImages")
        let parts = try PolicySet(try Self.request("\(Self.build)/one", "\(Self.production)/one") { $0.upload = .api })
        #expect(actions(parts[.destinationIdentity]) == Self.write)
        // What can be mounted is mounted through the registry, however the rest goes.
        let mounting = try PolicySet(
            try Self.request("\(Self.build)/a1", "\(Self.build)/a2") {
                $0.upload = .api
                $0.includesOptional = true
            }
        )
        #expect(actions(mounting[.destinationIdentity]).contains("ecr:GetAuthorizationToken"))
        #expect(
            mounting[.destinationIdentity]?.statements.last?.line == #"""
                {"Sid":"Mount","Effect":"Allow","Action":"ecr:GetDownloadUrlForLayer",\#
                "Resource":"arn:aws:ecr:eu-west-1:111122223333:repository/a1"}
                """#
        )
        let pull = try PolicySet(try Self.request("docker.io/alpine", "\(Self.build)/mirror/alpine"))
        #expect(pull[.sourceIdentity] == nil && actions(pull[.destinationIdentity]).count == 7)
    }

    /// What `config/README.md` says they are made from.
    private static let files: [(file: String, part: PolicyPart, change: @Sendable (inout PolicyRequest) -> Void)] = [
        (
            "retag", .destinationIdentity,
            { request in
                request.source = request.source.map { PolicyPlace(host: $0.host, pattern: "team/app") }
                request.destinations = [request.source]
                request.includesOptional = true
            }
        ),
        ("source-read", .sourceIdentity, { $0.listsImages = true }),
        (
            "destination-write", .destinationIdentity,
            { request in
                request.writer.start = Principal(arn: "arn:aws:iam::444455556666:role/promoter")
                request.createsRepository = true
                request.includesOptional = true
            }
        ),
        (
            "source-repository-policy", .sourceRepository,
            { request in
                request.reader.start = Principal(account: "444455556666", partition: "aws")
                request.listsImages = true
            }
        ),
        (
            "destination-repository-policy", .destinationRepository,
            { request in
                request.writer.start = Principal(arn: replicator)
                request.includesOptional = true
            }
        ),
        (
            "promoter-trust", .destinationTrust,
            { request in
                request.writer.start = Principal(arn: replicator)
                request.writer.assumptions =
                    Principal(arn: "arn:aws:iam::444455556666:role/promoter")
                    .map { [PolicyCaller.Assumption($0, externalID: "ex-1")] } ?? []
            }
        ),
    ]

    @Test("in config/iam are the printed ones", arguments: files.indices)
    func examples(_ index: Int) throws {
        let (file, part, change) = Self.files[index]
        let set = try PolicySet(try Self.request("\(Self.build)/team/*", "\(Self.production)/prod/*", change))
        #expect(try Self.page("config/iam/\(file).json") == set[part]?.text)
    }

    @Test("use the actions that docs/permissions.md lists")
    func documented() throws {
        let lines = try Self.page("docs/permissions.md").components(separatedBy: "\n")
        let start = try #require(lines.firstIndex(of: "| action | side | when | what for | if it is denied |"))
        #expect(lines[(start + 2)...].prefix { $0.hasPrefix("|") } == Permission.all.map(\.row)[...])
    }

    private static func page(_ path: String) throws -> String {
        try String(contentsOfFile: repositoryFile(path), encoding: .utf8)
    }
}
