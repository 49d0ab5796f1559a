import TestInputs
import TestPrograms
import Testing

@Suite("Soak", .timeLimit(.minutes(5)))
struct SoakTests {
    /// The seconds in a usual run; `make soak` runs the same program for minutes.
    static let seconds = 6

    @Test("finds no error and no growth while copies meet random faults")
    func bounded() async throws {
        try await soak("\(Self.seconds)", counting: "soak")
    }

    @Test("finds no growth of memory, threads and descriptors over 200 rounds of sync --watch")
    func rounds() async throws {
        try await soak("watch", "200", counting: "rounds of a watch")
    }

    private func soak(_ arguments: String..., counting name: String) async throws {
        let ended = try await run(.soak, arguments)
        #expect(ended.exitCode == 0, "\(ended.errors)")
        for line in ended.lines {
            if let count = line.split(separator: "cases: \(name): ").last.flatMap({ Int($0) }) {
                reportCases(name, count)
            }
            if line.hasPrefix("figure: ") { reportFigure(String(line.dropFirst(8))) }
        }
    }
}
