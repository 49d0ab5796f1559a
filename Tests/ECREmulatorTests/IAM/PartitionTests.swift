import Content
import Foundation
import Testing

@testable import ECREmulator

/// Accounts of two partitions, one of which hasn't opted in to a region.
@Suite("Partitions", .timeLimit(.minutes(1)))
struct PartitionTests {
    private static let chinese = "777788889999"
    private static let unknown = "The security token included in the request is invalid."

    private static var configuration: EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.accounts = [
            .init(id: account), .init(id: otherAccount, disabledRegions: ["ap-east-1"]),
            .init(id: chinese, partition: .china, disabledRegions: ["cn-northwest-1"]),
        ]
        configuration.regions = ["us-east-1", "cn-north-1"]
        configuration.users = [.init(account: chinese, name: "mei", partition: .china)]
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "signed-in", expires: Date().addingTimeInterval(3_600))],
            assignments: [.init(account: chinese, role: "Dev")]
        )
        return configuration
    }

    private func withChina(_ body: (Emulator, PlainClient) async throws -> Void) async throws {
        try await withEmulator(Self.configuration) { emulator in
            try await body(emulator, PlainClient(emulator: emulator, account: Self.chinese, region: "cn-north-1"))
        }
    }

    @Test(
        "each region belongs to one partition, which every repository ARN there names",
        arguments: [
            ("eu-west-1", "aws"), ("us-east-1", "aws"), ("mx-central-1", "aws"), ("cn-north-1", "aws-cn"),
            ("cn-northwest-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"), ("eu-isoe-west-1", "aws-iso-e"), ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"), ("xx-new-1", "aws"),
        ]
    )
    func regions(region: String, name: String) async throws {
        let partition = try #require(AWSPartition(rawValue: name))
        #expect(AWSPartition(ofRegion: region) == partition)
        var configuration = EmulatorConfiguration()
        configuration.accounts = [.init(id: account, partition: partition)]
        configuration.regions = [region]
        try await withEmulator(configuration) { emulator in
            var client = PlainClient(emulator: emulator, region: region)
            let created = try await client.call("CreateRepository", #"{"repositoryName":"team/app"}"#)
            let arn = "arn:\(name):ecr:\(region):\(account):repository/team/app"
            #expect(try created.json("repository", "repositoryArn") == arn)
            let tags = try await client.call("ListTagsForResource", #"{"resourceArn":"\#(arn)"}"#)
            #expect(tags.status == 200)
            let identity = try await client.sts("Action=GetCallerIdentity")
            #expect(identity.element("Arn") == "arn:\(name):iam::\(account):user/emulator")
            let role = "arn:\(name):iam::\(account):role/push"
            let taken = try await client.sts("Action=AssumeRole&RoleSessionName=me&RoleArn=\(role)")
            #expect(taken.element("Arn") == "arn:\(name):sts::\(account):assumed-role/push/me")
            emulator.deny(action: "ListImages")
            let denied = try await client.call(
                "ListImages",
                #"{"repositoryName":"team/app"}"#,
                session: taken.session
            )
            #expect(
                try denied.json("message")
                    == "User: arn:\(name):sts::\(account):assumed-role/push/me is not authorized to perform: "
                    + "ecr:ListImages on resource: \(arn) because no identity-based policy allows the ecr:ListImages action"
            )
            try await client.logIn()
            let refused = try await client.registry("GET", "/v2/team/app/tags/list")
            #expect(try refused.json("errors", "0", "message")?.contains("resource: \(arn) ") == true)
            #expect(emulator.environment.contains { $0.name == "AWS_REGION" && $0.value == region })
        }
    }

    @Test("keys and sessions are valid only in the regions of their partition")
    func keys() async throws {
        try await withChina { emulator, client in
            let role = "arn:aws-cn:iam::\(Self.chinese):role/push"
            let session = try await client.sts("Action=AssumeRole&RoleSessionName=me&RoleArn=\(role)").session
            let user = EmulatorConfiguration.User(account: Self.chinese, name: "mei", partition: .china)
            #expect(user.arn == "arn:aws-cn:iam::\(Self.chinese):user/mei")
            let keys = [nil, session, (user.accessKeyID, user.secretAccessKey, "")]
            var abroad = client
            abroad.region = "us-east-1"
            for key in keys {
                #expect(try await client.call("DescribeRegistry", session: key).status == 200)
                let refused = try await abroad.call("DescribeRegistry", session: key)
                #expect(try refused.code == "UnrecognizedClientException")
                #expect(try refused.json("message") == Self.unknown)
                let asked = try await abroad.sts("Action=GetCallerIdentity", session: key)
                #expect(asked.status == 403 && asked.element("Code") == "InvalidClientTokenId")
                #expect(asked.element("Message") == Self.unknown)
            }
            var home = client
            (home.account, home.region) = (account, "cn-north-1")
            #expect(try await home.call("DescribeRegistry").code == "UnrecognizedClientException")
        }
    }

    @Test("a role can be assumed only from its own partition, and only in an account of that partition")
    func roles() async throws {
        try await withChina { emulator, client in
            func code(_ client: PlainClient, _ role: String) async throws -> String {
                try await client.sts("Action=AssumeRole&RoleSessionName=me&RoleArn=\(role)").element("Code")
            }
            let commercial = PlainClient(emulator: emulator)
            let role = "arn:aws-cn:iam::\(Self.chinese):role/push"
            let across = try await commercial.sts("Action=AssumeRole&RoleSessionName=me&RoleArn=\(role)")
            #expect(across.status == 403 && across.element("Code") == "AccessDenied")
            #expect(
                across.element("Message")
                    == "User: arn:aws:iam::\(account):user/emulator is not authorized to perform: sts:AssumeRole on "
                    + "resource: \(role)"
            )
            #expect(try await code(client, "arn:aws:iam::\(account):role/push") == "AccessDenied")
            #expect(try await code(client, "arn:aws-cn:iam::\(account):role/push") == "AccessDenied")
            #expect(try await code(client, "arn:aws:iam::\(Self.chinese):role/push") == "AccessDenied")
        }
    }

    @Test("in a region that an account hasn't enabled, its keys are unknown and its roles get no keys")
    func disabledRegions() async throws {
        try await withChina { emulator, _ in
            var client = PlainClient(emulator: emulator, account: otherAccount, region: "ap-east-1")
            #expect(try await client.call("DescribeRegistry").code == "UnrecognizedClientException")
            #expect(try await client.call("GetAuthorizationToken").json("message") == Self.unknown)
            let asked = try await client.sts("Action=GetCallerIdentity")
            #expect(asked.element("Code") == "InvalidClientTokenId")
            client.region = region
            #expect(try await client.call("DescribeRegistry").status == 200)

            // The role's account hasn't enabled the region, but the caller's has.
            let neighbour = PlainClient(emulator: emulator, region: "ap-east-1")
            let form = "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(otherAccount):role/push"
            let refused = try await neighbour.sts(form)
            #expect(refused.status == 403 && refused.element("Code") == "RegionDisabledException")
            #expect(
                refused.element("Message")
                    == "STS is not activated in this region for account:\(otherAccount). Your account administrator can "
                    + "activate STS in this region using the IAM Console."
            )
            // A session from another region is unknown there too.
            let session = try await PlainClient(emulator: emulator).sts(form).session
            #expect(
                try await neighbour.call("DescribeRegistry", session: session).code == "UnrecognizedClientException"
            )
        }
    }

    @Test("a web identity's role can be assumed only in its own partition, and in an enabled region")
    func webIdentity() async throws {
        var configuration = Self.configuration
        let identity = EmulatorConfiguration.WebIdentity(issuer: "issuer", subject: "pod")
        let role = "arn:aws-cn:iam::\(Self.chinese):role/pod"
        configuration.roles = [.init(arn: role, webIdentity: identity)]
        try await withEmulator(configuration) { emulator in
            let token = identity.token(expires: Date().addingTimeInterval(60))
            let form =
                "Action=AssumeRoleWithWebIdentity&RoleSessionName=me&RoleArn=\(role)&WebIdentityToken=\(token)"
            func answer(at host: String) async throws -> PlainAnswer {
                try await PlainClient(emulator: emulator, host: host).sts(form)
            }
            let taken = try await answer(at: "sts.cn-north-1.amazonaws.com.cn")
            #expect(taken.element("Arn") == "arn:aws-cn:sts::\(Self.chinese):assumed-role/pod/me")
            #expect(try await answer(at: "sts.cn-northwest-1.amazonaws.com.cn").element("Code").hasPrefix("RegionDis"))
            #expect(try await answer(at: "sts.us-east-1.amazonaws.com").element("Code") == "AccessDenied")
        }
    }

    @Test("Identity Center issues keys for roles of the account's partition")
    func identityCenter() async throws {
        try await withChina { emulator, client in
            let path = "/federation/credentials?role_name=Dev&account_id=\(Self.chinese)"
            let given = try await client.send("GET", path, [("x-amz-sso_bearer_token", "signed-in")])
            let session = (
                id: try given.json("roleCredentials", "accessKeyId") ?? "",
                secret: try given.json("roleCredentials", "secretAccessKey") ?? "",
                token: try given.json("roleCredentials", "sessionToken") ?? ""
            )
            let asked = try await client.sts("Action=GetCallerIdentity", session: session)
            #expect(asked.element("Arn") == "arn:aws-cn:sts::\(Self.chinese):assumed-role/Dev/signed-in")
        }
    }

    @Test("a policy names an account by a root ARN of the account's partition")
    func root() {
        let caller = Principal(account: account, arn: "arn:aws-cn:iam::\(account):user/mei", userID: "")
        #expect(caller.isOfAccount("arn:aws-cn:iam::\(account):root") && caller.isOfAccount(account))
        #expect(!caller.isOfAccount("arn:aws:iam::\(account):root"))
    }

    @Test("only registries whose account and region share a partition have a port of their own")
    func ports() async throws {
        try await withChina { emulator, _ in
            #expect(emulator.registryPort(account: Self.chinese, region: "cn-north-1") > 0)
            #expect(emulator.registryPort(account: Self.chinese, region: "us-east-1") == 0)
            #expect(emulator.registryPort(account: account, region: "cn-north-1") == 0)
        }
    }
}
