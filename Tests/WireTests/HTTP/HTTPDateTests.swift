import FoundationEssentials
import HTTPTypes
import Testing

@testable import Wire

@Suite("The wait that a server asks for")
struct HTTPDateTests {
    @Test(
        "dates are parsed like date(1) does",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400), ("Sun, 31 Dec 2028 12:00:00 GMT", 1_861_876_800),
        ]
    )
    func countsSeconds(text: String, seconds: Int) {
        #expect(durationUntil(httpDate: text, now: Date(timeIntervalSince1970: 0)) == .seconds(seconds))
    }

    @Test("the server's time is read from its answer")
    func date() {
        #expect(
            WireResponse(status: .ok, fields: [.date: "Sun, 06 Nov 1994 08:49:37 GMT"]).date
                == Date(timeIntervalSince1970: 784_111_777)
        )
        #expect(WireResponse(status: .ok, fields: [.date: "today"]).date == nil)
        #expect(WireResponse(status: .ok).date == nil)
    }

    @Test("a date in the past means no wait")
    func past() {
        let now = Date(timeIntervalSince1970: 784_111_778)
        #expect(durationUntil(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT", now: now) == .zero)
    }

    @Test(
        "a text that is not a date means no wait",
        arguments: [
            "", "soon", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        ]
    )
    func refuses(text: String) {
        #expect(durationUntil(httpDate: text) == nil)
    }

    @Test(
        "seconds, milliseconds and dates are read, of any length",
        arguments: [
            ("Retry-After", "7", 7_000), ("Retry-After", "86400", 86_400_000), ("Retry-After", "-1", nil),
            ("x-amz-retry-after", "1500", 1_500), ("Retry-After", "7 8", nil),
            ("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Retry-After", "a while", nil),
            ("Retry-After", "99999999999999999999999", 1_000_000_000_000), ("Retry-After", "0", 0),
            ("Retry-After", "+7", nil),
            ("x-amz-retry-after", "99999999999999999999999", 1_000_000_000), ("x-amz-retry-after", "-5", nil),
        ] as [(String, String, Int?)]
    )
    func fromFields(name: String, value: String, milliseconds: Int?) throws {
        let field = try #require(HTTPField.Name(name))
        let response = WireResponse(status: .tooManyRequests, fields: [field: value])
        #expect(response.retryAfter == milliseconds.map { .milliseconds($0) })
    }

    @Test("a date is compared with the server's own clock")
    func serverClock() {
        let fields: HTTPFields = [
            .date: "Sun, 06 Nov 1994 08:49:37 GMT", .retryAfter: "Sun, 06 Nov 1994 08:49:57 GMT",
        ]
        #expect(WireResponse(status: .tooManyRequests, fields: fields).retryAfter == .seconds(20))
    }
}
