import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Policies over HTTP", .timeLimit(.minutes(1)))
struct AccessTests: AccessScene {
    @Test("an identity's policy decides about actions and resources")
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

    @Test("across accounts, the repository's policy must allow the action too")
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

    @Test("within an account, the repository's policy is enough")
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

    @Test("the registry API needs the same permissions as the JSON API, action by action")
    func registryAPI() async throws {
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
                guard method != "HEAD" else {
                    #expect(answer.body.isEmpty)
                    #expect(emulator.requests.last?.errorCode == "DENIED")
                    continue
                }
                #expect(try answer.code == "DENIED", "\(method) \(path)")
                let reason = "because no identity-based policy allows the ecr:\(action) action"
                #expect(try answer.json("errors", "0", "message") == text(reader, action, reason))
            }
            #expect(try await reading.registry("GET", "/v2/_catalog").status == 403)
        }
    }

    @Test("a PUT with bytes also needs the permission for parts, with any framing")
    func bytesInPut() async throws {
        var configuration = configuration()
        let actions = ["InitiateLayerUpload", "CompleteLayerUpload", "GetAuthorizationToken"]
        let list = actions.map { #""ecr:\#($0)""# }.joined(separator: ",")
        let pusher = EmulatorConfiguration.User(
            account: account,
            name: "pusher",
            policies: [#"{"Statement":{"Effect":"Allow","Action":[\#(list)],"Resource":"*"}}"#]
        )
        configuration.users.append(pusher)
        try await withClient(configuration) { _, client in
            var client = client
            try await client.logIn(session: key(pusher))
            let digest = Digest(of: Array("layer".utf8))
            let framed = ([("Transfer-Encoding", "chunked")], Array("5\r\nlayer\r\n0\r\n\r\n".utf8))
            for (headers, body) in [([], Array("layer".utf8)), framed] {
                let opened = try await client.registry("POST", "/v2/team/app/blobs/uploads/")
                let place = try #require(opened.headers["location"])
                let path = try #require(URLComponents(string: place)?.path)
                let answer = try await client.registry("PUT", "\(path)?digest=\(digest)", headers, body: body)
                #expect(answer.status == 403)
                let reason = "because no identity-based policy allows the ecr:UploadLayerPart action"
                #expect(try answer.json("errors", "0", "message") == text(pusher, "UploadLayerPart", reason))
            }
        }
    }

    @Test("the connection of a refused upload can be closed instead of answered")
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

    @Test("without any policy, accounts are isolated if the configuration says so")
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

    @Test("a test can change policies while the emulator runs")
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

    @Test("a revoked key is unknown, and a role's sessions can be ended")
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
            var registry = client
            try await registry.logIn(session: old)
            emulator.endSessions(ofRole: role)
            clock.advance(1)
            let ended = try await client.call("ListImages", #"{"repositoryName":"team/app"}"#, session: old)
            #expect(
                try ended.json("message")
                    == "User: arn:aws:sts::\(account):assumed-role/push/me is not authorized to perform: ecr:ListImages on "
                    + "resource: arn:aws:ecr:\(region):\(account):repository/team/app with an explicit deny in an "
                    + "identity-based policy"
            )
            #expect(try await registry.registry("GET", "/v2/team/app/tags/list").status == 403)
            let new = try await client.sts(form).session
            #expect(try await client.call("DescribeRegistry", session: new).status == 200)
        }
    }
}
