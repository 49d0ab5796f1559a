import Content
import Foundation
import Testing

@testable import ECREmulator

private let role = "arn:aws:iam::\(otherAccount):role/promoter"

@Suite("STS: callers and roles", .timeLimit(.minutes(1)))
struct SecurityTokenTests {
    private func take(_ arn: String = role, _ more: String = "") -> String {
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=\(arn)\(more)"
    }

    private func configuration(_ roles: EmulatorConfiguration.Role...) -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.roles = roles
        return configuration
    }

    @Test("a role trusts principals by name, and trusted roles with all their sessions")
    func trust() async throws {
        let hub = "arn:aws:iam::\(account):role/hub"
        try await withClient(
            configuration(.init(arn: role, trustedPrincipals: [hub, "arn:aws:iam::*:user/ann"]))
        ) { _, client in
            let refused = try await client.sts(take())
            #expect(refused.status == 403)
            #expect(
                refused.element("Message")
                    == "User: arn:aws:iam::\(account):user/emulator is not authorized to perform: sts:AssumeRole on "
                    + "resource: \(role)"
            )
            let session = try await client.sts(take(hub)).session
            let chained = try await client.sts(take(), session: session)
            #expect(chained.status == 200)
            #expect(chained.element("Arn") == "arn:aws:sts::\(otherAccount):assumed-role/promoter/me")
        }
    }

    @Test("the caller's own policy must allow it too")
    func callersPolicy() async throws {
        var configuration = configuration(.init(arn: role, externalID: "ex-1"))
        let idle = EmulatorConfiguration.User(account: account, name: "idle", policies: [])
        let conditional = EmulatorConfiguration.User(
            account: account,
            name: "ann",
            policies: [
                #"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"\#(role)","#
                    + #""Condition":{"StringEquals":{"sts:ExternalId":"ex-1"}}}}"#
            ]
        )
        configuration.users = [idle, conditional]
        try await withClient(configuration) { _, client in
            let refused = try await client.sts(
                take(role, "&ExternalId=ex-1"),
                session: (idle.accessKeyID, idle.secretAccessKey, "")
            )
            #expect(
                refused.element("Message")
                    == "User: \(idle.arn) is not authorized to perform: sts:AssumeRole on resource: \(role) because no "
                    + "identity-based policy allows the sts:AssumeRole action"
            )
            let session = (conditional.accessKeyID, conditional.secretAccessKey, "")
            #expect(try await client.sts(take(role, "&ExternalId=ex-1"), session: session).status == 200)
            let elsewhere = "arn:aws:iam::\(otherAccount):role/other"
            #expect(try await client.sts(take(elsewhere, "&ExternalId=ex-1"), session: session).status == 403)
        }
    }

    @Test("a session can't be longer than the role allows, or than an hour if roles are chained")
    func durations() async throws {
        let long = "arn:aws:iam::\(account):role/long"
        try await withClient(
            configuration(.init(arn: role, longestSession: 7_200), .init(arn: long))
        ) { _, client in
            #expect(try await client.sts(take(role, "&DurationSeconds=7200")).status == 200)
            let longer = try await client.sts(take(role, "&DurationSeconds=7201"))
            #expect(longer.status == 400)
            #expect(longer.element("Code") == "ValidationError")
            #expect(
                longer.element("Message")
                    == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
            #expect(try await client.sts(take(long, "&DurationSeconds=3601")).element("Code") == "ValidationError")
            let session = try await client.sts(take(long)).session
            let chained = try await client.sts(take(role, "&DurationSeconds=3601"), session: session)
            #expect(chained.status == 400)
            #expect(
                chained.element("Message")
                    == "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
            #expect(try await client.sts(take(role, "&DurationSeconds=3600"), session: session).status == 200)
        }
    }

    @Test("a role that requires an MFA code accepts only the right one")
    func device() async throws {
        let serial = "arn:aws:iam::\(account):mfa/ann"
        try await withClient(
            configuration(.init(arn: role, device: .init(serial: serial, code: "123456")))
        ) { _, client in
            #expect(try await client.sts(take()).element("Code") == "AccessDenied")
            let wrong = try await client.sts(take(role, "&SerialNumber=\(serial)&TokenCode=654321"))
            #expect(wrong.status == 403)
            #expect(wrong.element("Code") == "AccessDenied")
            #expect(
                wrong.element("Message")
                    == "MultiFactorAuthentication failed with invalid MFA one time pass code. "
            )
            #expect(try await client.sts(take(role, "&SerialNumber=\(serial)&TokenCode=123456")).status == 200)
            // Without a device, every code is wrong.
            let other = "arn:aws:iam::\(otherAccount):role/other"
            #expect(try await client.sts(take(other)).status == 200)
            let invented = try await client.sts(take(other, "&SerialNumber=\(serial)&TokenCode=123456"))
            #expect(invented.element("Code") == "AccessDenied")
        }
    }

    @Test("members that need more permissions, or aren't supported, aren't ignored")
    func further() async throws {
        var configuration = EmulatorConfiguration()
        let ann = EmulatorConfiguration.User(
            account: account,
            name: "ann",
            policies: [
                #"{"Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"\#(role)"}}"#
            ]
        )
        configuration.users = [ann]
        try await withClient(configuration) { _, client in
            let key = (ann.accessKeyID, ann.secretAccessKey, "")
            let tags = "&Tags.member.1.Key=a&Tags.member.1.Value=b"
            #expect(try await client.sts(take(role, tags), session: key).status == 200)
            let refused = try await client.sts(take(role, "&SourceIdentity=ann"), session: key)
            #expect(
                refused.element("Message")
                    == "User: \(ann.arn) is not authorized to perform: sts:SetSourceIdentity on resource: \(role) "
                    + "because no identity-based policy allows the sts:SetSourceIdentity action"
            )
            let arns = "&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess"
            #expect(try await client.sts(take(role, arns)).element("Code") == "ValidationError")
            #expect(try await client.sts(take(role, "&DurationSeconds=long")).element("Code") == "MalformedInput")
            let named = take(role).replacing("RoleSessionName=me", with: "RoleSessionName=a/b")
            #expect(try await client.sts(named).element("Code") == "ValidationError")
            let space = String(repeating: "%20", count: 2_048)
            let long = "&Policy={\(space)}"
            #expect(try await client.sts(take(role, long)).element("Code") == "ValidationError")
        }
    }

    @Test("a trusted account must also allow its own caller; a caller that is trusted by name needs no more")
    func trustedAccount() async throws {
        let own = "arn:aws:iam::\(account):role/own"
        for trusted in ["\(account)", "arn:aws:iam::\(account):root", "arn:aws:iam::\(account):user/idle"] {
            var configuration = configuration(.init(arn: own, trustedPrincipals: [trusted]))
            let idle = EmulatorConfiguration.User(account: account, name: "idle", policies: [])
            configuration.users = [idle]
            try await withClient(configuration) { _, client in
                let answer = try await client.sts(take(own), session: (idle.accessKeyID, idle.secretAccessKey, ""))
                #expect(answer.status == (trusted.hasSuffix("idle") ? 200 : 403), "\(trusted)")
                let everything = try await client.sts(take(own))
                #expect(everything.status == (trusted.hasSuffix("idle") ? 403 : 200), "\(trusted)")
            }
        }
    }

    @Test("a web identity's token gives its role, without a signature, until it expires")
    func webIdentity() async throws {
        let clock = HandClock()
        let trusted = EmulatorConfiguration.WebIdentity(
            issuer: "https://oidc.example/id/1",
            subject: "system:serviceaccount:ci:*"
        )
        var configuration = configuration(.init(arn: role, webIdentity: trusted))
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            func take(_ token: String, _ arn: String = role) async throws -> PlainAnswer {
                let form =
                    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=pod&RoleArn=\(arn)"
                    + "&WebIdentityToken=\(token)"
                return try await client.send(
                    "POST",
                    "/",
                    [("Content-Type", "application/x-www-form-urlencoded")],
                    body: Array(form.utf8)
                )
            }
            func token(_ subject: String = "system:serviceaccount:ci:push") -> String {
                trusted.token(expires: clock.now.addingTimeInterval(60), subject: subject)
            }
            let answer = try await take(token())
            #expect(answer.status == 200)
            #expect(answer.element("Arn") == "arn:aws:sts::\(otherAccount):assumed-role/promoter/pod")
            #expect(answer.element("SubjectFromWebIdentityToken") == "system:serviceaccount:ci:push")
            let registry = try await client.call("DescribeRegistry", session: answer.session)
            #expect(try registry.json("registryId") == otherAccount)
            #expect(emulator.requests.map(\.operation) == ["AssumeRoleWithWebIdentity", "DescribeRegistry"])

            let foreign = try await take(token("system:serviceaccount:other:push"))
            #expect(foreign.status == 403)
            #expect(foreign.element("Code") == "AccessDenied")
            #expect(foreign.element("Message") == "Not authorized to perform sts:AssumeRoleWithWebIdentity")
            let unlisted = try await take(token(), "arn:aws:iam::\(otherAccount):role/other")
            #expect(unlisted.element("Code") == "AccessDenied")
            let nonsense = try await take("not-a-token")
            #expect(nonsense.status == 400)
            #expect(nonsense.element("Code") == "InvalidIdentityToken")
            var other = trusted
            other.issuer = "https://oidc.example/id/2"
            let unknown = try await take(other.token(expires: clock.now.addingTimeInterval(60)))
            #expect(
                unknown.element("Message")
                    == "No OpenIDConnect provider found in your account for https://oidc.example/id/2"
            )
            other = trusted
            other.audience = "another.audience"
            let audience = try await take(other.token(expires: clock.now.addingTimeInterval(60)))
            #expect(audience.element("Message") == "Incorrect token audience")
            let old = token()
            clock.advance(61)
            let expired = try await take(old)
            #expect(expired.status == 400)
            #expect(expired.element("Code") == "ExpiredTokenException")
        }
    }
}
