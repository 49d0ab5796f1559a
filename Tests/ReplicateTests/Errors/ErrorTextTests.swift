import Reporting
import Testing

@testable import Replicate

@Suite("What is said of a failure")
struct ErrorTextTests {
    @Test("is the cause, whose policy or setting it is, and the cure", arguments: ErrorTextCase.all)
    func texts(_ one: ErrorTextCase) {
        #expect(one.error.explanation == one.expected)
    }
}
