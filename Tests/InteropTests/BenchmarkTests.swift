import TestPrograms
import Testing

/// Checks that the benchmarks still run; their measurements beside other tests mean nothing.
@Suite("Benchmarks", .timeLimit(.minutes(3)))
struct BenchmarkTests {
    @Test(
        "count the requests that the budgets allow, with a client and a server that share no code",
        .needs(.registry, .skopeo, .openssl, .curl, .python)
    )
    func requests() async throws {
        let report = try await bench("loopback", ["--only", "ecr"])

        for (figure, count) in [
            ("copy of 8 layers", 40), ("copy already there", 2), ("retag to 3 tags", 4), ("retag already done", 1),
        ] {
            #expect(
                report.contains {
                    $0.contains("requests on ECR, \(figure) ") && $0.contains("≤ \(count) ") && $0.contains("| met ")
                },
                "\(figure)"
            )
        }
    }

    @Test("make a long link and use it, or say why they can't", .needs(.registry, .skopeo, .openssl, .python))
    func longLink() async throws {
        let report = try await bench("wan", ["--only", "retag"])

        let wasSkipped = report.contains { $0.hasPrefix("bench-wan: skipped: ") }
        #expect(wasSkipped || report.contains { $0.contains("requests, retag ") && $0.contains("| 3 ") })
    }

    /// - Returns: The report's lines.
    private func bench(_ name: String, _ arguments: [String]) async throws -> [String] {
        try await withScratchDirectory { scratch in
            let ended = try await run(
                .python,
                [repositoryFile("scripts/bench/\(name)")] + arguments,
                environment: ["ECR_REPLICATE": Program.ecrReplicate.path ?? "", "BENCH_FOLDER": scratch, "ROUNDS": "1"]
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            return ended.lines
        }
    }
}
