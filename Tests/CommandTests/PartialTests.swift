import ECREmulator
import TestPrograms
import Testing

@Suite("What was set before something failed", .timeLimit(.minutes(1)))
struct PartialTests {
    @Test("is on standard output, and a result that can't be written is no success")
    func partial() async throws {
        try await withEmulator { emulator in
            let image = SeedImage.oci("app", layers: [100])
            try emulator.seed(image, tag: "v1", account: "111122223333", region: "eu-west-1", repository: "team/app")
            let app = emulator.registryHost(account: "111122223333", region: "eu-west-1") + "/team/app"
            let variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
            emulator.order(Fault(on: "PutImage", at: 2...2, .refuse))
            let ended = try await run(.ecrReplicate, ["retag", "\(app):v1", "a", "b"], environment: variables)
            #expect(ended.exitCode == 4)
            #expect(ended.lines == ["\(app):a@\(image.digest)"])

            let full = try await run(
                .shell,
                ["-c", "exec '\(Program.ecrReplicate.path ?? "")' retag \(app):v1 c > /dev/full"],
                environment: variables
            )
            #expect(full.exitCode == 1)
            #expect(full.errors.contains("the result could not be written"))
        }
    }
}
