import ECREmulator
import TestPrograms
import Testing

@Suite("A proxy in the environment", .timeLimit(.minutes(1)))
struct ProxyVariableTests {
    @Test(
        "is used for remote hosts and not for this machine, and a refusal names it without its password",
        arguments: ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
    )
    func named(_ variable: String) async throws {
        try await withStage { stage in
            // The emulator isn't a proxy, and refuses a request for a tunnel.
            let address = "127.0.0.1:\(stage.emulator.port)"
            let proxy = [variable: "http://tester:s3cret@\(address)"]

            let far = try await stage.run("inspect", "--log-level", "trace", "registry.example/app:v1", with: proxy)
            #expect(far.exitCode == 1, "\(far.errors)")
            #expect(far.errors.contains("the proxy \(address) answered 4"), "\(far.errors)")
            #expect(!far.errors.contains("s3cret") && !far.errors.contains("attempt 1 failed"), "\(far.errors)")

            let near = try await stage.run("inspect", "\(stage.source):v1", with: proxy)
            #expect(near.exitCode == 0, "\(near.errors)")
        }
    }
}
