import AWSIdentity
import Replicate
import Testing

@testable import IAMPolicies

@Suite("Callers in policies")
struct PolicyPrincipalTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    private static let production = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app"
    private static let environment = AWSEnvironment(variables: [:], home: "/nonexistent")

    private func policies(
        _ reader: PolicyCaller,
        _ writer: PolicyCaller,
        to destinations: [String] = [production]
    ) throws -> PolicySet {
        var request = PolicyRequest(
            source: try PolicyPlace(parsing: Self.build),
            destinations: try destinations.map { try PolicyPlace(parsing: $0) }
        )
        (request.reader, request.writer) = (reader, writer)
        return try PolicySet(request)
    }

    private func place(_ text: String) throws -> PolicyPlace { try #require(try PolicyPlace(parsing: text)) }

    private func caller(_ start: String? = nil, roles: String...) throws -> PolicyCaller {
        var caller = PolicyCaller(try start.map { try #require(Principal(arn: $0)) })
        caller.assumptions = try roles.map { PolicyCaller.Assumption(try #require(Principal(arn: $0))) }
        return caller
    }

    @Test("can't be in a partition that has none of the repositories")
    func stranger() throws {
        let stranger = Principal(arn: "arn:aws-us-gov:iam::999900001111:role/build")
        let role = IdentityOptions(roleARN: "arn:aws:iam::444455556666:role/promoter")
        let assuming = try PolicyCaller(RolePath(role, environment: Self.environment), named: stranger)
        for callers in [(PolicyCaller(stranger), PolicyCaller(stranger)), (assuming, assuming)] {
            let error = #expect(throws: ImpossiblePolicy.self) { try policies(callers.0, callers.1) }
            #expect(
                error?.description.hasPrefix(
                    "role build in account 999900001111 is in partition aws-us-gov, but no repository is: "
                ) == true
            )
        }
        let chinese = PolicyCaller(Principal(arn: "arn:aws-cn:iam::999900001111:role/build"))
        let across = ["999900001111.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app"]
        #expect(throws: Never.self) { try policies(chinese, chinese, to: across) }
    }

    @Test("can't come from a profile in another partition than its side's repository")
    func strangeProfile() throws {
        var chinese = PolicyCaller(Principal(permissionSet: "Deploy", account: "999900001111", partition: "aws-cn"))
        chinese.isOfProfile = true
        let error = #expect(throws: ImpossiblePolicy.self) { try policies(PolicyCaller(), chinese) }
        #expect(error?.description.hasSuffix("so give each side its own profile") == true)
    }

    @Test(
        "have a name that IAM accepts, without wildcards and characters that a shell interprets",
        arguments: [
            "arn:aws:iam::444455556666:role/*", "arn:aws:iam::444455556666:role/team*/build",
            "arn:aws:iam::444455556666:role/a;$(id)", "arn:aws:iam::444455556666:role/te`id`am/a",
            "arn:aws:iam::444455556666:user/ann?", "arn:aws:iam::444455556666:role/a&b",
            "arn:aws:iam::44445555666:role/build", "arn:aws:iam::4444555566667:root",
            "arn:aws:sts::444455556666:assumed-role/*/me", "arn:aws:sts::444455556666:federated-user/b'ob",
        ]
    )
    func names(_ arn: String) throws {
        #expect(Principal(arn: arn) == nil)
        let role = IdentityOptions(roleARN: arn)
        #expect(throws: (any Error).self) { try PolicyCaller(RolePath(role, environment: Self.environment)) }
    }

    @Test("may have any other name that IAM accepts")
    func allNames() {
        #expect(Principal(arn: "arn:aws:iam::444455556666:role/a-b/c.d/x_+=,.@-Y9")?.name == "x_+=,.@-Y9")
    }

    @Test("may be a permission set by its name, not by a pattern")
    func permissionSets() {
        #expect(Principal(permissionSet: "Deploy", account: "111122223333", partition: "aws") != nil)
        #expect(Principal(permissionSet: "*", account: "111122223333", partition: "aws") == nil)
        #expect(Principal(permissionSet: "Deploy", account: "1111\"x", partition: "aws") == nil)
    }

    @Test("are told that a session's ARN leaves out the role's path")
    func paths() throws {
        let session = "arn:aws:sts::111122223333:assumed-role/build/me"
        let hint =
            "AWS refuses a policy that names a role without its path: if the role has a path, get its ARN with: aws "
            + "iam get-role --role-name build --query Role.Arn"
        let direct = try policies(caller(session), caller(session))
        #expect(direct[PolicyName(.destinationRepository)]?.notes == [hint])
        #expect(direct[PolicyName(.destinationIdentity)]?.notes == [])
        let promoter = "arn:aws:iam::444455556666:role/promoter"
        let assuming = try policies(caller(session), caller(session, roles: promoter))
        #expect(assuming[PolicyName(.destinationTrust)]?.notes == [hint])
        let whole = try policies(caller(promoter), caller(promoter))
        #expect(whole.entries.flatMap(\.notes) == [])
    }

    @Test("may be a role with a path, created after its callers and before its policies")
    func order() throws {
        let (hub, promoter) = ("arn:aws:iam::111122223333:role/hub", "arn:aws:iam::444455556666:role/team/promoter")
        let ann = "arn:aws:iam::111122223333:user/ann"
        let set = try policies(caller(ann, roles: promoter), caller(ann, roles: hub, promoter))
        let kinds = set.entries.map { if case .trust(let role) = $0.place { role.name } else { "policy" } }
        #expect(kinds.prefix(3) == ["hub", "promoter", "policy"] && !kinds.dropFirst(2).contains { $0 != "policy" })
        let lines = set.text.split(separator: "\n").filter { $0.hasPrefix("#   aws iam create-role ") }
        #expect(
            lines.map { $0.prefix { $0 != ":" } } == [
                "#   aws iam create-role --role-name hub --assume-role-policy-document file",
                "#   aws iam create-role --path /team/ --role-name promoter --assume-role-policy-document file",
            ]
        )
    }

    @Test("are two in the one policy of a repository that is source and destination")
    func oneRepository() throws {
        let (reader, writer) = ("arn:aws:iam::444455556666:role/reader", "arn:aws:iam::777788889999:role/writer")
        let other = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/other"
        let set = try policies(caller(reader), caller(writer), to: [other, Self.build])
        let one = try #require(set[PolicyName(.sourceRepository)])
        #expect(one.names == [PolicyName(.sourceRepository), PolicyName(.destinationRepository)])
        #expect(one.policy.statements.map(\.principal) == [.aws(reader), .aws(writer)])
        #expect(try one.place == .repositories([place(Self.build)]))
        let rest = try #require(set[PolicyName(.destinationRepository, number: 2)])
        #expect(try rest.place == .repositories([place(other)]))
        #expect(rest.policy.statements.map(\.principal) == [.aws(writer)])
    }
}
