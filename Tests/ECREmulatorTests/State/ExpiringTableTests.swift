import Foundation
import Testing

@testable import ECREmulator

@Suite("Tokens that expire")
struct ExpiringTableTests {
    private struct Ticket: Expiring, Equatable { var expires: Date }

    private let now = Date(timeIntervalSince1970: 1_000_000)

    @Test("a token that has just expired is still known, even in a full table")
    func recent() {
        var table = ExpiringTable<Ticket>()
        for number in 0..<(ExpiringTable<Ticket>.smallestLimit - 1) {
            table.insert(Ticket(expires: now), for: "old \(number)", at: now)
        }
        table.insert(Ticket(expires: now + 60), for: "mine", at: now)
        table.expireAll(at: now)
        table.insert(Ticket(expires: now + 60), for: "another's", at: now)
        #expect(table["mine"]?.expires == now)
        #expect(table["another's"] != nil)
        #expect(table["old 0"] == nil, "the first that expired is forgotten")
    }

    @Test("valid tokens are always kept, and old expired ones are removed")
    func bounded() {
        var table = ExpiringTable<Ticket>()
        for number in 0..<2_000 { table.insert(Ticket(expires: now + 60), for: "good \(number)", at: now) }
        #expect((0..<2_000).allSatisfy { table["good \($0)"] != nil })
        var expired = ExpiringTable<Ticket>()
        for number in 0..<5_000 { expired.insert(Ticket(expires: now), for: "\(number)", at: now) }
        #expect((0..<5_000).count { expired["\($0)"] != nil } <= ExpiringTable<Ticket>.smallestLimit)
    }
}
