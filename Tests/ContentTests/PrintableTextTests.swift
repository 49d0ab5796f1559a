import Content
import Testing

@Suite("Remote text that is shown")
struct PrintableTextTests {
    /// Characters that must never reach a terminal, by kind.
    static let hidden: [(String, String)] = [
        ("NUL", "\u{0}"), ("escape", "\u{1B}[31m"), ("alert", "\u{7}"), ("backspace", "\u{8}"), ("delete", "\u{7F}"),
        ("C1 control sequence", "\u{9B}31m"), ("next line", "\u{85}"), ("line separator", "\u{2028}"),
        ("paragraph separator", "\u{2029}"), ("right-to-left override", "\u{202E}"), ("embedding", "\u{202A}"),
        ("isolate", "\u{2066}"), ("right-to-left mark", "\u{200F}"), ("Arabic letter mark", "\u{61C}"),
        ("zero-width space", "\u{200B}"), ("zero-width joiner", "\u{200D}"), ("word joiner", "\u{2060}"),
        ("byte order mark", "\u{FEFF}"), ("soft hyphen", "\u{AD}"), ("tag character", "\u{E0041}"),
        ("Hangul filler", "\u{3164}"), ("variation selector", "\u{FE0F}"), ("variation selector 256", "\u{E01EF}"),
        ("Mongolian variation selector", "\u{180B}"), ("combining grapheme joiner", "\u{34F}"),
        ("private use", "\u{E000}"), ("interlinear annotation", "\u{FFF9}"),
    ]

    @Test("has no control, format or other invisible characters", arguments: hidden)
    func invisible(_ kind: String, _ text: String) {
        let forbidden = Set(text.unicodeScalars.prefix(1))
        for shown in [printable("a\(text)b"), quotable("a\(text)b"), printableLines("a\(text)b\nc")] {
            #expect(forbidden.isDisjoint(with: shown.unicodeScalars), "\(kind)")
            #expect(shown.first == "a" && shown.contains("b"), "\(kind)")
        }
        let document = printableJSON(#"{"a":"\#(text)"}"#)
        #expect(document.unicodeScalars.allSatisfy { $0.value < 0x7F || !forbidden.contains($0) }, "\(kind)")
    }

    @Test("is one line with single blanks as prose, and keeps its length as a name")
    func shapes() {
        #expect(printable(" a\r\n\tb  c\u{A0}\u{3000}d \u{1B}[1m\n") == "a b c d [1m")
        #expect(quotable("a\r\n\tb  c\u{202E}d ") == "a???b  c?d ")
        #expect(printableLines("a\u{202E}\n  next: b\n") == "a?\n  next: b\n")
        #expect(printable("") == "")
        #expect(printable("\u{200B}\n") == "")
    }

    @Test("keeps ordinary text", arguments: ["größer", "Việt", "e\u{301}", "שָׁלוֹם", "日本語", "→ ∑ ½", "👍"])
    func kept(_ text: String) {
        #expect(printable(text) == text)
        #expect(quotable(text) == text)
        #expect(printableJSON(text) == text)
    }

    @Test("has few combining marks on a character, and none without a character")
    func marks() {
        let stacked = printable("e" + String(repeating: "\u{301}", count: 100_000) + "x")
        #expect(stacked.unicodeScalars.count == 6)
        #expect(stacked.hasSuffix("x"))
        #expect(printable("\u{301}\u{20DD}a") == "a")
        #expect(quotable(" \u{336}a") == " a")
    }

    @Test("is cut after a whole character, at 1 KiB by default")
    func cut() {
        #expect(longestPrintable == 1_024)
        #expect(printable(String(repeating: "x", count: 1_024)).utf8.count == 1_024)
        #expect(printable(String(repeating: "x", count: 1_025)) == String(repeating: "x", count: 1_024) + "…")
        // Characters of 3 bytes each, and one of 8 bytes in two parts.
        #expect(printable(String(repeating: "日", count: 100_000)) == String(repeating: "日", count: 341) + "…")
        #expect(printable(String(repeating: "🇩🇪", count: 4), upTo: 20) == "🇩🇪🇩🇪…")
        #expect(quotable("éé", upTo: 3) == "é…")
        #expect(printable("e\u{301}e\u{301}", upTo: 4) == "e\u{301}…")
        for count in 0..<20 {
            let shown = printable(String(repeating: "\u{301}日\u{200B}é\n", count: 50), upTo: count)
            #expect(shown.utf8.count <= count + 3)
        }
    }

    @Test("in JSON is the same for a parser, and escaped for a terminal")
    func json() {
        #expect(printableJSON(#"{"a":"x\#u{202E}y\#u{E0041}"}"#) == #"{"a":"x\u202ey\udb40\udc41"}"#)
        #expect(printableJSON(#"{"a":"\#u{9B}"}"#) == #"{"a":"\u009b"}"#)
        #expect(
            printableJSON("[\"e" + String(repeating: "\u{301}", count: 6) + "\"]")
                == "[\"e" + String(repeating: "\u{301}", count: 4) + "\\u0301\\u0301\"]"
        )
        #expect(printableJSON("{\n  \"a\" : \"é\"\n}") == "{\n  \"a\" : \"é\"\n}")
    }
}
