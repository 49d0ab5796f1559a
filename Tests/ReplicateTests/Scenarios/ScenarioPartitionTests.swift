import Content
import ECREmulator
import Reporting
import Testing
import Wire

@testable import Replicate

/// Two sides that have nothing in common, not even the company's accounts.
@Suite("Between partitions", .timeLimit(.minutes(1)))
struct ScenarioPartitionTests {
    private let image = SeedImage.oci("app", layers: [40_000, 70_000])

    @Test(
        "a copy moves the bytes, and neither side sees anything of the other's keys",
        arguments: ["china", "promoter"]
    )
    func crossing(profile: String) async throws {
        try await withTwoPartitions(image) { cloud in
            let results = try await cloud.copy(to: .profile(profile))
            #expect(results.receipt?.digest == image.digest && ExitStatus.of(results) == 0)
            #expect(results.receipt?.lines == ["\(TwoPartitions.destination):v1@\(image.digest)"])
            #expect(cloud.tag() == image.digest)
            #expect(cloud.arrived == Set(image.blobs.map(\.digest)))

            let signed = cloud.emulator.requests.filter { $0.caller != nil }
            let (west, north) = (
                signed.filter { $0.region == TwoPartitions.west }, signed.filter { $0.region == TwoPartitions.north }
            )
            #expect(west.count + north.count == signed.count && signed.count > 8)
            #expect(Set(west.map(\.caller)) == ["arn:aws:iam::\(TwoPartitions.commercial):user/emulator"])
            #expect(Set(west.map(\.accessKey)) == ["3333"])
            let account = "arn:aws-cn:iam::\(TwoPartitions.chinese):user/emulator"
            let role = "arn:aws-cn:sts::\(TwoPartitions.chinese):assumed-role/promoter/ecr-replicate-ann"
            #expect(Set(north.map(\.caller)) == (profile == "china" ? [account] : [account, role]))
            #expect(north.filter { $0.caller == account }.allSatisfy { profile == "china" || $0.api == .sts })
            #expect(!north.contains { $0.accessKey == "3333" })
            // A presigned address is its own permission.
            let downloads = cloud.emulator.requests.filter { $0.api == .download }
            #expect(downloads.count == image.blobs.count && downloads.allSatisfy { $0.accessKey == nil })
        }
    }

    @Test(
        "with one set of keys the side that doesn't know them is named",
        arguments: [("commercial", CopyError.Side.destination), ("china", .source)]
    )
    func oneSet(profile: String, side: CopyError.Side) async throws {
        try await withTwoPartitions(image) { cloud in
            let error = try #require(try await cloud.failure(from: .profile(profile), to: .profile(profile)))
            #expect(error.side == side && ExitStatus.of(error) == 4)
            let text = error.explanation
            #expect(text.contains("at the \(side.rawValue) "), "\(text)")
            #expect(text.contains("UnrecognizedClientException"), "\(text)")
            #expect(text.contains("The security token included in the request is invalid."), "\(text)")
            let isExplained = text.contains("partition aws-cn has accounts and keys of its own")
            #expect(isExplained == (side == .destination), "\(text)")
            #expect(cloud.tag() == nil && cloud.arrived.isEmpty)
            #expect(cloud.count("PutImage") == 0 && cloud.count("POST upload") == 0)
        }
    }

    @Test("a role of another partition can't be taken, and the error says whose it is")
    func roleAcross() async throws {
        try await withTwoPartitions(image) { cloud in
            let error = try #require(try await cloud.failure(to: .profile("stray")))
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            // STS in China doesn't know the commercial key that is to take the role.
            #expect("\(error)".contains("InvalidClientTokenId"), "\(error)")
        }
    }

    @Test("a region that isn't enabled ends the copy at the side it is on")
    func regionNotEnabled() async throws {
        func close(_ configuration: inout EmulatorConfiguration) {
            configuration.accounts = configuration.accounts.map { account in
                var closed = account
                if account.id != TwoPartitions.commercial {
                    closed.disabledRegions = [TwoPartitions.north, TwoPartitions.west]
                }
                return closed
            }
        }
        try await withTwoPartitions(image, close) { cloud in
            let keys = try #require(try await cloud.failure())
            #expect(keys.side == .destination && ExitStatus.of(keys) == 4)
            #expect("\(keys)".contains("UnrecognizedClientException"), "\(keys)")

            let role = try #require(try await cloud.failure(from: .profile("neighbour")))
            #expect(role.side == .source && ExitStatus.of(role) == 4)
            #expect("\(role)".contains("RegionDisabledException"), "\(role)")
            #expect("\(role)".contains("account:\(TwoPartitions.neighbour)"), "\(role)")
            #expect(cloud.tag() == nil && cloud.arrived.isEmpty)
        }
    }

    @Test("a registry that takes the token for another region's gets a new one, once")
    func tokenRenewed() async throws {
        try await withTwoPartitions(image) { cloud in
            let wrong = Fault.Kind.error(code: "NoBasicAuth", message: "no basic auth credentials", status: 401)
            cloud.emulator.inject(Fault(on: "POST upload", wrong))
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.emulator.requests.filter { $0.status == 401 }.count == 1)
            #expect(cloud.count("GetAuthorizationToken") == 2)
        }
    }

    @Test("a registry of another region than the token's is an error that says so, and nothing is tagged")
    func wrongRegion() async throws {
        try await withTwoPartitions(image) { cloud in
            var destination = SideOptions.profile("china")
            let elsewhere = cloud.emulator.registryHost(account: TwoPartitions.chinese, region: "cn-northwest-1")
            destination.registryEndpoint = "http://\(elsewhere)"
            let error = try #require(try await cloud.failure(to: destination))
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("no basic auth credentials"), "\(error)")
            #expect(cloud.tag() == nil)
            // Asked for anew, and given up.
            #expect((1...2).contains(cloud.count("GetAuthorizationToken")))
        }
    }
}
