import Content
import Foundation
import Testing

@testable import ECREmulator

/// A user who may pull, and one who may do nothing.
private let pull = #"""
    {"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
    {"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:Describe*"],
    "Resource":"arn:aws:ecr:*:*:repository/team/*"}]}
    """#

private func key(_ user: EmulatorConfiguration.User) -> (id: String, secret: String, token: String) {
    (user.accessKeyID, user.secretAccessKey, "")
}

@Suite("Policies over HTTP", .timeLimit(.minutes(1)))
struct AccessTests {
    private let image = SeedImage.oci("app", layers: [10])
    private let reader = EmulatorConfiguration.User(account: account, name: "reader", policies: [pull])
    private let idle = EmulatorConfiguration.User(account: account, name: "idle", policies: [])
    private let stranger = EmulatorConfiguration.User(account: otherAccount, name: "stranger", policies: [pull])
    private let byTag = #"{"registryId":"\#(account)","repositoryName":"team/app","imageIds":[{"imageTag":"v1"}]}"#

    private func configuration() -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.users = [reader, idle, stranger]
        return configuration
    }

    private func text(_ user: EmulatorConfiguration.User, _ action: String, _ reason: String) -> String {
        "User: \(user.arn) is not authorized to perform: ecr:\(action) on resource: "
            + "arn:aws:ecr:\(region):\(account):repository/team/app \(reason)"
    }

    @Test("an identity's policy says what it may do to what")
    func identities() async throws {
        try await withClient(configuration()) { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            #expect(try await client.call("BatchGetImage", byTag, session: key(reader)).json("images", "0") != nil)
            let name = #"{"repositoryName":"team/app"}"#
            let denied = try await client.call("ListImages", name, session: key(reader))
            #expect(denied.status == 400)
            #expect(try denied.code == "AccessDeniedException")
            #expect(
                try denied.json("message")
                    == text(reader, "ListImages", "because no identity-based policy allows the ecr:ListImages action")
            )
            let token = try await client.call("GetAuthorizationToken", session: key(idle))
            #expect(
                try token.json("message")
                    == "User: \(idle.arn) is not authorized to perform: ecr:GetAuthorizationToken on resource: * because "
                    + "no identity-based policy allows the ecr:GetAuthorizationToken action"
            )
            let all = try await client.call("DescribeRepositories", session: key(reader))
            #expect(
                try all.json("message")
                    == "User: \(reader.arn) is not authorized to perform: ecr:DescribeRepositories on resource: "
                    + "arn:aws:ecr:\(region):\(account):repository/* because no identity-based policy allows the "
                    + "ecr:DescribeRepositories action"
            )
            let one = try await client.call(
                "DescribeRepositories",
                #"{"repositoryNames":["team/app"]}"#,
                session: key(reader)
            )
            #expect(one.status == 200)
            #expect(try await client.call("ListImages", name).status == 200)
        }
    }

    @Test("across accounts the repository's policy has to allow it as well")
    func crossAccount() async throws {
        try await withClient(configuration()) { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let denied = try await client.call("BatchGetImage", byTag, session: key(stranger))
            #expect(
                try denied.json("message")
                    == text(
                        stranger,
                        "BatchGetImage",
                        "because no resource-based policy allows the ecr:BatchGetImage action"
                    )
            )
            func set(_ effect: String) async throws {
                let policy =
                    #"{\"Statement\":[{\"Effect\":\"\#(effect)\",\"Action\":\"ecr:BatchGetImage\",\"Principal\":"#
                    + #"{\"AWS\":\"arn:aws:iam::\#(otherAccount):root\"}}]}"#
                let body = #"{"repositoryName":"team/app","policyText":"\#(policy)"}"#
                #expect(try await client.call("SetRepositoryPolicy", body).status == 200)
            }
            try await set("Allow")
            #expect(try await client.call("BatchGetImage", byTag, session: key(stranger)).status == 200)
            try await set("Deny")
            let explicit = try await client.call("BatchGetImage", byTag, session: key(stranger))
            #expect(
                try explicit.json("message")
                    == text(stranger, "BatchGetImage", "with an explicit deny in a resource-based policy")
            )
            let name = #"{"repositoryName":"team/app"}"#
            #expect(try await client.call("DeleteRepositoryPolicy", name).status == 200)
            #expect(
                try await client.call("BatchGetImage", byTag, session: key(stranger)).code == "AccessDeniedException"
            )
        }
    }

    @Test("within an account the repository's policy is enough")
    func ownAccount() async throws {
        try await withClient(configuration()) { emulator, client in
            try emulator.setRepositoryPolicy(
                #"{"Statement":{"Effect":"Allow","Action":"ecr:ListImages","Principal":{"AWS":"\#(idle.arn)"}}}"#,
                account: account,
                region: region,
                repository: "team/app"
            )
            let name = #"{"repositoryName":"team/app"}"#
            #expect(try await client.call("ListImages", name, session: key(idle)).status == 200)
            #expect(try await client.call("ListImages", name, session: key(reader)).code == "AccessDeniedException")
        }
    }

    @Test(
        "each kind of policy that refuses is named",
        arguments: [
            ("deny", "identity", "with an explicit deny in an identity-based policy"),
            ("deny", "control", "with an explicit deny in a service control policy"),
            ("deny", "endpoint", "with an explicit deny in a VPC endpoint policy"),
            ("allow", "control", "because no service control policy allows the ecr:ListImages action"),
            ("allow", "endpoint", "because no VPC endpoint policy allows the ecr:ListImages action"),
        ]
    )
    func limits(_ effect: String, _ kind: String, _ reason: String) async throws {
        func policy(_ action: String, _ more: String = "") -> String {
            #"{"Statement":{"Effect":"Allow","Action":"\#(action)","Resource":"*"\#(more)}}"#
        }
        let whom = kind == "endpoint" ? #","Principal":"*""# : ""
        let limit =
            effect == "deny"
            ? #"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"\#(whom)},"#
                + #"{"Effect":"Deny","Action":"ecr:List*","Resource":"*"\#(whom)}]}"#
            : policy("ecr:Get*", whom)
        var configuration = EmulatorConfiguration()
        let user = EmulatorConfiguration.User(
            account: account,
            name: "ann",
            policies: [kind == "identity" ? limit : policy("ecr:*")]
        )
        configuration.users = [user]
        if kind == "control" { configuration.serviceControlPolicies[account] = limit }
        if kind == "endpoint" { configuration.vpcEndpoint = .init(id: "vpce-1", policy: limit) }
        try await withClient(configuration) { _, client in
            let denied = try await client.call("ListImages", #"{"repositoryName":"team/app"}"#, session: key(user))
            #expect(try denied.json("message") == text(user, "ListImages", reason))
            #expect(try await client.call("GetAuthorizationToken", session: key(user)).status == 200)
        }
    }

    @Test("a session's own policy limits it")
    func sessionPolicies() async throws {
        var configuration = configuration()
        configuration.roles = [.init(arn: "arn:aws:iam::\(account):role/pull", policies: [pull])]
        try await withClient(configuration) { _, client in
            let policy = "%7B%22Statement%22:%7B%22Effect%22:%22Allow%22,%22Action%22:%22ecr:Get*%22,"
            let form =
                "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(account):role/pull&Policy=\(policy)"
                + "%22Resource%22:%22*%22%7D%7D"
            let session = try await client.sts(form).session
            #expect(try await client.call("GetAuthorizationToken", session: session).status == 200)
            let denied = try await client.call("BatchGetImage", byTag, session: session)
            #expect(
                try denied.json("message")
                    == "User: arn:aws:sts::\(account):assumed-role/pull/me is not authorized to perform: "
                    + "ecr:BatchGetImage on resource: arn:aws:ecr:\(region):\(account):repository/team/app "
                    + "because no session policy allows the ecr:BatchGetImage action"
            )
            let malformed = try await client.sts(
                "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(account):role/pull&Policy=x"
            )
            #expect(malformed.element("Code") == "MalformedPolicyDocument")
        }
    }

    @Test("the registry's door asks for the same permissions, action by action")
    func registryDoor() async throws {
        try await withClient(configuration()) { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            var reading = client
            try await reading.logIn(session: key(reader))
            #expect(try await reading.registry("GET", "/v2/").status == 200)
            #expect(try await reading.registry("GET", "/v2/team/app/manifests/v1").body == image.bytes)
            let refused = [
                ("GET", "/v2/team/app/tags/list", "ListImages"),
                ("GET", "/v2/team/app/blobs/\(image.blobs[1].digest)", "GetDownloadUrlForLayer"),
                ("HEAD", "/v2/team/app/blobs/\(image.blobs[1].digest)", "BatchCheckLayerAvailability"),
                ("PUT", "/v2/team/app/manifests/v2", "PutImage"),
                ("POST", "/v2/team/app/blobs/uploads/", "InitiateLayerUpload"),
                ("PATCH", "/v2/team/app/blobs/uploads/1", "UploadLayerPart"),
                ("PUT", "/v2/team/app/blobs/uploads/1", "CompleteLayerUpload"),
            ]
            for (method, path, action) in refused {
                let answer = try await reading.registry(method, path)
                #expect(answer.status == 403, "\(method) \(path)")
                #expect(try answer.code == "DENIED", "\(method) \(path)")
                let reason = "because no identity-based policy allows the ecr:\(action) action"
                #expect(try answer.json("errors", "0", "message") == text(reader, action, reason))
            }
            #expect(try await reading.registry("GET", "/v2/_catalog").status == 403)
        }
    }

    @Test("a refused upload can have its connection closed instead")
    func cutUploads() async throws {
        var configuration = configuration()
        configuration.cutsRefusedUploads = true
        try await withClient(configuration) { _, client in
            var reading = client
            try await reading.logIn(session: key(reader))
            #expect(try await reading.registry("POST", "/v2/team/app/blobs/uploads/").status == 0)
            #expect(try await reading.registry("GET", "/v2/team/app/tags/list").status == 403)
            #expect(try await client.registry("POST", "/v2/team/app/blobs/uploads/").status == 202)
        }
    }

    @Test("a registry's policy speaks of every repository in it")
    func registryPolicy() async throws {
        try await withClient(configuration()) { _, client in
            #expect(try await client.call("GetRegistryPolicy").code == "RegistryPolicyNotFoundException")
            let create = #"{"registryId":"\#(account)","repositoryName":"team/new"}"#
            let creator = EmulatorConfiguration.Account(id: otherAccount)
            let session = (creator.accessKeyID, creator.secretAccessKey, "")
            #expect(try await client.call("CreateRepository", create, session: session).code == "AccessDeniedException")
            let policy =
                #"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"ecr:CreateRepository\",\"Principal\":"#
                + #"{\"AWS\":\"\#(otherAccount)\"},\"Resource\":\"arn:aws:ecr:\#(region):\#(account):repository/team/*\"}}"#
            let put = try await client.call("PutRegistryPolicy", #"{"policyText":"\#(policy)"}"#)
            #expect(put.status == 200)
            #expect(try await client.call("CreateRepository", create, session: session).status == 200)
            #expect(try await client.call("DeleteRegistryPolicy").status == 200)
            #expect(try await client.call("GetRegistryPolicy").code == "RegistryPolicyNotFoundException")
        }
    }

    @Test(
        "what is no policy isn't taken for one",
        arguments: [
            ("{", "Invalid JSON syntax"),
            (#"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\"}]}"#, "Invalid repository policy provided"),
            (#"{\"Statement\":[{\"Principal\":\"*\"}]}"#, "Invalid repository policy provided"),
        ]
    )
    func malformed(_ policy: String, _ constraint: String) async throws {
        try await withClient { _, client in
            let body = #"{"repositoryName":"team/app","policyText":"\#(policy)"}"#
            let refused = try await client.call("SetRepositoryPolicy", body)
            #expect(try refused.code == "InvalidParameterException")
            #expect(
                try refused.json("message")
                    == "Invalid parameter at 'PolicyText' failed to satisfy constraint: '\(constraint)'"
            )
        }
    }

    @Test("policies decide where there are any, or where it is said")
    func enforcement() throws {
        #expect(try !AccessRules(EmulatorConfiguration()).isEnforced)
        #expect(try AccessRules(configuration()).isEnforced)
        var free = configuration()
        free.enforcesPolicies = false
        #expect(try !AccessRules(free).isEnforced)
        free.users = [EmulatorConfiguration.User(account: account, name: "ann", policies: ["{"])]
        let error = #expect(throws: EmulatorStartError.self) { try AccessRules(free) }
        #expect(error?.description == "a policy of arn:aws:iam::\(account):user/ann can't be read: it is not JSON")
    }

    @Test("without any policy, accounts are kept apart where it is said")
    func accountsApart() async throws {
        var plain = EmulatorConfiguration()
        plain.enforcesPolicies = true
        try await withClient(plain) { _, client in
            var other = client
            other.account = otherAccount
            let denied = try await other.call("BatchGetImage", byTag)
            #expect(try denied.code == "AccessDeniedException")
            #expect(try await client.call("BatchGetImage", byTag).status == 200)
        }
    }

    @Test("a test changes policies while it runs")
    func changes() async throws {
        try await withClient { emulator, client in
            let arn = "arn:aws:iam::\(account):user/emulator"
            let name = #"{"repositoryName":"team/app"}"#
            try emulator.setPolicies([pull], of: arn)
            #expect(try await client.call("ListImages", name).code == "AccessDeniedException")
            #expect(throws: EmulatorStartError.self) { try emulator.setPolicies(["{"], of: arn) }
            try emulator.setPolicies(nil, of: arn)
            #expect(try await client.call("ListImages", name).status == 200)
        }
    }

    @Test("a key that was taken back is nobody's, and a role's sessions can be ended")
    func revocation() async throws {
        let clock = HandClock()
        var configuration = configuration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            emulator.revoke(accessKeyID: reader.accessKeyID)
            let unknown = try await client.call("DescribeRegistry", session: key(reader))
            #expect(try unknown.code == "UnrecognizedClientException")
            #expect(try unknown.json("message") == "The security token included in the request is invalid.")
            let identity = try await client.sts("Action=GetCallerIdentity", session: key(reader))
            #expect(identity.element("Code") == "InvalidClientTokenId")

            let role = "arn:aws:iam::\(account):role/push"
            let form = "Action=AssumeRole&RoleSessionName=me&RoleArn=\(role)"
            let old = try await client.sts(form).session
            var door = client
            try await door.logIn(session: old)
            emulator.endSessions(ofRole: role)
            clock.advance(1)
            let ended = try await client.call("ListImages", #"{"repositoryName":"team/app"}"#, session: old)
            #expect(
                try ended.json("message")
                    == "User: arn:aws:sts::\(account):assumed-role/push/me is not authorized to perform: ecr:ListImages on "
                    + "resource: arn:aws:ecr:\(region):\(account):repository/team/app with an explicit deny in an "
                    + "identity-based policy"
            )
            #expect(try await door.registry("GET", "/v2/team/app/tags/list").status == 403)
            let new = try await client.sts(form).session
            #expect(try await client.call("DescribeRegistry", session: new).status == 200)
        }
    }
}
