import Foundation
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

    @Test("compare whole registries by rules, beside skopeo sync", .needs(.registry, .skopeo, .openssl, .python))
    func rules() async throws {
        let sizes = ["BENCH_TAGS": "12", "BENCH_REPOSITORIES": "3"]
        let report = try await bench("rules", [], sizes)
        func requests(_ figure: String) -> [Int] {
            let line = report.first { $0.hasPrefix("| requests, \(figure) ") } ?? ""
            // Name, runs, this program, skopeo.
            return line.split(separator: "|").dropFirst(2).compactMap {
                Int($0.trimmingCharacters(in: .whitespaces))
            }
        }
        // The list of tags, and each tag at both sides.
        #expect(requests("registry, 12 tags in sync: plan") == [1 + 2 * 12], "\(report)")
        let sync = requests("registry, 12 tags in sync: sync")
        #expect(sync.count == 2 && sync[0] == 1 + 2 * 12 && sync[1] > sync[0], "\(sync)")
        #expect(requests("ECR, 12 tags in sync: plan") == [2])
        let ecr = requests("ECR, one of 12 tags changed: sync")
        #expect(ecr.count == 2 && ecr[0] > 2 && ecr[1] > ecr[0], "\(ecr)")
        #expect(requests("ECR, 300 images in sync: plan") == [1 + 2 * 3])
        #expect(
            report.contains { $0.hasPrefix("| time, ECR, 300 images in sync: plan ") && $0.contains("bare requests") }
        )
    }

    /// - Returns: The report's lines.
    private func bench(
        _ name: String,
        _ arguments: [String],
        _ variables: [String: String] = [:]
    ) async throws -> [String] {
        try await withScratchDirectory { scratch in
            let ended = try await run(
                .python,
                [repositoryFile("scripts/bench/\(name)")] + arguments,
                environment: ["ECR_REPLICATE": Program.ecrReplicate.path ?? "", "BENCH_FOLDER": scratch, "ROUNDS": "1"]
                    .merging(variables) { $1 }
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            return ended.lines
        }
    }
}
