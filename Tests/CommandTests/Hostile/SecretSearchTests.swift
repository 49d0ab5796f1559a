import Foundation
import Testing

@Suite("The search for secrets")
struct SecretSearchTests {
    private static let secret = #"wJalr/XUt+nFEMI=K7MDENG&bPx"RfiC<YEX>A?/"#
    private static let search = SecretSearch(["key": secret, "code": "602413"])

    /// Returns the secret encoded, within another text.
    private static let writings: [(String, @Sendable (String) -> String)] = [
        ("as it is", { "token=\($0);" }),
        ("in hexadecimal", { $0.utf8.map { String(format: "%02x", $0) }.joined() }),
        ("in capital hexadecimal", { $0.utf8.map { String(format: "%02X", $0) }.joined() }),
        ("percent-encoded", { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }),
        ("in base64", { Data($0.utf8).base64EncodedString() }),
        ("in base64 as AWS's password", { Data("AWS:\($0)".utf8).base64EncodedString() }),
        ("in base64 as a user's password", { Data("user:\($0)".utf8).base64EncodedString() }),
        ("in base64 as user's password", { Data("robot:\($0)\n".utf8).base64EncodedString() }),
        (
            "in base64 for URLs",
            {
                let text = Data("a:\($0)".utf8).base64EncodedString().replacing("+", with: "-")
                return text.replacing("/", with: "_").replacing("=", with: "")
            }
        ),
        ("in JSON", { String(decoding: (try? JSONEncoder().encode(["it": $0])) ?? Data(), as: UTF8.self) }),
        (
            "in XML",
            {
                let text = $0.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
                return "<a>\(text.replacing("\"", with: "&quot;"))</a>"
            }
        ),
    ]

    @Test("finds each secret in each encoding", arguments: writings.map(\.0))
    func written(_ how: String) throws {
        let write = try #require(Self.writings.first { $0.0 == how }).1
        let findings = Self.search.findings(in: "something \(write(Self.secret)) else")
        #expect(findings.contains { $0.hasPrefix("key") })
        #expect(Self.search.findings(in: "something \(write("602413")) else").contains { $0.hasPrefix("code") })
    }

    @Test("finds any 12 characters of a secret, and no fewer")
    func pieces() {
        for start in 0...Self.secret.count - 12 {
            let piece = Self.secret.dropFirst(start).prefix(12)
            #expect(!Self.search.findings(in: "a \(piece) b").isEmpty, "\(piece)")
            #expect(Self.search.findings(in: "a \(piece.dropLast()) b").isEmpty, "\(piece)")
        }
    }

    @Test("finds nothing in a text without secrets")
    func nothing() {
        let text = "PUT https://registry.example/v2/team/app/blobs/uploads/?… 201 sha256:0123456789abcdef0123456789"
        #expect(Self.search.findings(in: text).isEmpty)
        #expect(Self.search.findings(in: "").isEmpty)
    }
}
