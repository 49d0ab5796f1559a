import Content
import ECREmulator
import Reporting
import Testing
import Wire

@testable import Replicate

/// Copies between two partitions, which share neither accounts nor keys.
@Suite("Copies between partitions", .timeLimit(.minutes(1)))
struct ScenarioPartitionTests {
    private let image = SeedImage.oci("app", layers: [40_000, 70_000])

    @Test(
        "A copy between partitions succeeds, and each side sees only its own keys",
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
            // A presigned address needs no key.
            let downloads = cloud.emulator.requests.filter { $0.api == .download }
            #expect(downloads.count == image.blobs.count && downloads.allSatisfy { $0.accessKey == nil })
        }
    }

    @Test(
        "With one set of keys, the side that doesn't know them is named",
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
            let isExplained = text.contains("partition aws-cn has its own accounts and keys")
            #expect(isExplained == (side == .destination), "\(text)")
            #expect(cloud.tag() == nil && cloud.arrived.isEmpty)
            #expect(cloud.count("PutImage") == 0 && cloud.count("POST upload") == 0)
        }
    }

    @Test("A role of another partition can't be assumed, and the error says so")
    func roleAcross() async throws {
        try await withTwoPartitions(image) { cloud in
            let error = try #require(try await cloud.failure(to: .profile("stray")))
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            // STS in China doesn't know the commercial key that should assume the role.
            #expect("\(error)".contains("InvalidClientTokenId"), "\(error)")
        }
    }

    @Test("A region that isn't enabled fails the copy with the side named")
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

    @Test("A registry that refuses the token gets a new one, once")
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

    @Test("A registry in another region than the token's is an error, with no tag set")
    func wrongRegion() async throws {
        try await withTwoPartitions(image) { cloud in
            var destination = SideOptions.profile("china")
            let elsewhere = cloud.emulator.registryHost(account: TwoPartitions.chinese, region: "cn-northwest-1")
            destination.registryEndpoint = "http://\(elsewhere)"
            let error = try #require(try await cloud.failure(to: destination))
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("no basic auth credentials"), "\(error)")
            #expect(cloud.tag() == nil)
            // The token is renewed at most once.
            #expect((1...2).contains(cloud.count("GetAuthorizationToken")))
        }
    }
}
