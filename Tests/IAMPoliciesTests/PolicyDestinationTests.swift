import Replicate
import Testing

@testable import IAMPolicies

@Suite("Policies for several destinations")
struct PolicyDestinationTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    private static let production = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
    private static let far = "444455556666.dkr.ecr.us-east-1.amazonaws.com"

    private func policies(
        _ source: String,
        _ destinations: String...,
        change: (inout PolicyRequest) -> Void = { _ in }
    ) throws -> PolicySet {
        let from = try PolicyPlace(parsing: source)
        var request = PolicyRequest(
            source: from,
            destinations: try destinations.map { try PolicyPlace(parsing: $0, keeping: from?.pattern) }
        )
        change(&request)
        return try PolicySet(request)
    }

    private func lines(_ set: PolicySet, _ part: PolicyPart) -> [String] {
        set[part]?.statements.map(\.line) ?? []
    }

    @Test("in one registry let layers be mounted between all of them")
    func mounting() throws {
        let one = "\(Self.production)/prod/one"
        let set = try policies("\(Self.build)/app", one, "\(Self.production)/prod/two") {
            $0.upload = .api
            $0.includesOptional = true
        }
        #expect(
            lines(set, .destinationIdentity).last == #"""
                {"Sid":"Mount","Effect":"Allow","Action":"ecr:GetDownloadUrlForLayer","Resource":[\#
                "arn:aws:ecr:eu-west-1:444455556666:repository/prod/two",\#
                "arn:aws:ecr:eu-west-1:444455556666:repository/prod/one"]}
                """#
        )
        #expect(lines(set, .destinationRepository).first?.contains("ecr:GetDownloadUrlForLayer") == true)
        // What is mounted goes through the registry, which takes a token.
        #expect(lines(set, .destinationIdentity).first?.contains("ecr:GetAuthorizationToken") == true)
        let alone = try policies("\(Self.build)/app", one, "\(Self.far)/prod/two") {
            $0.upload = .api
            $0.includesOptional = true
        }
        #expect(!alone.text.contains("Mount") && !alone.text.contains("GetAuthorizationToken"))
        #expect(lines(alone, .destinationRepository).first?.contains("ecr:GetDownloadUrlForLayer") == false)
    }

    @Test("name the key only in its region, and have their own ids and names")
    func keys() throws {
        let set = try policies("\(Self.build)/app", "\(Self.production)/prod/one", "\(Self.far)/prod/two") {
            $0.writer.start = Principal(arn: "arn:aws:iam::444455556666:role/promoter")
            $0.keys = [KeyName("arn:aws:kms:us-east-1:444455556666:key/1")].compactMap { $0 }
        }
        let statements = try #require(set[.destinationIdentity]?.statements)
        #expect(statements.map(\.id) == ["Token", "Write", "Create", "CreateWithKey"])
        #expect(statements[2].resources == ["arn:aws:ecr:us-east-1:444455556666:repository/prod/two"])
        #expect(statements[3].conditions.map(\.value) == ["ecr.us-east-1.amazonaws.com"])
        let first = "ecr-replicate-destination-444455556666-eu-west-1-prod+one"
        #expect(set.text.contains(" --policy-name \(first)-"))
    }

    @Test("read the source only for destinations in another place")
    func nowhereElse() throws {
        let source = "\(Self.build)/app"
        try #expect(policies(source, source, source).entries.flatMap(\.names) == [PolicyName(.destinationIdentity)])
        try #expect(policies(source, source, "docker.io/library/app")[.sourceIdentity] != nil)
        try #expect(policies(source, "docker.io/library/app").entries.flatMap(\.names) == [PolicyName(.sourceIdentity)])
    }
}
