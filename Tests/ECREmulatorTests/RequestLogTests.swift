import Platform
import Testing

@testable import ECREmulator

@Suite("Request log", .timeLimit(.minutes(1)))
struct RequestLogTests {
    @Test("is told of every request that the emulator counts")
    func answered() async throws {
        let told = Lock<[LoggedRequest]>([])
        var configuration = EmulatorConfiguration()
        configuration.requestAnswered = { request in told.withLock { $0.append(request) } }

        try await withClient(configuration) { emulator, client in
            told.withLock { $0 = [] }
            _ = try await client.call("DescribeRepositories")
            _ = try await client.registry("GET", "/v2/team/app/manifests/none")
            _ = try await client.registry("GET", "/v2/")

            #expect(told.withLock { $0 }.sorted { $0.number < $1.number } == emulator.requests)
            #expect(told.withLock { $0.count } == 3)
        }
    }

    @Test("has a line for each, without what isn't known")
    func lines() {
        let failed = LoggedRequest(
            number: 7,
            face: .registry,
            operation: "PUT manifest",
            account: "111122223333",
            region: "us-east-1",
            repository: "team/app",
            status: 400,
            errorCode: "TAG_INVALID",
            bytesIn: 12,
            bytesOut: 3
        )
        let stranger = LoggedRequest(
            number: 8,
            face: .controlPlane,
            operation: "unknown",
            account: "",
            region: "",
            repository: nil,
            status: 0,
            errorCode: nil,
            bytesIn: 0,
            bytesOut: 0
        )

        #expect("\(failed)" == "7\tregistry\tPUT manifest\t400\t111122223333/us-east-1\tteam/app\tTAG_INVALID")
        #expect("\(stranger)" == "8\tcontrolPlane\tunknown\t0\t-\t-\t-")
    }
}
