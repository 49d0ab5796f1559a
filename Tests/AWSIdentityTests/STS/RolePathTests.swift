import Foundation
import Testing

@testable import AWSIdentity

@Suite("The path to a role")
struct RolePathTests {
    private static let config = """
        [profile keys]
        aws_access_key_id = AKIAKEYS
        aws_secret_access_key = secret
        [profile own]
        role_arn = arn:aws:iam::111122223333:role/own
        source_profile = own
        aws_access_key_id = AKIAOWN
        aws_secret_access_key = secret
        [profile hub]
        role_arn = arn:aws:iam::111122223333:role/hub
        source_profile = keys
        mfa_serial = arn:aws:iam::111122223333:mfa/ann
        [profile promoter]
        role_arn = arn:aws:iam::444455556666:role/promoter
        source_profile = hub
        external_id = ex-1
        [profile task]
        role_arn = arn:aws:iam::444455556666:role/promoter
        credential_source = EcsContainer
        [profile pod]
        role_arn = arn:aws:iam::111122223333:role/pod
        web_identity_token_file = /token
        [profile user]
        sso_session = corp
        sso_account_id = 111122223333
        sso_role_name = Deploy
        [profile deployer]
        role_arn = arn:aws-cn:iam::444455556666:role/deployer
        source_profile = legacy
        [profile legacy]
        sso_start_url = https://corp.awsapps.cn/start
        sso_region = cn-north-1
        sso_account_id = 444455556666
        sso_role_name = Deploy
        [sso-session corp]
        sso_region = eu-west-1
        sso_start_url = https://corp.awsapps.com/start
        [profile loop]
        role_arn = arn:aws:iam::111122223333:role/loop
        source_profile = loop
        [profile alone]
        role_arn = arn:aws:iam::111122223333:role/alone
        [profile odd]
        role_arn = arn:aws:iam::111122223333:user/odd
        source_profile = keys
        """

    private func path(_ options: IdentityOptions) throws -> RolePath {
        let home = FileManager.default.temporaryDirectory.appending(path: "role-path-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        let file = home.appending(path: "config")
        try Data(Self.config.utf8).write(to: file)
        // The keys in the environment are ignored, because a flag names the profile.
        let variables = ["AWS_CONFIG_FILE": file.path, "AWS_ACCESS_KEY_ID": "AKIAX", "AWS_PROFILE": "promoter"]
        return try RolePath(options, environment: AWSEnvironment(variables: variables, home: home.path))
    }

    private static let hub = RolePath.Step(
        roleARN: "arn:aws:iam::111122223333:role/hub",
        externalID: nil,
        sendsCode: true
    )
    private static let promoter = RolePath.Step(
        roleARN: "arn:aws:iam::444455556666:role/promoter",
        externalID: "ex-1",
        sendsCode: false
    )

    @Test("is the profile's chain of sources, and then the flag's role")
    func roles() throws {
        let chain = try path(IdentityOptions(profile: "promoter"))
        #expect(chain.start == .unnamed("profile 'keys'") && chain.steps == [Self.hub, Self.promoter])
        let flag = try path(
            IdentityOptions(profile: "hub", roleARN: Self.promoter.roleARN, externalID: Self.promoter.externalID)
        )
        #expect(flag.start == .unnamed("profile 'keys'") && flag.steps == [Self.hub, Self.promoter])
        let own = try path(IdentityOptions(profile: "own"))
        #expect(own.start == .unnamed("profile 'own'") && own.steps.count == 1)
    }

    @Test("ignores the environment")
    func flagsOnly() throws {
        let none = try path(IdentityOptions())
        #expect(none.start == .unnamed(nil) && none.steps.isEmpty)
        let role = try path(IdentityOptions(roleARN: Self.hub.roleARN))
        #expect(role.start == .unnamed(nil) && role.steps.map(\.roleARN) == [Self.hub.roleARN])
    }

    @Test("starts with the identity that the profile names")
    func starts() throws {
        let user = RolePath.Start.permissionSet(partition: "aws", account: "111122223333", name: "Deploy")
        #expect(try path(IdentityOptions(profile: "user")).start == user)
        let chinese = RolePath.Start.permissionSet(partition: "aws-cn", account: "444455556666", name: "Deploy")
        let deployer = try path(IdentityOptions(profile: "deployer"))
        #expect(deployer.start == chinese && deployer.steps.count == 1)
        let pod = try path(IdentityOptions(profile: "pod"))
        #expect(pod.start == .webIdentity(roleARN: "arn:aws:iam::111122223333:role/pod", tokenFile: "/token"))
        #expect(pod.steps.isEmpty)
        let task = try path(IdentityOptions(profile: "task"))
        #expect(task.start == .unnamed("credential_source = EcsContainer of profile 'task'") && task.steps.count == 1)
    }

    @Test("is refused for the profiles whose credentials are refused", arguments: ["loop", "alone", "odd", "absent"])
    func refused(_ profile: String) {
        #expect(throws: IdentityError.self) { try path(IdentityOptions(profile: profile)) }
    }
}
