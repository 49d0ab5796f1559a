import FoundationEssentials
import HTTPTypes
import TestInputs
import Testing
import Wire

@testable import AWSIdentity

@Suite("Mutated texts", .timeLimit(.minutes(1)))
struct ParserFuzzTests {
    @Test("as answers of STS are parsed or rejected; an incomplete success is never quoted")
    func answers() {
        let bodies = [roleAnswer().body, refusal(403, "AccessDenied", "not <you> & \"me\"").body]
        var random = Seeded(1)
        var read = 0
        let count = 4_000
        for number in 0..<count {
            let body = mutated(bodies[number % 2], using: &random)
            let answer = STSAnswer(body)
            read += answer == nil ? 0 : 1
            let status: HTTPResponse.Status = number % 2 == 0 ? .ok : .forbidden
            let error = STSError("AssumeRole", WireResponse(status: status, body: body), answer)
            #expect(error.message.unicodeScalars.count <= 8_192)
            #expect(!error.message.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) })
            // It may contain a key.
            if status == .ok { #expect(error.message == "the answer was not complete") }
        }
        // The documents are mostly tags, so nearly every change breaks them.
        #expect(read > 50 && read < count)
        reportCases("fuzz, STS's answers", count)
    }

    @Test("as shared files are parsed, or refused with file and line")
    func files() {
        let text = """
            [default]
            region = eu-west-1
            aws_secret_access_key=a=b:c # kept
            [profile  team one]
            role_arn: arn:aws:iam::111122223333:role/x
            s3 =
                Endpoint_URL = http://localhost:9000
            description = one
              two
            [services x]
            """
        var random = Seeded(2)
        var read = 0
        let count = 3_000
        for _ in 0..<count {
            do {
                let file = try IniFile(parsing: mutated(text, using: &random), path: "config")
                read += 1
                let values = file.sections.values.flatMap(\.values.keys)
                #expect(values.allSatisfy { !$0.isEmpty && $0 == $0.lowercased() })
            } catch let error as IdentityError {
                #expect("\(error)".contains("config:"))
            } catch {
                Issue.record("\(error)")
            }
        }
        #expect(read > 100)
        reportCases("fuzz, shared files", count)
    }

    @Test("as times are parsed or rejected")
    func times() {
        var random = Seeded(3)
        let count = 4_000
        for _ in 0..<count {
            let texts = ["2026-01-15T13:00:00Z", "2026-01-15T13:00:00.123+01:00", "2026-01-15 13:00:00UTC"]
            let text = mutated(texts.randomElement(using: &random) ?? "", using: &random)
            guard let date = AWSTime.parse(text) else { continue }
            #expect(date.timeIntervalSince1970.isFinite)
            #expect(AWSTime.basic(date).utf8.count >= 16)
        }
        reportCases("fuzz, times", count)
    }
}
