import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Keys are revoked or expire while blobs are moving.
@Suite("Keys that change during a run", .timeLimit(.minutes(1)))
struct ScenarioKeyTests {
    private let image = SeedImage.oci("app", layers: [40_000, 70_000, 90_000])

    /// Calls a closure with the emulator after the second blob has arrived.
    private final class ArrivalHook: Sendable {
        private let emulator = Lock<Emulator?>(nil)
        private let arrived = Lock(0)
        private let action: @Sendable (Emulator) -> Void

        init(_ action: @escaping @Sendable (Emulator) -> Void) { self.action = action }

        func watch(_ emulator: Emulator) { self.emulator.withLock { $0 = emulator } }

        func see(_ request: LoggedRequest) {
            guard request.operation == "PUT blob", request.status == 201 else { return }
            let count = arrived.withLock { count in
                count += 1
                return count
            }
            if count == 2, let emulator = emulator.withLock({ $0 }) { action(emulator) }
        }
    }

    private func withArrivalHook(
        _ action: @escaping @Sendable (Emulator) -> Void,
        _ body: (TwoPartitions) async throws -> Void
    ) async throws {
        let hook = ArrivalHook(action)
        try await withTwoPartitions(image, { $0.requestAnswered = { hook.see($0) } }) { cloud in
            hook.watch(cloud.emulator)
            try await body(cloud)
        }
    }

    @Test("Revoked keys end the run, and a run with other keys continues from there")
    func revoked() async throws {
        try await withArrivalHook({ $0.revoke(accessKeyID: "AKIAEMULATOR88889999") }) { cloud in
            let error = try #require(try await cloud.failure())
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("UnrecognizedClientException"), "\(error)")
            try await finish(cloud, .profile("spare"))
        }
    }

    @Test("A revoked role session ends the run, and a run with other keys continues from there")
    func ended() async throws {
        let role = "arn:aws-cn:iam::\(TwoPartitions.chinese):role/promoter"
        try await withArrivalHook({ $0.endSessions(ofRole: role) }) { cloud in
            let error = try #require(try await cloud.failure(to: .profile("promoter")))
            #expect(error.side == .destination && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("with an explicit deny in an identity-based policy"), "\(error)")
            try await finish(cloud, .profile("china"))
        }
    }

    private func finish(_ cloud: TwoPartitions, _ keys: SideOptions) async throws {
        #expect(cloud.tag() == nil)
        let arrived = cloud.arrived
        #expect(arrived.count >= 2 && arrived.isSubset(of: image.blobs.map(\.digest)))
        cloud.emulator.clearRequests()
        let results = try await cloud.copy(to: keys)
        #expect(results.receipt?.digest == image.digest)
        #expect(cloud.tag() == image.digest)
        #expect(
            cloud.count("PUT blob") == image.blobs.count - arrived.count,
            "blobs that had arrived are not moved again"
        )
    }

    @Test(
        "Keys that expire early are renewed, and the run succeeds",
        arguments: ["POST upload", "PUT blob", "PutImage", "BatchCheckLayerAvailability"]
    )
    func expired(operation: String) async throws {
        try await withTwoPartitions(image) { cloud in
            cloud.emulator.inject(Fault(on: operation, .expireToken))
            let results = try await cloud.copy(to: .profile("promoter"))
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.tag() == image.digest && cloud.emulator.faultsApplied == 1)
            #expect(cloud.count("AssumeRole") == 2)
        }
    }
}

/// Two emulators, one an hour ahead and one an hour behind.
@Suite("Two endpoints with wrong clocks", .timeLimit(.minutes(1)))
struct TwoClockTests {
    private let image = SeedImage.oci("app", layers: [40_000, 70_000, 90_000])

    private func configuration(_ seconds: Double) -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.now = { Date().addingTimeInterval(seconds) }
        return configuration
    }

    @Test("Each side's clock is learned from one refused request", arguments: [3_600.0, -3_600])
    func opposite(seconds: Double) async throws {
        try await withEmulator(configuration(seconds)) { source in
            try await withEmulator(configuration(-seconds)) { destination in
                try await copyTwice(source, destination)
            }
        }
    }

    private func copyTwice(_ source: Emulator, _ destination: Emulator) async throws {
        let (account, region) = (ScenarioCloud.build, ScenarioCloud.home)
        try source.seed(image, tag: "v1", account: account, region: region, repository: "team/app")
        try await withTransport(TransportConfiguration()) { transport in
            let retry = RetryPolicy(clock: InstantClock(), jitter: { 1 })
            let destinationSide = SideOptions(endpointURL: destination.endpoint)
            let engine = engine(source, transport, retry, destination: destinationSide)
            for name in ["first", "second"] {
                try destination.createRepository(account: account, region: region, name)
                let results = try await engine.copy(
                    ImageReference(parsing: "\(source.registryHost(account: account, region: region))/team/app:v1"),
                    .one(.tag(Tag(parsing: "v1"))),
                    to: [
                        DestinationReference(
                            parsing: "\(destination.registryHost(account: account, region: region))/\(name)"
                        )
                    ],
                    tags: [],
                    CopyOptions()
                )
                #expect(results.receipt?.digest == image.digest, "\(results.firstError.map { "\($0)" } ?? "")")
            }
        }
        for emulator in [source, destination] {
            let refused = emulator.requests.filter { $0.status >= 400 }
            #expect(refused.map(\.errorCode) == ["InvalidSignatureException"], "\(refused.map(\.description))")
        }
    }
}

/// This machine's clock is an hour off, and AWS's clock is right.
@Suite("A local clock that is an hour off", .timeLimit(.minutes(1)))
struct ScenarioClockTests {
    private let image = SeedImage.oci("app", layers: [40_000, 70_000])
    private static let neighbours = "\(TwoPartitions.neighbour).dkr.ecr.us-east-1.amazonaws.com/team/app"

    struct Machine: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var source: SideOptions
        var destination: SideOptions
        /// The services that may refuse one request each.
        var refusing: Set<LoggedRequest.API>
    }

    private static let machines = [
        Machine(
            testDescription: "keys and a role",
            source: .profile("commercial"),
            destination: .profile("neighbour"),
            refusing: [.sts, .controlPlane]
        ),
        // Identity Center accepts a token at any time and sends its own time with the keys.
        Machine(
            testDescription: "a sign-in",
            source: .profile("signed-in"),
            destination: .profile("promoter-signed-in"),
            refusing: []
        ),
    ]

    @Test(
        "The local clock is corrected after at most one refused request per service",
        arguments: machines,
        [3_600.0, -3_600]
    )
    func skew(machine: Machine, seconds: Double) async throws {
        let here: @Sendable () -> Date = { Date().addingTimeInterval(seconds) }
        try await withTwoPartitions(image, now: here) { cloud in
            try cloud.emulator.createRepository(account: TwoPartitions.neighbour, region: "us-east-1", "team/app")
            let replicator = cloud.replicator(from: machine.source, to: machine.destination)
            func copy() async throws -> [CopyResult] {
                try await replicator.copy(
                    ImageReference(parsing: "\(TwoPartitions.source):v1"),
                    .one(.tag(Tag(parsing: "v1"))),
                    to: [DestinationReference(parsing: Self.neighbours)],
                    tags: [],
                    CopyOptions(referrers: .none)
                )
            }
            let results = try await copy()
            #expect(results.receipt?.digest == image.digest)
            let refused = cloud.emulator.requests.filter { $0.status >= 400 }
            #expect(Set(refused.map(\.api)).isSubset(of: machine.refusing))
            #expect(Set(refused.map(\.api)).count == refused.count, "\(refused.map(\.description))")
            #expect(refused.isEmpty == machine.refusing.isEmpty)
            let names = Set(refused.compactMap(\.errorCode))
            #expect(names.isSubset(of: ["InvalidSignatureException", "SignatureDoesNotMatch"]), "\(names)")

            cloud.emulator.clearRequests()
            let again = try await copy()
            #expect(again.receipt?.changedAnything == false)
            #expect(cloud.emulator.requests.allSatisfy { $0.status < 400 })
            #expect(cloud.count("AssumeRole") + cloud.count("GetRoleCredentials") == 0, "the keys are still good")
        }
    }
}
