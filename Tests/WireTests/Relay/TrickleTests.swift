import HTTPTypes
import TestPrograms
import Testing

@testable import Wire

@Suite("Endless peers", .timeLimit(.minutes(1)))
struct TrickleTests {
    private let start = ContinuousClock.now

    /// Checks a rate, a number of seconds after the start.
    private func isMissed(_ rate: inout LeastRate, _ moved: Int64, _ seconds: Int, excused: Bool = false) -> Bool {
        rate.isMissed(moving: moved, at: start + .seconds(seconds), excused: excused)
    }

    private func leastRate() -> LeastRate {
        LeastRate(TransportConfiguration(leastBytes: 1_000, leastRateWindow: .seconds(100)), at: start)
    }

    @Test("miss the least rate with a byte now and then, and reach it with a thousand in time")
    func leastRateOfTrickle() {
        var rate = leastRate()
        var answers: [Bool] = []
        for second in stride(from: 2, through: 100, by: 2) {
            answers.append(isMissed(&rate, Int64(second) / 2, second))
        }
        #expect(answers.last == true && !answers.dropLast().contains(true))
        var steady = leastRate()
        answers = []
        for second in stride(from: 10, to: 10_000, by: 10) {
            answers.append(isMissed(&steady, Int64(second) * 11, second))
        }
        #expect(!answers.contains(true))
    }

    @Test("are not blamed for time in which they were held back, or for an upload that began again")
    func excuses() {
        var rate = leastRate()
        let held = [isMissed(&rate, 5, 99, excused: true), isMissed(&rate, 5, 198), isMissed(&rate, 5, 199)]
        #expect(held == [false, false, true])
        var again = leastRate()
        let begun = [
            isMissed(&again, 1_000, 99), isMissed(&again, 3, 150), isMissed(&again, 4, 249), isMissed(&again, 4, 250),
        ]
        #expect(begun == [false, false, false, true])
    }

    private static let impatient = TransportConfiguration(leastBytes: 100_000, leastRateWindow: .milliseconds(400))

    /// A script that sends a byte now and then, until the client closes the connection.
    private static func trickle(_ connection: Connection, _ byte: String = "x") throws {
        while true {
            try connection.send(byte)
            connection.wait(milliseconds: 20)
        }
    }

    @Test(
        "are dropped as the source of a blob, with content or an error answer",
        arguments: ["200 OK", "403 Forbidden"]
    )
    func source(_ status: String) async throws {
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 \(status)\r\nContent-Length: 2000000\r\n\r\n")
            try Self.trickle(connection)
        }
        let sink = try ScriptedServer { $0.stall() }
        defer { source.stop() }
        defer { sink.stop() }
        try await withTransport(Self.impatient) { transport in
            let relay = try RelayRequest(sampleBytes(2_000_000), from: source, to: sink)
            let error = await wireError { try await transport.relayOne(relay) }
            #expect(error?.reason == .stalled && error?.end == .source, "\(error as Any)")
            #expect(error?.retryAdvice == .backOff)
        }
    }

    @Test("are dropped as the destination of a blob")
    func destination() async throws {
        let bytes = sampleBytes(20_000_000)
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.answer("200 OK", [], bytes)
        }
        let sink = try ScriptedServer { connection in
            _ = try connection.readHead()
            while true {
                _ = try connection.read(100)
                connection.wait(milliseconds: 20)
            }
        }
        defer { source.stop() }
        defer { sink.stop() }
        let slow = TransportConfiguration(leastBytes: 1 << 30, leastRateWindow: .milliseconds(400))
        try await withTransport(slow) { transport in
            let relay = try RelayRequest(bytes, from: source, to: sink)
            let error = await wireError { try await transport.relayOne(relay) }
            #expect(error?.reason == .stalled && error?.end == .destination, "\(error as Any)")
        }
    }

    @Test("are dropped if they have a blob and answer it byte by byte")
    func commit() async throws {
        let bytes = sampleBytes(1_000)
        let source = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.answer("200 OK", [], bytes)
        }
        let sink = try ScriptedServer { connection in
            let head = try connection.readHead()
            _ = try connection.read(head.contentLength)
            try connection.send("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
            try Self.trickle(connection)
        }
        defer { source.stop() }
        defer { sink.stop() }
        var configuration = Self.impatient
        configuration.commitLimit = .milliseconds(400)
        configuration.stallLimit = .milliseconds(400)
        try await withTransport(configuration) { transport in
            let error = await wireError { try await transport.relayOne(RelayRequest(bytes, from: source, to: sink)) }
            #expect(error?.reason == .stalled && error?.end == .destination, "\(error as Any)")
        }
    }

    @Test(
        "have one deadline for a small answer, head and body",
        arguments: ["HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
    )
    func message(_ beginning: String) async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send(beginning)
            try Self.trickle(connection)
        } _: { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()), deadline: .milliseconds(300))
                #expect(await wireError { try await transport.send(request) }?.reason == .deadline)
            }
        }
    }

    /// A script that sends a body until the client closes the connection.
    private static func flood(_ connection: Connection, _ head: String) throws {
        try connection.send(head + "\r\n\r\n")
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        while true { try connection.send(chunk) }
    }

    @Test(
        "are cut off in an error answer, whose beginning is kept, and refused in a success",
        arguments: [(404, nil), (500, nil), (301, nil), (200, WireError.Reason.answerTooLarge), (201, .answerTooLarge)]
    )
    func endlessAnswer(_ status: Int, _ reason: WireError.Reason?) async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try Self.flood(connection, "HTTP/1.1 \(status) X")
        } _: { server in
            try await withTransport { transport in
                let request = WireRequest(.post, try HTTPURL(server.url()))
                do {
                    let answer = try await transport.send(request)
                    #expect(reason == nil && answer.status.code == status)
                    #expect(answer.body.count == WireRequest.largestSmallAnswer)
                } catch let error as WireError {
                    #expect(error.reason == reason)
                }
            }
        }
    }

    @Test("end a blob with the beginning of their error answer, at either end")
    func endlessRefusal() async throws {
        let bytes = sampleBytes(1_000)
        let endless = try ScriptedServer { connection in
            let head = try connection.readHead()
            if head.method == "PUT" { _ = try connection.read(head.contentLength) }
            try Self.flood(connection, "HTTP/1.1 403 Forbidden")
        }
        let good = try ScriptedServer { connection in
            let head = try connection.readHead()
            _ = try connection.read(head.contentLength)
            try connection.answer("200 OK", [], head.method == "PUT" ? [] : bytes)
        }
        defer { endless.stop() }
        defer { good.stop() }
        try await withTransport { transport in
            guard
                case .sourceAnswered(let down) = try await transport.relayOne(
                    RelayRequest(bytes, from: endless, to: good)
                )
            else {
                Issue.record("an answer of the source or the destination was expected")
                return
            }
            #expect(down.status.code == 403 && down.body.count == BlobRelay.largestAnswer)
            guard
                case .destinationAnswered(let up) = try await transport.relayOne(
                    RelayRequest(bytes, from: good, to: endless)
                )
            else {
                Issue.record("an answer of the source or the destination was expected")
                return
            }
            #expect(up.status.code == 403 && up.body.count == BlobRelay.largestAnswer)
        }
    }

    @Test("are refused for endless interim answers")
    func interim() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            while true { try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") }
        } _: { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                #expect(await wireError { try await transport.send(request) }?.reason == .answerTooLarge)
            }
        }
    }
}
