import Content
import Foundation
import TestPrograms
import Testing

@testable import ECREmulator

/// Checks law 8: secrets, tokens and the query of a presigned URL reach no output, even if a request fails.
@Suite("Secrets", .timeLimit(.minutes(1)))
struct SecretTests {
    enum Trouble: String, CaseIterable, CustomTestStringConvertible {
        case none, denied, wrongSecret, corruptLayer, cutLayer, expiredURL, expiredToken, lostRegistry, refusedRole
        case deadProxy, deadEndpoint

        var testDescription: String { rawValue }
    }

    @Test("are in no output at trace level", arguments: Trouble.allCases)
    func nowhere(_ trouble: Trouble) async throws {
        var configuration = EmulatorConfiguration()
        configuration.accounts[0] = .init(
            id: Stage.account,
            accessKeyID: "AKIASEEDEDKEYOFTHETEST",
            secretAccessKey: "seeded/Secret+Access=Key/of/the/test0123"
        )
        configuration.roles = [.init(arn: role, externalID: "seeded-external-id", trustedAccounts: nil)]
        try await withStage(configuration) { stage in
            try stage.emulator.createRepository(account: other, region: Stage.far, "team/app")
            var more: [String: String] = [:]
            var flags = ["--destination-role-arn", role, "--destination-external-id", "seeded-external-id"]
            switch trouble {
            case .none: break
            case .denied: stage.emulator.deny(action: "PutImage")
            case .wrongSecret: more["AWS_SECRET_ACCESS_KEY"] = wrongSecret
            case .corruptLayer: stage.emulator.inject(Fault(on: "GET layer", at: 1...1, .corruptByte(at: 9)))
            case .cutLayer: stage.emulator.inject(Fault(on: "GET layer", at: 1...2, .cutBody(afterBytes: 50)))
            case .expiredURL: stage.emulator.inject(Fault(on: "GET layer", at: 1...1, .expireURL))
            case .expiredToken: stage.emulator.inject(Fault(on: "PUT blob", at: 1...1, .expireToken))
            case .lostRegistry: stage.emulator.inject(Fault(on: "POST upload", at: nil, .status(400)))
            case .refusedRole: flags[3] = "not-the-external-id"
            // The proxy doesn't exist, so nothing leaves this machine; RFC 2606 reserves the host's domain.
            case .deadProxy: more["https_proxy"] = "http://user:\(proxySecret)@127.0.0.1:1"
            case .deadEndpoint: flags += ["--source-endpoint-url", "http://user:\(proxySecret)@127.0.0.1:1"]
            }
            let source = trouble == .deadProxy ? "registry.invalid/team/app:v1" : "\(stage.source):v1"
            let destination = "\(stage.emulator.registryHost(account: other, region: Stage.far))/team/app"

            let ended = try await run(
                .ecrReplicate,
                ["copy", "--log-level", "trace", "--progress", "plain"] + flags + [source, destination],
                environment: stage.environment.merging(more) { _, new in new }
            )

            let mayEndWell: Set<Trouble> = [.none, .corruptLayer, .cutLayer, .expiredURL, .expiredToken]
            #expect((ended.exitCode == 0) == mayEndWell.contains(trouble), "\(ended.errors)")
            let said = ended.output + ended.errors
            let secrets = stage.emulator.secrets + [configuration.accounts[0].accessKeyID, wrongSecret, proxySecret]
            if trouble == .none { #expect(secrets.count > 8, "too few to show anything") }
            for secret in secrets {
                for form in forms(of: secret) { #expect(!said.contains(form), "\(form) in:\n\(said)") }
            }
            for part in ["X-Amz-Signature", "X-Amz-Credential", "Signature=", "Basic ", "SecretAccessKey"] {
                #expect(!said.contains(part), "\(part) in:\n\(said)")
            }
        }
    }

    private let other = "444455556666"
    private let role = "arn:aws:iam::444455556666:role/promoter"
    private let wrongSecret = "another/Secret+that=no1/else/knows/01234"
    private let proxySecret = "seeded-proxy-password"

    /// Returns the secret in the forms of headers, dumps and URLs, and in base64 at each of its three alignments.
    private func forms(of secret: String) -> [String] {
        let bytes = Array(secret.utf8)
        let aligned = (0..<3).map { shift in
            let text = Data(Array(repeating: 0, count: shift) + bytes).base64EncodedString()
            // The first four characters depend on the text before, the last four on the text after.
            return String(text.dropFirst(4).dropLast(4))
        }
        let unreserved = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        let percent = secret.addingPercentEncoding(withAllowedCharacters: unreserved)
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return [secret, hex] + aligned + [percent].compactMap { $0 }
    }
}

extension Emulator {
    /// All secrets that the emulator issued or was configured with.
    var secrets: [String] {
        aws.state.withLock { state in
            let sessions = state.identities.sessions.all
            return state.tokens.all.map(\.name) + state.downloads.all.map(\.element.signature)
                + sessions.flatMap { [$0.name, $0.element.secret, $0.element.token] }
                + state.identities.accounts.map(\.secretAccessKey) + state.metadataTokens.all.map(\.name)
                + state.signIns.all.flatMap { [$0.accessToken, $0.refreshToken, $0.clientSecret].compactMap { $0 } }
        }
    }
}
