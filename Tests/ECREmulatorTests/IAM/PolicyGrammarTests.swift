import Content
import Foundation
import Testing

@testable import ECREmulator

/// Words in policies that IAM refuses, or reads differently than they seem to say.
@Suite("The words of policies")
struct PolicyGrammarTests {
    private static let repository = "arn:aws:ecr:us-east-1:\(account):repository/team/app"
    private static let ann = Principal(account: account, arn: "arn:aws:iam::\(account):user/ann", userID: "AIDA1")
    private static let session = Principal(
        account: account,
        arn: "arn:aws:sts::\(account):assumed-role/push/s1",
        userID: "AROA1:s1",
        roleARN: "arn:aws:iam::\(account):role/push"
    )

    private static func request(by principal: Principal = ann) -> AccessRequest {
        AccessRequest(
            principal: principal,
            action: "ecr:PutImage",
            resource: repository,
            owner: account,
            context: AccessRules().context(of: principal, region: "us-east-1")
        )
    }

    private static func statement(_ members: [String: String]) -> String {
        let all = ["Effect": #""Allow""#, "Action": #""ecr:*""#].merging(members) { $1 }
        return "{" + all.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
    }

    private static func identity(_ members: [String: String]) -> String {
        #"{"Version":"2012-10-17","Statement":\#(statement(["Resource": #""*""#].merging(members) { $1 }))}"#
    }

    private static func resource(_ members: [String: String]) -> String {
        #"{"Version":"2012-10-17","Statement":\#(statement(members))}"#
    }

    private static func reason(_ text: String, _ kind: PolicyKind = .identity) -> String? {
        do throws(PolicySyntaxError) {
            _ = try PolicyDocument(parsing: text, as: kind)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        "actions, resources and operators must be valid",
        arguments: [
            (["Action": #""ListImages""#], "'ListImages' is not an action"),
            (["Action": #"["ecr:ListImages","ecr:"]"#], "'ecr:' is not an action"),
            (["Action": "[]"], "a list of actions or resources is empty"),
            (["Resource": "[]"], "a list of actions or resources is empty"),
            (["Resource": #""team/app""#], "'team/app' is not a resource"),
            (
                ["Condition": #"{"StringEqual":{"aws:PrincipalAccount":"1"}}"#],
                "'StringEqual' is not a condition operator"
            ),
            (["Condition": #"{"ForAnyValue:Null":{"aws:x":"1"}}"#], "'ForAnyValue:Null' is not a condition operator"),
            (
                ["Condition": #"{"StringEquals":{"aws:PrincipalAccount":[]}}"#],
                "'StringEquals' of 'aws:principalaccount' has no value"
            ), (["Condition": #"{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"a*"}}"#], nil),
            (["Condition": #"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#], nil),
            (["Action": #""*""#, "Resource": #"["arn:aws:ecr:*","*"]"#], nil),
        ] as [([String: String], String?)]
    )
    func words(_ members: [String: String], _ reason: String?) {
        #expect(Self.reason(Self.identity(members)) == reason)
    }

    @Test(
        "principals must be valid",
        arguments: [
            (#""*""#, nil), (#"{"AWS":"\#(account)"}"#, nil), (#"{"AWS":["arn:aws:iam::\#(account):root"]}"#, nil),
            (#"{"AWS":"arn:aws-cn:sts::\#(account):assumed-role/push/s1"}"#, nil),
            (#"{"Service":"ecs.amazonaws.com"}"#, nil), (#"{"AWS":"1"}"#, "'1' is not a principal"),
            (#"{"AWS":"arn:aws:iam::\#(account):role/*"}"#, "'arn:aws:iam::\(account):role/*' is not a principal"),
            (#"{"AWS":"arn:aws:iam::\#(account):*"}"#, "'arn:aws:iam::\(account):*' is not a principal"),
            (#"{"AWS":"arn:aws:ecr::\#(account):role/a"}"#, "'arn:aws:ecr::\(account):role/a' is not a principal"),
            (#"{"AWS":[]}"#, "Principal is empty"), ("{}", "Principal is empty"),
        ] as [(String, String?)]
    )
    func principals(_ principal: String, _ reason: String?) {
        #expect(Self.reason(Self.resource(["Principal": principal]), .resource) == reason)
    }

    @Test("a duplicate member is refused, although a decoder would ignore one of them")
    func repeated() {
        for (text, name) in [
            (#"{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}"#, "Effect"),
            (#"{"Statement":[\#(Self.statement([:]))],"Statement" : []}"#, "Statement"),
            (Self.identity(["Condition": #"{"StringEquals":{},"StringEquals":{}}"#]), "StringEquals"),
            (Self.identity(["Condition": #"{"StringLike":{"aws:x":"{\"a\":[","aws:x":"b"}}"#]), "aws:x"),
        ] {
            #expect(Self.reason(text) == "'\(name)' occurs twice", "\(text)")
        }
        // The same word as a value, in another object, or with an escape before its quote isn't a duplicate member.
        #expect(RepeatedMember.find(in: #"{"a":["a","a"],"b":{"a":"a\":"},"c":[{"a":1},{"a":2}]}"#) == nil)
        #expect(RepeatedMember.find(in: #"{"a\"":1,"a":2}"#) == nil)
        #expect(RepeatedMember.find(in: #"["a","#) == nil)
        let twice = Self.statement(["Sid": #""s""#, "Resource": #""*""#])
        #expect(Self.reason(#"{"Statement":[\#(twice),\#(twice)]}"#) == "two statements have the same Sid")
    }

    @Test("NotPrincipal excludes only principals that it names in full, and is valid only with Deny")
    func exceptions() throws {
        func verdict(_ names: [String], _ principal: Principal) throws -> PolicyVerdict {
            let list = names.map { #""\#($0)""# }.joined(separator: ",")
            let text = Self.resource(["Effect": #""Deny""#, "NotPrincipal": #"{"AWS":[\#(list)]}"#])
            return try PolicyDocument(parsing: text, as: .resource)
                .verdict(on: Self.request(by: principal), isResourcePolicy: true)
        }
        let root = "arn:aws:iam::\(account):root"
        let role = try #require(Self.session.roleARN)
        #expect(try verdict([Self.ann.arn, root], Self.ann) == .silent)
        #expect(try verdict([Self.ann.arn, account], Self.ann) == .silent)
        #expect(try verdict([Self.ann.arn], Self.ann) == .denies)
        #expect(try verdict([root], Self.ann) == .denies)
        #expect(try verdict([role, root], Self.ann) == .denies)
        #expect(try verdict([role, root, Self.session.arn], Self.session) == .silent)
        #expect(try verdict([role, root], Self.session) == .denies)
        #expect(try verdict(["*"], Self.session) == .silent)
        let open = Self.resource(["NotPrincipal": #"{"AWS":"\#(root)"}"#])
        #expect(Self.reason(open, .resource) == "Allow with NotPrincipal is not supported")
    }

    @Test(
        "a variable is unknown, so an Allow with it allows less and a Deny denies more; in the older version it is plain text"
    )
    func variables() throws {
        func verdict(_ members: [String: String], version: String = "2012-10-17") throws -> PolicyVerdict {
            let text = Self.identity(members).replacing("2012-10-17", with: version)
            return try PolicyDocument(parsing: text, as: .identity).verdict(on: Self.request())
        }
        let deny = ["Effect": #""Deny""#]
        func with(_ members: [String: String], _ more: [String: String]) -> [String: String] {
            members.merging(more) { $1 }
        }
        let mine = #""arn:aws:ecr:us-east-1:${aws:PrincipalAccount}:repository/*""#
        #expect(try verdict(["Resource": mine]) == .silent)
        #expect(try verdict(with(deny, ["Resource": mine])) == .denies)
        #expect(try verdict(with(deny, ["Resource": mine]), version: "2008-10-17") == .silent)
        let others = #"{"Effect":"\#("Allow")","Action":"ecr:*","NotResource":\#(mine)}"#
        for (effect, expected) in [("Allow", PolicyVerdict.silent), ("Deny", .denies)] {
            let text = #"{"Version":"2012-10-17","Statement":\#(others.replacing("Allow", with: effect))}"#
            let document = try PolicyDocument(parsing: text, as: .identity)
            #expect(document.verdict(on: Self.request()) == expected, "\(effect)")
        }
        let same = ["Condition": #"{"StringNotEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}}"#]
        #expect(try verdict(same) == .silent)
        #expect(try verdict(with(deny, same)) == .denies)
        #expect(try verdict(same, version: "2008-10-17") == .allows)
    }

    @Test(
        "a resource policy that allows any principal with a role's ARN also allows sessions what their session policies omit"
    )
    func roleByCondition() throws {
        func refusal(_ principal: String, _ condition: String?) throws -> AccessRefusal? {
            var rules = AccessRules()
            rules.isEnforced = true
            let role = try #require(Self.session.roleARN)
            rules.identity[role] = []
            var session = Self.session
            session.sessionPolicy = PolicyDocument()
            let members = ["Principal": principal].merging(condition.map { ["Condition": $0] } ?? [:]) { $1 }
            let policy = try PolicyDocument(parsing: Self.resource(members), as: .resource)
            return rules.refusal(of: Self.request(by: session), resourcePolicies: [policy])
        }
        let isRole = #"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::\#(account):role/push"}}"#
        #expect(try refusal(#""*""#, isRole) == nil)
        #expect(try refusal(#""*""#, nil) == .implicit(.session))
        #expect(try refusal(#"{"AWS":"arn:aws:iam::\#(account):role/push"}"#, isRole) == .implicit(.session))
    }

    @Test("a role's session has no MFA, a user's key has no MFA key at all, and both use TLS")
    func context() throws {
        let rules = AccessRules()
        let user = rules.context(of: Self.ann, region: "us-east-1")
        let session = rules.context(of: Self.session, region: "us-east-1")
        #expect(user["aws:multifactorauthpresent"] == nil)
        #expect(session["aws:multifactorauthpresent"] == "false")
        #expect(user["aws:securetransport"] == "true")
        let unsafe = Self.identity([
            "Effect": #""Deny""#, "Condition": #"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
        ])
        let document = try PolicyDocument(parsing: unsafe, as: .identity)
        #expect(document.verdict(on: Self.request()) == .silent)
        #expect(document.verdict(on: Self.request(by: Self.session)) == .denies)
    }
}
