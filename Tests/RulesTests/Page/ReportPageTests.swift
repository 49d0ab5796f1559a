import Content
import FoundationEssentials
import Platform
import Replicate
import TestPrograms
import Testing

@testable import Rules

@Suite("A report")
struct ReportPageTests {
    private func page(
        _ outcomes: [RepositoryOutcome],
        _ facts: ReportPage.Facts = PageSample.facts,
        _ end: ReportPage.End = .init(.whole, exitCode: 2, requests: 42, seconds: 3.25)
    ) async throws -> String {
        try await withScratchDirectory { try PageSample.page(outcomes, in: $0, facts, end) }
    }

    private func part(_ page: String, from start: String, to end: String) throws -> String {
        let from = try #require(page.range(of: start), "no \(start)")
        let to = try #require(page[from.upperBound...].range(of: end), "no \(end)")
        return String(page[from.lowerBound..<to.lowerBound])
    }

    @Test("has the counts of each repository at each destination")
    func matrix() async throws {
        let page = try await page(try PageSample.mixed())
        let row = try part(page, from: "<tr data-s=\"failed keep\"><th scope=\"row\">team/<wbr>worker", to: "</tr>")
        let cells = row.split(separator: "<td>").dropFirst()
        #expect(cells.count == 2)
        #expect(cells.first?.contains("<b aria-hidden=\"true\">=</b> 41 <i>in sync</i>") == true, "\(row)")
        #expect(cells.last?.contains("<b aria-hidden=\"true\">×</b> 1 <i>failed</i>") == true, "\(row)")
        #expect(cells.last?.contains("<b aria-hidden=\"true\">=</b> 40 <i>in sync</i>") == true, "\(row)")
        #expect(cells.last?.contains("→ prod/<wbr>team/<wbr>worker") == true, "\(row)")
        #expect(page.contains("<th scope=\"col\">eu-west-1<small>444455556666</small></th>"))
        #expect(page.contains("10 of 1,053 tags would change, 1 refused, 2 failed."))
        #expect(page.contains("<dt>repositories</dt><dd>9</dd>"))
    }

    @Test("has each error with its remedy and the service's request id")
    func problems() async throws {
        let page = try await page(try PageSample.mixed())
        let problems = try part(page, from: "<section id=\"problems\"", to: "<section id=\"repositories\"")
        for text in [
            "prod/team/worker:v7: not allowed to ecr:PutImage", "request 0f1d6c1e-7b2c-4a1f-9a55-1f4c1a2b3c4d",
            "<b>next:</b> grant ecr:PutImage to arn:aws:iam::444455556666:role/promoter",
            "prod/team/api:v2.4.1 is immutable and holds another image", "<b>next:</b> copy to a new tag",
            "base/debian: the repository does not exist", "<b>next:</b> create it, or exclude it from the rule",
        ] { #expect(problems.contains(text), "\(text)") }
        let order = try ["repositoryMissing", "denied", "tagImmutable"].map {
            try #require(problems.range(of: "<code>\($0)</code>")).lowerBound
        }
        #expect(order == order.sorted(), "failures come before refusals")
    }

    @Test("says the remedy of many errors once, and folds what is beyond ten")
    func grouped() async throws {
        let images = try (0..<40).map { number in
            try PageSample.image(
                "v\(number)",
                .refuse,
                state: .refused([
                    OutcomeProblem(reason: "tagImmutable", "v\(number) is immutable", remedy: "use a new tag")
                ])
            )
        }
        let page = try await page([try PageSample.outcome("team/app", images)])
        #expect(page.ranges(of: "<b>next:</b> use a new tag").count == 1)
        #expect(page.contains("</b> 40 <i>refused</i></span> <code>tagImmutable</code>"))
        #expect(page.contains("<summary>30 more</summary>"))
        for number in 0..<40 { #expect(page.contains(">v\(number) is immutable<small>")) }
    }

    @Test("has the digests of each changed tag before and after")
    func changes() async throws {
        let page = try await page(try PageSample.mixed())
        let image = try PageSample.image("stable", .move)
        let row = try part(page, from: "<tr data-s=\"move\"><th scope=\"row\">stable</th>", to: "</tr>")
        let before = try #require(image.tags.first?.before)
        let after = try #require(image.digest)
        #expect(row.contains("<td>\(HTML(before).markup)</td><td>\(HTML(after).markup)</td>"), "\(row)")
        #expect(row.contains("4.0 kB"), "\(row)")
    }

    @Test("only counts what is in sync: the page has the same size with ten times as many images in sync")
    func folded() async throws {
        func size(_ keep: Int) async throws -> Int {
            let outcomes = try (0..<20).map {
                try PageSample.outcome("team/app-\($0)", keep: keep, [try PageSample.image("v9", .add)])
            }
            let page = try await page(outcomes)
            #expect(!page.contains("v1.5"))
            return page.utf8.count
        }
        // The numbers have a digit more.
        #expect(abs(try await size(9_00) - size(90)) < 200)
    }

    @Test("of 1,000 repositories and 100,000 images stays below 3 MB, names all 2,000 changes, and folds most of them")
    func large() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/report.html"
            let page = try ReportPage(path, PageSample.facts)
            try PageSample.large(repositories: 1_000, changed: 2_000) { page.add($0) }
            try page.finish(.init(.whole, exitCode: 2, requests: 2_000, seconds: 60))
            let text = String(decoding: try #require(try DurableFile.read(path, limit: 3_000_000)), as: UTF8.self)
            #expect(text.ranges(of: "<tr data-s=\"add\"><th").count == 1_800)
            #expect(text.ranges(of: "<tr data-s=\"move\"><th").count == 200)
            #expect(text.contains("98,000"))
            let open = text.ranges(of: "<details class=\"g\" id=").count
            #expect(open == 200 && text.ranges(of: " open><summary><h4").count == 20)
            #expect(text.contains("<summary>100 more with differences</summary>"))
            #expect(text.contains("</b> 800 repositories in sync</span></summary>"))
            #expect(names(in: directory) == ["report.html"], "a temporary file is left")
        }
    }

    @Test("names ten thousand changes, and counts the others")
    func capped() async throws {
        let outcomes = try (0..<3).map { number in
            try PageSample.outcome(
                "team/app-\(number)",
                try (0..<4_000).map { try PageSample.image("v\(number).\($0)", .add) }
            )
        }
        let page = try await page(outcomes)
        #expect(page.ranges(of: "<tr data-s=\"add\"><th scope=\"row\">v").count == PageChanges.mostRows)
        #expect(page.contains("2,000 further tags are only counted"))
        #expect(page.contains("12,000 of 12,000 tags would change."))
        #expect(page.utf8.count < 8_000_000)
    }

    @Test("says at the top that it was interrupted, or that the run failed and why")
    func endings() async throws {
        let outcomes = [try PageSample.outcome("team/app", keep: 3)]
        let interrupted = try await page(
            outcomes,
            PageSample.facts,
            .init(.interrupted("SIGINT"), exitCode: 130, requests: 4, seconds: 1)
        )
        let failed = try await page(
            outcomes,
            PageSample.facts,
            .init(.failed("the <disk> is full", remedy: "free some"), exitCode: 1, requests: 4, seconds: 1)
        )
        let whole = try await page(outcomes)
        #expect(
            try part(interrupted, from: "<header>", to: "</header>").contains(
                "Interrupted by SIGINT after 1 repository."
            )
        )
        let head = try part(failed, from: "<header>", to: "</header>")
        #expect(head.contains("The run failed after 1 repository.") && head.contains("the &lt;disk&gt; is full"))
        #expect(head.contains("<b>next:</b> free some"))
        #expect(!whole.contains("class=\"banner\""))
        #expect(whole.contains("Nothing to do: all that is selected is in sync."))
    }

    @Test("of no repository is a page too")
    func empty() async throws {
        let page = try await page([])
        #expect(page.contains("Nothing was selected.") && page.contains("no repository was looked at"))
        #expect(PageMarkup(page).faults.isEmpty)
    }

    @Test("has the words of its command", arguments: [ReportedCommand.plan, .sync, .verify])
    func words(_ command: ReportedCommand) async throws {
        var facts = PageSample.facts
        facts.command = command
        let page = try await page(try PageSample.mixed(), facts)
        let expected = [
            ReportedCommand.plan: ["Plan of rules.yaml", "<i>to add</i>", "<i>to move</i>", "would change"],
            .sync: ["Sync of rules.yaml", "<i>added</i>", "<i>moved</i>", "tags changed"],
            .verify: ["Verification of rules.yaml", "<i>missing</i>", "<i>drifted</i>", "differ at the destination"],
        ]
        for text in expected[command] ?? [] { #expect(page.contains(text), "\(text)") }
    }

    @Test("of verify names what is missing below an image whose tag is right, and what was repaired")
    func differences() async throws {
        var facts = PageSample.facts
        facts.command = .verify
        var image = try PageSample.image("v1", .keep)
        image.action = .add
        image.differences = [
            ContentDifference(.blobMissing, PageSample.digest(1)), ContentDifference(.tagMissing, PageSample.digest(2)),
        ]
        var repaired = try PageSample.image("v2", .keep)
        repaired.differences = [ContentDifference(.childMissing, PageSample.digest(3))]
        repaired.differences[0].isRepaired = true
        let page = try await page([try PageSample.outcome("team/app", keep: 4, [image, repaired])], facts)
        let first = try part(page, from: "<tr data-s=\"add\"><th scope=\"row\">v1", to: "</tr>")
        #expect(first.contains("<small>blob missing: \(PageSample.digest(1))</small>"), "\(first)")
        #expect(!first.contains("tag missing"), "\(first)")
        let second = try part(page, from: "<tr data-s=\"keep\"><th scope=\"row\">v2", to: "</tr>")
        #expect(second.contains("repaired: child manifest missing: \(PageSample.digest(3))"), "\(second)")
        for text in ["Differences</h2>", "1 of 6 tags differs at the destination.", "<dt>repaired</dt><dd>1</dd>"] {
            #expect(page.contains(text), "\(text)")
        }
    }

    @Test("replaces an older file at the end only, and needs a place to write before the run")
    func replaced() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/report.html"
            try write("old", to: path)
            let page = try ReportPage(path, PageSample.facts)
            page.add(try PageSample.outcome("team/app", keep: 3))
            #expect(try contents(of: path) == Array("old".utf8))
            try page.finish(.init(.whole, exitCode: 0, requests: 4, seconds: 1))
            #expect(try contents(of: path).starts(with: Array("<!DOCTYPE html>".utf8)))
            #expect(names(in: directory) == ["report.html"])

            for wrong in ["\(directory)/none/report.html", directory, "/dev/null"] {
                let failure = #expect(throws: ReportPage.Failure.self) { try ReportPage(wrong, PageSample.facts) }
                #expect(failure?.description.hasPrefix("the report '\(wrong)' can't be written: ") == true)
                #expect(failure?.description.contains("\n  next: ") == true)
            }
        }
    }
}
