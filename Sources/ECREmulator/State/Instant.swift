internal import FoundationEssentials

/// Formats and parses points in time as AWS writes them, all in UTC.
enum Instant {
    /// Formats a time as `20260115T120000Z`, as in `X-Amz-Date`.
    static func basic(_ date: Date) -> String {
        let (day, clock) = parts(date)
        return "\(day.map(padded).joined())T\(clock.map(padded).joined())Z"
    }

    /// Formats a time as `2026-01-15T12:00:00Z`, as in STS's answers.
    static func extended(_ date: Date) -> String {
        let (day, clock) = parts(date)
        return "\(day.map(padded).joined(separator: "-"))T\(clock.map(padded).joined(separator: ":"))Z"
    }

    /// - Returns: `nil` if the text doesn't have the form `20260115T120000Z`.
    static func parse(basic text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        let seconds = daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        return Date(timeIntervalSince1970: Double(seconds))
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func parts(_ date: Date) -> (day: [Int], clock: [Int]) {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let rest = seconds - days * 86_400
        return (civil(days), [rest / 3_600, rest / 60 % 60, rest % 60])
    }

    /// Returns the days since 1970-01-01 in the proleptic Gregorian calendar, computed with years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int) -> [Int] {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return [yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day]
    }
}
