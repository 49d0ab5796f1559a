import Reporting
import Testing

@testable import Replicate

@Suite("The text of an error")
struct ErrorTextTests {
    @Test("names the cause, the policy or setting behind it, and the remedy", arguments: ErrorTextCase.all)
    func texts(_ one: ErrorTextCase) {
        #expect(one.error.explanation == one.expected)
    }
}
