import ECREmulator
import TestInputs
import TestPrograms
import Testing

/// What `sync --watch` holds, as the kernel counts it for the built program; `SoakTests` has rounds on a clock that
/// doesn't wait.
@Suite("Memory of a watch", .timeLimit(.minutes(15)))
struct WatchMemoryTests {
    private static let rounds = 200
    /// The rounds until connections, caches and allocators have what they keep.
    private static let warmUp = 10

    @Test(
        "stays flat over 200 rounds, as threads and descriptors do",
        .enabled(if: Soak.isOn, "takes more than 200 s; `make soak` runs it")
    )
    func flat() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let names = (0..<10).map { "team/app\($0)" }
                for region in [Cloud.home, Cloud.far] {
                    try emulator.seedMany(50, in: names, account: Cloud.build, region: region)
                }
                let rules = """
                    version: 1
                    registries:
                      build: { account: "\(Cloud.build)", region: \(Cloud.home) }
                      far: { account: "\(Cloud.build)", region: \(Cloud.far) }
                    rules:
                      - { name: all, from: { registry: build, repository: "team/*" }, to: { registry: far } }
                    """
                try write(rules, to: "\(directory)/rules.yaml")
                let images = (0..<2).map { SeedImage.oci("image \($0)", layers: [5_000]) }
                let arguments = ["sync", "-f", "rules.yaml", "--watch", "1s", "--report", "report.html"]
                let (growth, ended) = try await withChild(
                    .ecrReplicate,
                    arguments,
                    environment: emulator.variables(),
                    directory: directory,
                    killed: false
                ) { child in
                    var growth = Growth()
                    for number in 1...Self.rounds {
                        _ = try await child.output.first { $0.contains(" round \(number) ") }
                        if number > Self.warmUp { growth.add(try Footprint(ofProcess: child.processID)) }
                        try emulator.seed(
                            images[number / 10 % 2],
                            tag: "v0",
                            account: Cloud.build,
                            region: Cloud.home,
                            repository: "team/app\(number % 10)"
                        )
                        emulator.clearRequests()
                    }
                    child.interrupt()
                    return growth
                }
                #expect(ended.exitCode == 130, "\(ended.errors)")
                #expect(ended.lines.count { $0.contains(", 1 moved, ") } > Self.rounds / 2, "\(ended.output)")
                reportCases("rounds of sync --watch", Self.rounds)
                reportFigure("sync --watch: \(growth)")
                #expect(growth.flaws.isEmpty, "\(growth.flaws)")
            }
        }
    }
}
