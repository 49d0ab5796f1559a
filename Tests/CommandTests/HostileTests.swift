import Foundation
import TestInputs
import TestPrograms
import Testing

/// Law 8, against services that repeat what they are told: with every provider of credentials, and every registry.
@Suite("What hostile services say", .timeLimit(.minutes(1)))
struct HostileTests {
    typealias Operation = HostileServer.Operation

    @Test("is shown without the secrets that they quote", arguments: Operation.allCases)
    func quoting(_ operation: Operation) async throws {
        var cases = 0
        for encoding in HostileServer.Encoding.allCases {
            for shape in HostileServer.Shape.allCases {
                let status = [400, 401, 403][cases % 3]
                try await expectNothing(of: operation, .quotes(shape, encoding, status: status), cases)
                cases += 1
            }
        }
        reportCases("secrets, quoted", cases)
    }

    @Test("is shown without secrets where it is broken", arguments: Operation.allCases)
    func broken(_ operation: Operation) async throws {
        try await expectNothing(of: operation, .breaksOff, 0)
        try await expectNothing(of: operation, .babbles, 1)
        try await expectNothing(of: operation, .resets, 0)
        try await expectNothing(of: operation, .quotes(.document, .plain, status: 500), 0)
        reportCases("secrets, broken answers", 4)
    }

    @Test("need not be anything for a run to end without telling", arguments: Operation.allCases)
    func stalled(_ operation: Operation) async throws {
        try await withScene(operation, .stalls) { scene in
            let (_, ended) = try await withChild(
                .ecrReplicate,
                scene.doctor,
                environment: scene.environment,
                killed: false
            ) { child in
                for await _ in scene.server.struck { break }
                child.interrupt()
                // A sign-in is renewed to the end, or it would be lost.
                scene.server.stop()
            }
            expectNothing(in: ended, scene)
        }
        reportCases("secrets, stalls", 1)
    }

    /// Runs `doctor`, which tries everything twice, and on occasion another command.
    private func expectNothing(of operation: Operation, _ habit: HostileServer.Habit, _ number: Int) async throws {
        try await withScene(operation, habit) { scene in
            let ended = try await run(.ecrReplicate, scene.doctor, environment: scene.environment)
            expectNothing(in: ended, scene)
            // What isn't tried again for minutes.
            guard case .quotes(_, _, let status) = habit, status < 500 else { return }
            let further = try await run(
                .ecrReplicate,
                scene.commands[number % scene.commands.count],
                environment: scene.environment
            )
            expectNothing(in: further, scene)
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
