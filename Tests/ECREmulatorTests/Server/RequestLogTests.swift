import Platform
import Testing

@testable import ECREmulator

@Suite("Request log", .timeLimit(.minutes(1)))
struct RequestLogTests {
    @Test("contains every request that the emulator counts")
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

    @Test("has a line for each request, with a hyphen for an unknown field")
    func lines() {
        let failed = LoggedRequest(
            number: 7,
            api: .registry,
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
            api: .controlPlane,
            operation: "unknown",
            account: "",
            region: "",
            repository: nil,
            status: 0,
            errorCode: nil,
            bytesIn: 0,
            bytesOut: 0
        )

        #expect("\(failed)" == "7\tregistry\tPUT manifest\t400\t111122223333/us-east-1\tteam/app\tTAG_INVALID\t-")
        #expect("\(stranger)" == "8\tcontrolPlane\tunknown\t0\t-\t-\t-\t-")
        var named = failed
        named.caller = "arn:aws:iam::111122223333:user/ann"
        #expect("\(named)".hasSuffix("\tTAG_INVALID\tarn:aws:iam::111122223333:user/ann"))
    }

    @Test("names the caller by key or token, valid or not, and no caller if there is neither")
    func callers() async throws {
        try await withClient { emulator, client in
            _ = try await client.call("DescribeRegistry")
            _ = try await client.registry("GET", "/v2/")
            let session = try await client.sts(
                "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(otherAccount):role/promoter"
            ).session
            _ = try await client.call("DescribeRegistry", session: session)
            emulator.revoke(accessKeyID: session.id)
            _ = try await client.call("DescribeRegistry", session: session)
            _ = try await client.call("DescribeRegistry", session: ("AKIANOBODYKNOWSTHIS1", "?", ""))
            _ = try await client.send("GET", "/v2/", [("Authorization", "Basic QVdTOm5vbmU=")])
            _ = try await client.sts("Action=AssumeRoleWithWebIdentity", session: ("", "", ""))

            let user = "arn:aws:iam::\(account):user/emulator"
            let role = "arn:aws:sts::\(otherAccount):assumed-role/promoter/me"
            #expect(emulator.requests.map(\.caller) == [user, user, user, role, role, nil, nil, nil])
            let (key, ending) = (String(account.suffix(4)), String(session.id.suffix(4)))
            #expect(emulator.requests.map(\.accessKey) == [key, key, key, ending, ending, "HIS1", nil, nil])
        }
    }
}
