import Content
import Foundation
import Replicate
import Testing

@testable import Rules

@Suite("The text of verify")
struct VerifyTextTests {
    private func digest(_ digit: String) throws -> Digest {
        try Digest(parsing: "sha256:" + String(repeating: digit, count: 64))
    }

    private func image(_ differences: [ContentDifference], _ state: ImageOutcome.State = .done) throws -> ImageOutcome {
        let source = try ImageReference(parsing: "registry.example.com/team/app")
        let tag = try Content.Tag(parsing: "v1")
        var outcome = ImageOutcome(
            source: source.tagged(tag, digest: try digest("a")),
            digest: try digest("a"),
            tags: [.init(tag, .keep, before: try digest("a"))],
            action: differences.contains { !$0.isRepaired } ? .add : .keep,
            state: state
        )
        outcome.differences = differences
        return outcome
    }

    private func repository(_ images: [ImageOutcome]) throws -> RepositoryOutcome {
        var outcome = RepositoryOutcome(
            rule: "all",
            ruleIndex: 0,
            source: try ImageReference(parsing: "registry.example.com/team/app")
        )
        outcome.destination = try ImageReference(parsing: "registry.example.com/prod/app")
        outcome.images = images
        return outcome
    }

    @Test("each kind has a line that names what is missing, and a mark", arguments: ContentDifference.Kind.allCases)
    func kinds(_ kind: ContentDifference.Kind) throws {
        let tag = try Content.Tag(parsing: "v1")
        let difference = ContentDifference(
            kind,
            try digest("b"),
            tag: tag,
            holds: try digest("c"),
            parent: try digest("d")
        )
        #expect(difference.text.contains(try digest("b").description))
        let line = try #require(try image([difference]).lines.first)
        #expect(line == "  \(difference.mark) v1  \(difference.text)")
        #expect(["+", "~", "!"].contains(difference.mark))
        var repaired = difference
        repaired.isRepaired = true
        #expect(repaired.mark == "=")
    }

    @Test("a tag whose image lacks content is not in sync, and what was repaired is no difference")
    func totals() throws {
        let missing = ContentDifference(.blobMissing, try digest("b"), parent: try digest("a"))
        var repaired = missing
        repaired.isRepaired = true
        var totals = OutcomeTotals()
        totals.add(try repository([try image([missing, repaired]), try image([])]))
        #expect((totals.differences, totals.repaired, totals.differing) == (1, 1, 1))
        #expect(totals.tags == [.add: 1, .keep: 1])
        #expect(totals.planExitStatus == 2)
        #expect(
            totals.verifyLine(requests: 7, seconds: "1 s")
                == "verify: 1 difference in 1 image, 1 repaired, 1 tag in sync in 1 repository; 7 requests, 1 s"
        )

        var mended = OutcomeTotals()
        mended.add(try repository([try image([repaired])]))
        #expect(mended.planExitStatus == 0)
        #expect(mended.tags == [.keep: 1])
        #expect(mended.verifyLine(requests: 1, seconds: "1 s").hasPrefix("verify: no differences, 1 repaired, 1 tag"))
    }

    @Test("a repair that failed is an error, and the difference stays")
    func failedRepair() throws {
        let problem = OutcomeProblem(reason: "denied", "not allowed", kind: .failed)
        let missing = ContentDifference(.childMissing, try digest("b"), parent: try digest("a"))
        let image = try image([missing], .failed(problem))
        #expect(image.lines.contains("  error v1: not allowed"))
        var totals = OutcomeTotals()
        totals.add(try repository([image]))
        #expect(totals.planExitStatus == 1)
    }

    @Test("the document has every member of a difference")
    func document() throws {
        let difference = ContentDifference(
            .digestTagDiffers,
            try digest("b"),
            tag: try Content.Tag(parsing: "sha256-x.sig"),
            holds: try digest("c"),
            parent: try digest("a")
        )
        let entry = OutcomeEntry(try repository([try image([difference])]))
        let text = String(decoding: try JSONEncoder().encode(entry), as: UTF8.self)
        for member in ["\"kind\":\"digestTagDiffers\"", "\"holds\":", "\"parent\":", "\"repaired\":false", "\"text\":"]
        {
            #expect(text.contains(member))
        }
    }
}
