import Content
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Relaying a blob", .timeLimit(.minutes(1)))
struct RelayTests {
    private static let ring = TransportConfiguration.usualRingSize

    @Test(
        "stores every byte, at any size",
        arguments: [0, 1, 2, 16_384, 16_385, ring - 1, ring, ring + 1, (3 << 20) + 7]
    )
    func everySize(_ size: Int) async throws {
        let bytes = sampleBytes(size)
        let received = Received()
        let progress = Lock(0)
        try await withServers(serving(bytes), received.script) { source, destination in
            try await withTransport { transport in
                let request = try RelayRequest(bytes, from: source, to: destination) { moved in
                    progress.withLock { $0 += moved }
                }
                let outcome = try await transport.relayOne(request)

                #expect(outcome.stored?.status == .created)
                #expect(outcome.stored?.fields[.location] == "/stored")
                #expect(received.all == [bytes])
                #expect(progress.withLock { $0 } == size)
            }
        }
    }

    @Test("accepts a source without a length, in one piece or in chunks", arguments: [false, true])
    func unknownLength(_ isChunked: Bool) async throws {
        let bytes = sampleBytes(100_000)
        let received = Received()
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            if isChunked {
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for start in stride(from: 0, to: bytes.count, by: 1_000) {
                    try connection.send("3e8\r\n")
                    try connection.send(bytes[start..<start + 1_000])
                    try connection.send("\r\n")
                }
                try connection.send("0\r\nX-Trailer: 1\r\n\r\n")
            } else {
                try connection.send("HTTP/1.0 200 OK\r\n\r\n")
                try connection.send(bytes)
            }
        }
        try await withServers(script, received.script) { source, destination in
            try await withTransport { transport in
                let outcome = try await transport.relayOne(RelayRequest(bytes, from: source, to: destination))
                #expect(outcome.stored != nil)
                #expect(received.all == [bytes])
            }
        }
    }

    @Test("uploads with the request's method and fields, the length, and no Expect")
    func uploadHead() async throws {
        let bytes = sampleBytes(2_000_000)
        let script: ScriptedServer.Script = { connection in
            let head = try connection.readHead()
            #expect(head.line == "PATCH /upload?secret=2 HTTP/1.1")
            #expect(head["Content-Length"] == "2000000")
            #expect(head["Content-Type"] == "application/octet-stream")
            #expect(head["Expect"] == nil)
            #expect(head["Transfer-Encoding"] == nil)
            try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            #expect(try connection.read(2_000_000) == bytes)
            try connection.answer("202 Accepted")
        }
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport { transport in
                var request = try RelayRequest(bytes, from: source, to: destination)
                request.to?.method = .patch
                request.to?.fields = [.contentType: "application/octet-stream"]
                #expect(try await transport.relayOne(request).stored?.status == .accepted)
            }
        }
    }

    @Test("accepts a part of a blob only if it asked for one", arguments: [true, false])
    func parts(_ hasRange: Bool) async throws {
        let bytes = sampleBytes(1_000)
        let received = Received()
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("206 Partial Content", [], bytes)
        }
        try await withServers(script, received.script) { source, destination in
            try await withTransport { transport in
                var request = try RelayRequest(bytes, from: source, to: destination)
                if hasRange { request.from?.fields[.range] = "bytes=5-1004" }
                let outcome = try await transport.relayOne(request)
                #expect((outcome.stored != nil) == hasRange)
                #expect((outcome.sourceAnswered?.status == .partialContent) == !hasRange)
                #expect(received.all == (hasRange ? [bytes] : []))
            }
        }
    }

    @Test("returns the source's error answer, and sends nothing to the destination", arguments: [307, 403, 404, 503])
    func sourceAnswers(_ status: Int) async throws {
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("\(status) So", ["Location: https://elsewhere/"], Array("because".utf8))
        }
        try await withServers(script, Received().script) { source, destination in
            try await withTransport { transport in
                let outcome = try await transport.relayOne(RelayRequest([1], from: source, to: destination))
                #expect(outcome.sourceAnswered?.status.code == status)
                #expect(outcome.sourceAnswered?.excerpt() == "because")
                #expect(outcome.sourceAnswered?.fields[.location] == "https://elsewhere/")
                #expect(destination.connectionCount == 0)
            }
        }
    }

    @Test("returns an early refusal, and stops")
    func earlyRefusal() async throws {
        let bytes = sampleBytes(16 << 20)
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.answer("403 Forbidden", text: "no")
            connection.stall()
        }
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport { transport in
                let outcome = try await transport.relayOne(RelayRequest(bytes, from: source, to: destination))
                #expect(outcome.destinationAnswered?.status == .forbidden)
                #expect(outcome.destinationAnswered?.excerpt() == "no")
            }
        }
    }

    @Test("begins again when a kept connection to the destination is dead")
    func rewinds() async throws {
        let received = Received()
        let bytes = sampleBytes(200_000)
        let script: ScriptedServer.Script = { connection in
            received.add(try connection.read(try connection.readHead().contentLength))
            try connection.answer("201 Created")
            // The server reads the next upload and closes the connection without an answer.
            _ = try connection.read(try connection.readHead().contentLength)
        }
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport(TransportConfiguration(relayDrivers: 1)) { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                for _ in 0..<5 { #expect(try await transport.relayOne(request).stored != nil) }
                #expect(received.all == Array(repeating: bytes, count: 5))
                #expect(destination.connectionCount == 5)
            }
        }
    }

    @Test("loses no byte when a kept connection is reset at any moment")
    func resetAnywhere() async throws {
        let received = Received()
        let bytes = sampleBytes(200_000)
        let script: ScriptedServer.Script = { connection in
            let head = try connection.readHead()
            received.add(try connection.read(head.contentLength))
            connection.resetWhenClosed()
            try connection.answer("201 Created")
            _ = try connection.readHead()
        }
        try await withServers(serving(bytes), script) { source, destination in
            try await withTransport(TransportConfiguration(relayDrivers: 1)) { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                for _ in 0..<50 {
                    // Whether libcurl can begin again by itself depends on when the reset comes
                    // (docs/facts/libcurl.md#retried-uploads).
                    do {
                        #expect(try await transport.relayOne(request).stored != nil)
                    } catch let error as WireError {
                        #expect(error.reason == .disconnected)
                        #expect(error.end == .destination)
                    }
                }
                #expect(received.all.allSatisfy { $0 == bytes })
            }
        }
    }

    @Test("runs 32 at once")
    func manyAtOnce() async throws {
        let bytes = sampleBytes(1_000_000)
        let received = Received()
        try await withServers(serving(bytes), received.script) { source, destination in
            try await withTransport { transport in
                let request = try RelayRequest(bytes, from: source, to: destination)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<32 { group.addTask { try await transport.relayOne(request).stored != nil } }
                    for try await isStored in group { #expect(isStored) }
                }
                #expect(received.all.count == 32)
                #expect(received.all.allSatisfy { $0 == bytes })
                #expect(transport.statistics.requestsSent == 64)
            }
        }
    }

    @Test("never reads much more than the destination takes")
    func backpressure() async throws {
        let size = 96 << 20
        let sent = Lock(0)
        let script: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let block = [UInt8](repeating: 7, count: 65_536)
            while true {
                try connection.send(block)
                sent.withLock { $0 += block.count }
            }
        }
        let stalling: ScriptedServer.Script = { connection in
            _ = try connection.readHead()
            connection.waitForStop()
        }
        try await withServers(script, stalling) { source, destination in
            try await withTransport(.impatient(.milliseconds(500))) { transport in
                var request = try RelayRequest([7], from: source, to: destination)
                request.size = Int64(size)
                let error = await wireError { try await transport.relayOne(request) }
                #expect(error?.reason == .stalled)
                #expect(error?.end == .destination)
                // The kernel buffers up to 10 MiB on each connection, and the relay has one ring.
                #expect(sent.withLock { $0 } < 32 << 20)
            }
        }
    }
}
