import AWSIdentity
import Replicate
import Testing

@testable import IAMPolicies

@Suite("Policies of roles that are assumed")
struct PolicyRoleTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    private static let production = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app"
    private static let ann = Principal(arn: "arn:aws:iam::111122223333:user/ann")
    private static let hub = Principal(arn: "arn:aws:iam::111122223333:role/hub")
    private static let promoter = Principal(arn: "arn:aws:iam::444455556666:role/promoter")

    private func caller(
        _ start: Principal?,
        _ roles: (role: Principal?, externalID: String?, sendsCode: Bool)...
    ) throws -> PolicyCaller {
        var caller = PolicyCaller(start)
        caller.assumptions = try roles.map {
            PolicyCaller.Assumption(try #require($0.role), externalID: $0.externalID, sendsCode: $0.sendsCode)
        }
        return caller
    }

    private func policies(_ reader: PolicyCaller, _ writer: PolicyCaller) throws -> PolicySet {
        var request = PolicyRequest(
            source: try PolicyPlace(parsing: Self.build),
            destination: try PolicyPlace(parsing: Self.production)
        )
        (request.reader, request.writer) = (reader, writer)
        return try PolicySet(request)
    }

    private func lines(_ set: PolicySet, _ part: PolicyPart, _ number: Int = 1) -> [String]? {
        set[PolicyName(part, number: number)]?.policy.statements.map(\.line)
    }

    private func notes(_ set: PolicySet, _ part: PolicyPart) -> [String]? { set[PolicyName(part)]?.notes }

    @Test("say whom a role lets in, with which conditions, and let the caller assume it")
    func chain() throws {
        let set = try policies(
            caller(Self.ann),
            caller(Self.ann, (Self.hub, nil, true), (Self.promoter, "ex-1", false))
        )
        #expect(
            lines(set, .destinationTrust) == [
                #"""
                {"Sid":"LetAssume","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/hub"},\#
                "Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"ex-1"}}}
                """#
            ]
        )
        #expect(
            lines(set, .destinationCaller) == [
                #"""
                {"Sid":"Assume","Effect":"Allow","Action":"sts:AssumeRole",\#
                "Resource":"arn:aws:iam::444455556666:role/promoter"}
                """#
            ]
        )
        #expect(
            lines(set, .destinationTrust, 2) == [
                #"""
                {"Sid":"LetAssume","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},\#
                "Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}
                """#
            ]
        )
        // Within one account the role's trust policy is enough for a caller that it names.
        #expect(lines(set, .destinationCaller, 2) == nil && lines(set, .sourceTrust) == nil)
        #expect(set.entries.flatMap(\.notes) == [])
        // Who writes is of the repository's account, so that its policy isn't needed.
        #expect(set[.destinationRepository] == nil)
        #expect(
            set[PolicyName(.destinationIdentity)]?.place == .identity(Self.promoter, does: "writes")
        )
    }

    @Test("of an unknown caller let no one in until the caller is named")
    func unknown() throws {
        var writer = try caller(nil, (Self.promoter, nil, false))
        let set = try policies(caller(nil), writer)
        #expect(lines(set, .destinationTrust)?.first?.contains(#""AWS":"ARN-OF-THE-CALLER""#) == true)
        #expect(
            notes(set, .destinationTrust) == [
                "the caller is not known: replace ARN-OF-THE-CALLER, which AWS refuses, with the caller's ARN, or "
                    + "name the caller with --principal; with the caller's keys, aws sts get-caller-identity prints the ARN"
            ]
        )
        #expect(lines(set, .destinationCaller)?.count == 1)
        #expect(
            set.text.contains(
                "# destination-caller: for the identity that assumes role promoter in account 444455556666\n"
            )
        )
        writer.origin = "profile 'keys'"
        let named = try policies(caller(nil), writer)
        #expect(notes(named, .destinationTrust)?.first?.hasPrefix("the caller (profile 'keys') is not known") == true)
    }

    @Test("that let in a whole account say so")
    func account() throws {
        let wholeAccount = Principal(account: "444455556666", partition: "aws")
        let set = try policies(caller(wholeAccount), caller(wholeAccount, (Self.promoter, nil, false)))
        #expect(
            notes(set, .destinationTrust) == [
                "this allows every identity of account 444455556666 whose own policies allow sts:AssumeRole on the "
                    + "role; name one of them with --principal instead"
            ]
        )
        // The account alone gives nothing to its own.
        #expect(lines(set, .destinationCaller)?.count == 1)
    }

    @Test("are one policy for a role that serves both sides, with a statement for each caller")
    func shared() throws {
        let both = try caller(Self.ann, (Self.promoter, "ex-1", false))
        let set = try policies(both, both)
        #expect(set[PolicyName(.sourceTrust)]?.names == [PolicyName(.sourceTrust), PolicyName(.destinationTrust)])
        #expect(set[PolicyName(.sourceCaller)]?.names == [PolicyName(.sourceCaller), PolicyName(.destinationCaller)])
        #expect(set.entries.count { $0.place == .trust(both.assumptions[0].role) } == 1)
        #expect(set.text.contains("# source-trust, destination-trust: for role promoter in account 444455556666, "))
        let two = try policies(both, caller(Self.hub, (Self.promoter, nil, false)))
        let statements = try #require(two[.sourceTrust]?.statements)
        #expect(statements.map(\.id) == ["LetAssume", "LetAssume2"])
        #expect(two[.destinationTrust]?.statements == statements)
        #expect(two[PolicyName(.sourceCaller)]?.names.count == 1 && two[PolicyName(.destinationCaller)] != nil)
    }

    @Test("follow a chain of roles in profiles")
    func paths() throws {
        let environment = AWSEnvironment(variables: ["AWS_CONFIG_FILE": "/nonexistent"], home: "/nonexistent")
        let role = try PolicyCaller(
            RolePath(IdentityOptions(roleARN: "arn:aws:iam::444455556666:role/promoter"), environment: environment),
            named: Self.ann
        )
        #expect(role.start == Self.ann && role.assumptions.map(\.role) == [Self.promoter])
        let set = Principal(permissionSet: "Deploy", account: "111122223333", partition: "aws")
        let person = try policies(caller(set), caller(set, (Self.promoter, nil, false)))
        #expect(
            lines(person, .destinationTrust) == [
                #"""
                {"Sid":"LetAssume","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},\#
                "Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":\#
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_????????????????"}}}
                """#
            ]
        )
        #expect(notes(person, .destinationTrust) == [])
    }

    @Test("take the named caller for the first one, if it is in the partition")
    func partitions() throws {
        let environment = AWSEnvironment(variables: [:], home: "/nonexistent")
        let chinese = IdentityOptions(roleARN: "arn:aws-cn:iam::444455556666:role/promoter")
        let writer = try PolicyCaller(RolePath(chinese, environment: environment), named: Self.ann)
        #expect(writer.start == nil && writer.assumptions.count == 1)
        let reader = try PolicyCaller(RolePath(IdentityOptions(), environment: environment), named: Self.ann)
        #expect(reader.start == Self.ann)
    }

    @Test("are refused if AWS would refuse the role or give the ARN another meaning")
    func impossible() throws {
        let environment = AWSEnvironment(variables: [:], home: "/nonexistent")
        let chinese = Principal(arn: "arn:aws-cn:iam::444455556666:role/promoter")
        let federated = Principal(arn: "arn:aws:sts::111122223333:federated-user/bob")
        for (writer, words) in [
            (
                try caller(Self.ann, (chinese, nil, false)),
                "identities of one partition aren't known in another; name another caller"
            ),
            (try caller(nil, (chinese, nil, false)), "so name a role for each side"),
            (
                try caller(nil, (chinese, nil, false), (Self.promoter, nil, false)),
                "can assume one of another partition"
            ),
            (try caller(federated, (Self.promoter, nil, false)), "a federated session can't call STS"),
        ] {
            let error = #expect(throws: ImpossiblePolicy.self) { try policies(caller(nil), writer) }
            #expect(error?.description.contains(words) == true, "\(error as Any)")
        }
        let set = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Deploy_0123456789abcdef"
        #expect(throws: ImpossiblePolicy.self) {
            try PolicyCaller(RolePath(IdentityOptions(roleARN: set), environment: environment))
        }
        let variable = IdentityOptions(roleARN: Self.promoter?.arn, externalID: "${aws:username}")
        #expect(throws: ImpossiblePolicy.self) {
            try PolicyCaller(RolePath(variable, environment: environment))
        }
    }
}
