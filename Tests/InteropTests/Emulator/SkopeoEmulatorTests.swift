import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("skopeo and the emulator", .timeLimit(.minutes(1)), .needs(.skopeo, .umoci, .aws))
struct SkopeoEmulatorTests {
    @Test("an image from skopeo, copied to another account and region, is pulled by skopeo byte for byte")
    func roundTrip() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = try await DebianImage.make(in: directory)
                let digest = Digest(of: try await image.manifest("multi"))
                let source = emulator.loopback(account: Cloud.build, region: Cloud.home)
                let sourceCredentials = try await emulator.registryCredentials(
                    account: Cloud.build,
                    region: Cloud.home
                )
                let target = emulator.loopback(account: Cloud.production, region: Cloud.far)
                let targetCredentials = try await emulator.registryCredentials(
                    account: Cloud.production,
                    region: Cloud.far
                )
                try emulator.createRepository(account: Cloud.build, region: Cloud.home, "team/debian")
                try emulator.createRepository(account: Cloud.production, region: Cloud.far, "prod/debian")
                let push = [
                    "--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false",
                    "--dest-creds", sourceCredentials, image.reference("multi"), "docker://\(source)/team/debian:12",
                ]
                let pushed = try await run(.skopeo, push)
                #expect(pushed.exitCode == 0, "\(pushed.errors)")
                #expect(
                    emulator.tag("12", account: Cloud.build, region: Cloud.home, repository: "team/debian") == digest
                )

                let destination = emulator.registryHost(account: Cloud.production, region: Cloud.far)
                let copied = try await run(
                    .ecrReplicate,
                    [
                        "copy", "--destination-role-arn", Cloud.promoter,
                        "\(emulator.registryHost(account: Cloud.build, region: Cloud.home))/team/debian:12",
                        "\(destination)/prod/debian",
                    ],
                    environment: emulator.variables()
                )

                #expect(copied.exitCode == 0, "\(copied.errors)")
                #expect(copied.lines == ["\(destination)/prod/debian:12@\(digest)"])
                let before = try await pull(
                    "\(source)/team/debian:12",
                    credentials: sourceCredentials,
                    in: "\(directory)/before"
                )
                let after = try await pull(
                    "\(target)/prod/debian:12",
                    credentials: targetCredentials,
                    in: "\(directory)/after"
                )
                #expect(before.count == 8, "\(before.keys)")
                #expect(after == before)
            }
        }
    }

    @Test("an account's token gives no access to another account's registry")
    func foreignToken() async throws {
        try await withEmulator { emulator in
            try emulator.createRepository(account: Cloud.production, region: Cloud.far, "prod/app")
            let credentials = try await emulator.registryCredentials(account: Cloud.build, region: Cloud.home)
            let other = emulator.loopback(account: Cloud.production, region: Cloud.far)
            let refused = try await run(
                .skopeo,
                ["inspect", "--raw", "--tls-verify=false", "--creds", credentials, "docker://\(other)/prod/app:v1"]
            )
            #expect(refused.exitCode != 0)
            #expect(refused.output.isEmpty)
        }
    }
}
