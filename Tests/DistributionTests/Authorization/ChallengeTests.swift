import Distribution
import TestInputs
import Testing

@Suite("Challenges", .timeLimit(.minutes(1)))
struct ChallengeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fields: [String]
        var challenges: [AuthenticationChallenge]
        var testDescription: String { fields.joined(separator: " / ") }

        init(_ fields: String..., is challenges: (String, [String: String])...) {
            self.fields = fields
            self.challenges = challenges.map { AuthenticationChallenge(scheme: $0.0, parameters: $0.1) }
        }
    }

    private static let hub = ["realm": "https://auth.docker.io/token", "service": "registry.docker.io"]

    static let cases = [
        Case(#"Basic realm="tests""#, is: ("basic", ["realm": "tests"])),
        Case(
            #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#,
            is: ("bearer", hub)
        ),
        Case(
            #"BEARER Realm="https://auth.docker.io/token" , SERVICE = "registry.docker.io""#,
            is: ("bearer", hub)
        ),
        Case(
            #"Bearer realm="https://a/t",scope="repository:a/b:pull,push repository:c/d:pull",error="invalid_token""#,
            is: (
                "bearer",
                [
                    "realm": "https://a/t", "scope": "repository:a/b:pull,push repository:c/d:pull",
                    "error": "invalid_token",
                ]
            )
        ),
        // Several in one field, and a comma that separates them as it separates parameters.
        Case(
            #"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
            is: ("newauth", ["realm": "apps", "type": "1", "title": #"Login to "apps""#]),
            ("basic", ["realm": "simple"])
        ),
        Case(#"Negotiate, Basic realm="x""#, is: ("negotiate", [:]), ("basic", ["realm": "x"])),
        Case("Negotiate YIIJvw/YJ+KoZI==, Basic", is: ("negotiate", [:]), ("basic", [:])),
        Case("Negotiate YIIJvw,Digest qop=\"a,b\"", is: ("negotiate", [:]), ("digest", ["qop": "a,b"])),
        Case("Basic", #"Bearer realm="r""#, is: ("basic", [:]), ("bearer", ["realm": "r"])),
        Case(",, ,Basic realm=x,,", is: ("basic", ["realm": "x"])),
        Case(#"Basic realm="first", realm="second""#, is: ("basic", ["realm": "first"])),
        Case(#"Basic realm="""#, is: ("basic", ["realm": ""])),
        // Malformed, but sent by some servers.
        Case(
            "Bearer realm=https://a.example/t,service=s",
            is: ("bearer", ["realm": "https://a.example/t", "service": "s"])
        ),
        Case(#"Bearer realm="r" service="s""#, is: ("bearer", ["realm": "r", "service": "s"])),
        Case(
            #"Basic realm="unfinished, Bearer realm="r""#,
            is: ("basic", ["realm": "unfinished, Bearer realm="]),
            ("r", [:])
        ),
        Case(#"Basic realm="never ends"#, is: ("basic", [:])),
        Case(#"Bearer ///, realm="r""#, is: ("bearer", ["realm": "r"])),
        Case(#"realm="stray", Basic"#, is: ("basic", [:])),
        Case("Basic", #"realm="stray""#, is: ("basic", [:])),
        Case("", "   ", ",", "=", "\"", #""a, b""#),
    ]

    @Test("are parsed", arguments: cases)
    func read(_ wanted: Case) {
        #expect(AuthenticationChallenge.parse(wanted.fields) == wanted.challenges)
    }

    @Test("are parsed in any spelling", arguments: 0..<4)
    func spelled(seed: Int) {
        var random = Seeded(UInt64(seed))
        for _ in 0..<500 {
            let wanted = (0..<Int.random(in: 1...4, using: &random)).map { _ in challenge(using: &random) }
            let fields = spell(wanted, using: &random)
            #expect(AuthenticationChallenge.parse(fields) == wanted, "\(fields)")
        }
    }

    @Test("of random text are parsed to the end, within the limits", arguments: 0..<8)
    func anything(seed: Int) {
        var random = Seeded(UInt64(1_000 + seed))
        let pieces = [
            "Bearer", "Basic ", "realm", "=", "\"", "\\", ",", " ", "\t", "==", "a/b+c", "é", "\u{0}", "scope=\"x y\"",
            "(",
        ]
        for _ in 0..<1_000 {
            let field = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let found = AuthenticationChallenge.parse([field.joined()])
            #expect(found.allSatisfy { !$0.scheme.isEmpty && $0.scheme == $0.scheme.lowercased() })
        }
        reportCases("fuzz, WWW-Authenticate", 1_000)
        let many = String(repeating: "Basic a=1, ", count: 5_000)
        #expect(AuthenticationChallenge.parse([many, many]).count == AuthenticationChallenge.mostChallenges)
        let long = "Basic " + (0..<5_000).map { "a\($0)=1" }.joined(separator: ",")
        #expect(AuthenticationChallenge.parse([long]).first?.parameters.count == AuthenticationChallenge.mostParameters)
    }

    private func challenge(using random: inout Seeded) -> AuthenticationChallenge {
        let schemes = ["basic", "bearer", "x-own", "digest"]
        var challenge = AuthenticationChallenge(scheme: schemes.randomElement(using: &random) ?? "")
        for name in ["realm", "service", "scope", "error"] where Bool.random(using: &random) {
            let letters = Array("abc:/,=\"\\ .é;")
            let length = Int.random(in: 0...12, using: &random)
            challenge.parameters[name] = String((0..<length).map { _ in letters.randomElement(using: &random) ?? "a" })
        }
        return challenge
    }

    private func spell(_ challenges: [AuthenticationChallenge], using random: inout Seeded) -> [String] {
        var fields = [""]
        for challenge in challenges {
            if !fields[fields.count - 1].isEmpty {
                if Bool.random(using: &random) { fields.append("") } else { fields[fields.count - 1] += " ," }
            }
            let scheme = Bool.random(using: &random) ? challenge.scheme.uppercased() : challenge.scheme
            let parameters = challenge.parameters.map { name, value in
                let plain = value.utf8.allSatisfy { (97...122).contains($0) } && !value.isEmpty
                let quoted = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                let blank = Bool.random(using: &random) ? " " : ""
                return "\(name)\(blank)=\(blank)" + (plain && Bool.random(using: &random) ? value : "\"\(quoted)\"")
            }
            fields[fields.count - 1] += "\(scheme) " + parameters.joined(separator: ", ")
        }
        return fields
    }
}
