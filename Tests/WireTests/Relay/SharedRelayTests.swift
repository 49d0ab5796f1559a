import Content
import Glibc
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("One source, several destinations", .timeLimit(.minutes(1)))
struct SharedRelayTests {
    private let bytes = sampleBytes(6_000_000)

    /// Counts how often the source is read.
    private func counted(_ reads: Lock<Int>) -> ScriptedServer.Script {
        { [bytes] connection in
            while true {
                _ = try connection.readHead()
                reads.withLock { $0 += 1 }
                try connection.answer("200 OK", [], bytes)
            }
        }
    }

    private func withThree(
        _ second: @escaping ScriptedServer.Script,
        _ configuration: TransportConfiguration = TransportConfiguration(),
        _ body: (_ results: [RelayResult], _ received: [Received]) async throws -> Void
    ) async throws {
        let reads = Lock(0)
        let (one, three) = (Received(), Received())
        try await withServers(counted(reads), one.script) { source, first in
            try await withServers(second, three.script) { second, third in
                try await withTransport(configuration) { transport in
                    let request = try RelayRequest(bytes, from: source, to: first, second, third)
                    let results = try await transport.relay(request)
                    #expect(results.count == 3)
                    #expect(reads.withLock { $0 } == 1)
                    try await body(results, [one, three])
                }
            }
        }
    }

    @Test("reads the source once, and stores every byte at each destination")
    func three() async throws {
        let two = Received()
        try await withThree(two.script) { results, received in
            #expect(results.allSatisfy { (try? $0.get().stored) != nil })
            #expect((received + [two]).allSatisfy { $0.all == [bytes] })
        }
    }

    @Test("continues with the others when one refuses", arguments: [503, 403])
    func refusal(_ status: Int) async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("\(status) No", text: "no")
            connection.stall()
        }
        try await withThree(script) { results, received in
            #expect((try? results[1].get())?.destinationAnswered?.status.code == status)
            #expect(received.allSatisfy { $0.all == [bytes] })
        }
    }

    @Test("continues with the others when one is cut")
    func cut() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            _ = try connection.read(1_000_000)
            connection.resetWhenClosed()
        }
        try await withThree(script) { results, received in
            let error = #expect(throws: WireError.self) { _ = try results[1].get() }
            #expect(error?.reason == .disconnected && error?.end == .destination)
            #expect(received.allSatisfy { $0.all == [bytes] })
        }
    }

    @Test("drops a dead or slow one that keeps the ring full while the others wait", arguments: [0, 50_000])
    func slow(bytesATime: Int) async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            guard bytesATime > 0 else { return connection.waitForStop() }
            while true {
                _ = try connection.read(bytesATime)
                usleep(10_000)
            }
        }
        // The kernel buffers some megabytes for a server that doesn't read; the ring fills after that.
        let big = sampleBytes(40 << 20)
        let (one, three) = (Received(), Received())
        let configuration = TransportConfiguration(patience: .seconds(1))
        try await withServers(serving(big), one.script) { source, first in
            try await withServers(script, three.script) { second, third in
                try await withTransport(configuration) { transport in
                    let results = try await transport.relay(RelayRequest(big, from: source, to: first, second, third))
                    let error = #expect(throws: WireError.self) { _ = try results[1].get() }
                    #expect(error?.reason == .outpaced && error?.end == .destination)
                    #expect([one, three].allSatisfy { $0.all == [big] })
                }
            }
        }
    }

    @Test("never hands over a corrupt source's last byte")
    func corrupt() async throws {
        var wrong = bytes
        wrong[3_000_000] ^= 1
        let (one, two) = (Received(), Received())
        try await withServer(serving(wrong)) { source in
            try await withServers(one.script, two.script) { first, second in
                try await withTransport { transport in
                    let results = try await transport.relay(RelayRequest(bytes, from: source, to: first, second))
                    for result in results {
                        let error = #expect(throws: WireError.self) { _ = try result.get() }
                        #expect(error?.reason == .corrupt && error?.end == .source)
                    }
                    #expect(one.all.isEmpty && two.all.isEmpty)
                }
            }
        }
    }

    @Test("returns the source's error answer for each")
    func sourceAnswers() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("404 Not Found", text: "gone")
        }
        try await withServer(script) { source in
            try await withServers(Received().script, Received().script) { first, second in
                try await withTransport { transport in
                    let results = try await transport.relay(RelayRequest([1], from: source, to: first, second))
                    #expect(results.allSatisfy { (try? $0.get())?.sourceAnswered?.status == .notFound })
                    #expect(first.connectionCount + second.connectionCount == 0)
                }
            }
        }
    }
}

@Suite("Connections ahead of time, and a limited rate", .timeLimit(.minutes(1)))
struct WarmUpTests {
    @Test("a warm connection sends nothing, and a later upload uses it")
    func warm() async throws {
        let bytes = sampleBytes(1_000)
        let received = Received()
        try await withServers(serving(bytes), received.script) { source, destination in
            try await withTransport(TransportConfiguration(relayDrivers: 1)) { transport in
                transport.warm(try HTTPURL(destination.url()), connections: 2)
                transport.warm(try HTTPURL(destination.url()), connections: 3)
                // The suite's time limit ends the wait if it fails.
                while transport.statistics.connectionsOpened < 3 { await Task.yield() }
                #expect(transport.statistics.requestsSent == 0)
                for _ in 0..<3 {
                    _ = try await transport.relayOne(RelayRequest(bytes, from: source, to: destination))
                }
                #expect(received.all.count == 3)
                #expect(destination.connectionCount == 3)
            }
        }
    }

    @Test("no connection is opened to a host to which nothing may be sent")
    func refused() async throws {
        try await withTransport { transport in
            transport.warm(try HTTPURL("http://example.invalid/"), connections: 3)
            #expect(transport.statistics == TransportStatistics())
        }
    }

    @Test("all relays together keep to the rate")
    func rate() async throws {
        let bytes = sampleBytes(500_000)
        let received = Received()
        try await withServers(serving(bytes), received.script) { source, destination in
            try await withTransport(TransportConfiguration(limitRate: 4_000_000)) { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                let began = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { _ = try await transport.relayOne(request) } }
                    try await group.waitForAll()
                }
                #expect(received.all.count == 4)
                // Two million bytes, of which the last chunk of each and a short burst may still be a debt.
                #expect(ContinuousClock.now - began > .milliseconds(350))
            }
        }
    }

    @Test("no relay is always overtaken by the others that share the rate")
    func turns() async throws {
        let bytes = sampleBytes(2_000_000)
        let received = Received()
        let moved = Lock([0, 0, 0, 0])
        try await withServers(serving(bytes), received.script) { source, destination in
            let configuration = TransportConfiguration(relayDrivers: 2, limitRate: 8_000_000)
            try await withTransport(configuration) { transport in
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    for index in moved.withLock(\.indices) {
                        let request = try RelayRequest(bytes, from: source, to: destination) { count in
                            moved.withLock { $0[index] += count }
                        }
                        group.addTask {
                            _ = try await transport.relayOne(request)
                            return moved.withLock { $0 }
                        }
                    }
                    let whenOneWasDone = try #require(try await group.next())
                    #expect(whenOneWasDone.allSatisfy { $0 > bytes.count / 3 }, "\(whenOneWasDone)")
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("bytes that are read make a debt")
    func debt() {
        let limit = RateLimit(bytesPerSecond: 1_000)
        let start = ContinuousClock.now + .seconds(1)
        #expect(limit.wait(holding: nil, start) == nil)
        limit.spend(500, holding: nil, start)
        let turn = limit.wait(holding: nil, start)
        #expect(turn == start + .milliseconds(450))
        #expect(limit.wait(holding: turn, start) == turn)
        #expect(limit.wait(holding: turn, start + .milliseconds(450)) == nil)
        limit.spend(1_000, holding: turn, start + .milliseconds(450))
        // A pause allows no more than one burst.
        limit.spend(100, holding: nil, start + .seconds(60))
        #expect(limit.wait(holding: nil, start + .seconds(60)) == start + .seconds(60) + .milliseconds(50))
    }

    @Test("each waiting relay has a turn of its own, and is charged what it reads")
    func queue() {
        let limit = RateLimit(bytesPerSecond: 16_384)
        let start = ContinuousClock.now + .seconds(1)
        limit.spend(16_384, holding: nil, start)
        let paid = start + .milliseconds(950)
        let turns = (0..<3).map { _ in limit.wait(holding: nil, start) }
        #expect(turns == [paid, paid + .seconds(1), paid + .seconds(2)])
        // The first uses half of its turn, and the next turn begins after the others.
        limit.spend(8_192, holding: turns[0], paid)
        #expect(limit.wait(holding: nil, paid) == paid + .milliseconds(2_500))
        #expect(limit.wait(holding: turns[1], paid + .seconds(1)) == nil)
    }
}
