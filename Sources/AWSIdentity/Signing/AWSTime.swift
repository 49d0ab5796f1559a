internal import Content
package import FoundationEssentials
internal import Wire

/// Formatting and parsing of times as AWS writes them, without a locale or a time zone database.
package enum AWSTime {
    /// Formats a time as SigV4 needs it: `20260115T120000Z`.
    package static func basic(_ date: Date) -> String {
        let time = parts(date)
        return time.year + time.month + time.day + "T" + time.hour + time.minute + time.second + "Z"
    }

    /// Formats a time for files and people: `2026-01-15T12:00:00Z`.
    package static func extended(_ date: Date) -> String {
        let time = parts(date)
        return "\(time.year)-\(time.month)-\(time.day)T\(time.hour):\(time.minute):\(time.second)Z"
    }

    /// The first and the last second of the years 0 to 9999, in seconds since 1970.
    private static let (earliest, latest) = (-62_167_219_200.0, 253_402_300_799.0)

    private static func parts(
        _ date: Date
    ) -> (year: String, month: String, day: String, hour: String, minute: String, second: String) {
        // A service may send any number as a time, but a year has four digits.
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

    /// Converts days since 1970-01-01 to a date of the proleptic Gregorian calendar.
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

extension AWSTime {
    /// Parses the formats of ISO 8601, of HTTP and of `date`; a time without a zone is UTC.
    ///
    /// `2026-01-15T13:00:00Z`, `20260115T130000Z`, a week (`2026-W03-4`) or a day of the year (`2026-015`), with a
    /// blank for the T, without seconds or minutes, with a fraction after a point or a comma, and with the offsets
    /// `+02`, `+0200`, `+02:00`, `Z`, `UTC`; `Thu, 15 Jan 2026 13:00:00 GMT`.
    ///
    /// - Source: ISO 8601-1:2019, 5.2 to 5.4; RFC 9110, 5.6.7; Python's `dateutil.parser.parse`, by which botocore reads an
    ///   `Expiration`
    package static func parse(_ text: String) -> Date? {
        // No format is longer, and the text is not trusted.
        guard text.utf8.count <= 64 else { return nil }
        let text = trimmed(text).uppercased().replacing("\u{2212}", with: "-")
        return iso(text) ?? english(text)
    }

    // MARK: ISO 8601

    private static func iso(_ text: String) -> Date? {
        var scanner = Scanner(text)
        guard let days = scanner.date() else { return nil }
        var seconds = 0
        var offset = 0
        if !scanner.isAtEnd {
            guard scanner.skip(["T", " "]), let time = scanner.time() else { return nil }
            seconds = time
            guard let zone = zone(scanner.rest) else { return nil }
            offset = zone
        }
        return date(days, seconds - offset)
    }

    private static func date(_ days: Int, _ seconds: Int) -> Date {
        Date(timeIntervalSince1970: Double(days * 86_400 + seconds))
    }

    /// Parses an offset, in seconds east of Greenwich.
    private static func zone(_ text: Substring) -> Int? {
        let text = trimmed(text)
        if ["", "Z", "UTC", "GMT"].contains(text) { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        var scanner = Scanner(String(text.dropFirst()))
        guard let hours = scanner.number(2), hours < 24 else { return nil }
        let hasColon = scanner.skip([":"])
        let minutes = scanner.isAtEnd && !hasColon ? 0 : scanner.number(2)
        guard let minutes, minutes < 60, scanner.isAtEnd else { return nil }
        return (sign == "+" ? 1 : -1) * (hours * 3_600 + minutes * 60)
    }

    /// Reads numbers and characters from the front of a text.
    private struct Scanner {
        private(set) var rest: Substring

        init(_ text: String) { rest = text[...] }

        var isAtEnd: Bool { rest.isEmpty }

        /// Skips one of the characters, and returns whether it was there.
        mutating func skip(_ characters: Set<Character>) -> Bool {
            guard let first = rest.first, characters.contains(first) else { return false }
            rest.removeFirst()
            return true
        }

        /// Reads a number with exactly `count` digits.
        mutating func number(_ count: Int) -> Int? {
            let digits = rest.prefix(count)
            guard digits.utf8.count == count, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            rest = rest.dropFirst(count)
            return Int(digits)
        }

        private var digits: Int { rest.utf8.prefix { (48...57).contains($0) }.count }

        /// Reads a date, in days since 1970.
        mutating func date() -> Int? {
            guard let year = number(4) else { return nil }
            let isExtended = skip(["-", "/"])
            if skip(["W"]) { return week(year, isExtended) }
            if digits == 3 {
                guard let day = number(3), (1...366).contains(day) else { return nil }
                return daysSince1970(year, 1, 1) + day - 1
            }
            guard let month = number(2), (1...12).contains(month), !isExtended || skip(["-", "/"]), let day = number(2),
                (1...31).contains(day)
            else { return nil }
            return daysSince1970(year, month, day)
        }

        /// Reads the rest of a week date: week 1 is the week with 4 January in it, and weeks begin on Monday.
        private mutating func week(_ year: Int, _ isExtended: Bool) -> Int? {
            guard let week = number(2), (1...53).contains(week) else { return nil }
            var day = 1
            if !isAtEnd, rest.first != "T", rest.first != " " {
                guard !isExtended || skip(["-"]), let named = number(1), (1...7).contains(named) else { return nil }
                day = named
            }
            let fourth = daysSince1970(year, 1, 4)
            // 1 January 1970 was a Thursday, the third day after Monday.
            let monday = fourth - ((fourth + 3) % 7 + 7) % 7
            return monday + (week - 1) * 7 + day - 1
        }

        /// Reads a time of day, in whole seconds.
        mutating func time() -> Int? {
            guard let hour = number(2) else { return nil }
            var (minute, second) = (0, 0)
            let isExtended = skip([":"])
            if isExtended || digits >= 2 {
                guard let named = number(2) else { return nil }
                minute = named
                if isExtended ? skip([":"]) : digits >= 2 {
                    guard let named = number(2) else { return nil }
                    second = named
                    if skip([".", ","]) {
                        guard digits > 0 else { return nil }
                        rest = rest.drop { $0.isASCII && $0.isNumber }
                    }
                }
            }
            guard minute < 60, second <= 60, hour < 24 || (hour == 24 && minute == 0 && second == 0) else { return nil }
            return hour * 3_600 + minute * 60 + second
        }
    }

    // MARK: Texts with month names

    private static let months = Dictionary(
        uniqueKeysWithValues: zip(
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
            1...12
        )
    )
    private static let weekdays: Set<String> = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]

    /// Parses `THU, 15 JAN 2026 13:00:00 GMT` and `THU JAN 15 13:00:00 UTC 2026`.
    private static func english(_ text: String) -> Date? {
        var (year, month, day, seconds, offset): (Int?, Int?, Int?, Int?, Int?) = (nil, nil, nil, nil, nil)
        for word in text.split(whereSeparator: { $0 == " " || $0 == "," }) {
            let start = String(word.prefix(3))
            if weekdays.contains(start), word.allSatisfy(\.isLetter), month == nil || year == nil {
                continue
            } else if let named = months[start], word.allSatisfy(\.isLetter), month == nil {
                month = named
            } else if word.contains(":"), seconds == nil {
                var scanner = Scanner(String(word))
                guard let time = scanner.time(), scanner.isAtEnd else { return nil }
                seconds = time
            } else if word.utf8.count == 4, let number = Int(word), number > 0, year == nil, !word.hasPrefix("+") {
                year = number
            } else if word.utf8.count <= 2, let number = Int(word), (1...31).contains(number), day == nil {
                day = number
            } else if let named = zone(word), offset == nil {
                offset = named
            } else {
                return nil
            }
        }
        guard let year, let month, let day, let seconds else { return nil }
        return date(daysSince1970(year, month, day), seconds - (offset ?? 0))
    }
}
