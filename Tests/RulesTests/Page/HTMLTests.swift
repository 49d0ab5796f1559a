import Content
import Testing

@testable import Rules

@Suite("A piece of a page")
struct HTMLTests {
    @Test(
        "escapes what could be markup, in an element and in an attribute",
        arguments: [
            ("</script><script>alert(1)</script>", "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
            (#""><img src=x onerror=alert(1)>"#, "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
            ("' onclick='x", "&#39; onclick=&#39;x"), ("a &amp; b", "a &amp;amp; b"), ("<!--", "&lt;!--"),
            ("v1.2.3", "v1.2.3"), ("größer <é>", "größer &lt;é&gt;"),
        ]
    )
    func escapes(text: String, markup: String) {
        let piece: HTML = "<b title=\"\(text)\">\(text)</b>"
        #expect(piece.markup == "<b title=\"\(markup)\">\(markup)</b>")
    }

    @Test("shows characters that are invisible or change the direction of text as question marks, and lines as one")
    func hidden() {
        let piece: HTML = "\("a\u{202E}b\u{2066}c\u{200F}d\u{0}e\u{1B}[31m\u{FEFF}f\ng")"
        #expect(piece.markup == "a?b?c?d?e?[31m?f g")
    }

    @Test("cuts a long text, and does not cut an escape")
    func long() {
        let piece: HTML = "\(String(repeating: "<", count: 10_000))"
        #expect(piece.markup == String(repeating: "&lt;", count: HTML.longestText) + "…")
    }

    @Test("inserts other pieces and numbers as they are")
    func nested() {
        let inner: HTML = "<i>\("<")</i>"
        #expect(("<b>\(inner)\(7)</b>" as HTML).markup == "<b><i>&lt;</i>7</b>")
        #expect(HTML(grouped: 1_234_567).markup == "1,234,567")
        #expect([0, 12, 999, 1_000, -4_321].map { HTML(grouped: $0).markup } == ["0", "12", "999", "1,000", "-4,321"])
        #expect(HTML(breaking: "team/a<b/c").markup == "team/<wbr>a&lt;b/<wbr>c")
    }

    @Test("shows a digest with all of it in the title and in the text")
    func digest() {
        let digest = Digest(of: [])
        #expect(HTML(digest).markup == "<code class=\"d\" title=\"\(digest)\">\(digest)</code>")
    }
}
