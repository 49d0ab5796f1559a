import Content
import FoundationEssentials
import Testing

@Suite("Names")
struct NameTests {
    static let parts = "each part between slashes is lowercase letters and digits, joined by . _ __ or hyphens"

    @Test(
        "of repositories that ECR accepts",
        arguments: [
            "ab", "00", "team/app", "a/b", "a.b", "a_b", "a__b", "a-b", "a---b", "1st/2nd/3rd", "a/b/c/d/e/f",
            "x1.y2_z3__w4-v5", String(repeating: "a", count: 256), "kube-system/pause",
        ]
    )
    func repositories(text: String) throws {
        #expect(try RepositoryName(parsing: text).description == text)
    }

    @Test(
        "of repositories that ECR refuses",
        arguments: [
            "App", "a..b", "a._b", "a.-b", "a___b", "a-_b", "-a", "a-", ".a", "a.", "_a", "a_", "/a", "a/", "a//b",
            "a b", "a:b", "a@b", "a\\b", "ä/b", "a/../b", "..", "a/%2e%2e", "a\u{0}b", "a/.", "--",
        ]
    )
    func badRepositories(text: String) {
        #expect(throws: ReferenceError.malformedRepository(text, reason: Self.parts)) {
            try RepositoryName(parsing: text)
        }
    }

    @Test("of repositories have 2 to 256 characters", arguments: ["", "a", String(repeating: "a", count: 257)])
    func repositoryLengths(text: String) {
        #expect(throws: ReferenceError.malformedRepository(text, reason: "it must have 2 to 256 characters")) {
            try RepositoryName(parsing: text)
        }
    }

    @Test(
        "of tags are parsed",
        arguments: ["v", "_", "V1.2-rc_3", "0", "latest", "a..b", "a--", String(repeating: "x", count: 128)]
    )
    func tags(text: String) throws {
        #expect(try Tag(parsing: text).description == text)
        #expect(try Tag(parsing: text, as: .distribution).fits(.distribution))
    }

    @Test(
        "of tags that ECR accepts and other registries refuse",
        arguments: [
            ("-3f2a9c1", "a tag can't begin with . or -"), (".hidden", "a tag can't begin with . or -"),
            ("-", "a tag can't begin with . or -"), (".", "a tag can't begin with . or -"),
            (String(repeating: "x", count: 129), "a tag has 1 to 128 characters; this has 129"),
            (String(repeating: "-", count: 300), "a tag has 1 to 128 characters; this has 300"),
        ]
    )
    func tagsOfECR(text: String, reason: String) throws {
        let tag = try Tag(parsing: text)
        #expect(tag.description == text && tag.fits(.ecr) && !tag.fits(.distribution))
        #expect(tag.problem(in: .distribution) == reason)
        let error = ReferenceError.malformedTag(text, reason: reason)
        #expect(throws: error) { _ = try Tag(parsing: text, as: .distribution) }
        let data = try JSONEncoder().encode([tag])
        #expect(try JSONDecoder().decode([Content.Tag].self, from: data) == [tag])
    }

    @Test(
        "of tags that no registry accepts are refused with the reason",
        arguments: [
            ("", "a tag has 1 to 300 characters; this has 0"),
            (String(repeating: "x", count: 301), "a tag has 1 to 300 characters; this has 301"),
            ("1.2.6+build5", "only letters, digits and _ . - are allowed; Helm pushes this version as 1.2.6_build5"),
            ("v1+", "only letters, digits and _ . - are allowed; Helm pushes this version as v1_"),
            ("v1+é", "only letters, digits and _ . - are allowed"),
            ("v 1", "only letters, digits and _ . - are allowed"),
            ("v1/x", "only letters, digits and _ . - are allowed"),
            ("vé", "only letters, digits and _ . - are allowed"),
            ("v1\n", "only letters, digits and _ . - are allowed"),
        ]
    )
    func badTags(text: String, reason: String) {
        #expect(throws: ReferenceError.malformedTag(text, reason: reason)) { try Tag(parsing: text) }
        #expect(throws: (any Error).self) {
            _ = try JSONDecoder().decode([Content.Tag].self, from: try JSONEncoder().encode([text]))
        }
    }

    @Test("of tags are read by the grammar of their registry")
    func tagsInReferences() throws {
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
        let long = String(repeating: "y", count: 300)
        for tag in ["-x", ".x", long] {
            for place in [
                "\(host)/team/app", "team/app", "arn:aws:ecr:eu-west-1:111122223333:repository/team/app", "oci:d",
            ] {
                #expect(try ImageReference(parsing: "\(place):\(tag)").tag?.value == tag)
                #expect(try DestinationReference(parsing: "\(place):\(tag)").tag?.value == tag)
            }
            for place in ["r.example/app", "docker.io/app", "localhost:5000/app"] {
                #expect(throws: ReferenceError.self) { try ImageReference(parsing: "\(place):\(tag)") }
                #expect(throws: ReferenceError.self) { try DestinationReference(parsing: "\(place):\(tag)") }
            }
        }
    }

    @Test("of accounts are twelve digits, and keep leading zeros")
    func accounts() throws {
        #expect(try AccountID(parsing: "000000000012").description == "000000000012")
        for text in ["", "1", "11112222333", "1111222233334", "11112222333a", "+11112222333", "１１１１２２２２３３３３"] {
            #expect(throws: ReferenceError.malformedAccount(text)) { try AccountID(parsing: text) }
        }
    }

    @Test("are quoted in errors without control characters, up to a limit")
    func errorText() {
        let error = ReferenceError.malformedAccount("a\u{1B}[31m\nb\u{7F}\u{9B}c\u{202E}d\u{2028}")
        #expect("\(error)" == "'a?[31m?b??c?d?' is not an AWS account: write its 12 digits")
        let long = "\(ReferenceError.malformedDigest(String(repeating: "x", count: 100_000)))"
        #expect(
            long == "'\(String(repeating: "x", count: 200))…' is not a digest: "
                + "write sha256: and 64 lowercase hexadecimal characters"
        )
        // One character in Swift, and a hundred thousand scalars in a terminal.
        let stacked = "\(ReferenceError.malformedDigest("e" + String(repeating: "\u{301}", count: 100_000)))"
        #expect(stacked.utf8.count < 1_000)
    }
}
@Suite("Names in JSON")
struct DecodedNameTests {
    @Test("are parsed if they are well formed")
    func read() throws {
        let decoder = JSONDecoder()
        #expect(try decoder.decode([AccountID].self, from: Data(#"["000011112222"]"#.utf8))[0].value == "000011112222")
        #expect(try decoder.decode([RepositoryName].self, from: Data(#"["team/app"]"#.utf8))[0].value == "team/app")
        #expect(try decoder.decode([Content.Tag].self, from: Data(#"["v1"]"#.utf8))[0].value == "v1")
    }

    @Test(
        "are refused if they are malformed, and the error names them",
        arguments: ["../../x", "", "a/../b", "/etc", "a b", "team/app\\u001b[31m", "A/b", "a/", "%2e%2e/x"]
    )
    func refused(_ text: String) {
        #expect(refusal(of: text, as: RepositoryName.self)?.contains("is not a repository name") == true)
        #expect(refusal(of: text, as: AccountID.self)?.contains("is not an AWS account") == true)
        #expect(refusal(of: text, as: Content.Tag.self)?.contains("is not a tag") == true)
    }

    /// The quoted text in the error, without control characters.
    private func refusal<Name: Decodable>(of text: String, as _: Name.Type) -> String? {
        do {
            _ = try JSONDecoder().decode([Name].self, from: Data("[\"\(text)\"]".utf8))
        } catch DecodingError.dataCorrupted(let context) {
            #expect(!context.debugDescription.contains("\u{1B}"))
            return context.debugDescription
        } catch {}
        return nil
    }
}
