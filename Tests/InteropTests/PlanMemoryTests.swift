import ECREmulator
import Foundation
import TestInputs
import TestPrograms
import Testing

/// The memory of `plan` over generated registries.
@Suite("Memory of plans", .timeLimit(.minutes(20)))
struct PlanMemoryTests {
    /// The most resident memory, in bytes (docs/architecture.md#bounds).
    private static let bound = 128 << 20

    @Test(
        "doesn't grow with the number of images: 100,000 in 1,000 repositories as 10,000 in 100",
        .needs(.python),
        arguments: ["text", "json"]
    )
    func growth(format: String) async throws {
        let small = try await peak(repositories: 100, format)
        let large = try await peak(repositories: 1_000, format)
        reportFigure(
            "memory: plan of 100,000 images as \(format), at most \(large >> 10) KiB resident; of 10,000, \(small >> 10) KiB"
        )
        #expect(large <= Self.bound, "\(large >> 20) MiB")
        #expect(Double(large) <= 1.25 * Double(small), "\(large >> 10) KiB, and \(small >> 10) KiB for a tenth")
    }

    /// Plans repositories of 100 images, of which each destination lacks one in twenty.
    ///
    /// - Returns: The most resident memory, in bytes.
    private func peak(repositories count: Int, _ format: String) async throws -> Int {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let names = (0..<count).map { "team/app\($0)" }
                try emulator.seedMany(100, in: names, account: Cloud.build, region: Cloud.home)
                try emulator.seedMany(100, in: names, account: Cloud.build, region: Cloud.far) { $0 % 20 == 3 }
                let file = "\(directory)/rules.yaml"
                let rules = """
                    version: 1
                    registries:
                      build: { account: "\(Cloud.build)", region: \(Cloud.home) }
                      far: { account: "\(Cloud.build)", region: \(Cloud.far) }
                    rules:
                      - { name: all, from: { registry: build, repository: "*" }, to: { registry: far } }
                    """
                try Data(rules.utf8).write(to: URL(filePath: file))
                let (ended, peak) = try await runMeasured(
                    .ecrReplicate,
                    ["plan", "-f", file, "--output", format],
                    environment: emulator.variables()
                )
                #expect(ended.exitCode == 2, "\(ended.errors)")
                #expect(ended.errors.contains("\(5 * count) to add"), "\(ended.errors)")
                return peak
            }
        }
    }
}
