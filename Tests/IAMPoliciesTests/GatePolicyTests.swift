import AWSIdentity
import Content
import Replicate
import Rules
import Testing

@testable import IAMPolicies

/// What gates add to the policies of a copy: what they ask for, and nothing else.
@Suite("Policies for gates")
struct GatePolicyTests {
    private func actions(_ gates: GateNeeds, to destination: String = "444455556666", _ name: String = "prod/app")
        throws -> (source: [PolicyStatement], destination: [PolicyStatement])
    {
        let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
        var request = PolicyRequest(
            source: try PolicyPlace(parsing: build),
            destination: try PolicyPlace(parsing: "\(destination).dkr.ecr.eu-west-1.amazonaws.com/\(name)")
        )
        request.gates = gates
        let set = try PolicySet(request)
        return (set[.sourceIdentity]?.statements ?? [], set[.destinationIdentity]?.statements ?? [])
    }

    @Test("each gate adds the action that it asks for, at the source")
    func each() throws {
        let plain = try actions(GateNeeds())
        let cases: [(GateNeeds, String)] = [
            (GateNeeds(readsScans: true), "ecr:DescribeImageScanFindings"),
            (GateNeeds(readsPushTimes: true), "ecr:DescribeImages"),
            (GateNeeds(readsTagSettings: true), "ecr:DescribeRepositories"),
        ]
        for (gates, action) in cases {
            let with = try actions(gates)
            let added = with.source.filter { $0.id == "DecideGates" }
            #expect(added.map(\.actions) == [[action]])
            #expect(added.first?.resources == ["arn:aws:ecr:eu-west-1:111122223333:repository/team/app"])
            #expect(with.source.filter { $0.id != "DecideGates" } == plain.source)
            #expect(with.destination == plain.destination)
        }
        #expect(try actions(GateNeeds(readsContent: true)).source == plain.source, "a copy reads that anyway")
        #expect(!plain.source.flatMap(\.actions).contains("ecr:DescribeImageScanFindings"))
    }

    @Test("a promotion within one repository reads what a retag doesn't")
    func retag() throws {
        let gates = GateNeeds(readsScans: true, readsContent: true)
        let same = try actions(gates, to: "111122223333", "team/app").source
        #expect(
            same.first { $0.id == "DecideGates" }?.actions == [
                "ecr:DescribeImageScanFindings", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
            ]
        )
    }

    @Test("a key in KMS is named by its ARN, and an alias by a condition")
    func keys() throws {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1234"
        let alias = "arn:aws:kms:eu-west-1:111122223333:alias/release"
        let gates = GateNeeds(publicKeys: [key, alias].compactMap { KeyName($0) })
        let statements = try actions(gates).source.filter { $0.id?.hasPrefix("VerifyWithKey") == true }
        #expect(statements.map(\.actions) == [["kms:GetPublicKey"], ["kms:GetPublicKey"]])
        #expect(statements.map(\.resources) == [[key], ["arn:aws:kms:eu-west-1:111122223333:key/*"]])
        #expect(statements.map { $0.conditions.count } == [0, 1])
    }
}
