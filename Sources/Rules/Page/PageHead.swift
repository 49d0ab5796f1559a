internal import AWSIdentity
internal import Content
internal import FoundationEssentials

/// What stands at the top of a report and at its end.
struct PageHead {
    let facts: ReportPage.Facts
    let end: ReportPage.End
    let counts: PageCounts
    let totals: OutcomeTotals
    /// The number of source repositories.
    let repositories: Int
    let rules: [(place: Int, name: String)]

    private var title: String {
        let verb =
            switch facts.command {
            case .plan: "Plan"
            case .sync: "Sync"
            case .verify: "Verification"
            }
        return "\(verb) of \(facts.subject)"
    }

    var html: HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '\(PageStyle.hash)'; script-src '\(PageScript.hash)'; base-uri 'none'; form-action 'none'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <title>\(title)</title>
        <style>\(PageStyle.text)</style>
        </head>
        <body class="\(facts.command.rawValue)">
        <header>
        <p class="kind">ecr-replicate \(facts.command.rawValue) <time datetime="\(started)">\(shownStart)</time></p>
        <h1>\(title)</h1>
        \(banner)<p class="verdict \(HTML(stringLiteral: worst.rawValue))">\(verdict)</p>
        \(bar)\(stateFigures)\(workFigures)</header>
        \(filters)<main>

        """
    }

    var foot: HTML {
        """
        </main>
        <footer><p>Written by ecr-replicate \(facts.version). Exit status \(end.exitCode). Digests are shortened; a selection copies all of one. --output json has every image.</p></footer>
        <script>\(PageScript.text)</script>
        </body>
        </html>

        """
    }

    private var started: String { AWSTime.extended(facts.started) }
    private var shownStart: String { "\(started.replacing("T", with: " ").dropLast()) UTC" }

    /// The state that matters most, for the color of the verdict.
    private var worst: PageState { counts.states.first { $0 != .skip && $0 != .keep } ?? .keep }

    private var banner: HTML {
        let repositories = "\(HTML(grouped: repositories).markup) \(repositories == 1 ? "repository" : "repositories")"
        switch end.kind {
        case .whole: return ""
        case .interrupted(let signal):
            return """
                <div class="banner"><p><b>Interrupted by \(signal) after \(repositories).</b> The rest is missing here. What had arrived stays, and the next run does the rest.</p></div>

                """
        case .failed(let text, let remedy):
            let next = remedy.map { "<p class=\"next\"><b>next:</b> \($0)</p>" as HTML } ?? ""
            return """
                <div class="banner"><p><b>The run failed after \(repositories).</b> The rest is missing here.</p><p>\(text)</p>\(next)</div>

                """
        }
    }

    /// The result in a sentence.
    private var verdict: HTML {
        let changes = counts[.add] + counts[.move] + counts[.delete]
        let tags: HTML =
            "\(HTML(grouped: changes)) of \(HTML(grouped: counts.total)) \(counts.total == 1 ? "tag" : "tags")"
        let one = changes == 1
        var parts: [HTML] = []
        if changes > 0 {
            switch facts.command {
            case .plan: parts.append("\(tags) would change")
            case .sync: parts.append("\(tags) changed")
            case .verify: parts.append("\(tags) \(one ? "differs" : "differ") at the destination")
            }
        } else if totals.repositoriesToCreate > 0 {
            parts.append("repositories \(facts.command == .sync ? "were created" : "would be created")")
        }
        for state in [PageState.refused, .failed, .stopped] where counts[state] > 0 {
            parts.append("\(HTML(grouped: counts[state])) \(state.words(of: facts.command))")
        }
        if parts.isEmpty {
            if counts.total == 0 { return "Nothing was selected." }
            return switch facts.command {
            case .plan: "Nothing to do: all that is selected is in sync."
            case .sync: "Nothing had to be done: all that is selected is in sync."
            case .verify: "No difference: the destinations hold all that is selected."
            }
        }
        return parts.joined(separator: ", ") + "."
    }

    /// A bar with the share of each state; its numbers follow as text.
    private var bar: HTML {
        guard counts.total > 0 else { return "" }
        let width = 1_000.0
        // What occurs must be visible, however seldom it is.
        let least = 6.0
        let states = PageState.allCases.reversed().filter { counts[$0] > 0 }
        let sizes = states.map { max(least, width * Double(counts[$0]) / Double(counts.total)) }
        let sum = sizes.reduce(0, +)
        var position = 0.0
        var parts: [HTML] = []
        for (state, size) in zip(states, sizes) {
            let end = position + size * width / sum
            let (from, to) = (Int(position.rounded()), Int(end.rounded()))
            parts.append(
                "<rect class=\"\(HTML(stringLiteral: state.rawValue))\" x=\"\(from)\" y=\"0\" width=\"\(max(1, to - from - (to < Int(width) ? 2 : 0)))\" height=\"8\"/>"
            )
            position = end
        }
        return """
            <svg class="bar" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">\(parts.joined())</svg>

            """
    }

    private var stateFigures: HTML {
        let states = counts.states.map { state -> HTML in
            """
            <div class="c \(HTML(stringLiteral: state.rawValue))"><dt><b aria-hidden="true">\(state.mark)</b> \(state.words(of: facts.command))</dt><dd>\(HTML(grouped: counts[state]))</dd></div>
            """
        }
        let repositories: HTML = "<div><dt>repositories</dt><dd>\(HTML(grouped: repositories))</dd></div>"
        let created: HTML? =
            totals.repositoriesToCreate > 0
            ? "<div class=\"c add\"><dt><b aria-hidden=\"true\">+</b> \(facts.command == .sync ? "repositories created" : "repositories to create")</dt><dd>\(HTML(grouped: totals.repositoriesToCreate))</dd></div>"
            : nil
        return
            "<dl class=\"states\">\n\(([repositories, created].compactMap { $0 } + states).joined(separator: "\n"))\n</dl>\n"
    }

    private var workFigures: HTML {
        let work = totals.work
        var figures: [(String, String)] = []
        switch facts.command {
        case .plan:
            figures.append(("bytes to move", "\(ByteCount(work.bytes))"))
            if work.bytesThere > 0 { figures.append(("there already", "\(ByteCount(work.bytesThere))")) }
            if work.bytesMountable > 0 { figures.append(("to mount", "\(ByteCount(work.bytesMountable))")) }
            if work.requests > 0 {
                figures.append(("requests to carry out", "about \(HTML(grouped: work.requests).markup)"))
            }
            if let estimate = end.estimate, work.bytes > 0 || work.requests > 0 {
                figures.append(("estimate", estimate.text))
            }
            figures.append(("requests to plan", HTML(grouped: end.requests).markup))
            figures.append(("planned in", Self.time(end.seconds)))
        case .sync:
            figures.append(("bytes moved", "\(ByteCount(work.bytes))"))
            figures.append(("requests", HTML(grouped: end.requests).markup))
            figures.append(("time", Self.time(end.seconds)))
        case .verify:
            figures.append(("differences", HTML(grouped: totals.differences).markup))
            if totals.repaired > 0 { figures.append(("repaired", HTML(grouped: totals.repaired).markup)) }
            figures.append(("requests", HTML(grouped: end.requests).markup))
            figures.append(("time", Self.time(end.seconds)))
        }
        let items = figures.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as HTML }
        return "<dl class=\"work\">\n\(items.joined(separator: "\n"))\n</dl>\n"
    }

    static func time(_ seconds: Double) -> String {
        guard seconds >= 90 else { return "\((seconds * 10).rounded() / 10) s" }
        let minutes = Int((seconds / 60).rounded())
        return minutes < 90 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// The filters, which only the script shows.
    private var filters: HTML {
        let buttons = counts.states.map { state -> HTML in
            """
            <button type="button" aria-pressed="false" data-state="\(HTML(stringLiteral: state.rawValue))" class="c \(HTML(stringLiteral: state.rawValue))"><b aria-hidden="true">\(state.mark)</b> \(state.words(of: facts.command)) <span>\(HTML(grouped: counts[state]))</span></button>
            """
        }
        let options = rules.map { "<option value=\"\($0.place)\">\($0.name)</option>" as HTML }
        let choice: HTML =
            rules.count > 1
            ? "<label class=\"rules\"><select name=\"rule\" aria-label=\"Rule\"><option value=\"\">all rules</option>\(options.joined())</select></label>\n"
            : ""
        return """
            <form id="filters" role="search" aria-label="Filter this page" hidden>
            <label class="text"><input name="text" type="search" aria-label="Repository, tag, digest or text" placeholder="repository, tag, digest" autocomplete="off" spellcheck="false"></label>
            \(choice)<div class="buttons" role="group" aria-label="States">\(buttons.joined(separator: "\n"))</div>
            <button type="button" id="unfold" aria-pressed="false">unfold all</button>
            <output id="shown" role="status"></output>
            </form>

            """
    }
}
