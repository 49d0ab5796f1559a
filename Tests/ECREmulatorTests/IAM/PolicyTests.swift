import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Policies, as values")
struct PolicyTests {
    private static let repository = "arn:aws:ecr:us-east-1:\(account):repository/team/app"

    private static func principal(_ account: String = account, role: String? = nil) -> Principal {
        guard let role else {
            return Principal(account: account, arn: "arn:aws:iam::\(account):user/ann", userID: "AIDA1")
        }
        return Principal(
            account: account,
            arn: "arn:aws:sts::\(account):assumed-role/\(role)/s1",
            userID: "AROA1:s1",
            roleARN: "arn:aws:iam::\(account):role/\(role)"
        )
    }

    private static func request(
        _ action: String = "ecr:PutImage",
        by principal: Principal = principal(),
        context: [String: String] = [:]
    ) -> AccessRequest {
        AccessRequest(
            principal: principal,
            action: action,
            resource: repository,
            owner: account,
            context: context
        )
    }

    @Test(
        "stars and question marks match as in IAM",
        arguments: [
            ("PutImage", "PutImage", true), ("PutImage", "Put*", true), ("PutImage", "*", true),
            ("PutImage", "Put?mage", true), ("PutImage", "P*t*g*", true), ("PutImage", "Put", false),
            ("PutImage", "PutImage?", false), ("aaab", "*aab", true), ("", "*", true), ("", "?", false),
            ("PutImage", "putimage", false),
        ]
    )
    func wildcards(_ text: String, _ pattern: String, _ matches: Bool) {
        #expect(Wildcard.matches(text, pattern) == matches)
    }

    @Test(
        "a statement covers the resources that its pattern matches; a star matches colons only at the end of a part",
        arguments: [
            ("*", true), ("arn:aws:ecr:*:*:repository/team/*", true), ("arn:aws:ecr:*:repository/team/*", true),
            ("arn:aws:ecr:*", true), ("arn:*", true), ("arn:aws:ecr:us-*:repository/team/app", true),
            ("arn:aws:ecr:us-*1:\(account):repository/team/app", true), ("arn:aws:ecr:*1:repository/team/app", false),
            ("arn:aws:ecr:us-east-1?\(account):repository/team/app", false),
            ("arn:aws:ecr:us-east-1:\(account):repository/t?am/app", true), ("arn:aws:ecr:*:repository/team", false),
            ("arn:aws:ecr:*:repository/*app", true), ("arn:aws:ECR:*", false), ("", false),
            ("arn:aws:ecr:us-east-1:\(account):repository/team/app*", true), ("arn:aws:ecr:*:other/team/app", false),
        ]
    )
    func resources(_ pattern: String, _ fits: Bool) {
        #expect(Wildcard.matchesResource(Self.repository, pattern) == fits)
    }

    @Test("in a condition, a star in an ARN matches only within its part")
    func arns() {
        #expect(Wildcard.matchesARN(Self.repository, "arn:aws:ecr:*:*:repository/team/*"))
        #expect(Wildcard.matchesARN(Self.repository, "*"))
        #expect(!Wildcard.matchesARN(Self.repository, "arn:aws:ecr:*:repository/team/*"))
        #expect(!Wildcard.matchesARN(Self.repository, "arn:aws:ecr:us-east-1:\(otherAccount):*"))
        #expect(Wildcard.matchesARN("arn:aws:x:::a:b", "arn:aws:x:::*"))
    }

    @Test("a list with one element may omit brackets, actions ignore case, and Not inverts a list")
    func grammar() throws {
        let one = try PolicyDocument(
            parsing: #"{"Statement":{"Effect":"Allow","Action":"ECR:put*","Resource":"*"}}"#,
            as: .identity
        )
        #expect(one.verdict(on: Self.request()) == .allows)
        let others = try PolicyDocument(
            parsing: #"""
                {"Version":"2012-10-17","Statement":[
                {"Effect":"Allow","NotAction":["ecr:PutImage"],"Resource":["*"]},
                {"Effect":"Deny","Action":"*","NotResource":"arn:aws:ecr:*:*:repository/team/*"}]}
                """#,
            as: .identity
        )
        #expect(others.verdict(on: Self.request()) == .silent)
        #expect(others.verdict(on: Self.request("ecr:ListImages")) == .allows)
        var elsewhere = Self.request("ecr:ListImages")
        elsewhere.resource = "arn:aws:ecr:us-east-1:\(account):repository/other"
        #expect(others.verdict(on: elsewhere) == .denies)
    }

    @Test(
        "an invalid policy is refused with the reason",
        arguments: [
            ("", "it is not JSON"), ("{", "it is not JSON"), ("[]", "a member has the wrong type"),
            ("{}", "it has no statement"), (#"{"Statement":[]}"#, "it has no statement"),
            (#"{"Statement":[{"Effect":"Allow"}]}"#, "a statement needs Effect Allow or Deny, and Action or NotAction"),
            (
                #"{"Statement":{"Effect":"allow","Action":"*"}}"#,
                "a statement needs Effect Allow or Deny, and Action or NotAction"
            ), (#"{"Statement":[{"Action":"*"}]}"#, "'Effect' is missing"),
            (#"{"Version":"2011-01-01"}"#, "'2011-01-01' is not a policy version"),
            (#"{"Statement":{"Effect":"Deny","Action":"*","Principal":"me"}}"#, "'me' is not a principal"),
        ]
    )
    func syntax(_ text: String, _ reason: String) {
        let error = #expect(throws: PolicySyntaxError.self) { try PolicyDocument(parsing: text, as: .identity) }
        #expect(error?.description == reason)
    }

    @Test("a resource policy can name all principals, accounts, users, roles and sessions")
    func principals() throws {
        func verdict(_ named: String, _ principal: Principal) throws -> PolicyVerdict {
            let text = #"{"Statement":{"Effect":"Allow","Action":"*","Principal":\#(named)}}"#
            return try PolicyDocument(parsing: text, as: .resource)
                .verdict(on: Self.request(by: principal), isResourcePolicy: true)
        }
        let (user, session) = (Self.principal(), Self.principal(role: "push"))
        #expect(try verdict(#""*""#, user) == .allows)
        #expect(try verdict(#"{"AWS":"*"}"#, session) == .allows)
        #expect(try verdict(#"{"AWS":"\#(account)"}"#, user) == .delegates)
        #expect(try verdict(#"{"AWS":["arn:aws:iam::\#(account):root"]}"#, session) == .delegates)
        #expect(try verdict(#"{"AWS":"arn:aws:iam::\#(otherAccount):root"}"#, user) == .silent)
        #expect(try verdict(#"{"AWS":"arn:aws:iam::\#(account):user/ann"}"#, user) == .allows)
        #expect(try verdict(#"{"AWS":"arn:aws:iam::\#(account):role/push"}"#, session) == .allows)
        #expect(try verdict(#"{"AWS":"arn:aws:iam::\#(account):role/pull"}"#, session) == .silent)
        #expect(try verdict(#"{"AWS":"arn:aws:sts::\#(account):assumed-role/push/s1"}"#, session) == .allowsSession)
        #expect(try verdict(#"{"Service":"lambda.amazonaws.com"}"#, user) == .silent)
    }

    /// A condition, with the verdicts of an Allow and of a Deny that have it.
    private static let tests: [(condition: String, allow: PolicyVerdict, deny: PolicyVerdict)] = [
        (#""StringEquals":{"aws:PrincipalAccount":["1","\#(account)"]}"#, .allows, .denies),
        (#""StringEquals":{"aws:principalaccount":"1"}"#, .silent, .silent),
        (#""StringNotEquals":{"aws:PrincipalAccount":"1"}"#, .allows, .denies),
        (#""StringNotEquals":{"aws:SourceVpce":"vpce-1"}"#, .allows, .denies),
        (#""StringEquals":{"aws:SourceVpce":"vpce-1"}"#, .silent, .silent),
        (#""StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}"#, .allows, .denies),
        (#""StringEqualsIgnoreCase":{"sts:ExternalId":"EX-1"}"#, .allows, .denies),
        (#""StringLike":{"sts:ExternalId":"ex-?"}"#, .allows, .denies),
        (#""StringNotLike":{"sts:ExternalId":"ex-?"}"#, .silent, .silent),
        (#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}"#, .allows, .denies),
        (#""ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}"#, .allows, .denies),
        (#""Bool":{"aws:SecureTransport":false}"#, .allows, .denies),
        (#""Bool":{"aws:SecureTransport":"true"}"#, .silent, .silent),
        (#""Null":{"aws:SourceVpce":"true"}"#, .allows, .denies),
        (#""Null":{"aws:SourceVpce":"false"}"#, .silent, .silent),
        (#""NumericLessThan":{"aws:PrincipalAccount":7}"#, .silent, .denies),
        (#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#, .silent, .denies),
        (#""NumericLessThan":{"aws:x":7},"Bool":{"aws:SecureTransport":true}"#, .silent, .silent),
    ]

    @Test(
        "conditions compare as in IAM; an unknown condition never allows and always denies",
        arguments: tests
    )
    func conditions(_ condition: String, _ whenAllow: PolicyVerdict, _ whenDeny: PolicyVerdict) throws {
        let context = [
            "aws:principalaccount": account, "aws:principalarn": "arn:aws:iam::\(account):user/ann",
            "aws:securetransport": "false", "sts:externalid": "ex-1",
        ]
        for (effect, expected) in [("Allow", whenAllow), ("Deny", whenDeny)] {
            let text =
                #"{"Statement":{"Effect":"\#(effect)","Action":"*","Resource":"*","Condition":{\#(condition)}}}"#
            #expect(
                try PolicyDocument(parsing: text, as: .identity).verdict(on: Self.request(context: context))
                    == expected,
                "\(effect)"
            )
        }
    }

    /// The four verdicts of each kind of policy; the first kind that refuses is named.
    @Test("a Deny wins over everything, limits don't grant, and across accounts both sides must allow")
    func evaluation() throws {
        func everything(_ effect: String) throws -> PolicyDocument {
            let text = #"{"Statement":{"Effect":"\#(effect)","Action":"*","Resource":"*"}}"#
            return try PolicyDocument(parsing: text, as: .identity)
        }
        let (allow, deny) = (try everything("Allow"), try everything("Deny"))
        func resource(_ effect: String, _ named: String) throws -> PolicyDocument {
            let text = #"{"Statement":{"Effect":"\#(effect)","Action":"*","Principal":\#(named)}}"#
            return try PolicyDocument(parsing: text, as: .resource)
        }
        let silent = PolicyDocument()
        let (allowAny, denyAny) = (try resource("Allow", #""*""#), try resource("Deny", #""*""#))
        func refusal(
            _ principal: Principal = Self.principal(),
            identity: PolicyDocument = silent,
            resource: PolicyDocument? = nil,
            control: PolicyDocument? = nil,
            session: PolicyDocument? = nil,
            endpoint: PolicyDocument? = nil
        ) -> AccessRefusal? {
            var rules = AccessRules()
            rules.isEnforced = true
            rules.identity[principal.roleARN ?? principal.arn] = [identity]
            rules.serviceControl[principal.account] = control
            rules.endpoint = endpoint
            var principal = principal
            principal.sessionPolicy = session
            return rules.refusal(of: Self.request(by: principal), resourcePolicies: resource.map { [$0] } ?? [])
        }
        #expect(refusal() == .implicit(.identity))
        #expect(refusal(identity: allow) == nil)
        #expect(refusal(resource: allowAny) == nil)
        let own = try resource("Allow", #"{"AWS":"\#(account)"}"#)
        #expect(refusal(resource: own) == .implicit(.identity))
        #expect(refusal(identity: allow, resource: own) == nil)
        #expect(refusal(identity: allow, resource: denyAny) == .explicit(.resource))
        #expect(refusal(identity: deny, resource: allowAny) == .explicit(.identity))
        #expect(refusal(identity: allow, control: silent) == .implicit(.serviceControl))
        #expect(refusal(identity: allow, control: deny) == .explicit(.serviceControl))
        #expect(refusal(control: allow) == .implicit(.identity))
        #expect(refusal(identity: allow, session: silent) == .implicit(.session))
        #expect(refusal(identity: allow, session: deny) == .explicit(.session))
        #expect(refusal(session: allow) == .implicit(.identity))
        #expect(refusal(identity: allow, endpoint: silent) == .implicit(.endpoint))
        #expect(refusal(identity: allow, endpoint: denyAny) == .explicit(.endpoint))
        #expect(refusal(identity: allow, control: allow, session: allow, endpoint: allowAny) == nil)
        #expect(refusal(identity: deny, control: silent) == .explicit(.identity))

        let other = Self.principal(otherAccount)
        #expect(refusal(other) == .implicit(.identity))
        #expect(refusal(other, identity: allow) == .implicit(.resource))
        #expect(refusal(other, resource: allowAny) == .implicit(.identity))
        let allowOther = try resource("Allow", #"{"AWS":"arn:aws:iam::\#(otherAccount):root"}"#)
        #expect(refusal(other, identity: allow, resource: allowOther) == nil)
        #expect(refusal(other, identity: allow, resource: allowOther, control: silent) == .implicit(.serviceControl))

        // A policy that names a session allows it even what its session policy omits; across accounts, the account must
        // allow it.
        for (home, isEnough) in [(account, true), (otherAccount, false)] {
            let session = Self.principal(home, role: "push")
            let byName = try resource("Allow", #"{"AWS":"\#(session.arn)"}"#)
            let byRole = try resource("Allow", #"{"AWS":"\#(try #require(session.roleARN))"}"#)
            #expect(refusal(session, resource: byName, session: silent) == (isEnough ? nil : .implicit(.session)))
            #expect(refusal(session, resource: byRole, session: silent) == .implicit(.session))
            #expect(refusal(session, resource: byName, session: deny) == .explicit(.session))
            #expect(refusal(session, resource: byName, control: silent) == .implicit(.serviceControl))
        }
    }

    @Test("a principal without policies may do everything, and without enforcement every principal may")
    func openness() {
        var rules = AccessRules()
        rules.identity["arn:aws:iam::\(account):user/ann"] = []
        #expect(rules.refusal(of: Self.request()) == nil)
        rules.isEnforced = true
        #expect(rules.refusal(of: Self.request()) == .implicit(.identity))
        rules.identity = [:]
        #expect(rules.refusal(of: Self.request()) == nil)
        #expect(rules.refusal(of: Self.request(by: Self.principal(otherAccount))) == .implicit(.resource))
    }
}
