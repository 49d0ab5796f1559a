import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Policies of each kind over HTTP", .timeLimit(.minutes(1)))
struct PolicyKindTests: AccessScene {
    @Test(
        "the error names the kind of policy that refuses",
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

    @Test("a session policy limits its session")
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

    @Test("a registry's policy covers every repository in it")
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
            let list = #"{"registryId":"\#(account)","repositoryName":"team/new"}"#
            #expect(try await client.call("ListImages", list, session: session).code == "AccessDeniedException")
            #expect(try await client.call("DeleteRegistryPolicy").status == 200)
            #expect(try await client.call("GetRegistryPolicy").code == "RegistryPolicyNotFoundException")
        }
    }

    @Test("a registry's policy with scope V1 covers only the actions of that scope")
    func registryScope() async throws {
        try await withClient(configuration()) { _, client in
            let list = #"{"registryId":"\#(account)","repositoryName":"team/app"}"#
            let create = #"{"registryId":"\#(account)","repositoryName":"team/new"}"#
            let policy =
                #"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"ecr:*\",\"Principal\":"#
                + #"{\"AWS\":\"\#(otherAccount)\"},\"Resource\":\"*\"}}"#
            let put = try await client.call("PutRegistryPolicy", #"{"policyText":"\#(policy)"}"#)
            #expect(put.status == 200)
            let other = EmulatorConfiguration.Account(id: otherAccount)
            let theirs = (other.accessKeyID, other.secretAccessKey, "")
            #expect(try await client.call("ListImages", list, session: theirs).status == 200)
            let first = #"{"name":"REGISTRY_POLICY_SCOPE","value":"V1"}"#
            #expect(try await client.call("PutAccountSetting", first).status == 200)
            #expect(try await client.call("ListImages", list, session: theirs).code == "AccessDeniedException")
            #expect(try await client.call("CreateRepository", create, session: theirs).status == 200)
        }
    }

    @Test("a repository's policy that would lock out its author needs force")
    func lockOut() async throws {
        try await withClient(configuration()) { _, client in
            func set(_ effect: String, force: Bool) async throws -> PlainAnswer {
                let policy =
                    #"{\"Statement\":{\"Effect\":\"\#(effect)\",\"Action\":\"ecr:*\",\"Principal\":\"*\"}}"#
                return try await client.call(
                    "SetRepositoryPolicy",
                    #"{"repositoryName":"team/app","policyText":"\#(policy)","force":\#(force)}"#
                )
            }
            let open = try await set("Allow", force: false)
            #expect(open.status == 200)
            let shut = try await set("Deny", force: false)
            #expect(try shut.code == "InvalidParameterException")
            let forced = try await set("Deny", force: true)
            #expect(forced.status == 200)
            let late = try await set("Allow", force: true)
            #expect(try late.code == "AccessDeniedException")
        }
    }

    @Test(
        "a text that isn't a policy is refused",
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

    @Test("policies decide if there are any, or if the configuration says so")
    func enforcement() throws {
        #expect(try !AccessRules(EmulatorConfiguration()).isEnforced)
        #expect(try AccessRules(configuration()).isEnforced)
        var free = configuration()
        free.enforcesPolicies = false
        #expect(try !AccessRules(free).isEnforced)
        free.users = [EmulatorConfiguration.User(account: account, name: "ann", policies: ["{"])]
        let error = #expect(throws: EmulatorStartError.self) { try AccessRules(free) }
        #expect(error?.description == "a policy of arn:aws:iam::\(account):user/ann is not valid: it is not JSON")
    }
}
