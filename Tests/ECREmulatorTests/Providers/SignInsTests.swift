import Foundation
import Testing

@testable import ECREmulator

@Suite("Sign-ins")
struct SignInsTests {
    private let start = noon

    @Test("that are renewed for months don't accumulate, and the last one is valid")
    func forgotten() throws {
        var signIns = SignIns(
            [
                .init(
                    accessToken: "token-1",
                    expires: start + 60,
                    refreshToken: "refresh-1",
                    clientID: "client",
                    clientSecret: "secret",
                    user: "ann@a.test"
                )
            ],
            at: start
        )
        #expect(signIns.signIn("token-1", at: start)?.user == "ann@a.test")
        #expect(signIns.signIn("token-1", at: start + 60) == nil)
        var refreshToken: String? = "refresh-1"
        var last: SignIns.SignIn?
        var now = start
        var most = 0
        for _ in 0..<2_000 {
            let renewed = try signIns.renew(
                refreshToken,
                clientID: "client",
                clientSecret: "secret",
                for: 60,
                at: now
            )
            (last, refreshToken, now) = (renewed, renewed.refreshToken, now + 50)
            most = max(most, signIns.all.count)
        }
        // Two are valid at a time, and the table is searched when it has grown to twice its last size.
        #expect(most <= 2 * (ExpiringTable<SignIns.SignIn>.mostExpired + 2))
        let token = try #require(last?.accessToken)
        #expect(signIns.signIn(token, at: now)?.user == "ann@a.test")
        #expect(throws: ServiceFault.self) {
            try signIns.renew("refresh-1", clientID: "client", clientSecret: "secret", for: 60, at: now)
        }
        #expect(throws: ServiceFault.self) {
            try signIns.renew(refreshToken, clientID: "client", clientSecret: "other", for: 60, at: now)
        }
    }

    @Test("give a permission set's role, whose name isn't known in advance")
    func permissionSets() async throws {
        var configuration = EmulatorConfiguration()
        configuration.now = { noon }
        let assignment = EmulatorConfiguration.IdentityCenter.Assignment(
            account: account,
            permissionSet: "Deploy",
            region: "eu-west-1"
        )
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "token-1", expires: start + 60, user: "ann@a.test")],
            assignments: [assignment]
        )
        let arn = assignment.roleARN()
        let path = "arn:aws:iam::\(account):role/aws-reserved/sso.amazonaws.com/eu-west-1/"
        let name = arn.dropFirst(path.count)
        #expect(arn.hasPrefix(path))
        #expect(name.wholeMatch(of: /AWSReservedSSO_Deploy_[0-9a-f]{16}/) != nil, "\(name)")
        configuration.roles = [
            .init(
                arn: arn,
                policies: [
                    #"{"Statement":{"Effect":"Allow","Action":"ecr:DescribeRegistry","Resource":"*","Condition":"#
                        + #"{"ArnEquals":{"aws:PrincipalArn":"\#(arn)"}}}}"#
                ]
            )
        ]
        try await withClient(configuration) { _, client in
            let keys = try await client.send(
                "GET",
                "/federation/credentials?role_name=Deploy&account_id=\(account)",
                [("x-amz-sso_bearer_token", "token-1")]
            )
            func member(_ name: String) throws -> String { try keys.json("roleCredentials", name) ?? "" }
            let session = (try member("accessKeyId"), try member("secretAccessKey"), try member("sessionToken"))
            let caller = try await client.sts("Action=GetCallerIdentity", session: session)
            #expect(caller.element("Arn") == "arn:aws:sts::\(account):assumed-role/\(name)/ann@a.test")
            #expect(try await client.call("DescribeRegistry", session: session).status == 200)
            let denied = try await client.call("ListImages", #"{"repositoryName":"team/app"}"#, session: session)
            #expect(try denied.code == "AccessDeniedException")
        }
    }
}
