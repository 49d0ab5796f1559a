import Foundation
import TestInputs
import TestPrograms
import Testing

/// Checks law 8 against services that quote requests, with every credential provider and every kind of registry.
@Suite("Answers of hostile services", .timeLimit(.minutes(1)))
struct HostileTests {
    typealias Operation = HostileServer.Operation

    @Test(
        "are shown without the secrets that they quote",
        arguments: Operation.allCases,
        HostileServer.Encoding.allCases
    )
    func quoting(_ operation: Operation, _ encoding: HostileServer.Encoding) async throws {
        let number = HostileServer.Encoding.allCases.firstIndex(of: encoding) ?? 0
        try await expectNothing(
            of: operation,
            .quotes(.document, encoding, status: [400, 401, 403][number % 3]),
            number
        )
        // Pages are quoted as they are, with any content.
        guard number < 2 else { return reportCases("secrets", 2) }
        try await expectNothing(of: operation, .quotes(.page, encoding, status: 403))
        reportCases("secrets", 3)
    }

    @Test("are shown without secrets if they are malformed", arguments: Operation.allCases)
    func broken(_ operation: Operation) async throws {
        for habit in [HostileServer.Habit.breaksOff, .babbles, .resets, .quotes(.document, .plain, status: 500)] {
            try await expectNothing(of: operation, habit)
        }
        reportCases("secrets", 4)
    }

    @Test("may be missing without a secret in the output", arguments: Operation.allCases)
    func stalled(_ operation: Operation) async throws {
        try await withScene(operation, .stalls) { scene in
            let (_, ended) = try await withChild(
                .ecrReplicate,
                scene.doctor,
                environment: scene.environment,
                killed: false
            ) { child in
                await strike(child, scene)
                child.interrupt()
                // A sign-in's renewal is completed, because otherwise the sign-in would be lost.
                scene.server.stop()
            }
            expectNothing(in: ended, scene)
        }
        reportCases("secrets", 1)
    }

    /// Returns when the operation was requested, or when the program has ended without requesting it, which the test
    /// reports.
    private func strike(_ child: Child, _ scene: HostileScene) async {
        let watch = Task {
            // This line never appears, so the call returns when the program has ended.
            _ = try? await child.errors.first { _ in false }
            scene.server.expectNoMore()
        }
        for await _ in scene.server.struck { break }
        watch.cancel()
    }

    /// Runs `doctor`, which tries each request twice, and another command if that doesn't retry for minutes.
    private func expectNothing(
        of operation: Operation,
        _ habit: HostileServer.Habit,
        _ further: Int? = nil
    ) async throws {
        try await withScene(operation, habit) { scene in
            let commands = [scene.doctor] + (further.map { [scene.commands[$0 % scene.commands.count]] } ?? [])
            for command in commands {
                expectNothing(in: try await run(.ecrReplicate, command, environment: scene.environment), scene)
            }
        }
    }

    private func expectNothing(in ended: Ended, _ scene: HostileScene) {
        let search = HostileScene.search
        let sent = Set(scene.server.requests.flatMap { search.findings(in: $0) })
        #expect(!sent.isEmpty, "\(scene.operation) was told nothing secret:\n\(ended.output)\(ended.errors)")
        #expect(!ended.errors.contains("Fatal error"), "\(ended.errors)")
        let found = search.findings(in: ended.outputBytes).union(search.findings(in: ended.errors))
        #expect(found.isEmpty, "\(scene.operation):\n\(ended.output)\n\(ended.errors)")
        for file in scene.written() { #expect(search.findings(in: file).isEmpty) }
    }

    private func withScene(
        _ operation: Operation,
        _ habit: HostileServer.Habit,
        _ body: (HostileScene) async throws -> Void
    ) async throws {
        try await withScratchDirectory { home in
            let server = try HostileServer(operation, habit)
            defer { server.stop() }
            try await body(HostileScene(server, operation, home: home))
        }
    }
}
