import Foundation
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Sending a message", .timeLimit(.minutes(1)))
struct SendTests {
    @Test("returns status, fields and body")
    func happyPath() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            try connection.answer(
                "200 OK",
                ["X-One: 1", "X-One: 2", "X-Empty:"],
                Array("\(head.method) \(head.path)".utf8)
            )
        } _: { server in
            try await withTransport { transport in
                let answer = try await transport.send(WireRequest(.get, HTTPURL(server.url("/a/../b?x=%20/y"))))

                #expect(answer.status == .ok)
                #expect(answer.excerpt() == "GET /a/../b?x=%20/y", "the address must arrive as it was written")
                #expect(answer.fields[values: .named("X-One")] == ["1", "2"])
                #expect(answer.fields[.named("X-Empty")] == "")
            }
        }
    }

    @Test("sends HEAD without waiting for a body")
    func head() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            #expect(head.method == "HEAD")
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            connection.stall()
        } _: { server in
            try await withTransport { transport in
                let answer = try await transport.send(WireRequest(.head, HTTPURL(server.url())))
                #expect(answer.fields[.contentLength] == "1000")
                #expect(answer.body.isEmpty)
            }
        }
    }

    @Test("sends a body with its length, with any method", arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func bodies(_ method: String) async throws {
        let body = sampleBytes(1_500_000)
        try await withServer { connection in
            let head = try connection.readHead()
            #expect(head.method == method)
            #expect(head["Expect"] == nil)
            #expect(head["Content-Type"] == nil)
            #expect(head["X-Empty"] == "")
            #expect(head.fields.filter { $0.lowercased().hasPrefix("content-length") }.count == 1)
            try connection.answer("200 OK", [], try connection.read(head.contentLength))
        } _: { server in
            try await withTransport { transport in
                let fields: HTTPFields = [.named("X-Empty"): "", .contentLength: "7"]
                let request = WireRequest(
                    .named(method),
                    try HTTPURL(server.url()),
                    fields: fields,
                    body: body,
                    largestAnswer: body.count
                )
                let answer = try await transport.send(request)
                #expect(answer.body == body)
            }
        }
    }

    @Test(
        "sends a length of 0 only for methods that expect a body",
        arguments: [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", nil), ("DELETE", nil)]
    )
    func emptyBodies(_ method: String, _ length: String?) async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            try connection.answer("200 OK", text: "\(head.method) \(head["Content-Length"] ?? "none")")
        } _: { server in
            try await withTransport { transport in
                let answer = try await transport.send(
                    WireRequest(.named(method), HTTPURL(server.url()))
                )
                #expect(answer.excerpt() == "\(method) \(length ?? "none")")
            }
        }
    }

    @Test("lets no value smuggle in a second field")
    func injection() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            try connection.answer("200 OK", text: head.fields.joined(separator: "|"))
        } _: { server in
            try await withTransport { transport in
                let fields: HTTPFields = [.accept: "a\r\nX-Injected: 1"]
                let answer = try await transport.send(
                    WireRequest(.get, HTTPURL(server.url()), fields: fields)
                )
                #expect(!answer.excerpt(10_000).contains("|X-Injected"))
                #expect(answer.excerpt(10_000).contains("User-Agent: ecr-replicate"))
            }
        }
    }

    @Test("keeps only the last head, and returns redirects as answers")
    func heads() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n")
            try connection.answer("307 Temporary Redirect", ["Location: https://elsewhere/?secret"])
        } _: { server in
            try await withTransport { transport in
                let answer = try await transport.send(WireRequest(.get, HTTPURL(server.url())))
                #expect(answer.status == .temporaryRedirect)
                #expect(answer.fields[.location] == "https://elsewhere/?secret")
                #expect(answer.fields[.named("X-Early")] == nil)
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test("keeps connections alive, and counts requests and connections")
    func statistics() async throws {
        try await withServer(serving([1])) { server in
            try await withTransport { transport in
                for _ in 0..<5 { _ = try await transport.send(WireRequest(.get, HTTPURL(server.url()))) }
                #expect(transport.statistics.requestsSent == 5)
                #expect(transport.statistics.connectionsOpened == 1)
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test("sends again when a kept connection is dead")
    func deadConnection() async throws {
        try await withServer { connection in
            let head = try connection.readHead()
            try connection.answer("200 OK", [], try connection.read(head.contentLength))
            // The server reads the next request and closes the connection without an answer.
            _ = try connection.read(try connection.readHead().contentLength)
        } _: { server in
            try await withTransport { transport in
                for number in 0..<3 {
                    let body = sampleBytes(100_000, seed: UInt64(number))
                    let answer = try await transport.send(
                        WireRequest(.post, HTTPURL(server.url()), body: body)
                    )
                    #expect(answer.body == body)
                }
            }
        }
    }

    @Test("resolves a name below localhost")
    func localhost() async throws {
        try await withServer(serving([1])) { server in
            try await withTransport { transport in
                let url = try HTTPURL("http://123456789012.dkr.ecr.eu-west-1.localhost:\(server.port)/")
                #expect(try await transport.send(WireRequest(.get, url)).body == [1])
            }
        }
    }

    @Test("runs many requests at once on one thread")
    func manyAtOnce() async throws {
        try await withServer(serving(sampleBytes(1_000))) { server in
            try await withTransport { transport in
                let url = try HTTPURL(server.url())
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<100 {
                        group.addTask { try await transport.send(WireRequest(.get, url)).body.count }
                    }
                    for try await count in group { #expect(count == 1_000) }
                }
            }
        }
    }
}

@Suite("A message that fails", .timeLimit(.minutes(1)))
struct SendFailureTests {
    @Test("gives up at its deadline")
    func deadline() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
            connection.stall()
        } _: { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url("/x?secret")), deadline: .milliseconds(50))
                let error = await wireError { try await transport.send(request) }
                #expect(error?.reason == .deadline)
                #expect(error.map { "\($0)" }?.contains("secret") == false)
            }
            try await withTransport(TransportConfiguration(messageDeadlineLimit: .milliseconds(50))) { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                let error = await wireError { try await transport.send(request) }
                #expect(error?.reason == .deadline, "the transport's limit is shorter than the request's own")
                #expect(error?.detail.contains("0.05") == true)
            }
        }
    }

    @Test("ends when its task is cancelled")
    func cancellation() async throws {
        let arrived = Signal()
        try await withServer { connection in
            _ = try connection.readHead()
            arrived.fire()
            connection.stall()
        } _: { server in
            try await withTransport { transport in
                let url = try HTTPURL(server.url())
                let task = Task { try await transport.send(WireRequest(.get, url)) }
                await arrived.wait()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    @Test("doesn't start in a task that is already cancelled")
    func cancelledBefore() async throws {
        try await withServer {
            $0.stall()
        } _: { server in
            try await withTransport { transport in
                let url = try HTTPURL(server.url())
                let start = Signal()
                let task = Task {
                    await start.wait()
                    return try await transport.send(WireRequest(.get, url))
                }
                task.cancel()
                start.fire()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    @Test("refuses an answer that is too long")
    func tooLarge() async throws {
        try await withServer(serving(sampleBytes(100_001))) { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()), largestAnswer: 100_000)
                #expect(await wireError { try await transport.send(request) }?.reason == .answerTooLarge)
            }
        }
    }

    @Test("refuses an endless head")
    func headWithoutEnd() async throws {
        try await withServer { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 200 OK\r\n")
            for number in 0... { try connection.send("X-\(number): \(String(repeating: "x", count: 1_000))\r\n") }
        } _: { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                #expect(await wireError { try await transport.send(request) }?.reason == .answerTooLarge)
            }
        }
    }

    @Test("distinguishes refused, unresolvable, cut and not HTTP")
    func reasons() async throws {
        try await withTransport { transport in
            // No server listens on port 1; a port that was just closed may belong to another test by now.
            let refused = WireRequest(.get, try HTTPURL("http://127.0.0.1:1/x?secret"))
            let error = await wireError { try await transport.send(refused) }
            #expect(error?.reason == .unreachable)
            #expect(error?.curlCode == 7)
            #expect(error.map { "\($0)" }?.contains("secret") == false)

            let nowhere = WireRequest(.get, try HTTPURL("https://\(unresolvableName())/"))
            #expect(await wireError { try await transport.send(nowhere) }?.reason == .unresolvable)

            try await withServer { connection in
                _ = try connection.readHead()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
            } _: { server in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                #expect(await wireError { try await transport.send(request) }?.reason == .disconnected)
            }
            try await withServer { connection in
                _ = try connection.readHead()
            } _: { server in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                #expect(await wireError { try await transport.send(request) }?.reason == .disconnected)
            }
            try await withServer { connection in
                _ = try connection.readHead()
                try connection.send("220 smtp.example.com ESMTP\r\n")
            } _: { server in
                let request = WireRequest(.get, try HTTPURL(server.url()))
                #expect(await wireError { try await transport.send(request) }?.reason == .other)
            }
            try await withServer { connection in
                try connection.send("this is no TLS\r\n")
                connection.stall()
            } _: { server in
                let https = WireRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/"))
                #expect(await wireError { try await transport.send(https) }?.reason == .handshake)
            }
        }
    }

    @Test("uses plain http only for loopback and for endpoints that the user named")
    func plainHTTP() async throws {
        var configuration = TransportConfiguration()
        configuration.plainHTTPAuthorities = ["named.invalid:8080"]
        try await withTransport(configuration) { transport in
            let other = WireRequest(.get, try HTTPURL("http://other.invalid:8080/"))
            #expect(await wireError { try await transport.send(other) }?.reason == .plainHTTP)
            let named = WireRequest(.get, try HTTPURL("http://named.invalid:8080/"))
            #expect(await wireError { try await transport.send(named) }?.reason == .unresolvable)
            #expect(transport.statistics.requestsSent == 1)
        }
    }

    @Test("fails when the transport is shut down, and so does a later one")
    func shutdown() async throws {
        let arrived = Signal()
        try await withServer { connection in
            _ = try connection.readHead()
            arrived.fire()
            connection.stall()
        } _: { server in
            let transport = try Transport()
            let request = WireRequest(.get, try HTTPURL(server.url()))
            async let running = wireError { try await transport.send(request) }
            await arrived.wait()
            transport.shutdown()
            #expect(await running?.reason == .closed)
            #expect(await wireError { try await transport.send(request) }?.reason == .closed)
            transport.shutdown()
        }
    }
}
