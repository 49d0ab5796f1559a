import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import Logging
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

let noon = Date(timeIntervalSince1970: 1_768_478_400)

/// Credentials that change after each refusal, up to a number of times.
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
    clock: RecordingClock = RecordingClock(),
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

/// Makes an answer with this body.
func answer(_ status: Int, _ body: String, _ fields: HTTPFields = [:]) -> WireResponse {
    WireResponse(status: .init(code: status), fields: fields, body: Array(body.utf8))
}

/// Makes a success with this body.
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

/// Sends `operation`, checks its name and body, and returns the decoded answer.
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
