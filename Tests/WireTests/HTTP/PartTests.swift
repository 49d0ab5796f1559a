import Content
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Sending and receiving a part of a blob", .timeLimit(.minutes(1)))
struct PartTests {
    private func ranged(_ server: ScriptedServer, into buffer: PartBuffer, path: String = "/blob") throws -> WireRequest
    {
        var request = WireRequest(.get, try HTTPURL(server.url(path)), fields: [.range: "bytes=0-9"])
        request.receiver = buffer
        return request
    }

    @Test("a part is sent as base64, with its length, like any other message")
    func uploads() async throws {
        let bytes = sampleBytes(5_000_000)
        let body = RequestBody(prefix: Array("<".utf8), base64Of: PartBuffer(bytes), suffix: Array(">".utf8))
        try await withServer { connection in
            let head = try connection.readHead()
            #expect(head["Content-Length"] == "\(body.count)" && head["Expect"] == nil)
            try connection.answer("200 OK", text: sha256Hex(try connection.read(head.contentLength)))
        } _: { server in
            try await withTransport { transport in
                var request = WireRequest(.post, try HTTPURL(server.url()))
                request.content = body
                #expect(try await transport.send(request).excerpt() == sha256Hex(body.bytes))
            }
        }
    }

    @Test("a part is sent again from its beginning when a kept connection is dead")
    func rewinds() async throws {
        let body = RequestBody(prefix: [1], base64Of: PartBuffer(sampleBytes(100_000)), suffix: [2])
        let first = Lock(true)
        try await withServer { connection in
            let isFirst = first.withLock { value in
                defer { value = false }
                return value
            }
            if isFirst {
                _ = try connection.readHead()
                try connection.answer("200 OK", [], [])
                // The connection is cut after the server has read some of the next request's body.
                _ = try connection.readHead()
                return
            }
            let head = try connection.readHead()
            try connection.answer("200 OK", text: sha256Hex(try connection.read(head.contentLength)))
        } _: { server in
            try await withTransport(TransportConfiguration(relayDrivers: 1)) { transport in
                var warm = try ranged(server, into: PartBuffer(capacity: 10))
                warm.fields = [:]
                #expect(try await transport.send(warm).status == .ok)
                var request = WireRequest(.put, try HTTPURL(server.url()))
                request.content = body
                // libcurl sends it again or reports the cut, but never sends the rest alone.
                do {
                    let answer = try await transport.send(request)
                    #expect(answer.excerpt() == sha256Hex(body.bytes))
                } catch {
                    #expect((error as? WireError)?.reason == .disconnected)
                }
            }
        }
    }

    @Test(
        "an answer replaces the contents of the buffer",
        arguments: ["206 Partial Content", "200 OK"]
    )
    func receives(_ status: String) async throws {
        let bytes = sampleBytes(3_000_000)
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.answer(status, [], bytes)
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer(capacity: bytes.count)
                buffer.fill(with: sampleBytes(77, seed: 9))
                var request = try ranged(server, into: buffer)
                if status.hasPrefix("200") { request.fields = [:] }
                let answer = try await transport.send(request)
                #expect(answer.body.isEmpty)
                #expect(buffer.count == bytes.count && buffer.digest == Digest(of: bytes))
            }
        }
    }

    @Test("an answer without bytes leaves an empty buffer")
    func empty() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.answer("206 Partial Content", [], [])
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer([1, 2, 3])
                _ = try await transport.send(try ranged(server, into: buffer))
                #expect(buffer.count == 0)
            }
        }
    }

    @Test("a server that ignores the range is cut off after its head")
    func ignoresRange() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            while true { try connection.send(sampleBytes(65_536)) }
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer(capacity: 10)
                let answer = try await transport.send(try ranged(server, into: buffer))
                #expect(answer.status == .ok && answer.body.isEmpty)
                #expect(answer.fields[.contentLength] == "99999999999")
                #expect(buffer.count == 0)
            }
        }
    }

    @Test(
        "redirects and error answers are returned with their bodies, and the buffer stays unchanged",
        arguments: [307, 403, 503]
    )
    func others(_ status: Int) async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.answer("\(status) Something", ["Location: /elsewhere"], Array("words".utf8))
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer([1, 2, 3])
                let answer = try await transport.send(try ranged(server, into: buffer))
                #expect(answer.status.code == status && answer.excerpt() == "words")
                #expect(answer.fields[.location] == "/elsewhere")
                #expect(buffer.count == 3)
            }
        }
    }

    @Test("more bytes than fit are an error, and so are fewer than announced")
    func wrongLengths() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            if head.path == "/long" { return try connection.answer("206 Partial Content", [], sampleBytes(11)) }
            try connection.send("HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\nabc")
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer(capacity: 10)
                let long = await wireError {
                    try await transport.send(try ranged(server, into: buffer, path: "/long"))
                }
                #expect(long?.reason == .tooLong)
                let short = await wireError {
                    try await transport.send(try ranged(server, into: buffer, path: "/short"))
                }
                #expect(short?.reason == .disconnected)
            }
        }
    }

    @Test("a part may take longer than its deadline while bytes move")
    func slowIsNotStalled() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n\r\n")
            for _ in 0..<12 {
                connection.wait(milliseconds: 50)
                try connection.send("x")
            }
        } _: { server in
            try await withTransport { transport in
                let buffer = PartBuffer(capacity: 12)
                var request = try ranged(server, into: buffer)
                request.deadline = .milliseconds(400)
                _ = try await transport.send(request)
                #expect(buffer.count == 12)
            }
        }
    }

    @Test("parts keep to the rate that all blobs share")
    func rate() async throws {
        let bytes = sampleBytes(2_000_000)
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.answer("206 Partial Content", [], bytes)
        } _: { server in
            try await withTransport(TransportConfiguration(limitRate: 4_000_000)) { transport in
                let buffer = PartBuffer(capacity: bytes.count)
                let started = ContinuousClock.now
                _ = try await transport.send(try ranged(server, into: buffer))
                // Half a second, minus the burst.
                #expect(ContinuousClock.now - started > .milliseconds(400))
                #expect(buffer.digest == Digest(of: bytes))
            }
        }
    }

    @Test("a part without moving bytes, in either direction, ends as stalled", arguments: ["download", "upload"])
    func stalls(_ way: String) async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            guard way == "download" else { return connection.waitForStop() }
            try connection.send("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n\r\nxx")
            connection.stall()
        } _: { server in
            try await withTransport { transport in
                var request = try ranged(server, into: PartBuffer(capacity: 12))
                if way == "upload" {
                    request = WireRequest(.post, try HTTPURL(server.url()))
                    // More than the sockets can buffer.
                    let part = PartBuffer(sampleBytes(20 << 20))
                    request.content = RequestBody(prefix: [], base64Of: part, suffix: [])
                }
                request.deadline = .milliseconds(300)
                let sent = request
                let error = await wireError { try await transport.send(sent) }
                #expect(error?.reason == .stalled)
                #expect(error?.retryAdvice == .backOff)
            }
        }
    }

    @Test("small messages don't wait behind parts: they have a driver of their own")
    func driver() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            if head.path == "/part" { return connection.stall() }
            try connection.answer("200 OK", text: "here")
        } _: { server in
            try await withTransport(TransportConfiguration(relayDrivers: 1)) { transport in
                let part = Task {
                    try await transport.send(try ranged(server, into: PartBuffer(capacity: 10), path: "/part"))
                }
                let message = try await transport.send(WireRequest(.get, HTTPURL(server.url())))
                #expect(message.excerpt() == "here")
                part.cancel()
                await #expect(throws: CancellationError.self) { try await part.value }
            }
        }
    }
}

extension PartBuffer {
    func fill(with bytes: [UInt8]) {
        clear()
        bytes.withUnsafeBytes { _ = append($0) }
    }

    var digest: Digest {
        var hasher = SHA256Hasher()
        hash(into: &hasher)
        return hasher.finishDigest()
    }
}
