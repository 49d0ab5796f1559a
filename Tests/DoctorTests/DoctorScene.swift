import ECREmulator
import Foundation
import Replicate
import Reporting
import TestClouds

@testable import Doctor

/// What a doctor is called to.
protocol DoctorScene {}

extension DoctorScene {
    static var image: SeedImage { SeedImage.oci("app", layers: [40_000, 70_000]) }

    /// A source with `image` as v1, and an empty destination of the same account.
    func withPatient(
        _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
        source: SideOptions = SideOptions(),
        destination: SideOptions = SideOptions(),
        createRepository: CopyOptions.RepositoryCreation = .never,
        kmsKeys: [String: String] = [:],
        _ body: (ScenarioCloud, Doctor) async throws -> Void
    ) async throws {
        try await withCloud(configure, source: source, destination: destination, attempts: 2) { cloud in
            try cloud.seed(Self.image, tag: "v1")
            try cloud.makeDestination()
            try await body(cloud, Doctor(cloud.replicator, createRepository: createRepository, kmsKeys: kmsKeys))
        }
    }

    func lines(_ diagnosis: Diagnosis) -> [String] {
        diagnosis.findings.map { "\($0.status) \($0.side) \($0.check): \($0.text)" }
    }
}

extension Doctor {
    init(
        _ engine: TestEngine,
        referrers: CopyOptions.Referrers = .all,
        createRepository: CopyOptions.RepositoryCreation = .never,
        kmsKeys: [String: String] = [:],
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.init(
            engine.replicator,
            source: engine.source,
            destination: engine.destination,
            referrers: referrers,
            createRepository: createRepository,
            kmsKeys: kmsKeys,
            now: now
        )
    }
}
