import Content
import Testing

@testable import Rules

@Suite("Importing a file that is not what it should be")
struct HostileImportTests {
    private static let secret = "hunter2-Pa$$w0rd"

    @Test("never writes a credential")
    func secrets() throws {
        let regsync = try Imported.regsync(
            """
            creds:
              - { registry: quay.io, user: \(Self.secret), pass: \(Self.secret), token: \(Self.secret), credHelper: \(Self.secret) }
              - { registry: unused.example.org, pass: \(Self.secret), clientKey: "\(Self.secret)\\n", regcert: \(Self.secret) }
              - { registry: "{{file \\"/x\\"}}", pass: \(Self.secret) }
            defaults: { hooks: { pre: { type: exec, params: [curl, \(Self.secret)] } }, pass: \(Self.secret) }
            x-pass: &pass \(Self.secret)
            passwrd: \(Self.secret)
            sync:
              - { source: quay.io/a/b, target: ghcr.io/a/b, type: image, password: *pass }
              - { source: "https://me:\(Self.secret)@quay.io/a/b", target: ghcr.io/a/c, type: image }
              - { source: "me:\(Self.secret)@quay.io/a/b", target: ghcr.io/a/d, type: image }
            """
        )
        #expect(regsync.rules.count == 1)
        let said = regsync.made.yaml + regsync.made.leftOut.map { $0.text(file: "theirs.yaml") }.joined()
        #expect(!said.contains("hunter2"), "\(said)")
        #expect(said.contains("creds[0].pass"))

        let skopeo = try Imported.skopeo(
            """
            quay.io:
              images: { a/b: [v1] }
              credentials: { username: \(Self.secret), password: \(Self.secret), identitytoken: \(Self.secret) }
              password: \(Self.secret)
            "me:\(Self.secret)@ghcr.io":
              images: { a/c: [v1] }
            """
        )
        let written = skopeo.made.yaml + skopeo.made.leftOut.map { $0.text(file: "theirs.yaml") }.joined()
        #expect(skopeo.rules.count == 1 && !written.contains("hunter2"), "\(written)")
    }

    @Test("never writes a credential into an error")
    func secretsInErrors() throws {
        for text in [
            "creds: [{ registry: quay.io, pass: [\(Self.secret)] }]\nsync: \(Self.secret)",
            "creds:\n  - pass: \(Self.secret)\nsync: [{ source: a/b }]",
            "creds: [{ registry: quay.io, pass: \(Self.secret), pass: \(Self.secret) }]\nsync: []",
            "creds: [{ pass: \"\(Self.secret) }]\nsync: []",
            "creds: [{ registry: quay.io, pass: *\(Self.secret) }]\nsync: []",
            "creds: [{ registry: quay.io, pass: *hunter2 }]\nsync: []",
            "creds: [{ registry: quay.io, pass: !hunter2 x }]\nsync: []",
            "creds: [{ registry: quay.io, hostname: \"me:\(Self.secret)@quay.io\" }]\nsync: []",
        ] {
            let problems = try importProblems(text, from: .regsync)
            #expect(!problems.isEmpty && !"\(RuleFileError(file: "f", problems: problems))".contains("hunter2"))
        }
    }

    @Test(
        "has comments that no text of the file can end",
        arguments: ["\\n", "\\r", "\\x85", "\\u2028", "\\u2029", "\\0", "\\e[2J", "\\u202E", "\\uFEFF", "\\t"]
    )
    func comments(_ escape: String) throws {
        let evil = "x\(escape)rules: []\(escape)- name: evil"
        let imported = try Imported.regsync(
            """
            "\(evil)": 1
            creds: [{ registry: quay.io, "\(evil)": 1 }, { registry: "{{file \\"\(evil)\\"}}" }]
            defaults: { "\(evil)": 1 }
            sync:
              - { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: [v1, "(\(evil)"] }, "\(evil)": 1 }
              - { source: "quay.io/a/\(evil)", target: ghcr.io/a/b, type: image }
              - { source: quay.io/a/b, target: "{{ \(evil) }}", type: image }
            """
        )
        #expect(imported.rules.count == 1)
        #expect(imported.leftOut.count == 2)
        for line in imported.made.yaml.split(separator: "\n", omittingEmptySubsequences: false) {
            #expect(
                line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.properties.generalCategory != .control },
                "\(line)"
            )
            #expect(!line.contains("\u{2028}") && !line.contains("\u{2029}") && !line.contains("\u{85}"))
            let isComment = line.drop { $0 == " " }.hasPrefix("#")
            #expect(isComment || !line.contains("evil"), "\(line)")
        }
    }

    @Test(
        "writes texts that printing does not change",
        arguments: ["\\u202E", "\\u2028", "\\uFEFF", "\\u200B", "\\u00A0", "é"]
    )
    func invisible(_ character: String) throws {
        let imported = try Imported.regsync(
            "sync: [{ source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: [\"v1\(character)\", v2] } }]"
        )
        #expect(printableLines(imported.made.yaml) == imported.made.yaml)
        #expect(imported.file.rules[0].tags.match.count == 2)
    }

    @Test("does not read a file's text as a variable of ours")
    func variables() throws {
        let imported = try Imported.regsync(
            "sync: [{ source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: ['v1$', '${HOME}'] } }]"
        )
        #expect(imported.file.rules[0].tags.match.map(\.text) == ["re:v1$", "re:${HOME}"])
        let skopeo = try Imported.skopeo("quay.io:\n  images-by-tag-regex: { a/b: '^v1$|${X:-y}' }")
        #expect(skopeo.file.rules[0].tags.match.map(\.text) == ["re:.*(?:^v1$|${X:-y}).*"])
    }

    @Test(
        "says what another kind of file looks like",
        arguments: [
            (
                "quay.io:\n  images: { a/b: [] }", RuleImport.Program.regsync, "a file of skopeo sync",
                "pass --from skopeo"
            ),
            ("version: 1\nsync: [{ source: a }]", .skopeo, "a file of regsync", "pass --from regsync"),
            (
                "rules: [{ destinations: [] }]", .regsync, "a replication configuration of ECR",
                "pass --from ecr-replication"
            ),
            ("[{ destinations: [] }]", .regsync, "a replication configuration of ECR", "pass --from ecr-replication"),
            (
                "version: 1\nregistries: {}\nrules: []", .regsync, "a rule file of ecr-replicate",
                "check it with rules expand -f FILE"
            ),
            (
                "apiVersion: v1\nkind: ConfigMap\ndata: { regsync.yml: x }", .regsync, "an object of Kubernetes",
                "write the file that is in it to a file of its own"
            ),
            (
                "relay: skopeo\ntasks: []", .regsync, "a file of dregsy",
                "write the rules by hand; docs/migrating.md has a table"
            ),
            (
                "registries: {}\nmappings: []", .skopeo, "a file of ocync",
                "write the rules by hand; docs/migrating.md has a table"
            ),
            (
                "Resources: {}", .ecrReplication, "a template of CloudFormation",
                "pass the output of aws ecr describe-registry"
            ),
        ] as [(String, RuleImport.Program, String, String)]
    )
    func otherKinds(_ text: String, _ program: RuleImport.Program, _ kind: String, _ advice: String) throws {
        let problems = try importProblems(text, from: program)
        #expect(problems.count == 1)
        #expect(problems[0].message.hasSuffix("it looks like \(kind)"), "\(problems)")
        #expect(problems[0].suggestion == advice)
        #expect(problems[0].position == FilePosition(line: 1, column: 1))
    }

    @Test("says what a file of no known kind lacks", arguments: RuleImport.Program.allCases)
    func noKind(_ program: RuleImport.Program) throws {
        for text in ["a: 1", "just a text", "- a\n- b"] {
            let problems = try importProblems(text, from: program)
            #expect(problems.count == 1 && problems[0].message.contains("it has no "), "\(problems)")
        }
    }

    @Test("refuses options of another program", arguments: RuleImport.Program.allCases)
    func options(_ program: RuleImport.Program) throws {
        let changes: [(RuleImport.Program, (inout RuleImport.Options) -> Void)] = [
            (.skopeo, { $0.destination = "a.b" }), (.skopeo, { $0.isScoped = true }), (.skopeo, { $0.suffix = "x" }),
            (.ecrReplication, { $0.region = "eu-west-1" }), (.ecrReplication, { $0.account = "111122223333" }),
        ]
        for (owner, change) in changes where owner != program {
            let fault = try #require(throws: RuleImport.OptionFault.self) {
                try Imported("a: 1", from: program, change)
            }
            #expect(fault.description.contains("is for --from \(owner.rawValue) only"))
        }
    }

    @Test("refuses what is too large, or not UTF-8")
    func bytes() throws {
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: RuleFile.largest + 1)
        for (bytes, message) in [
            (large, "the file has 4.2 MB, more than 4.2 MB"), ([0x61, 0xFF], "the file is not UTF-8"),
        ] {
            let error = try #require(throws: RuleFileError.self) {
                try RuleImport(parsing: bytes, name: "f", of: .regsync, RuleImport.Options())
            }
            #expect(error.problems.map(\.message) == [message])
        }
    }

    @Test("reads thousands of steps")
    func many() throws {
        let steps = (0..<3_000).map { number in
            "- { source: \"quay.io/a/b\(number / 10):v\(number % 10)\", target: \"ghcr.io/a/b\(number / 10):v\(number % 10)\", type: image }"
        }
        let imported = try Imported.regsync("sync:\n" + steps.joined(separator: "\n"))
        #expect(imported.made.ruleCount == 300)
        #expect(imported.file.rules.allSatisfy { $0.tags.match.count == 10 })
    }

    @Test("refuses a file that aliases make huge")
    func aliases() throws {
        let lists = (1...9).map {
            "x-\($0): &a\($0) [" + [String](repeating: "*a\($0 - 1)", count: 10).joined(separator: ", ") + "]"
        }
        let text =
            "x-0: &a0 [v1]\n" + lists.joined(separator: "\n")
            + "\nsync: [{ source: a/b, target: q.io/b, type: repository, tags: { allow: *a9 } }]"
        let problems = try importProblems(text, from: .regsync)
        #expect(problems.contains { $0.message.contains("more than 100000 values") }, "\(problems)")
    }
}
