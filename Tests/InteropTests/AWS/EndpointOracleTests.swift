import Content
import FoundationEssentials
import Logging
import TestInputs
import TestPrograms
import Testing
import Wire

@testable import AWSIdentity

@Suite("The endpoints of AWS's services", .timeLimit(.minutes(1)), .needs(.botocore))
struct EndpointOracleTests {
    private struct Silent: HTTPSending {
        func send(_ request: WireRequest) async throws -> WireResponse { throw WireError(.other, "no request is sent") }
    }

    private static let services: [String: AWSService] = [
        "ecr": .ecr, "sts": .sts, "sso": .sso, "sso-oidc": .ssoOIDC, "kms": .kms,
    ]

    /// The regions for which this tool differs on purpose.
    ///
    /// A region's name begins with its partition's. AWS's list of countries in the European Sovereign Cloud has one
    /// entry so far and will grow, and no region of the commercial partition begins with `eusc-`.
    private static func differs(_ region: String) -> Bool { region == "eusc-fr-west-1" }

    @Test("agree with botocore's rules: every region of every partition, FIPS or not, dual stack or not")
    func table() async throws {
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: [:], home: "/nonexistent"),
            sender: Silent(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let rows = String(decoding: try await oracle("endpoints"), as: UTF8.self).split(separator: "\n")
            .map { $0.split(separator: "\t").map(String.init) }
        for row in rows {
            let (region, fips, dualStack, theirs) = (row[1], row[2] == "true", row[3] == "true", row[4])
            let service = try #require(Self.services[row[0]])
            let ours = try resolver.endpoint(
                service,
                region: region,
                options: IdentityOptions(usesFIPS: fips, usesDualStack: dualStack)
            )
            #expect(!ours.isCustom)
            if Self.differs(region) {
                #expect(ours.url.text != theirs + "/", "\(row): no longer a difference")
            } else {
                #expect(ours.url.text == theirs + "/", "\(row)")
            }
        }
        // 46 regions and 12 that don't exist yet, 5 services, 4 variants.
        #expect(rows.count >= 1_160)
        let partitions = Set(rows.map { Partition(region: $0[1]) })
        #expect(partitions == Set(Partition.allCases))
        reportCases("endpoints equal to botocore's", rows.count)
    }
}
