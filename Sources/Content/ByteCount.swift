/// A number of bytes in the form that people write and read.
public struct ByteCount: Hashable, Sendable {
    public var bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }

    /// Reads plain bytes, or a number with a unit.
    ///
    /// kB, MB, GB and TB are powers of ten, KiB, MiB, GiB and TiB powers of two, all of them in any case. A fraction
    /// is allowed where it makes whole bytes, as in `1.5GiB`.
    ///
    /// - Throws: ``MalformedByteCount`` for anything else, and for more bytes than a signed 64-bit number holds.
    public init(parsing text: String) throws(MalformedByteCount) {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let unit = Self.units[text[number.endIndex...].lowercased()], (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty }), let whole = Int64(parts[0])
        else { throw MalformedByteCount(text: text) }

        let (bytes, isTooMuch) = whole.multipliedReportingOverflow(by: unit)
        let (sum, isStillTooMuch) = bytes.addingReportingOverflow(
            try Self.fraction(parts.count == 2 ? parts[1] : "", of: unit, in: text)
        )
        guard !isTooMuch, !isStillTooMuch else { throw MalformedByteCount(text: text) }
        self.bytes = sum
    }

    private static let units: [String: Int64] = [
        "": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]
    /// The most digits after the point; the product with a TiB still fits 64 bits.
    private static let longestFraction = 6

    private static func fraction(
        _ digits: Substring,
        of unit: Int64,
        in text: String
    ) throws(MalformedByteCount) -> Int64 {
        guard !digits.isEmpty else { return 0 }
        guard digits.count <= longestFraction, let value = Int64(digits) else { throw MalformedByteCount(text: text) }
        let scale = digits.reduce(Int64(1)) { power, _ in power * 10 }
        guard (value * unit).isMultiple(of: scale) else { throw MalformedByteCount(text: text) }
        return value * unit / scale
    }
}

extension ByteCount: CustomStringConvertible {
    /// The number with three significant digits and a decimal unit.
    public var description: String {
        var value = Double(bytes)
        var units = ["B", "kB", "MB", "GB", "TB"][...]
        while value >= 999.5, units.count > 1 {
            value /= 1_000
            units = units.dropFirst()
        }
        let unit = units.first ?? "B"
        guard unit != "B", value < 99.95 else { return "\(Int(value.rounded())) \(unit)" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}

/// A text that is not a number of bytes.
public struct MalformedByteCount: Error, Equatable, Sendable, CustomStringConvertible {
    public let text: String

    public var description: String {
        "'\(clipped(text))' is not a size: write bytes, or a number with kB, MB, GB (powers of ten) or KiB, MiB, GiB "
            + "(powers of two), such as 50MB or 1GiB"
    }
}
