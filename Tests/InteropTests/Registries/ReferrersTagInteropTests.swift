import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("Referrers at a real registry without the referrers API", .timeLimit(.minutes(2)), .needs(.registry, .skopeo))
struct ReferrersTagInteropTests {
    @Test("are listed under the fallback tag, beside entries of other clients, and copied from there")
    func listed() async throws {
        try await withScratchDirectory { directory in
            try await withTwoRegistries(in: directory) { first, second in
                try await withEmulator { emulator in
                    let image = SeedImage.oci("app", layers: [4_000])
                    let sbom = SeedImage.referrer(to: image)
                    let signature = SeedImage.referrer(to: sbom, artifactType: "application/vnd.cncf.notary.signature")
                    let later = SeedImage.referrer(to: image, artifactType: "application/vnd.test.later")
                    let source = emulator.registryHost(account: Cloud.build, region: Cloud.home)
                    func seed(_ image: SeedImage, _ tag: String?, in repository: String = "team/app") throws {
                        try emulator.seed(
                            image,
                            tag: tag,
                            account: Cloud.build,
                            region: Cloud.home,
                            repository: repository
                        )
                    }
                    try seed(image, "v1")
                    try seed(sbom, nil)
                    try seed(signature, nil)
                    func copy(_ source: String, to destination: RealRegistry) async throws -> Ended {
                        let ended = try await run(
                            .ecrReplicate,
                            ["copy", source, "\(destination.authority)/mirror/app:v1"],
                            environment: emulator.variables()
                        )
                        #expect(ended.exitCode == 0, "\(ended.errors)")
                        return ended
                    }

                    _ = try await copy("\(source)/team/app:v1", to: first)
                    #expect(try await list(image.digest, at: first).map(\.digest) == [sbom.digest])
                    let listing = try await list(sbom.digest, at: first)
                    #expect(listing.map(\.digest) == [signature.digest])
                    #expect(listing.first?.artifactType == "application/vnd.cncf.notary.signature")

                    try seed(later, nil)
                    _ = try await copy("\(source)/team/app:v1", to: first)
                    #expect(try await list(image.digest, at: first).map(\.digest) == [sbom.digest, later.digest])
                    let again = try await copy("\(source)/team/app:v1", to: first)
                    #expect(again.errors.contains("nothing to do, "), "\(again.errors)")

                    // The other registry has a list of its own by now.
                    let own = SeedImage.referrer(to: image, artifactType: "application/vnd.test.own")
                    try seed(image, "v1", in: "team/own")
                    try seed(own, nil, in: "team/own")
                    _ = try await copy("\(source)/team/own:v1", to: second)
                    _ = try await copy("\(first.authority)/mirror/app:v1", to: second)
                    #expect(
                        Set(try await list(image.digest, at: second).map(\.digest))
                            == [own.digest, sbom.digest, later.digest]
                    )
                    #expect(
                        try await raw(sbom.digest, at: second) == raw(sbom.digest, at: first),
                        "a list without additions is the same everywhere"
                    )
                    let last = try await copy("\(first.authority)/mirror/app:v1", to: second)
                    #expect(last.errors.contains("nothing to do, "), "\(last.errors)")
                }
            }
        }
    }

    private func raw(_ subject: Digest, at registry: RealRegistry) async throws -> [UInt8] {
        let reference = "docker://\(registry.authority)/mirror/app:sha256-\(subject.hex)"
        return try await skopeo("inspect", "--raw", "--tls-verify=false", reference).outputBytes
    }

    private func list(_ subject: Digest, at registry: RealRegistry) async throws -> [Descriptor] {
        try Manifest(bytes: await raw(subject, at: registry)).children
    }
}
