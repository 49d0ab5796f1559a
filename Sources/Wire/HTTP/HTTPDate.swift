package import FoundationEssentials

/// The time until an HTTP date.
///
/// - Returns: Zero for a date in the past; `nil` if the text is not an HTTP date.
package func durationUntil(httpDate text: String, now: Date = Date()) -> Duration? {
    secondsSince1970(httpDate: text).map { .seconds(max(0, (Double($0) - now.timeIntervalSince1970).rounded(.up))) }
}

/// Parses an HTTP date, for example `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// - Returns: `nil` if the text is not such a date.
/// - Source: RFC 9110, section 5.6.7 (the preferred form only; the obsolete ones are not sent any more)
func secondsSince1970(httpDate text: String) -> Int? {
    let parts = text.split { $0 == " " || $0 == ":" }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 8, parts[0].hasSuffix(","), parts[7] == "GMT",
        let month = months.firstIndex(of: String(parts[2])),
        let day = Int(parts[1]), (1...31).contains(day),
        let year = Int(parts[3]), (1970...9999).contains(year),
        let hour = Int(parts[4]), (0...23).contains(hour),
        let minute = Int(parts[5]), (0...59).contains(minute),
        let second = Int(parts[6]), (0...60).contains(second)
    else { return nil }
    return ((daysSince1970(year, month + 1, day) * 24 + hour) * 60 + minute) * 60 + second
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// - Source: Howard Hinnant, `days_from_civil`
package func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
