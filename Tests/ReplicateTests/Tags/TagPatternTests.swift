import Content
import Reporting
import Testing

@testable import Replicate

@Suite("Patterns for tags")
struct TagPatternTests {
    @Test(
        "that are globs mean what they mean in a shell",
        arguments: [
            ("[0-9]*", ["1.2", "9"], ["v1", ""]), ("[!0-9]*", ["v1", "-x", ".h"], ["1", ""]),
            ("[^0-9]*", ["v1"], ["1"]), ("v[a-cX_.-]", ["va", "vX", "v_", "v.", "v-"], ["vd", "v", "vaa"]),
            ("v[0-9]", ["v0"], ["v10"]), ("[a-]x", ["ax", "-x"], ["bx"]), ("[-a]", ["-", "a"], ["b"]),
            ("[[:digit:]][[:alpha:]]", ["1a"], ["a1", "11"]), ("[![:upper:]]*", ["a"], ["A"]),
            ("{v1,latest}", ["v1", "latest"], ["v1latest", "v"]), ("v{1,2,3}*", ["v1", "v2.0", "v3-x"], ["v4"]),
            ("v1{,-debug}", ["v1", "v1-debug"], ["v1-"]), ("{,v}1", ["1", "v1"], ["vv1"]),
            ("{a,b{1,{2,3}}}", ["a", "b1", "b2", "b3"], ["b", "a1"]), ("{a}{b}", ["ab"], ["a"]), ("{}", [""], ["x"]),
            ("{[0-9]*,v?}", ["1x", "v1"], ["x", "v12"]), ("???", ["abc"], ["ab", "abcd"]),
            ("*-rc*", ["1-rc", "-rc1"], ["1-r"]), ("-*", ["-x"], ["x-"]), ("**", ["", "x"], []),
            ("*a*b*c*", ["abc", "xaybzc-"], ["acb"]),
        ]
    )
    func globs(_ pattern: String, _ inside: [String], _ outside: [String]) throws {
        try check(pattern, inside, outside)
    }

    @Test(
        "that are expressions match the whole tag",
        arguments: [
            ("re:v[0-9]+", ["v1", "v12"], ["v", "xv1", "v1x"]), ("re:^v1$", ["v1"], ["v12"]),
            ("re:a|b", ["a", "b"], ["ab"]),
            ("re:(?:a|b)+c?", ["abab", "abc"], ["c", "abcc"]), ("re:(?<n>x)(?P<m>y)", ["xy"], ["x"]),
            ("re:\\d+\\.\\d+\\.\\d+", ["1.2.3"], ["1.2", "1x2x3"]), ("re:[^-]*", ["v1.2"], ["v1-2"]),
            ("re:[\\w.]{3}", ["a.b"], ["ab", "a-b"]), ("re:x{2,}", ["xx", "xxxx"], ["x"]),
            ("re:x{0,2}y", ["y", "xxy"], ["xxxy"]),
            ("re:x{1,2}?y", ["xy", "xxy"], ["y"]), ("re:(?i)rc-(A|b)", ["RC-a", "rc-B"], ["r-a"]),
            ("re:a(?i:b)c", ["aBc", "abc"], ["ABC"]), ("re:a(?i)b|c", ["aB", "C"], ["AB"]),
            ("re:(a(?i)b)c", ["aBc"], ["aBC"]),
            ("re:a(?-i)b", ["ab"], ["aB"]), ("re:\\bx\\b.*", ["x", "x-y"], ["xy"]), ("re:x\\By", ["xy"], ["x"]),
            ("re:[[:digit:]]+", ["12"], ["a"]), ("re:[]a]", ["]", "a"], ["b"]), ("re:[a-]", ["a", "-"], ["b"]),
            ("re:a{x", ["a{x"], ["a"]), ("re:\\x41\\x{42}", ["AB"], ["ab"]), ("re:.*", ["", "x"], []),
            ("re:a||b", ["", "a"], ["ab"]),
            ("re:()*x", ["x"], [""]), ("re:(a*)*", ["", "aaa"], ["b"]), ("re:[\\D]", ["a"], ["1"]),
            ("re:[^\\D]", ["1"], ["a"]),
            ("re:(?:a{0,3}){0,3}b", ["b", "aaaaab"], ["c"]),
        ]
    )
    func expressions(_ pattern: String, _ inside: [String], _ outside: [String]) throws {
        try check(pattern, inside, outside)
    }

    @Test("in quotes are refused with what is in them", arguments: ["'v1.*'", "\"v1.*\"", "“v1.*”"])
    func pasted(pattern: String) throws {
        let error = try #require(throws: TagFilter.PatternError.self) { try TagFilter.Pattern(parsing: pattern) }
        #expect(error.remedy == "write it without quotes: v1.*")
    }

    private func check(_ text: String, _ inside: [String], _ outside: [String]) throws {
        let pattern = try TagFilter.Pattern(parsing: text)
        for tag in inside { #expect(pattern.matches(tag), "\(text) and '\(tag)'") }
        for tag in outside { #expect(!pattern.matches(tag), "\(text) and '\(tag)'") }
    }

    @Test(
        "on which a backtracking matcher would hang are matched at once",
        .timeLimit(.minutes(1)),
        arguments: [
            "re:(a+)+b", "re:(a*)*b", "re:(a|a)*b", "re:(a|aa)+b", "re:(.*)(.*)(.*)(.*)(.*)b", "re:((a?){20}a){20}b",
            "re:([a-z]+)*[0-9]", "*a*a*a*a*a*a*a*a*a*a*b", "{a,aa,aaa}{a,aa,aaa}{a,aa,aaa}*{a,a}*{a,a}*b",
        ]
    )
    func catastrophes(_ pattern: String) throws {
        let tag = try Tag(parsing: String(repeating: "a", count: 300))
        #expect(try !TagFilter.Pattern(parsing: pattern).matches(tag))
    }

    @Test(
        "that need too many steps are refused before matching",
        .timeLimit(.minutes(1)),
        arguments: [
            "re:((a{100}){100}){100}", "re:((()){1000}){1000}", "re:(((((){1000}){1000}){1000}){1000}){1000}",
            "re:" + String(repeating: "(", count: 500) + String(repeating: ")", count: 500),
            String(repeating: "{", count: 400) + String(repeating: "}", count: 400),
            "re:" + String(repeating: "a", count: 2_000), "re:a{1001}", "re:a{99999999999}",
        ]
    )
    func tooMuch(_ pattern: String) { _ = try? TagFilter.Pattern(parsing: pattern) }

    @Test(
        "that no tag can match are refused, with a suggestion",
        arguments: [
            (
                "v1,latest", "no tag can hold ','",
                "pass the option once for each pattern ('v1' and 'latest'), or write '{v1,latest}'"
            ),
            ("!latest", "no tag can hold '!'", "to leave tags out, pass --exclude 'latest'"),
            ("!v[0-9],x", "no tag can hold '!'", "to leave tags out, pass --exclude 'v[0-9],x'"),
            (
                "v1|latest", "no tag can hold '|'",
                "for a regular expression, which must match the whole tag, write 're:v1|latest'"
            ),
            (
                "^1.*$", "no tag can hold '^'",
                "for a regular expression, which must match the whole tag, write 're:^1.*$'"
            ),
            ("v1$", "no tag can hold '$'", "for a regular expression, which must match the whole tag, write 're:v1$'"),
            (
                "(a|b)", "no tag can hold '('",
                "for a regular expression, which must match the whole tag, write 're:(a|b)'"
            ),
            (
                "\\d+", "no tag can hold '\\'",
                "for a regular expression, which must match the whole tag, write 're:\\d+'"
            ),
            (
                "v1 v2", "no tag can hold a blank",
                "pass the option once for each pattern ('v1' and 'v2'), or write '{v1,v2}'"
            ),
            (" v1", "no tag can hold a blank", "pass the option once for each pattern"),
            ("[0-9],v1", "no tag can hold ','", "pass the option once for each pattern"),
            ("[a,b]", "no tag can hold ','", "pass the option once for each pattern"),
            (">=1.2", "no tag can hold '>'", "for versions, write 'semver:>=1.2'"),
            ("^1.2", "no tag can hold '^'", "for versions, write 'semver:^1.2'"),
            (">=1.2 <2", "no tag can hold '>'", "for versions, write 'semver:>=1.2 <2'"),
            ("1.2.6+build5", "no tag can hold '+'", "Helm pushes this version as '1.2.6_build5'"),
            (
                "team/app:v1", "no tag can hold '/'",
                "a pattern is a glob for the tag alone, re:EXPRESSION or semver:RANGE"
            ),
            (
                "regex:v.*", "no tag can hold ':'",
                "a pattern is a glob for the tag alone, re:EXPRESSION or semver:RANGE"
            ),
            (
                "{1..3}", "braces hold alternatives with commas between them",
                "write {1,2,3}, or [1-3] for one character"
            ),
            ("vé", "no tag can hold 'é'", "for a regular expression, which must match the whole tag, write 're:vé'"),
            (
                "a\u{202E}b", "no tag can hold '?'",
                "for a regular expression, which must match the whole tag, write 're:a?b'"
            ),
            ("[[:wrong:]]", "[:wrong:] is not a class of characters", "write [:digit:], [:alpha:] or [:alnum:]"),
            (
                "re:(?!.*-rc).*", "it is not a regular expression: (?! looks around, which is not supported",
                "to leave tags out, pass --exclude"
            ),
        ]
    )
    func suggestions(_ pattern: String, _ reason: String, _ remedy: String) throws {
        let error = try #require(throws: TagFilter.PatternError.self) { try TagFilter.Pattern(parsing: pattern) }
        #expect(error.reason == reason)
        #expect(error.remedy == remedy)
        #expect(error.description.contains("\n  next: \(remedy)"))
    }

    @Test(
        "that are not finished are refused",
        arguments: [
            "[", "[a", "[]", "[!]", "a]", "{", "{a", "{a,", "a}", "[z-a]", "[a-", "re:", "re:(", "re:)", "re:[",
            "re:[a", "re:*",
            "re:a**", "re:a+*", "re:\\", "re:\\1", "re:(?=a)", "re:(?<=a)b", "re:(?<n", "re:(?", "re:(?x)a",
            "re:\\p{L}", "re:[z-a]",
            "re:a{3,2}", "re:[[:x:]]", "semver:", "",
        ]
    )
    func unfinished(_ pattern: String) {
        #expect(throws: TagFilter.PatternError.self) { try TagFilter.Pattern(parsing: pattern) }
    }

    @Test("match names that are not tags, as a registry may list them")
    func names() throws {
        #expect(try TagFilter.Pattern(parsing: "v*").matches("v 1\n"))
        #expect(try TagFilter.Pattern(parsing: "re:v.1").matches("vé1"))
        #expect(try !TagFilter.Pattern(parsing: "semver:*").matches("1.2.3 "))
    }
}
