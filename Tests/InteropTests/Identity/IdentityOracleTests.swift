import Content
import FoundationEssentials
import HTTPTypes
import Logging
import TestInputs
import TestPrograms
import Testing
import Wire

@testable import AWSIdentity

@Suite("The caller's identity", .timeLimit(.minutes(1)), .needs(.botocore))
struct IdentityOracleTests {
    private struct Machine: Encodable {
        var home: String
        var variables: [String: String]
        var profile: String?
    }

    private struct Outcome: Decodable, Equatable, CustomStringConvertible {
        var key = "none"
        var secret = ""
        var token = ""
        var account = ""
        var region = ""
        /// The reason why there are no keys, for people.
        var why: String?

        static func == (left: Outcome, right: Outcome) -> Bool {
            (left.key, left.secret, left.token, left.account, left.region)
                == (right.key, right.secret, right.token, right.account, right.region)
        }

        var description: String {
            "key \(key), secret \(secret), token \(token), account \(account), region \(region) \(why ?? "")"
        }
    }

    @Test("is botocore's, for all files and environments")
    func table() async throws {
        try await withScratchDirectory { directory in
            let machines = try IdentityCase.all.enumerated().map { index, one in
                try machine(one, home: "\(directory)/\(index)")
            }
            try write(
                String(decoding: try JSONEncoder().encode(machines), as: UTF8.self),
                to: "\(directory)/cases.json"
            )
            let theirs = try JSONDecoder().decode(
                [Outcome].self,
                from: try await oracle("identity", ["\(directory)/cases.json"])
            )
            try #require(theirs.count == machines.count)
            var different = 0
            for (one, (machine, theirs)) in zip(IdentityCase.all, zip(machines, theirs)) {
                let ours = await outcome(machine)
                switch one.verdict {
                case .same: #expect(ours == theirs, "\(one.name)")
                case .differs(let reason, let expected):
                    different += 1
                    #expect((ours.key, ours.region) == expected, "\(one.name)")
                    #expect(ours != theirs, "\(one.name): no longer true that \(reason)")
                }
            }
            reportCases("identities equal to botocore's", machines.count - different)
            reportCases("identities that differ from botocore's on purpose", different)
        }
    }

    private func machine(_ one: IdentityCase, home: String) throws -> Machine {
        var files = one.files
        if !one.config.isEmpty { files[".aws/config"] = one.config }
        if !one.credentials.isEmpty { files[".aws/credentials"] = one.credentials }
        try makeDirectory("\(home)/.aws/sso/cache")
        for (path, text) in files {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            try makeDirectory("\(home)/\(folder)")
            try write(text.replacing("HOME", with: home), to: "\(home)/\(path)")
        }
        return Machine(
            home: home,
            variables: one.variables.mapValues { $0.replacing("HOME", with: home) },
            profile: one.profile
        )
    }

    private func outcome(_ machine: Machine) async -> Outcome {
        var variables = machine.variables
        variables["AWS_EC2_METADATA_DISABLED"] = "true"
        variables["PATH"] = "/usr/bin:/bin"
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: machine.home),
            sender: TellingAWS(),
            retry: RetryPolicy(attempts: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let options = IdentityOptions(profile: machine.profile)
        var outcome = Outcome()
        do {
            outcome.region = try resolver.defaultRegion(flag: nil, options: options) ?? ""
            let region = outcome.region
            let credentials = try await resolver.provider(for: options, stsRegion: "eu-west-1").credentials()
            outcome = Outcome(
                key: credentials.accessKeyID,
                secret: credentials.secretAccessKey,
                token: credentials.sessionToken ?? "",
                account: credentials.accountID ?? "",
                region: region
            )
        } catch {
            // Without a caller, the region doesn't matter.
            outcome = Outcome(why: "\(error)")
        }
        return outcome
    }
}

/// Fakes STS and Identity Center; their answers name the requested identity, as those of `scripts/oracles/identity.py`
/// do.
private struct TellingAWS: HTTPSending {
    func send(_ request: WireRequest) async throws -> WireResponse {
        if request.url.path == "/federation/credentials" { return portal(request) }
        let form = fields(String(decoding: request.body, as: UTF8.self))
        let role = form["RoleArn"]?.split(separator: "/").last.map(String.init) ?? ""
        let action = form["Action"] ?? ""
        var key = "\(form["WebIdentityToken"] ?? "")>\(role)"
        if action == "AssumeRole" {
            let signed = request.fields[.authorization] ?? ""
            let caller = signed.split(separator: "Credential=").last?.prefix { $0 != "/" } ?? ""
            key = "\(caller)>\(role)" + (form["ExternalId"].map { ":\($0)" } ?? "")
        }
        let name = form["RoleSessionName"] ?? ""
        let token = "\(name.hasPrefix("ecr-replicate-") ? "usual" : name) \(form["DurationSeconds"] ?? "usual")"
        let account = form["RoleArn"]?.split(separator: ":").dropFirst(3).first ?? ""
        return WireResponse(
            status: .ok,
            body: Array(
                ("<\(action)Response><\(action)Result><AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId>"
                    + "<Arn>arn:aws:sts::\(account):assumed-role/\(role)/s</Arn></AssumedRoleUser><Credentials>"
                    + "<AccessKeyId>\(key.replacing(">", with: "&gt;"))</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                    + "<SessionToken>\(token)</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>"
                    + "</\(action)Result></\(action)Response>").utf8
            )
        )
    }

    private func portal(_ request: WireRequest) -> WireResponse {
        let query = fields(request.url.query ?? "")
        let bearer = HTTPField.Name("x-amz-sso_bearer_token").flatMap { request.fields[$0] } ?? ""
        let key = "\(bearer)>\(query["account_id"] ?? "")/\(query["role_name"] ?? "")"
        let text = """
            {"roleCredentials":{"accessKeyId":"\(key)","secretAccessKey":"s","sessionToken":"sso",\
            "expiration":4102444800000}}
            """
        return WireResponse(status: .ok, body: Array(text.utf8))
    }

    private func fields(_ form: String) -> [String: String] {
        let pairs = form.split(separator: "&").map { item in
            item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { decoded($0.replacing("+", with: " ")) }
        }
        return Dictionary(pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { $1 }
    }

    private func decoded(_ text: some StringProtocol) -> String {
        let parts = text.split(separator: "%", omittingEmptySubsequences: false)
        var bytes = Array(parts[0].utf8)
        for part in parts.dropFirst() {
            bytes += [UInt8(part.prefix(2), radix: 16) ?? 0] + Array(part.dropFirst(2).utf8)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
