import ECREmulator
import TestPrograms
import Testing

@Suite("The log", .timeLimit(.minutes(1)))
struct SideLogTests {
    /// Returns the logged lines of one kind.
    private func lines(_ ended: Ended, _ marks: String...) -> [Substring] {
        ended.errors.split(separator: "\n").filter { line in marks.allSatisfy { line.contains($0) } }
    }

    @Test("distinguishes the sides, and several destinations by their registries")
    func sides() async throws {
        try await withStage { stage in
            let other = "444455556666"
            try stage.emulator.createRepository(account: other, region: Stage.far, "team/app")
            let third = "\(stage.emulator.registryHost(account: other, region: Stage.far))/team/app"
            let (reader, writer) = (
                "arn:aws:iam::\(Stage.account):role/reader", "arn:aws:iam::\(Stage.account):role/writer"
            )
            let ended = try await stage.run(
                "copy",
                "--log-level",
                "debug",
                "--progress",
                "none",
                "--source-role-arn",
                reader,
                "--destination-role-arn",
                writer,
                "\(stage.source):v1",
                stage.destination,
                third
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let all = lines(ended, "debug: ")
            #expect(all.allSatisfy { $0.contains(" side=source") || $0.contains(" side=destination") }, "\(all)")
            let (here, there) = (" side=source", " side=destination")
            for (region, side) in [(Stage.home, here), (Stage.far, there)] {
                let requests = lines(ended, " answered ", " region=\(region)")
                #expect(!requests.isEmpty && requests.allSatisfy { $0.contains(side) }, "\(requests)")
            }
            let hosts = [stage.destination, third].map { $0.prefix { $0 != "/" } }
            for host in hosts {
                #expect(!lines(ended, "debug: PutImage answered", " registry=\(host)", there).isEmpty, "\(host)")
                #expect(!lines(ended, "debug: POST ", " registry=\(host)", there).isEmpty, "\(host)")
            }
            for (role, side) in [(reader, here), (writer, there)] {
                let fetched = lines(ended, "debug: credentials ", " from role \(role)")
                #expect(!fetched.isEmpty && fetched.allSatisfy { $0.contains(side) }, "\(fetched)")
            }
        }
    }

    @Test("names the credentials of each side, even if both are the same")
    func shared() async throws {
        try await withStage { stage in
            let ended = try await stage.run(
                "copy",
                "--log-level",
                "debug",
                "\(stage.source):v1",
                stage.destination
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            for side in ["source", "destination"] {
                let said = lines(ended, "signs with credentials", "from=…3333 from environment", " side=\(side)")
                #expect(said.count == 1, "\(said)")
            }
        }
    }

    @Test(
        "names the side of a retry",
        arguments: [
            ("BatchGetImage", "source"), ("PutImage", "destination"), ("GET layer", "source"),
            ("PUT blob", "destination"), ("POST upload", "destination"),
        ]
    )
    func retried(_ operation: String, _ side: String) async throws {
        try await withScratchDirectory { folder in
            try await withStage { stage in
                stage.emulator.inject(Fault(on: operation, .status(503)))
                // The destination is a directory, so that only the source sends these requests.
                let place = operation == "BatchGetImage" ? "oci:\(folder)/x" : stage.destination
                let ended = try await stage.run("copy", "--log-level", "notice", "\(stage.source):v1", place)
                #expect(ended.exitCode == 0, "\(ended.errors)")
                let tries = lines(ended, "attempt 1 failed")
                #expect(!tries.isEmpty && tries.allSatisfy { $0.contains(" side=\(side)") }, "\(ended.errors)")
            }
        }
    }

    @Test("names the side in doctor's requests, and in requests to a plain registry")
    func doctor() async throws {
        try await withStage { stage in
            let ended = try await stage.run(
                "doctor",
                "--log-level",
                "debug",
                "--role-arn",
                "arn:aws:iam::\(Stage.account):role/any",
                "\(stage.source):v1",
                stage.destination
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let all = lines(ended, "debug: ")
            #expect(all.allSatisfy { $0.contains(" side=source") || $0.contains(" side=destination") }, "\(all)")
            #expect(!lines(ended, "debug: DescribeRegistry ", " side=source").isEmpty)
            #expect(!lines(ended, "debug: GetAccountSetting ", " side=destination").isEmpty)
        }
    }
}
