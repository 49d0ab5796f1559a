import Content
import Replicate
import Testing

@testable import Rules

@Suite("Patterns of other programs")
struct ForeignPatternTests {
    struct Expression: CustomTestStringConvertible, Sendable {
        var text: String
        var search: ForeignExpression.Search
        /// Tags that the other program finds.
        var found: [String]
        /// Tags that it does not find.
        var others: [String]

        var testDescription: String { text }
    }

    static let expressions = [
        Expression(text: "latest", search: .betweenEnds, found: ["latest"], others: ["latest1", "xlatest"]),
        Expression(text: "3.9", search: .betweenEnds, found: ["3.9", "3-9"], others: ["3.90", "13.9"]),
        Expression(text: #"3\.9"#, search: .betweenEnds, found: ["3.9"], others: ["3-9"]),
        Expression(text: #"v\d+"#, search: .betweenEnds, found: ["v1", "v22"], others: ["v", "v1a"]),
        // `^a|b$` is (^a)|(b$).
        Expression(text: "v1|v2", search: .betweenEnds, found: ["v1", "v1x", "xv2", "v2"], others: ["xv1", "v2x"]),
        Expression(text: "a|b|c", search: .betweenEnds, found: ["ax", "xbx", "xc"], others: ["xa", "cx"]),
        Expression(text: "(?:v1|v2)", search: .betweenEnds, found: ["v1", "v2"], others: ["v1x", "xv2"]),
        Expression(text: "(?i)rc", search: .betweenEnds, found: ["rc", "RC"], others: ["rc1"]),
        Expression(text: "[a|b]", search: .betweenEnds, found: ["a"], others: ["ab", "c"]),
        Expression(text: #"a\|b"#, search: .betweenEnds, found: [], others: ["a", "b"]),
        Expression(text: ".*-dev$", search: .betweenEnds, found: ["1-dev"], others: ["1-dev2"]),
        Expression(text: "alpha", search: .anywhere, found: ["alpha", "1-alpha2"], others: ["alph"]),
        Expression(text: "^v3", search: .anywhere, found: ["v3", "v3.1"], others: ["xv3"]),
        Expression(text: "amd64$", search: .anywhere, found: ["amd64", "x-amd64"], others: ["amd64-1"]),
        Expression(text: #"^v1\.0$"#, search: .anywhere, found: ["v1.0"], others: ["v1.01", "v1x0"]),
        Expression(text: "^v1$|^v2$", search: .anywhere, found: ["v1", "v2"], others: ["v1x", "xv2"]),
        Expression(text: "^v1|rc$", search: .anywhere, found: ["v1", "v12", "2-rc"], others: ["xv1", "rc1"]),
        Expression(
            text: #"^v?\d+(\.\d+){0,2}(-.+)?$|^latest$"#,
            search: .anywhere,
            found: ["v1.2", "1.2.3-a", "latest"],
            others: ["latest2", "x1"]
        ),
        Expression(text: "(?i)BETA", search: .anywhere, found: ["1-beta"], others: ["1-bet"]),
        Expression(text: #"1\$"#, search: .anywhere, found: [], others: ["1", "x1"]),
        Expression(text: "", search: .anywhere, found: ["v1", "latest"], others: []),
        Expression(text: "^$", search: .anywhere, found: [], others: ["v1"]),
        Expression(text: "^(v1|v2)$", search: .anywhere, found: ["v1", "v2"], others: ["v1x", "xv2"]),
    ]

    @Test("select what the other program selects", arguments: expressions)
    func selects(_ expression: Expression) throws {
        let written = try ForeignExpression.pattern(expression.text, expression.search)
        let pattern = try TagFilter.Pattern(parsing: written.replacing("$$", with: "$"))
        for tag in expression.found { #expect(pattern.matches(try Tag(parsing: tag)), "\(written) and \(tag)") }
        for tag in expression.others { #expect(!pattern.matches(try Tag(parsing: tag)), "\(written) and \(tag)") }
    }

    @Test(
        "of versions become ranges, as regsync reads them",
        arguments: [
            ("1.2", "=1.2.0"), ("=v1.2.3", "=1.2.3"), (">1.2", ">1.2.0"), ("<=2", "<=2.0.0"), ("~1", "~1.0.0"),
            ("^0.0", "^0.0.0"), ("^1.2.3-rc1+build", "^1.2.3-rc1"), (">=1.2.3 <2.0.0", ">=1.2.3 <2.0.0"),
            ("10.0.17763.0", "=10.0.17763"), ("  >=1   <2 ", ">=1.0.0 <2.0.0"),
        ]
    )
    func regsyncVersions(_ theirs: String, _ ours: String) throws {
        let versions = try ForeignVersions(regsync: [theirs])
        #expect(versions.range == ours)
        #expect(versions.takesPrereleases)
    }

    @Test(
        "of versions are refused where regsync has another meaning",
        arguments: ["1.2.3 - 2", "!=1.2", "1.x", ">", "1.2.3.4", "latest"]
    )
    func noRegsyncVersions(_ theirs: String) {
        #expect(throws: NotTranslatable.self) { try ForeignVersions(regsync: [theirs]) }
    }

    @Test(
        "of versions become ranges, as skopeo reads them",
        arguments: [
            ("=>1.2,<2", ">=1.2 <2", []), ("=<1.2", "<=1.2", []), ("~>1.2", "~1.2", []), ("1.2.x", "1.2", []),
            ("x", "*", []),
            ("", "*", []), (">=1 !=1.5.0", ">=1", ["semver:=1.5.0"]), ("!=1.5.x", "*", ["semver:1.5"]),
            ("~0.0.0", ">=0.0.0", []),
            ("1.2 - 1.4", ">=1.2 <=1.4", []), ("^1.2||^2", "^1.2 || ^2", []), ("v1.2.3", "1.2.3", []),
        ] as [(String, String, [String])]
    )
    func skopeoVersions(_ theirs: String, _ ours: String, _ excluded: [String]) throws {
        let versions = try ForeignVersions(skopeo: theirs)
        #expect(versions.range == ours)
        #expect(versions.excluded == excluded)
        #expect(!versions.takesPrereleases)
        #expect(VersionRange(versions.range) != nil)
    }

    @Test(
        "of versions are refused where there is no equivalent",
        arguments: ["> >1", "1.2.3.4", "one", "1 -", "- 1", "!=1 || 2", ">=1-0 || 2", ">", "<*"]
    )
    func noSkopeoVersions(_ theirs: String) {
        #expect(throws: NotTranslatable.self) { try ForeignVersions(skopeo: theirs) }
    }

    @Test(
        "are evaluated in templates",
        arguments: [
            (#"a{{/* nothing */}}b"#, "ab"), (#"{{ env "A" }}/x"#, "${A}/x"), (#"{{env `A_1`}}"#, "${A_1}"),
            (#"{{ default "d" (env "A") }}"#, "${A:-d}"), (#"{{ "x" | default "d" }}"#, "x"),
            (#"{{ "" | default "d" }}"#, "d"),
            (#"{{ index (split .Sync.Source "/") 1 }}"#, "b"), (#"{{ join (split .Sync.Source "/") "-" }}"#, "a-b"),
            (#"{{ upper "a" }}{{ 3 }}"#, "A3"), (#"a$b"#, "a$$b"), (#"x {{- "y" -}} z"#, "xyz"), (#"{{ "}}" }}"#, "}}"),
            (#"{{ "a\"b" }}"#, "a\"b"),
        ]
    )
    func templates(_ template: String, _ expected: String) throws {
        #expect(try GoTemplate.text(of: template, [".Sync.Source": ForeignText("a/b")]).written == expected)
    }

    @Test(
        "are refused in templates that the file alone does not decide",
        arguments: [
            "{{", "{{ }}", "{{ env }}", "{{ env \"\" }}", "{{ env \"A}\" }}", "{{ file \"x\" }}", "{{ time.Now }}",
            "{{ $x := 1 }}",
            "{{ .Ref.Tag }}", "{{ split \"a\" \"b\" }}", "{{ index (split \"a\" \"b\") 7 }}", "{{ (env \"A\" }}",
            "{{ \"a }}",
            "{{ \"a\" \"b\" }}", "{{ env \"A\" | lower }}", "{{ default (env \"B\") (env \"A\") }}",
            "{{ default \"}\" (env \"A\") }}",
            "{{ 99999999999 }}", "{{ | env }}", "\u{F0000}", "{{ \"\u{F0001}\" }}",
            "{{ " + String(repeating: "(", count: 50) + "\"a\"" + String(repeating: ")", count: 50) + " }}",
        ]
    )
    func noTemplates(_ template: String) {
        #expect(throws: NotTranslatable.self) { try GoTemplate.text(of: template, [:]) }
    }
}
