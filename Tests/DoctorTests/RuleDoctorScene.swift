import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds

@testable import Doctor

/// Rules that a doctor is called to.
protocol RuleDoctorScene {}

extension RuleDoctorScene {
    /// What the rules copy; every one goes from `build` to `far`, under `mirror/`.
    func rule(
        _ cloud: ScenarioCloud,
        name: String = "releases",
        prefix: String = "team/",
        named: [String]? = nil,
        to registry: String = "far",
        creates: Bool = false,
        prunes: Bool = false,
        warning: String? = nil
    ) throws -> RuleCheckup.Rule {
        let source = try cloud.source()
        let destination = try cloud.destination()
        return RuleCheckup.Rule(
            name: name,
            source: "build",
            repositories: try named.map { .named(try $0.map { try RepositoryName(parsing: $0) }) }
                ?? .selected { $0.value.hasPrefix(prefix) },
            reference: { ImageReference(registry: source.registry, repository: $0) },
            choose: { listed in (listed.first { $0.tag.value.hasPrefix("v") }?.tag).map { .tag($0) } },
            destinations: [
                RuleCheckup.Destination(registry: registry) { name, candidate in
                    DestinationReference(
                        registry: destination.registry,
                        repository: try? RepositoryName(parsing: "mirror/\(name)"),
                        tag: candidate?.tag
                    )
                }
            ],
            referrers: .all,
            createRepository: creates ? .defaults : .never,
            prunes: prunes,
            warning: warning
        )
    }

    func checkup(
        _ cloud: ScenarioCloud,
        _ rules: [RuleCheckup.Rule],
        source: SideOptions = SideOptions(),
        destination: SideOptions = SideOptions()
    ) throws -> RuleCheckup {
        let (here, there) = (try cloud.source().registry, try cloud.destination().registry)
        return RuleCheckup(
            file: "rules.yaml",
            registries: [
                .init(name: "build", location: here, words: "the build registry", options: source),
                .init(name: "far", location: there, words: "the far registry", options: destination),
            ],
            rules: rules
        )
    }

    /// A source with repositories that hold an image as v1, and their destinations.
    func withRepositories(
        _ names: [String],
        missing: Set<String> = [],
        _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
        _ body: (ScenarioCloud, RuleDoctor) async throws -> Void
    ) async throws {
        try await withCloud(configure, attempts: 2) { cloud in
            for name in names {
                try cloud.seed(SeedImage.oci("app", layers: [4_000]), tag: "v1", name)
                if !missing.contains(name) { try cloud.makeDestination("mirror/\(name)") }
            }
            try await body(cloud, RuleDoctor(cloud.replicator.replicator))
        }
    }

    func lines(_ diagnosis: RuleDiagnosis) -> [String] {
        diagnosis.findings.map { finding in
            let place = [finding.rule ?? finding.registry, finding.repository].compactMap { $0 }.joined(separator: " ")
            return "\(place): \(finding.status) \(finding.side) \(finding.check)"
        }
    }
}
