import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import Logging
import Platform
import Testing
import Wire

@testable import ECRAPI

/// Answers from a script, and keeps what was sent.
final class RecordingSender: HTTPSending {
    private let answer: @Sendable (WireRequest, Int) async throws -> WireResponse
    private let sent = Lock<[WireRequest]>([])

    init(_ answer: @escaping @Sendable (_ request: WireRequest, _ number: Int) async throws -> WireResponse) {
        self.answer = answer
    }

    var requests: [WireRequest] { sent.withLock { $0 } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        let number = sent.withLock { sent in
            sent.append(request)
            return sent.count
        }
        return try await answer(request, number)
    }
}

/// A clock on which nobody ever waits: it keeps the waits and goes on at once.
final class InstantClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let slept = Lock<[Duration]>([])
    var waits: [Duration] { slept.withLock { $0 } }
    var now: Instant { Instant(offset: waits.reduce(.zero, +)) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        slept.withLock { $0.append(deadline.offset - $0.reduce(.zero, +)) }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

let noon = Date(timeIntervalSince1970: 1_768_478_400)

/// Hands out one key after the other, whenever one was refused.
actor RotatingCredentials: CredentialsProviding {
    private var number = 1
    private let last: Int
    init(last: Int) { self.last = last }

    func credentials() async throws -> AWSCredentials {
        AWSCredentials(accessKeyID: "ASIA\(number)", secretAccessKey: "s", sessionToken: "t", source: "test")
    }

    func discard(_ refused: AWSCredentials) async -> Bool {
        guard number < last else { return false }
        number += 1
        return true
    }
}

func client(
    _ sender: any HTTPSending,
    clock: InstantClock = InstantClock(),
    attempts: Int = 4,
    credentials: (any CredentialsProviding)? = nil
) throws -> ECRClient {
    ECRClient(
        endpoint: try HTTPURL("https://api.ecr.eu-west-1.amazonaws.com/"),
        region: "eu-west-1",
        credentials: credentials
            ?? StaticCredentials(AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "s", source: "test")),
        sender: sender,
        retry: RetryPolicy(attempts: attempts, clock: clock, jitter: { 1 }),
        logger: quiet,
        now: { noon }
    )
}

/// An answer with this body.
func answer(_ status: Int, _ body: String, _ fields: HTTPFields = [:]) -> WireResponse {
    WireResponse(status: .init(code: status), fields: fields, body: Array(body.utf8))
}

/// A success with this body.
func answer(_ body: String, _ fields: HTTPFields = [:]) -> WireResponse { answer(200, body, fields) }

func fault(_ status: Int, _ type: String, _ message: String = "no") -> WireResponse {
    answer(status, #"{"__type":"\#(type)","message":"\#(message)"}"#)
}

let account: AccountID = known { try AccountID(parsing: "001122223333") }
let repository: RepositoryName = known { try RepositoryName(parsing: "team/app") }
let digest = Digest(of: Array("a".utf8))
let other = Digest(of: Array("b".utf8))
let v1: Content.Tag = known { try Content.Tag(parsing: "v1") }

private func known<Value>(_ make: () throws -> Value) -> Value {
    do { return try make() } catch { preconditionFailure("\(error)") }
}

/// Sends `operation`, checks name and body, and gives what was decoded.
func exchange<Operation: ECROperation>(
    _ operation: Operation,
    _ name: String,
    sends body: String,
    gets reply: String
) async throws -> Operation.Response {
    let sender = RecordingSender { _, _ in answer(reply) }
    let response = try await client(sender).send(operation)
    let request = try #require(sender.requests.first)
    #expect(sender.requests.count == 1)
    #expect(request.fields[.amzTarget] == "AmazonEC2ContainerRegistry_V20150921.\(name)")
    #expect(String(decoding: request.body, as: UTF8.self) == body)
    return response
}
