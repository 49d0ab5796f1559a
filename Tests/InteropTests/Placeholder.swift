import TestPrograms
import Testing
@Test func tools() async throws { #expect(try await run(.ecrReplicate, ["--version"]).lines == ["0.1.0"]) }
