import HTTPTypes
import TestInputs
import Testing

@testable import Wire

@Suite("Mutated heads and addresses", .timeLimit(.minutes(1)))
struct HeadFuzzTests {
    @Test("a head is read line by line, with any lines")
    func heads() {
        let lines = [
            "HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 12345\r\n",
            "Content-Type: text/html; charset=\"utf-8\"\r\n", "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n",
            "Date: Thu, 15 Jan 2026 12:00:00 GMT\r\n", "x-amz-retry-after: 1500\r\n", "Set-Cookie: a=b\r\n", "\r\n",
        ]
        var random = Seeded(1)
        var complete = 0
        let count = 3_000
        for _ in 0..<count {
            var head = AnswerHead()
            for line in lines {
                let isChanged = Int.random(in: 0..<3, using: &random) == 0
                let bytes = isChanged ? mutated(Array(line.utf8), using: &random) : Array(line.utf8)
                let isTaken = head.take(bytes)
                #expect(isTaken, "no head here is too large")
                #expect(head.status == 0 || (100...999).contains(head.status))
                #expect(!head.isComplete || head.status >= 200)
            }
            complete += head.isComplete ? 1 : 0
            let response = WireResponse(head, body: [])
            if let wait = response.retryAfter { #expect((.zero ... .seconds(300_000_000_000)).contains(wait)) }
            _ = (response.date, head.contentLength)
        }
        #expect(complete > 1_000 && complete < count)
        reportCases("fuzz, heads", count)
    }

    @Test("an accepted address is accepted again from its own text, and so are the addresses resolved against it")
    func addresses() throws {
        let base = try HTTPURL("https://registry.example:5000/v2/team/app/blobs/uploads/1?state=a%2Fb")
        let texts = [
            base.text, "http://127.0.0.1:4566/", "https://[::1]/a?b#c", "//other.example/p", "/v2/x?y=z", "?q", "../up",
        ]
        var random = Seeded(2)
        var taken = 0
        let count = 5_000
        for _ in 0..<count {
            let text = mutated(texts.randomElement(using: &random) ?? "", using: &random)
            for url in [try? HTTPURL(text), try? base.resolving(text)] {
                guard let url else { continue }
                taken += 1
                #expect(try HTTPURL(url.text) == url)
                #expect((1...65_535).contains(url.port) && !url.host.isEmpty && url.path.hasPrefix("/"))
                #expect(!url.authority.contains("@"))
            }
        }
        #expect(taken > 1_000)
        reportCases("fuzz, addresses", count)
    }
}
