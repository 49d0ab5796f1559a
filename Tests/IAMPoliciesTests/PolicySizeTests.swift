import Content
import Replicate
import TestInputs
import Testing

@testable import IAMPolicies

@Suite("Sizes of policies")
struct PolicySizeTests {
    private static let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    private static let role = "arn:aws:iam::111122223333:role/replicator"

    private func requests(_ count: Int, by principal: String?) throws -> [PolicyRequest] {
        try (0..<count).map { number in
            var request = PolicyRequest(
                source: try PolicyPlace(parsing: "\(Self.host)/team/application-\(number)"),
                destination: try PolicyPlace(parsing: "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app-\(number)")
            )
            request.reader = PolicyCaller(try principal.map { try #require(Principal(arn: $0)) })
            request.writer = PolicyCaller(Principal(arn: "arn:aws:iam::444455556666:role/promoter"))
            request.rule = PolicyRequest.RuleNeeds(source: "build", destination: "production")
            return request
        }
    }

    private func entries(_ set: PolicySet, of arn: String) -> [PolicySet.Entry] {
        set.entries.filter { entry in
            if case .identity(let holder?, _) = entry.place { holder.arn == arn } else { false }
        }
    }

    private func allowed(_ documents: [PolicyDocument]) -> Set<[String]> {
        Set(
            documents.flatMap(\.statements).flatMap { statement in
                statement.actions.flatMap { action in statement.resources.map { [action, $0] } }
            }
        )
    }

    @Test("count characters as IAM does, without white space")
    func size() {
        let document = PolicyDocument([PolicyStatement(id: "Read", ["ecr:BatchGetImage"], on: ["arn:aws:ecr:*"])])
        #expect(document.size == document.text.unicodeScalars.count { !$0.properties.isWhitespace })
        #expect(document.size < document.text.count)
    }

    @Test("that fit a role's inline policies make one, which replaces the policy of its name")
    func fits() throws {
        let set = try PolicySet(requests(20, by: Self.role), named: "rules")
        let mine = entries(set, of: Self.role)
        #expect(mine.count == 1 && mine[0].policy.size <= PolicyLimit.inlineOfRole)
        #expect(
            set.text.contains("put-role-policy --role-name replicator --policy-name ecr-replicate-rules+replicator ")
        )
        #expect(!set.text.contains("create-policy"))
    }

    @Test("above the limit of inline policies become managed policies that allow the same", arguments: [80, 300])
    func splits(_ count: Int) throws {
        let requests = try requests(count, by: Self.role)
        let set = try PolicySet(requests, named: "rules")
        let parts = entries(set, of: Self.role)
        #expect(parts.count > 1 && parts.allSatisfy { $0.policy.size <= PolicyLimit.managed })
        // Not more parts than a simple filling needs.
        let whole = parts.reduce(0) { $0 + $1.policy.size }
        #expect(parts.count <= whole / (PolicyLimit.managed - 1_000) + 1)
        #expect(parts.map(\.policyName) == (1...parts.count).map { "ecr-replicate-rules+replicator-\($0)" })
        let names = set.entries.flatMap(\.names)
        #expect(Set(names).count == names.count)
        #expect(parts[0].names == [PolicyName(.sourceIdentity)])
        #expect(parts[1].names == [PolicyName(.sourceIdentity, number: 2)])
        let expected = (0..<count).flatMap { number in
            ["BatchGetImage", "GetDownloadUrlForLayer", "DescribeImages"].map {
                ["ecr:\($0)", "arn:aws:ecr:eu-west-1:111122223333:repository/team/application-\(number)"]
            }
        }
        #expect(allowed(parts.map(\.policy)) == Set(expected))
        let document = PolicySetDocument(set)
        let first = try #require(document.policies.first { $0.holder == Self.role })
        #expect(
            first.commands == [
                "aws iam create-policy --policy-name ecr-replicate-rules+replicator-1 --policy-document file://source-identity.json",
                "aws iam create-policy-version --policy-arn arn:aws:iam::111122223333:policy/ecr-replicate-rules+replicator-1 "
                    + "--policy-document file://source-identity.json --set-as-default",
                "aws iam attach-role-policy --role-name replicator --policy-arn "
                    + "arn:aws:iam::111122223333:policy/ecr-replicate-rules+replicator-1",
            ]
        )
        #expect(first.characters == parts[0].policy.size)
        #expect(first.notes.contains { $0.hasSuffix("attach all \(parts.count) parts") })
    }

    @Test("of a user are managed much sooner, of an account always")
    func holders() throws {
        let user = "arn:aws:iam::111122223333:user/ann"
        let small = try PolicySet(requests(3, by: user), named: "rules")
        #expect(small.text.contains("aws iam put-user-policy --user-name ann --policy-name ecr-replicate-rules+ann "))
        let large = try PolicySet(requests(30, by: user), named: "rules")
        #expect(entries(large, of: user).count == 1)
        #expect(
            large.text.contains(
                "aws iam attach-user-policy --user-name ann --policy-arn arn:aws:iam::111122223333:policy/ecr-replicate-rules+ann\n"
            )
        )
        let account = try PolicySet(requests(80, by: nil), named: "rules")
        let parts = entries(account, of: "arn:aws:iam::111122223333:root")
        #expect(parts.count > 1 && parts.allSatisfy { $0.policy.size <= PolicyLimit.managed })
        #expect(
            account.text.contains(
                "aws iam create-policy --policy-name ecr-replicate-rules+111122223333-2 --policy-document"
            )
        )
    }

    @Test("of a permission set become customer managed policies that the set refers to")
    func permissionSet() throws {
        let session = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann"
        let text = try PolicySet(requests(80, by: session), named: "rules").text
        #expect(text.contains("--customer-managed-policy-reference Name=ecr-replicate-rules+Deploy-1\n"))
        #expect(text.contains("provision-permission-set") && !text.contains("put-inline-policy"))
    }

    @Test("say when an identity would have more managed policies than IAM attaches")
    func tooMany() throws {
        let set = try PolicySet(requests(800, by: Self.role), named: "rules")
        let parts = entries(set, of: Self.role)
        #expect(parts.count > PolicyLimit.managedOfIdentity)
        let notes = parts.flatMap(\.notes).filter { $0.contains("may have 10 managed policies, and these are") }
        #expect(notes.count == 1)
    }

    @Test("of trust and repositories can't be split, and a note says so")
    func whole() throws {
        var requests: [PolicyRequest] = []
        for number in 0..<80 {
            var request = try self.requests(1, by: Self.role)[0]
            let start = Principal(arn: "arn:aws:iam::111122223333:role/caller-\(number)")
            request.writer = PolicyCaller(start)
            requests.append(request)
        }
        let foreign = try PolicySet(requests, named: "rules")
        let repository = try #require(foreign[PolicyName(.destinationRepository)])
        #expect(repository.notes.contains { $0.contains("a repository's policy may have 10240") })
        for index in requests.indices {
            let role = try #require(Principal(arn: "arn:aws:iam::444455556666:role/promoter"))
            requests[index].writer.assumptions = [PolicyCaller.Assumption(role, externalID: "ex-\(index)")]
        }
        let trusting = try PolicySet(requests, named: "rules")
        let trust = try #require(trusting[PolicyName(.destinationTrust)])
        #expect(trust.policy.statements.count == 80)
        #expect(trust.notes.contains { $0.contains("a trust policy may have 2048") })
        #expect(trusting.entries.count { if case .trust = $0.place { true } else { false } } == 1)
    }

    @Test("of a copy of references obey the limits too")
    func references() throws {
        let destinations = try (0..<200).map { try PolicyPlace(parsing: "\(Self.host)/mirror/app-\($0)") }
        var request = PolicyRequest(source: nil, destinations: destinations)
        request.writer = PolicyCaller(Principal(arn: Self.role))
        let set = try PolicySet(request)
        #expect(set.entries.count > 1 && set.entries.allSatisfy { $0.policy.size <= PolicyLimit.managed })
        #expect(set.entries.map(\.names).joined().map(\.number) == Array(1...set.entries.count))
    }

    @Test("shrink where one statement allows what another one does, and allow the same as before")
    func withoutRepetition() {
        var random = Seeded(21)
        let names = ["a", "b", "ab", "a*", "*", "?b", "b?", "?*"]
        let texts = ["a", "b", "ab", "bb", "ba", "abc", "c"]
        func allows(_ statements: [PolicyStatement], _ action: String, _ text: String) -> Bool {
            statements.contains { statement in
                statement.actions.contains(action)
                    && statement.resources.contains { ResourcePattern.covers($0, text) }
            }
        }
        var dropped = 0
        for _ in 0..<3_000 {
            let statements = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                PolicyStatement(
                    Array(["x", "y", "z"].shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))),
                    on: Array(names.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
                )
            }
            let less = statements.withoutRepetition
            #expect(!less.isEmpty && less.allSatisfy { !$0.resources.isEmpty })
            dropped += statements.flatMap(\.resources).count - less.flatMap(\.resources).count
            for action in ["x", "y", "z"] {
                for text in texts { #expect(allows(statements, action, text) == allows(less, action, text)) }
            }
            #expect(less.withoutRepetition == less)
        }
        #expect(dropped > 1_000)
        reportCases("sets of statements without repetition", 3_000)
    }
}
