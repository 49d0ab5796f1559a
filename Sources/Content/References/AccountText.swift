/// The AWS account that a malformed text probably means.
///
/// Programs that read an account as a number drop its leading zeros, spreadsheets write it as `1.11122E+11`, and
/// the console shows it as `1111-2222-3333`.
struct AccountText {
    /// The account that the text means, if that is clear.
    let account: String?
    /// The mistake, and what to write instead.
    let advice: String

    static let usual = "write its 12 digits"
    private static let length = 12
    /// The most leading zeros that a suggestion adds; more are unlikely.
    private static let mostZeros = 5

    init(_ text: String) {
        let text = text.filter { !$0.isWhitespace }
        let digits = text.filter { $0 != "-" && $0 != "_" }
        if digits.utf8.count != text.utf8.count, let account = Self.padded(digits) {
            self.init(account, "write its 12 digits without hyphens: \(account)")
        } else if let account = Self.padded(text) {
            self.init(account, "its leading zero was lost, as happens when it is read as a number: write \(account)")
        } else {
            switch Number(text) {
            case .exact(let digits):
                let account = Self.padded(digits)
                self.init(account, account.map { "it was written as a number: write \($0)" } ?? Self.usual)
            case .rounded:
                self.init(nil, "it was rounded to a number, as spreadsheets do: \(Self.usual), and keep them as text")
            case nil: self.init(nil, Self.usual)
            }
        }
    }

    private init(_ account: String?, _ advice: String) { (self.account, self.advice) = (account, advice) }

    /// The digits with their lost leading zeros; `nil` for any other text.
    private static func padded(_ text: String) -> String? {
        guard (length - mostZeros...length).contains(text.utf8.count), isDigits(text),
            text.utf8.count == length || !text.hasPrefix("0")
        else { return nil }
        return String(repeating: "0", count: length - text.utf8.count) + text
    }

    /// A number as a spreadsheet writes it.
    private enum Number {
        case exact(String)
        /// Digits are missing.
        case rounded

        /// Reads `1.11122223333E+11` and `111122223333.0`.
        init?(_ text: String) {
            let halves = text.lowercased().split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
            let mantissa = halves[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            let fraction = mantissa.count == 2 ? mantissa[1] : ""
            guard isDigits(mantissa[0]), fraction.isEmpty || isDigits(fraction) else { return nil }
            guard halves.count == 2 else {
                // Without an exponent, only a fraction of zeros makes it an account.
                guard mantissa.count == 2, fraction.allSatisfy({ $0 == "0" }) else { return nil }
                self = .exact(String(mantissa[0]))
                return
            }
            let power = halves[1].hasPrefix("+") ? halves[1].dropFirst() : halves[1]
            guard isDigits(power), power.utf8.count <= 2, let exponent = Int(power) else { return nil }
            let digits = mantissa[0].utf8.count + exponent
            guard (AccountText.length - AccountText.mostZeros...AccountText.length).contains(digits) else { return nil }
            self =
                digits == mantissa[0].utf8.count + fraction.utf8.count ? .exact("\(mantissa[0])\(fraction)") : .rounded
        }
    }
}

private func isDigits(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
}

extension AccountID {
    /// Advises what to write instead of `text`; names the account that it means, if that is clear.
    package static func advice(for text: String) -> String { AccountText(text).advice }

    /// The account that `text` probably means.
    package static func meant(by text: String) -> String? { AccountText(text).account }
}
