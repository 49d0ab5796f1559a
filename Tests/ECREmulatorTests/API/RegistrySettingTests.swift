import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Settings of a whole registry", .timeLimit(.minutes(1)))
struct RegistrySettingTests {
    @Test("replication is returned as it was put, for the caller's own registry")
    func replication() async throws {
        try await withClient { _, client in
            let none = try await client.call("DescribeRegistry")
            #expect(try none.json("registryId") == account)
            #expect(try none.json("replicationConfiguration", "rules", "0") == nil)
            let rules =
                #"{"rules":[{"destinations":[{"region":"eu-west-1","registryId":"\#(account)"}],"#
                + #""repositoryFilters":[{"filter":"team/","filterType":"PREFIX_MATCH"}]}]}"#
            let put = try await client.call("PutReplicationConfiguration", #"{"replicationConfiguration":\#(rules)}"#)
            #expect(put.text == #"{"replicationConfiguration":\#(rules)}"#)
            let told = try await client.call("DescribeRegistry")
            #expect(told.text == #"{"registryId":"\#(account)","replicationConfiguration":\#(rules)}"#)
            var other = client
            other.account = otherAccount
            let others = try await other.call("DescribeRegistry")
            #expect(try others.json("replicationConfiguration", "rules", "0") == nil)
            let many = Array(repeating: #"{"destinations":[]}"#, count: 11).joined(separator: ",")
            let refused = try await client.call(
                "PutReplicationConfiguration",
                #"{"replicationConfiguration":{"rules":[\#(many)]}}"#
            )
            #expect(try refused.code == "InvalidParameterException")
        }
    }

    @Test("a registry's policies and settings are kept between processes, and older state can be read")
    func persistence() async throws {
        var configuration = EmulatorConfiguration()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("emulator-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        configuration.stateDirectory = directory.path
        let policy = #"{"Statement":{"Effect":"Allow","Action":"ecr:*","Principal":"*"}}"#
        let registryPolicy = #"{"Statement":{"Effect":"Allow","Action":"ecr:*","Principal":"*","Resource":"*"}}"#
        try await withClient(configuration) { emulator, client in
            try emulator.setRepositoryPolicy(policy, account: account, region: region, repository: "team/app")
            let quoted = registryPolicy.replacingOccurrences(of: "\"", with: "\\\"")
            let put = try await client.call("PutRegistryPolicy", #"{"policyText":"\#(quoted)"}"#)
            #expect(put.status == 200)
        }
        try await withClient(configuration) { _, client in
            let own = try await client.call("GetRepositoryPolicy", #"{"repositoryName":"team/app"}"#)
            #expect(try own.json("policyText") == policy)
            #expect(try await client.call("GetRegistryPolicy").json("policyText") == registryPolicy)
        }
        let older = #"{"key":{"account":"\#(account)","region":"\#(region)"},"repositories":{},"settings":{}}"#
        #expect(try JSONDecoder().decode(EmulatedRegistry.self, from: Data(older.utf8)).replication == nil)
    }
}
