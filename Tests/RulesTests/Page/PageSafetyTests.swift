import Content
import FoundationEssentials
import TestPrograms
import Testing

@testable import Rules

/// What a browser makes of a page whose texts come from a hostile registry; InteropTests asks a real one.
@Suite("A report about a hostile registry")
struct PageSafetyTests {
    private static let hostile = [
        "</script><script>alert(1)</script>", #""><img src=x onerror=alert(1)>"#, "'-alert(1)-'", "</style><b>",
        "--><svg onload=alert(1)>", "]]>", "javascript:alert(1)", "\u{202E}evil\u{2066}", "&lt;b&gt;", "</title>",
        String(repeating: "<a href=x>", count: 1_000),
    ]

    /// Puts a hostile text wherever a text can be.
    private func page(_ text: String) async throws -> String {
        var problem = OutcomeProblem(reason: text, text, remedy: text, kind: .failed)
        problem.requestID = text
        var image = try PageSample.image("v1", .move, state: .failed(problem), reason: text)
        image.notes = [text]
        image.leftOut = [problem]
        var moved = try PageSample.image("v2", .move, reason: text)
        moved.notes = [text]
        var outcome = try PageSample.outcome("team/app", keep: 1, [image, moved])
        outcome.rule = text
        outcome.notes = [text]
        outcome.template = text
        outcome.problems = [problem]
        outcome.creates = true
        var other = try PageSample.outcome("team/app", rule: 1, keep: 1)
        other.rule = text
        let facts = ReportPage.Facts(.sync, of: text, version: text, started: PageSample.facts.started)
        return try await withScratchDirectory { directory in
            try PageSample.page(
                [outcome, other],
                in: directory,
                facts,
                .init(.failed(text, remedy: text), exitCode: 1, requests: 1, seconds: 1)
            )
        }
    }

    /// The tags and attributes that a page uses.
    private static let known: [String: Set<String>] = [
        "html": ["lang"], "head": [], "meta": ["charset", "http-equiv", "content", "name"], "title": [], "style": [],
        "body": ["class"], "header": [], "main": [], "footer": [], "p": ["class", "data-s"], "time": ["datetime"],
        "h1": [],
        "h2": ["id"], "h3": ["id"], "h4": ["id"], "b": ["aria-hidden"], "i": [], "small": [], "wbr": [],
        "div": [
            "class", "tabindex", "role", "aria-label",
        ], "span": ["class"], "code": ["class", "title"], "a": ["href"], "dl": ["class"], "dt": [], "dd": [],
        "svg": ["class", "viewBox", "preserveAspectRatio", "aria-hidden"],
        "rect": ["class", "x", "y", "width", "height"],
        "section": ["class", "id", "data-r", "aria-labelledby"], "ul": [], "li": ["data-s", "data-r"],
        "table": ["class", "aria-labelledby"], "thead": [], "tbody": ["class"], "tr": ["data-s"],
        "th": ["scope", "class"], "td": ["class"], "details": ["class", "id", "open"], "summary": [],
        "form": ["id", "role", "aria-label", "hidden"], "label": ["class"],
        "input": ["name", "type", "aria-label", "placeholder", "autocomplete", "spellcheck"],
        "select": ["name", "aria-label"], "option": ["value"],
        "button": ["type", "id", "class", "aria-pressed", "data-state"], "output": ["id", "role"], "script": [],
    ]

    @Test("has only the tags and attributes of any other page", arguments: hostile)
    func markup(_ text: String) async throws {
        let page = try await page(text)
        let markup = PageMarkup(page)
        #expect(markup.faults.isEmpty, "\(markup.faults.prefix(3))")
        for tag in markup.tags {
            guard let attributes = Self.known[tag.name] else {
                Issue.record("an unknown tag: \(tag)")
                continue
            }
            #expect(attributes.isSuperset(of: tag.attributes.keys), "\(tag)")
        }
        #expect(markup.tags.count { $0.name == "script" } == 1)
        #expect(markup.tags.count { $0.name == "style" } == 1)
        // The page's own structure is that of a page with harmless texts.
        let harmless = PageMarkup(try await self.page("harmless")).tags.map(\.name)
        #expect(markup.tags.map(\.name) == harmless)
        for link in markup.tags.compactMap({ $0.attributes["href"] }) {
            #expect(link.hasPrefix("#c") && Int(link.dropFirst(2)) != nil, "\(link)")
        }
        #expect(!page.unicodeScalars.contains { [0x202E, 0x2066].contains($0.value) })
    }

    @Test("allows its own style and script by their hashes, and nothing else")
    func policy() async throws {
        let page = try await page("harmless")
        let policy = try #require(
            PageMarkup(page).tags.first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
        )
        func hash(_ name: String) throws -> String {
            let start = try #require(page.range(of: "<\(name)>")).upperBound
            let end = try #require(page[start...].range(of: "</\(name)>")).lowerBound
            var hasher = SHA256Hasher()
            hasher.update(page[start..<end].utf8)
            return "'sha256-\(Data(hasher.finish()).base64EncodedString())'"
        }
        #expect(
            try policy.attributes["content"] == """
                default-src 'none'; style-src \(hash("style")); script-src \(hash("script")); base-uri 'none'; form-action 'none'
                """
        )
        for word in ["url(", "@import"] { #expect(!PageStyle.source.contains(word)) }
    }

    @Test("has a contrast of at least 4.5 to 1 in light and dark")
    func contrast() throws {
        let parts = PageStyle.source.components(separatedBy: ":root {")
        let schemes = parts.dropFirst().map { part -> [String: Double] in
            var colors: [String: Double] = [:]
            for declaration in part.prefix(while: { $0 != "}" }).split(separator: ";") {
                let sides = declaration.split(separator: ":").map { $0.filter { !$0.isWhitespace } }
                guard sides.count == 2, sides[1].hasPrefix("#") else { continue }
                colors[sides[0]] = Self.luminance(sides[1].dropFirst())
            }
            return colors
        }
        #expect(schemes.count == 2)
        for colors in schemes {
            #expect(colors.count >= 15)
            for ground in ["--ground", "--panel", "--warn"] {
                let back = try #require(colors[ground])
                for name in ["text", "quiet", "failed", "refused", "stopped", "delete", "move", "add", "skip", "keep"] {
                    let front = try #require(colors["--\(name)"])
                    let ratio = (max(front, back) + 0.05) / (min(front, back) + 0.05)
                    #expect(ratio >= 4.5, "\(name) on \(ground): \(ratio)")
                }
            }
        }
    }

    /// - Source: WCAG 2.2, "relative luminance"
    private static func luminance(_ hex: some StringProtocol) -> Double {
        let value = Int(hex, radix: 16) ?? 0
        let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { part -> Double in
            let share = Double(part) / 255
            return share <= 0.04045 ? share / 12.92 : power((share + 0.055) / 1.055)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    /// `base` to the power of 2.4, which is its square times the square of its fifth root.
    private static func power(_ base: Double) -> Double {
        var root = base
        for _ in 0..<60 { root -= (root * root * root * root * root - base) / (5 * root * root * root * root) }
        return base * base * root * root
    }
}
