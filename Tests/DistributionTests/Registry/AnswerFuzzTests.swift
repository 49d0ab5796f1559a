import FoundationEssentials
import HTTPTypes
import TestInputs
import Testing
import Wire

@testable import Distribution

@Suite("Mutated answers", .timeLimit(.minutes(1)))
struct AnswerFuzzTests {
    private static let secret = "Basic QVdTOmh1bnRlcjI9"
    private static let bodies = [
        errors("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
        errors("TAG_INVALID", "The tag 'é' is immutable, says QVdTOmh1bnRlcjI9"),
        #"{"message":"see https://h/p?X-Amz-Signature=hidden"}"#,
        "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    ]

    @Test("that are refusals are quoted on one line, without the request's secrets", arguments: bodies)
    func refusals(_ text: String) throws {
        var random = Seeded(UInt64(text.utf8.count))
        let address = try HTTPURL("https://registry.example/v2/")
        let request = WireRequest(.get, address, fields: [.authorization: Self.secret])
        let count = 1_500
        for _ in 0..<count {
            let body = mutated(Array(text.utf8), using: &random)
            let response = WireResponse(
                status: .init(code: [400, 401, 403, 404, 405, 416, 429, 500].randomElement(using: &random) ?? 400),
                fields: [.contentType: "application/json"],
                body: body
            )
            let answer = RegistryAnswer(response, to: request)
            let quote = answer.quote()
            let said = ([quote.text] + quote.codes.flatMap { [$0.code, $0.message] }).joined(separator: " ")
            #expect(!said.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) })
            #expect(!said.contains("QVdTOmh1bnRlcjI9"))
            #expect(quote.codes.count <= 10)
            // Any answer can be classified.
            _ = (answer.kind, answer.refusesToken)
        }
        reportCases("fuzz, a registry's refusals", count)
    }

    @Test("with Link fields are parsed to the end, and give one of the targets")
    func links() {
        let field = #"</v2/a/tags/list?n=100&last=b%2Cc>; rel="next"; title="x, y", <https://h/p>;rel=prev"#
        var random = Seeded(11)
        var found = 0
        let count = 4_000
        for _ in 0..<count {
            let text = mutated(field, using: &random)
            guard let next = nextPage(inLink: text) else { continue }
            found += 1
            #expect(!next.isEmpty)
            #expect(text.contains("<\(next)>"))
        }
        #expect(found > 500 && found < count)
        // Parsing of hostile input takes linear time.
        for hostile in ["<", "<>;", "\"", ";rel=\"next", "<a>;;;;", ",", "<a>; rel=next\\"] {
            _ = nextPage(inLink: String(repeating: hostile, count: 100_000))
        }
        reportCases("fuzz, Link", count)
    }
}
