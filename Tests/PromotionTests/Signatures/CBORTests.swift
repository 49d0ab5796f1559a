import Testing

@testable import Promotion

@Suite("CBOR", .timeLimit(.minutes(1)))
struct CBORTests {
    /// Examples of RFC 8949, appendix A.
    static let examples: [(hex: String, value: CBORValue)] = [
        ("00", .unsigned(0)), ("17", .unsigned(23)), ("1818", .unsigned(24)), ("1903e8", .unsigned(1_000)),
        ("1a000f4240", .unsigned(1_000_000)), ("1b000000e8d4a51000", .unsigned(1_000_000_000_000)),
        ("1bffffffffffffffff", .unsigned(.max)), ("20", .negative(0)), ("3903e7", .negative(999)),
        ("f4", .bool(false)), ("f5", .bool(true)), ("f6", .null), ("4401020304", .bytes([1, 2, 3, 4])),
        ("60", .text("")),
        ("6449455446", .text("IETF")), ("62c3bc", .text("ü")), ("80", .array([])),
        ("83010203", .array([.unsigned(1), .unsigned(2), .unsigned(3)])), ("a0", .map([:])),
        ("a201020304", .map([.unsigned(1): .unsigned(2), .unsigned(3): .unsigned(4)])),
        ("c11a514b67b0", .tagged(1, .unsigned(1_363_896_240))),
    ]

    @Test("is read and written as in the RFC's examples", arguments: examples.indices)
    func readAndWritten(_ index: Int) throws {
        let (hex, value) = Self.examples[index]
        #expect(try CBORValue(reading: bytes(hex), "it") == value)
        #expect(value.encoded == bytes(hex))
    }

    @Test(
        "is refused where it could be read in two ways",
        arguments: [
            "1817", "190001", "1a00000001", "1b0000000000000001",  // numbers that are not in their shortest form
            "5f42010243030405ff", "7f657374726561646d696e67ff", "9f01ff", "bf6161019fff",  // indefinite lengths
            "a2010201ff", "a201020103",  // a member twice
            "f7", "f818", "f90000", "fb3ff199999999999a", "ff", "1c", "1f",  // values that signatures don't use
            "0000", "", "18", "44010203", "62c3", "63ffffff", "81", "a101", "c1",  // too long, too short, not UTF-8
            "9b7fffffffffffffff", "bb7fffffffffffffff", "5b7fffffffffffffff", "9affffffff",  // huge counts
        ]
    )
    func refused(_ hex: String) {
        #expect(throws: SignatureProblem.self) { try CBORValue(reading: bytes(hex), "it") }
    }

    @Test("is refused when it is nested deeply")
    func deep() {
        let text = [UInt8](repeating: 0x81, count: 100_000) + [0x00]
        #expect(throws: SignatureProblem.self) { try CBORValue(reading: text, "it") }
        let tags = [UInt8](repeating: 0xC1, count: 100_000) + [0x00]
        #expect(throws: SignatureProblem.self) { try CBORValue(reading: tags, "it") }
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16).certainly }
    }
}
