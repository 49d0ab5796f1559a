import Content
import Foundation
import Testing

@testable import Replicate

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

    @Test("of a copy within one account are two, and no repository's")
    func oneAccount() throws {
        let set = PolicySet(
            try Self.request("\(Self.build)/team/app:v1", "111122223333.dkr.ecr.us-east-1.amazonaws.com/")
        )
        #expect(actions(set[.sourceIdentity]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
        #expect(actions(set[.destinationIdentity]) == ["ecr:GetAuthorizationToken"] + Self.write)
        #expect(set[.sourceRepository] == nil && set[.destinationRepository] == nil)
        #expect(
            set.destination?.identityPolicy.statements.map(\.resources) == [
                ["*"], ["arn:aws:ecr:us-east-1:111122223333:repository/team/app"],
            ]
        )
    }

    @Test("of a retag are one, without layers, token and source")
    func retag() throws {
        let set = PolicySet(try Self.request("\(Self.build)/team/app:v1", "\(Self.build)/team/app:v2"))
        #expect(set.source == nil)
        #expect(actions(set[.destinationIdentity]) == ["ecr:BatchGetImage", "ecr:PutImage"])
        // Two identities are two sides, whatever they share.
        let two = PolicySet(
            try Self.request("\(Self.build)/team/app:v1", "\(Self.build)/team/app:v2") {
                $0.writer = Principal(arn: Self.replicator)
            }
        )
        #expect(actions(two[.sourceIdentity]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
    }

    @Test("across accounts let the caller in at the repository, but for what no repository can say")
    func acrossAccounts() throws {
        let set = PolicySet(
            try Self.request("\(Self.build)/team/app", "\(Self.production)/prod/app") {
                $0.reader = Principal(arn: "arn:aws:sts::111122223333:assumed-role/replicator/me")
                $0.writer = $0.reader
                $0.createsRepository = true
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
        // A role in the account that owns the repository needs nobody's leave.
        let role = PolicySet(
            try Self.request("\(Self.build)/team/app", "\(Self.production)/prod/app") {
                $0.writer = Principal(arn: "arn:aws:iam::444455556666:role/promoter")
            }
        )
        #expect(
            role[.destinationRepository] == nil
                && role.destination?.caller.words == "role promoter in account 444455556666"
        )
    }

    @Test("to another partition take its own accounts for the callers'")
    func partitions() throws {
        let china = "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn"
        let set = PolicySet(
            try Self.request("\(Self.build)/team/app", "\(china)/") {
                $0.keyARN = "arn:aws-cn:kms:cn-north-1:444455556666:key/1"
            }
        )
        #expect(set.destination?.caller.arn == "arn:aws-cn:iam::444455556666:root")
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

    @Test("follow what is copied how")
    func shapes() throws {
        let many = PolicySet(try Self.request("\(Self.build)/one", "\(Self.production)/one") { $0.listsImages = true })
        #expect(actions(many[.sourceIdentity]).last == "ecr:DescribeImages")
        let parts = PolicySet(try Self.request("\(Self.build)/one", "\(Self.production)/one") { $0.upload = .api })
        #expect(actions(parts[.destinationIdentity]) == Self.write)
        // What can be mounted is mounted through the registry, however the rest goes.
        let mounting = PolicySet(
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
        let pull = PolicySet(try Self.request("docker.io/alpine", "\(Self.build)/mirror/alpine"))
        #expect(pull.source == nil && actions(pull[.destinationIdentity]).count == 7)
    }

    @Test(
        "are about the repository, or all that match",
        arguments: [
            ("\(build)/team/*", "team/*"), ("\(build)/te*m/app:v1", "te*m/app"),
            ("\(build)/team/app@sha256:1", "team/app"),
            ("arn:aws:ecr:eu-west-1:111122223333:repository/team/*", "team/*"), ("\(build)/*", "*"),
            ("\(build)/a*b*:v1", "a*b*"),
        ]
    )
    func patterns(_ text: String, _ pattern: String) throws {
        let place = try #require(try PolicyPlace(parsing: text))
        #expect(place.pattern == pattern && place.arn == "arn:aws:ecr:eu-west-1:111122223333:repository/\(pattern)")
    }

    @Test(
        "are of no repository without account and region",
        arguments: [
            "team/app", "\(build)/", "\(build)/Team/*", "",
            "111122223333.dkr.ecr.eu-*.amazonaws.com/team/app",
        ]
    )
    func noPlace(_ text: String) {
        #expect(throws: ReferenceError.self) { try PolicyPlace(parsing: text) }
    }

    @Test("name only callers that a policy can name")
    func callers() {
        let words = [
            "arn:aws:iam::111122223333:role/ops/deploy": "role deploy in account 111122223333",
            "arn:aws:iam::111122223333:user/ann": "user ann in account 111122223333",
            "arn:aws:sts::111122223333:federated-user/bob": "the user who federates bob in account 111122223333",
            "arn:aws-us-gov:iam::111122223333:root": "account 111122223333",
        ]
        for (arn, expected) in words {
            #expect(Principal(arn: arn)?.words == expected)
            #expect(Principal(arn: arn)?.arn == arn)
        }
        for text in [
            "", "111122223333", "arn:aws:iam::111122223333:group/g", "arn:aws:iam::x:role/r", "arn:aws:iam::1:role/",
            "arn:aws:iam::1:role/a b", "arn:aws:sts::1:assumed-role/r", "arn:aws:s3:::b", "arn:aws:iam:eu:1:role/r",
        ] { #expect(Principal(arn: text) == nil, "\(text)") }
    }

    /// What `config/README.md` says they are made from.
    private static let files: [(file: String, part: PolicyPart, change: @Sendable (inout PolicyRequest) -> Void)] = [
        (
            "retag", .destinationIdentity,
            { request in
                request.destination = request.source
                request.includesOptional = true
            }
        ),
        ("source-read", .sourceIdentity, { $0.listsImages = true }),
        (
            "destination-write", .destinationIdentity,
            { request in
                request.createsRepository = true
                request.includesOptional = true
            }
        ),
        (
            "source-repository-policy", .sourceRepository,
            { request in
                request.reader = Principal(account: "444455556666", partition: "aws")
                request.listsImages = true
            }
        ),
        (
            "destination-repository-policy", .destinationRepository,
            { request in
                request.writer = Principal(arn: replicator)
                request.includesOptional = true
            }
        ),
    ]

    @Test("in config/iam are those that are printed", arguments: files.indices)
    func examples(_ index: Int) throws {
        let (file, part, change) = Self.files[index]
        let set = PolicySet(try Self.request("\(Self.build)/team/*", "\(Self.production)/prod/*", change))
        #expect(try Self.page("config/iam/\(file).json") == set[part]?.text)
    }

    @Test("are made of the actions that docs/permissions.md lists")
    func documented() throws {
        let lines = try Self.page("docs/permissions.md").components(separatedBy: "\n")
        let start = try #require(lines.firstIndex(of: "| action | side | when | what for | if it is denied |"))
        #expect(lines[(start + 2)...].prefix { $0.hasPrefix("|") } == Permission.all.map(\.row)[...])
    }

    private static func page(_ path: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "../../\(path)"), encoding: .utf8)
    }
}
