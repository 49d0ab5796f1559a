import TestInputs
import TestPrograms
import Testing

@Suite("Soak", .timeLimit(.minutes(5)))
struct SoakTests {
    /// The seconds in a usual run; `make soak` runs the same program for minutes.
    static let seconds = 6

    @Test("finds no error and no growth while copies meet random faults")
    func bounded() async throws {
        let ended = try await run(.soak, ["\(Self.seconds)"])
        #expect(ended.exitCode == 0, "\(ended.errors)")
        for line in ended.lines {
            if let count = line.split(separator: "cases: soak: ").last.flatMap({ Int($0) }) {
                reportCases("soak", count)
            }
            if line.hasPrefix("figure: ") { reportFigure(String(line.dropFirst(8))) }
        }
    }
}
