import Content
import Foundation
import Reporting
import TestPrograms
import Testing

@testable import Replicate

/// The table in `docs/operations.md` says what the code does, and leaves nothing out.
@Suite("The guide to errors")
struct ErrorGuideTests {
    /// What only a registry's login or a missing configuration makes, beside the examples of other tests.
    private static let further: [CopyError] = [
        "there are no AWS credentials; tried AWS_ACCESS_KEY_ID is not set",
        "not allowed to read the manifest: denied; no login for a.test in /home/ann/.docker/config.json",
        "a reference without a registry needs a region; tried the region option",
        "profile unknown is not in /home/ann/.aws/config",
        "AWS does not accept the credentials (IncompleteSignatureException): no",
    ].map { CopyError(.noCredentials($0), side: .source, image: "team/app", operation: "finding credentials") }

    /// What only a destination says.
    private static let unfit = CopyError(
        .tagUnfit(tag: "-x", reason: "a tag can't begin with . or -"),
        side: .destination,
        subject: .name("-x", in: ImageReference(of: "a.test/app")),
        operation: "setting the tag"
    )

    /// What only a registry's odd answer makes.
    private static let odd: [CopyError] = [
        .denied(action: "upload", text: "no"),
        .rejected(code: "redirect not followed", text: "https://a.test/ redirects to plain http at http://a.test/"),
        .rejected(
            code: "HTTP 202",
            text: "asked over https, the registry gives an upload address that begins with http: http://a.test/"
        ), .rejected(code: "answer too large", text: "more than 4 bytes"),
        .unsupported(
            .foreignLayers(
                "the registry refuses the manifest (HTTP 500), which names layers by urls that it does not hold: x"
            )
        ),
    ].map { CopyError($0, side: .source, image: "a.test/app", operation: "asking") }

    private static let examples =
        ErrorTextCase.all.map(\.error) + further + [unfit] + odd
        + CopyErrorTests.examples.map { CopyError($0, side: .source, image: "a.test/app", operation: "asking") }

    @Test("has a row for each error, with its exit code")
    func complete() {
        for error in Self.examples {
            #expect(ErrorGuide.entry(for: error)?.exitCode == ExitStatus.of(error), "\(error)")
        }
    }

    @Test("has only rows that an error matches")
    func needed() {
        let met = Set(Self.examples.compactMap(ErrorGuide.entry))
        #expect(ErrorGuide.entries.filter { !met.contains($0) }.map(\.row) == [])
    }

    @Test("is the table of docs/operations.md")
    func documented() throws {
        let lines = try String(contentsOfFile: repositoryFile("docs/operations.md"), encoding: .utf8).components(
            separatedBy: "\n"
        )
        let start = try #require(lines.firstIndex(of: "| cause | exit | what it means, what to do |"))
        let rows = lines[(start + 2)...].prefix { $0.hasPrefix("|") }
        #expect(Array(rows) == ErrorGuide.entries.map(\.row))
    }
}
