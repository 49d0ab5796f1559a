import ECREmulator
import Foundation
import TestInputs
import TestPrograms
import Testing

/// The memory of `plan` and `verify` over generated registries.
@Suite("Memory of plans", .timeLimit(.minutes(20)))
struct PlanMemoryTests {
    /// The most resident memory, in bytes (docs/architecture.md#bounds).
    private static let bound = 128 << 20

    /// A command, and what it writes.
    enum Command: String, Sendable, CustomTestStringConvertible {
        case text = "plan"
        case json = "plan --output json"
        /// Text on standard output, and a page.
        case page = "plan --report"
        case verify = "verify"

        var testDescription: String { rawValue }

        /// The arguments of a run with a rule file.
        func arguments(_ file: String, in directory: String) -> [String] {
            switch self {
            case .text: ["plan", "-f", file]
            case .json: ["plan", "-f", file, "--output", "json"]
            case .page: ["plan", "-f", file, "--report", Self.page(in: directory)]
            case .verify: ["verify", "-f", file]
            }
        }

        static func page(in directory: String) -> String { "\(directory)/report.html" }

        /// What the summary says of that many missing images.
        func found(_ count: Int) -> String {
            self == .verify ? "\(count) differences in \(count) images" : "\(count) to add"
        }
    }

    @Test(
        "doesn't grow with the number of images: 100,000 in 1,000 repositories as 10,000 in 100",
        .needs(.python),
        arguments: [Command.page, .json]
    )
    func plans(_ command: Command) async throws { try await compare(command) }

    @Test(
        "doesn't grow without a page either, nor while verify compares",
        .needs(.python),
        .enabled(if: Soak.isOn, "takes some minutes with a debug build; `make soak` runs it"),
        arguments: [Command.text, .verify]
    )
    func others(_ command: Command) async throws { try await compare(command) }

    private func compare(_ command: Command) async throws {
        let small = try await peak(repositories: 100, command)
        let large = try await peak(repositories: 1_000, command)
        reportFigure(
            "memory: \(command.rawValue) of 100,000 images, at most \(large >> 10) KiB resident; of 10,000, "
                + "\(small >> 10) KiB"
        )
        #expect(large <= Self.bound, "\(large >> 20) MiB")
        #expect(Double(large) <= 1.25 * Double(small), "\(large >> 10) KiB, and \(small >> 10) KiB for a tenth")
    }

    /// Compares repositories of 100 images, of which each destination lacks one in twenty.
    ///
    /// - Returns: The most resident memory, in bytes.
    private func peak(repositories count: Int, _ command: Command) async throws -> Int {
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
                    command.arguments(file, in: directory),
                    environment: emulator.variables()
                )
                #expect(ended.exitCode == 2, "\(ended.errors.suffix(2_000))")
                #expect(ended.errors.contains(command.found(5 * count)), "\(ended.errors.suffix(2_000))")
                if command == .page {
                    let page = String(decoding: try contents(of: Command.page(in: directory)), as: UTF8.self)
                    #expect(page.hasSuffix("</html>\n") && page.contains("app\(count - 1)"))
                }
                return peak
            }
        }
    }
}
