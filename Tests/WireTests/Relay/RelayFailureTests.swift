import Content
import Dispatch
import Glibc
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("A relay that fails", .timeLimit(.minutes(1)))
struct RelayFailureTests {
    private let bytes = sampleBytes(2_000_000)

    /// Relays ``bytes`` from a source that runs `script`, and checks that the destination never got all of them.
    private func failure(
        from script: @escaping ScriptedServer.Script,
        stallLimit: Duration = .seconds(10)
    ) async throws -> (error: WireError?, received: Received) {
        let received = Received()
        return try await withServers(script, received.script) { source, destination in
            try await withTransport(.impatient(stallLimit)) { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                let error = await wireError { try await transport.relayOne(request) }
                #expect(received.all.isEmpty)
                #expect(received.largest < bytes.count)
                #expect(error.map { "\($0)" }?.contains("secret") != true)
                return (error, received)
            }
        }
    }

    @Test("never hands over a corrupt source's last byte", arguments: [0, 1_000_000, 1_999_999])
    func corrupt(_ position: Int) async throws {
        var wrong = bytes
        wrong[position] ^= 1
        let error = try await failure(from: serving(wrong)).error
        #expect(error?.reason == .corrupt)
        #expect(error?.end == .source)
        #expect(error?.detail.contains(Digest(of: wrong).hex) == true)
    }

    @Test("detects a wrong length before a byte is sent", arguments: [(1_999_999, "tooShort"), (2_000_001, "tooLong")])
    func wrongLength(_ length: Int, _ reason: String) async throws {
        let result = try await failure(from: serving(sampleBytes(length)))
        #expect(result.error?.reason.rawValue == reason)
        #expect(result.error?.end == .source)
        #expect(result.received.largest == 0)
    }

    @Test(
        "detects a wrong length that was not announced",
        arguments: [(1_999_999, "tooShort"), (2_000_001, "tooLong")]
    )
    func unannouncedLength(_ length: Int, _ reason: String) async throws {
        let error = try await failure { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.0 200 OK\r\n\r\n")
            try connection.send(sampleBytes(length))
        }.error
        #expect(error?.reason.rawValue == reason)
        #expect(error?.end == .source)
    }

    @Test("doesn't fail with a slow source: its few bytes are passed on, and the destination is not blamed")
    func slowSource() async throws {
        let received = Received()
        let script: ScriptedServer.Script = { [bytes] connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n")
            for start in stride(from: 0, to: 2_500, by: 100) {
                try connection.send(Array(bytes[start..<start + 100]))
                usleep(100_000)
            }
            try connection.send(Array(bytes[2_500...]))
        }
        try await withServers(script, received.script) { source, destination in
            try await withTransport(.impatient(.milliseconds(1_500))) { transport in
                _ = try await transport.relayOne(RelayRequest(bytes, from: source, to: destination))
                #expect(received.all == [bytes])
            }
        }
    }

    @Test("names the source when it is cut", arguments: [true, false])
    func sourceCut(_ isReset: Bool) async throws {
        let error = try await failure { connection in
            _ = try connection.readHead()
            if isReset { connection.resetWhenClosed() }
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
            try connection.send(sampleBytes(1_000_000))
        }.error
        #expect(error?.reason == .disconnected)
        #expect(error?.end == .source)
        #expect(error?.retryAdvice == .backOff)
    }

    @Test("names the source when it stalls, before or after its first byte", arguments: [0, 1, 1_000_000, 1_999_999])
    func sourceStalls(_ position: Int) async throws {
        let error = try await failure(
            from: { connection in
                _ = try connection.readHead()
                if position > 0 {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
                    try connection.send(sampleBytes(2_000_000).prefix(position))
                }
                connection.stall()
            },
            stallLimit: .milliseconds(200)
        ).error
        #expect(error?.reason == .stalled)
        #expect(error?.end == .source)
    }

    @Test("names the destination when it takes all bytes and never answers")
    func destinationNeverAnswers() async throws {
        let error = try await failure(to: { connection in
            _ = try connection.readHead()
            connection.stall()
        })
        #expect(error?.reason == .stalled)
        #expect(error?.end == .destination)
    }

    @Test("names the destination when it is cut")
    func destinationCut() async throws {
        let error = try await failure(to: { connection in
            _ = try connection.readHead()
            _ = try connection.read(100_000)
            connection.resetWhenClosed()
        })
        #expect(error?.reason == .disconnected)
        #expect(error?.end == .destination)
    }

    @Test("doesn't accept a success before the last byte")
    func earlySuccess() async throws {
        let answered = DispatchSemaphore(value: 0)
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("201 Created")
            answered.signal()
            connection.stall()
        }
        let waiting: ScriptedServer.Script = { [bytes] connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
            try connection.send(bytes.prefix(1_000))
            answered.wait()
            try connection.send(bytes.dropFirst(1_000))
            connection.stall()
        }
        try await withServers(waiting, script) { source, destination in
            try await withTransport { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                let error = await wireError { try await transport.relayOne(request) }
                #expect(error?.reason == .disconnected)
                #expect(error?.end == .destination)
            }
        }
    }

    @Test("reports a refusal followed by a reset as a refusal or a cut, at the destination")
    func resetRefusal() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            // To close with unread bytes resets the connection, and the answer may be lost.
            try connection.answer("403 Forbidden", text: "no")
        }
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                do {
                    let outcome = try await transport.relayOne(request)
                    #expect(outcome.destinationAnswered?.status == .forbidden)
                } catch let error as WireError {
                    #expect(error.reason == .disconnected)
                    #expect(error.end == .destination)
                }
            }
        }
    }

    /// Sends the first half of ``bytes`` and then nothing.
    private var sendingHalf: ScriptedServer.Script {
        { [bytes] connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
            try connection.send(bytes.prefix(1_000_000))
            connection.stall()
        }
    }

    private func failure(to script: @escaping ScriptedServer.Script) async throws -> WireError? {
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport(.impatient(.milliseconds(500))) { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                return await wireError { try await transport.relayOne(request) }
            }
        }
    }

    @Test("names the end that can't be reached or must not be")
    func ends() async throws {
        // No server listens on port 1; a port that was just closed may belong to another test by now.
        let gone = try HTTPURL("http://127.0.0.1:1/")
        try await withServer(serving(bytes)) { server in
            try await withTransport { transport in
                var noSource = try RelayRequest(bytes, from: server, to: server)
                noSource.from?.url = gone
                var error = await wireError { try await transport.relayOne(noSource) }
                #expect(error?.reason == .unreachable)
                #expect(error?.end == .source)

                var noDestination = try RelayRequest(bytes, from: server, to: server)
                noDestination.to?.url = gone
                error = await wireError { try await transport.relayOne(noDestination) }
                #expect(error?.reason == .unreachable)
                #expect(error?.end == .destination)

                noDestination.to?.url = try HTTPURL("http://elsewhere.invalid/")
                error = await wireError { try await transport.relayOne(noDestination) }
                #expect(error?.reason == .plainHTTP)
                #expect(error?.end == .destination)
            }
        }
    }

    @Test("ends when its task is cancelled, and closes its connections")
    func cancellation() async throws {
        let begun = Signal()
        let ended = Signal()
        let reached = Lock(0)
        try await withServers(
            sendingHalf,
            { connection in
                _ = try connection.readHead()
                let total = connection.readToEnd { if $0 > 0 { begun.fire() } }
                reached.withLock { $0 = total }
                ended.fire()
            }
        ) { source, destination in
            try await withTransport { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                let task = Task { try await transport.relayOne(request) }
                await begun.wait()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                await ended.wait()
                #expect(reached.withLock { $0 } < bytes.count)
            }
        }
    }

    @Test("ends with every other relay when the transport is shut down")
    func shutdown() async throws {
        let waiting = Lock(0)
        let begun = Signal()
        try await withServers(
            { connection in
                _ = try connection.readHead()
                waiting.withLock { $0 += 1 }
                if waiting.withLock({ $0 == 8 }) { begun.fire() }
                connection.stall()
            },
            Received().script
        ) { source, destination in
            let transport = try Transport()
            let request = try RelayRequest(bytes, from: source, to: destination)
            await withTaskGroup(of: WireError?.self) { group in
                for _ in 0..<8 { group.addTask { await wireError { try await transport.relayOne(request) } } }
                await begun.wait()
                transport.shutdown()
                for await error in group { #expect(error?.reason == .closed) }
            }
            #expect(await wireError { try await transport.relayOne(request) }?.reason == .closed)
        }
    }
}
