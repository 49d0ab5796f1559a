package import FoundationEssentials

/// Times as AWS writes them, without a locale or a time zone database in between.
package enum AWSTime {
    /// `20260115T120000Z`, as SigV4 wants it.
    package static func basic(_ date: Date) -> String {
        let time = parts(date)
        return time.year + time.month + time.day + "T" + time.hour + time.minute + time.second + "Z"
    }

    /// `2026-01-15T12:00:00Z`, as files and people read it.
    package static func extended(_ date: Date) -> String {
        let time = parts(date)
        return "\(time.year)-\(time.month)-\(time.day)T\(time.hour):\(time.minute):\(time.second)Z"
    }

    /// In seconds since 1970: the years 0 and 9999.
    private static let (earliest, latest) = (-62_167_219_200.0, 253_402_300_799.0)

    private static func parts(
        _ date: Date
    ) -> (year: String, month: String, day: String, hour: String, minute: String, second: String) {
        // Somebody else's number may be any; a year has four digits.
        let seconds = Int(min(max(date.timeIntervalSince1970.rounded(.down), earliest), latest))
        let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let whole = second < 0 ? (day - 1, second + 86_400) : (day, second)
        let (year, month, dayOfMonth) = civil(whole.0)
        return (
            pad(year, 4), pad(month, 2), pad(dayOfMonth, 2),
            pad(whole.1 / 3_600, 2), pad(whole.1 / 60 % 60, 2), pad(whole.1 % 60, 2)
        )
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Days since 1970-01-01 to a date of the proleptic Gregorian calendar.
    ///
    /// - Source: Howard Hinnant, `civil_from_days`
    static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }
}
