import Foundation
import HTTPTypes
import Testing

@testable import Wire

@Suite("Secrets")
struct SecretsTests {
    private static let key = #"wJalr/XUt+nFEMI=K7MDENG&bPx"RfiC<Y"#
    private static let secrets = Secrets([key, "602413"])

    private static let writings: [(String, @Sendable (String) -> String)] = [
        ("plain", { $0 }), ("plain among others", { "a=\($0)&b=\($0)" }),
        ("hexadecimal", { $0.utf8.map { String(format: "%02x", $0) }.joined() }),
        ("HEXADECIMAL", { $0.utf8.map { String(format: "%02X", $0) }.joined() }),
        ("percent", { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }),
        ("base64", { Data($0.utf8).base64EncodedString() }),
        ("base64, one byte before", { Data(":\($0)+".utf8).base64EncodedString() }),
        ("base64, two bytes before", { Data("u:\($0)".utf8).base64EncodedString() }),
        ("JSON", { $0.replacing("/", with: "\\/").replacing("\"", with: "\\\"") }),
        (
            "XML",
            {
                let text = $0.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
                return text.replacing("\"", with: "&quot;")
            }
        ),
    ]

    @Test("are removed from texts that quote them, in any encoding", arguments: writings.map(\.0))
    func written(_ how: String) throws {
        let write = try #require(Self.writings.first { $0.0 == how }).1
        let cut = Self.secrets.cut(from: "refused: \(write(Self.key)) is wrong")
        #expect(cut.hasPrefix("refused: "))
        #expect(cut.hasSuffix(" is wrong"))
        #expect(cut.contains("…") && cut.count < 36, "\(cut)")
        let code = Self.secrets.cut(from: "refused: \(write("602413")) is wrong")
        #expect(code.contains("…") && !code.contains(write("602413")), "\(code)")
    }

    @Test("are removed in pieces too")
    func pieces() {
        for start in 0...Self.key.count - 12 {
            #expect(Self.secrets.cut(from: "a \(Self.key.dropFirst(start).prefix(12)) b") == "a … b")
        }
        #expect(Self.secrets.cut(from: "ends within \(Self.key.prefix(20))") == "ends within …")
    }

    @Test("leave other texts as they are")
    func others() {
        let text = "The security token included in the request is expired: été 12"
        #expect(Self.secrets.cut(from: text) == text)
        #expect(Self.secrets.cut(from: "") == "")
        #expect(Secrets().cut(from: text) == text)
        #expect(Secrets(["it", "is"]).cut(from: text) == text, "what is that short is no secret")
    }

    @Test("of a request are its credentials, its tokens, and those in its query and body")
    func ofRequest() throws {
        let token = try #require(HTTPField.Name("x-amz-sso_bearer_token"))
        let url = "https://h/p?digest=sha256:0123456789&X-Amz-Signature=0a1b2c3d4e5f&_state=st%2Bate%2Fthis"
        var request = WireRequest(.post, try HTTPURL(url))
        request.fields[token] = "sso-token-of-the-test"
        request.fields[.authorization] =
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE1/20260115/eu-west-1/ecr/aws4_request, "
            + "SignedHeaders=host;x-amz-date, Signature=fedcba9876543210"
        request.secretsInBody = ["external-id-of-the-test"]
        let secrets = ["sso-token-of-the-test", "AKIDEXAMPLE1", "fedcba9876543210", "external-id-of-the-test"]
        for secret in secrets + ["0a1b2c3d4e5f", "st%2Bate%2Fthis", "st+ate/this"] {
            #expect(request.secrets.cut(from: "is \(secret) wrong?") == "is … wrong?")
        }
        for word in ["20260115/eu-west-1/ecr/aws4_request", "host;x-amz-date", "sha256:0123456789"] {
            #expect(request.secrets.cut(from: word) == word)
        }
    }

    @Test("of basic authorization are the encoded pair and the password; of other schemes, everything after the scheme")
    func authorization() throws {
        var request = WireRequest(.get, try HTTPURL("https://h/"))
        request.fields[.authorization] = "Basic " + Data("someuser:hunter22".utf8).base64EncodedString()
        #expect(request.secrets.cut(from: "someuser:hunter22") == "someuser:…")
        #expect(request.secrets.cut(from: request.fields[.authorization] ?? "") == "Basic …")
        request.fields[.authorization] = "Bearer abcdefgh.ijkl"
        #expect(request.secrets.cut(from: "Bearer abcdefgh.ijkl") == "Bearer …")
        request.fields[.authorization] = "a-token-of-a-pod"
        #expect(request.secrets.cut(from: "a-token-of-a-pod") == "…")
    }

    @Test("don't appear in a description")
    func description() {
        var dumped = ""
        dump(Self.secrets, to: &dumped)
        #expect(!("\(Self.secrets) \(String(reflecting: Self.secrets)) " + dumped).contains("602413"))
    }
}
