import TestPrograms
import Testing

@Suite("TLS and passwords of a real registry", .timeLimit(.minutes(1)))
struct RealRegistryAccessTests {
    @Test("a private CA is trusted only if it is named", .needs(.registry, .skopeo, .umoci, .openssl))
    func certificate() async throws {
        try await withScratchDirectory { directory in
            let certificate = try await Certificate.make(in: directory)
            try await withRegistry(.tls(certificate), in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                let reference = "\(registry.authority)/debian:12"
                try await skopeo("copy", "--dest-tls-verify=false", image.reference("v1"), "docker://\(reference)")

                let refused = try await run(.ecrReplicate, ["retag", reference, "stable"])
                #expect(refused.exitCode == 1)
                #expect(refused.output.isEmpty)
                #expect(refused.errors.contains("certificate could not be verified"), "\(refused.errors)")
                #expect(refused.errors.contains("--ca-bundle"), "\(refused.errors)")

                let named = try await run(
                    .ecrReplicate,
                    ["retag", "--ca-bundle", certificate.file, reference, "stable"]
                )
                #expect(named.exitCode == 0, "\(named.errors)")

                let inEnvironment = try await run(
                    .ecrReplicate,
                    ["retag", reference, "stable"],
                    environment: ["AWS_CA_BUNDLE": certificate.file]
                )
                #expect(inEnvironment.exitCode == 0, "\(inEnvironment.errors)")
                #expect(inEnvironment.lines == named.lines)
            }
        }
    }

    @Test("a bundle with the wrong CA is not enough", .needs(.registry, .openssl))
    func wrongAuthority() async throws {
        try await withScratchDirectory { directory in
            let (own, other) = ("\(directory)/own", "\(directory)/other")
            for folder in [own, other] { try makeDirectory(folder) }
            let stranger = try await Certificate.make(in: other)
            try await withRegistry(.tls(Certificate.make(in: own)), in: own) { registry in
                let arguments = ["inspect", "--ca-bundle", stranger.file, "\(registry.authority)/debian:12"]
                let refused = try await run(.ecrReplicate, arguments)
                #expect(refused.exitCode == 1)
                #expect(refused.errors.contains("certificate could not be verified"), "\(refused.errors)")
            }
        }
    }

    @Test("a registry that requires a password gets none, and the exit status is 4", .needs(.registry))
    func password() async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(.password, in: directory) { registry in
                let refused = try await run(.ecrReplicate, ["inspect", "\(registry.authority)/debian:12"])
                #expect(refused.exitCode == 4, "\(refused.errors)")
                #expect(refused.output.isEmpty)
                #expect(refused.errors.contains("debian:12"), "\(refused.errors)")
            }
        }
    }
}
