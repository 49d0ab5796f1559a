internal import Content
internal import FoundationEssentials

/// The style of a report.
///
/// It contains nothing from outside. The policy of the page allows this style and no other, by its hash.
enum PageStyle {
    static let hash = policyHash(of: source)
    static let text = HTML(stringLiteral: source)

    /// A text's hash as a Content-Security-Policy names it.
    ///
    /// - Source: W3C Content Security Policy Level 3, "hash-source"
    static func policyHash(of text: String) -> HTML {
        var hasher = SHA256Hasher()
        hasher.update(text.utf8)
        return HTML(stringLiteral: "sha256-\(Data(hasher.finish()).base64EncodedString())")
    }

    /// Each color has a contrast of at least 4.5 to 1 with the backgrounds on which it stands.
    ///
    /// - Source: WCAG 2.2, success criterion 1.4.3
    static let source = """

        :root {
          --ground: #ffffff; --panel: #f6f7f9; --text: #1b1f24; --quiet: #57606a; --line: #d8dde3; --accent: #0b57d0;
          --failed: #b3261e; --refused: #8a4600; --stopped: #57606a; --delete: #94215f; --move: #4c3fb5; --add: #116329;
          --skip: #57606a; --keep: #57606a; --share: #c3cbd4; --warn: #fff4e0;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            --ground: #14171b; --panel: #1c2127; --text: #e6e9ed; --quiet: #9fa9b5; --line: #333a43; --accent: #8ab4ff;
            --failed: #ff9189; --refused: #f2b45c; --stopped: #9fa9b5; --delete: #f29ccb; --move: #b3aaff; --add: #6fd08c;
            --skip: #9fa9b5; --keep: #9fa9b5; --share: #48515c; --warn: #33290f;
          }
        }
        /* What is missing is not good news. */
        .verify { --add: var(--refused); }
        .verify .verdict.add, .verify .verdict.move { color: var(--refused); }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { background: var(--ground); color: var(--text); -webkit-text-size-adjust: 100%; scroll-padding-top: 7rem; }
        body {
          margin: 0 auto; max-width: 88rem; padding: 0 1.5rem 3rem;
          font: 0.875rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
          font-variant-numeric: tabular-nums;
        }
        code { font: 0.8125rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
        a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 0.2em; }
        a:hover { text-decoration-color: currentcolor; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        h1, h2, h3, h4, p, ul, dl { margin: 0; }
        small { font-size: 0.75rem; color: var(--quiet); font-weight: 400; }
        i { font-style: normal; }

        header { padding: 2.25rem 0 1.25rem; }
        .kind { color: var(--quiet); display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 2rem; }
        h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; margin: 0.25rem 0 0.25rem; overflow-wrap: anywhere; }
        .verdict { font-size: 1.0625rem; color: var(--quiet); }
        .verdict.failed { color: var(--failed); }
        .verdict.refused { color: var(--refused); }
        .banner { margin: 0.75rem 0; padding: 0.75rem 1rem; border-left: 4px solid var(--refused); background: var(--warn); overflow-wrap: anywhere; }
        .bar { display: block; width: 100%; height: 8px; margin: 1.25rem 0 1rem; border-radius: 2px; overflow: hidden; }
        .bar .failed { fill: var(--failed); }
        .bar .refused { fill: var(--refused); }
        .bar .stopped, .bar .skip { fill: var(--quiet); }
        .bar .delete { fill: var(--delete); }
        .bar .move { fill: var(--move); }
        .bar .add { fill: var(--add); }
        .bar .keep { fill: var(--share); }

        dl { display: flex; flex-wrap: wrap; gap: 0.75rem 2.25rem; }
        dt { color: var(--quiet); font-size: 0.8125rem; }
        dd { margin: 0; color: var(--text); }
        .states dd { font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
        .states { margin-top: 1rem; }
        .states .c { white-space: normal; }
        .work { margin-top: 1rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }

        .c { white-space: nowrap; color: var(--quiet); }
        .c b { display: inline-block; min-width: 0.7em; text-align: center; font-weight: 700; }
        .c.failed, .c.failed dt, .note.failed { color: var(--failed); }
        .c.refused, .c.refused dt, .note.refused { color: var(--refused); }
        .c.delete, .c.delete dt { color: var(--delete); }
        .c.move, .c.move dt { color: var(--move); }
        .c.add, .c.add dt { color: var(--add); }
        .c.failed, .c.refused { font-weight: 600; }

        #filters {
          position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem;
          margin: 0 -1.5rem; padding: 0.625rem 1.5rem; background: var(--ground); border-block: 1px solid var(--line);
        }
        input, select, button { font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line); border-radius: 5px; padding: 0.25rem 0.5rem; }
        input { width: 14rem; }
        select { max-width: 12rem; }
        input::placeholder { color: var(--quiet); opacity: 1; }
        button { cursor: pointer; }
        button.c { background: none; border-radius: 99px; padding: 0.125rem 0.625rem; font-weight: 400; }
        button.c span { color: var(--quiet); }
        button.c.failed { color: var(--failed); }
        button.c.refused { color: var(--refused); }
        button.c.delete { color: var(--delete); }
        button.c.move { color: var(--move); }
        button.c.add { color: var(--add); }
        button[aria-pressed="true"] { border-color: currentcolor; box-shadow: inset 0 0 0 1px currentcolor; background: var(--panel); font-weight: 600; }
        .buttons { display: flex; flex-wrap: wrap; gap: 0.25rem 0.375rem; }
        #unfold { margin-left: auto; padding-block: 0.125rem; }
        #shown { flex-basis: 100%; color: var(--quiet); }
        #shown:empty { display: none; }

        h2 { font-size: 1.1875rem; line-height: 1.3; font-weight: 650; margin: 2.25rem 0 0.5rem; }
        h3 { font-size: 0.9375rem; font-weight: 650; margin: 1.25rem 0 0.375rem; overflow-wrap: anywhere; }
        h3 small { margin-left: 0.5rem; }
        h4 { display: inline; font-size: inherit; font-weight: 600; overflow-wrap: anywhere; }
        h4 .to { font-weight: 400; color: var(--quiet); }

        .problem { border-left: 3px solid var(--line); padding: 0.125rem 0 0.125rem 0.875rem; margin: 0.75rem 0 1.25rem; }
        .problem.failed { border-color: var(--failed); }
        .problem.refused { border-color: var(--refused); }
        .problem h3 { margin: 0; }
        .problem h3 code { color: var(--quiet); font-weight: 400; margin-left: 0.375rem; }
        .problem ul { padding: 0; list-style: none; }
        .problem li { padding: 0.25rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
        .problem li:first-child { border-top: 0; }
        .problem li small { display: block; }
        .next { overflow-wrap: anywhere; margin: 0.125rem 0 0.25rem; }
        .next b { font-weight: 600; color: var(--quiet); }

        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; table-layout: fixed; text-align: left; }
        table.wide { width: max-content; min-width: 100%; }
        th, td { padding: 0.3125rem 1rem 0.3125rem 0; vertical-align: top; overflow-wrap: anywhere; }
        th { font-weight: 500; }
        thead th { color: var(--quiet); font-size: 0.8125rem; font-weight: 500; vertical-align: bottom; }
        thead th small { display: block; }
        tr { border-bottom: 1px solid var(--line); }
        .changes tbody tr:last-child { border-bottom: 0; }
        tbody tr:hover { background: var(--panel); }
        .total th, .total td { font-weight: 600; }
        .total tr { background: var(--panel); }
        .matrix th:first-child { width: 26%; }
        .matrix.wide th:first-child { width: 16rem; }
        .matrix.wide th, .matrix.wide td { width: 11rem; }
        .matrix th small { display: block; line-height: 1.35; }
        .matrix td > div { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 0.375rem; }
        .matrix a { text-decoration: none; display: inline-block; }
        .matrix a:hover .c { text-decoration: underline; }
        .matrix .c { margin-right: 0.625rem; }
        .w { display: none; }
        tbody th:first-child { padding-left: 0.5rem; }
        thead th:first-child { padding-left: 0.5rem; }

        details.more { margin: 0.5rem 0; }
        details.more > summary { color: var(--quiet); padding: 0.25rem 0; }
        summary { cursor: pointer; }
        .g { border-top: 1px solid var(--line); padding: 0.375rem 0; content-visibility: auto; contain-intrinsic-size: auto 2.25rem; }
        .g > summary .c { margin-left: 0.75rem; }
        .g[open] { padding-bottom: 1rem; }
        .g .route, .g .note { padding-left: 1.125rem; overflow-wrap: anywhere; }
        .g .route { color: var(--quiet); }
        .g .route code { font-size: 0.75rem; user-select: all; -webkit-user-select: all; }
        .note { color: var(--quiet); }
        .changes { margin: 0.375rem 0 0 1.125rem; width: calc(100% - 1.125rem); }
        .changes thead th:nth-child(2) { width: 8rem; }
        .changes thead th:nth-child(3), .changes thead th:nth-child(4) { width: 12.5rem; }
        .changes thead th:nth-child(5) { width: 9rem; }
        .changes tbody th small { display: block; }
        .n { text-align: right; padding-right: 0.5rem; }
        .d {
          display: block; max-width: 19ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
          user-select: all; -webkit-user-select: all; cursor: copy;
        }
        footer { margin-top: 3rem; padding-top: 0.75rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.8125rem; }

        @media (max-width: 46rem) {
          html { scroll-padding-top: 0.5rem; }
          body { padding: 0 1rem 2rem; }
          header { padding-top: 1.25rem; }
          h1 { font-size: 1.375rem; }
          dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.75rem, 1fr)); gap: 0.5rem 0.75rem; }
          .states dd { font-size: 1.25rem; }
          #filters { position: static; margin: 0 -1rem; padding: 0.75rem 1rem; }
          #filters label.text, #filters input, #filters label.rules, #filters select { width: 100%; max-width: none; }
          input, select { font-size: 1rem; }
          button { min-height: 2rem; }
          #unfold { margin-left: 0; }
          table, tbody, tr, th, td { display: block; width: auto !important; }
          table.wide { min-width: 0; width: auto; }
          thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
          tr { padding: 0.5rem 0; }
          tbody th, tbody td, tbody th:first-child { padding: 0.0625rem 0; }
          .total tr { padding: 0.5rem; }
          .matrix tbody th { font-weight: 600; padding-bottom: 0.25rem; }
          .matrix td { display: grid; grid-template-columns: 9.5rem 1fr; }
          .matrix td { padding: 0.125rem 0; }
          .matrix td > div { grid-column: 2; }
          .w { display: block; grid-column: 1; grid-row: 1; color: var(--quiet); font-size: 0.75rem; padding-right: 0.5rem; font-weight: 400; line-height: 1.75; }
          td:empty { display: none; }
          .changes { margin-left: 0; width: 100%; }
          .changes tr { display: grid; grid-template-columns: 1fr auto; gap: 0 0.75rem; }
          .changes td:nth-child(3)::before { content: "before"; min-width: 3rem; }
          .changes td:nth-child(4)::before { content: "after"; min-width: 3rem; }
          .verify .changes td:nth-child(3)::before { content: "destination"; min-width: 5rem; }
          .verify .changes td:nth-child(4)::before { content: "source"; min-width: 5rem; }
          .changes td:nth-child(3)::before, .changes td:nth-child(4)::before { color: var(--quiet); font-size: 0.75rem; }
          .changes td:nth-child(3), .changes td:nth-child(4) { display: flex; align-items: baseline; grid-column: 1 / -1; }
          .changes td:nth-child(3):empty, .changes td:nth-child(4):empty { display: none; }
          .changes td:nth-child(5) { grid-column: 1 / -1; text-align: left; color: var(--quiet); font-size: 0.75rem; }
          .g .route, .g .note { padding-left: 0; }
          .g > summary .c { margin-left: 0; margin-right: 0.5rem; }
          .g > summary h4 { display: inline; }
        }

        @media print {
          @page { margin: 14mm 12mm; }
          html { font-size: 9.5pt; }
          body { max-width: none; padding: 0; }
          header { padding-top: 0; }
          #filters { display: none; }
          .scroll { overflow: visible; }
          .matrix.wide { width: 100%; }
          .matrix.wide th, .matrix.wide td { width: auto; }
          thead { display: table-header-group; }
          tr, li, .banner { break-inside: avoid; }
          h2, h3, summary { break-after: avoid; }
          a { text-decoration: none; }
          .d { max-width: none; white-space: normal; overflow-wrap: anywhere; font-size: 6pt; line-height: 1.25; }
          .changes thead th:nth-child(2) { width: 5.5rem; }
          .changes thead th:nth-child(5) { width: 6rem; }
          .g { content-visibility: visible; }
          svg, .total tr { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
        }

        """
}
