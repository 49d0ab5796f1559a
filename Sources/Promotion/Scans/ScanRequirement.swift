package import FoundationEssentials

/// What an image's scan must say for the image to pass.
package struct ScanRequirement: Sendable, Hashable {
    /// The worst finding that the image may have; `nil` for any, as long as there is a finished scan.
    package var maxSeverity: FindingSeverity?
    /// Findings that don't count.
    package var ignored: [IgnoredFinding]
    /// The greatest age of the scan; `nil` for any.
    package var notOlderThan: Duration?
    /// How long to wait for a scan that is not finished; `nil` for not at all.
    package var wait: Duration?

    package init(
        maxSeverity: FindingSeverity? = nil,
        ignored: [IgnoredFinding] = [],
        notOlderThan: Duration? = nil,
        wait: Duration? = nil
    ) {
        (self.maxSeverity, self.ignored) = (maxSeverity, ignored)
        (self.notOlderThan, self.wait) = (notOlderThan, wait)
    }
}

/// A finding that was looked at and accepted.
package struct IgnoredFinding: Sendable, Hashable {
    /// The name of the vulnerability as the scan writes it, for example `CVE-2026-12345`.
    package var name: String
    /// Why it was accepted; `nil` on the command line, where there is no room for it.
    package var reason: String?
    /// From when on it counts again; `nil` for never.
    package var expiry: Date?

    package init(_ name: String, reason: String? = nil, expiry: Date? = nil) {
        (self.name, self.reason, self.expiry) = (name, reason, expiry)
    }

    /// Whether a text can be the name of a vulnerability, as scanners write them: `CVE-2026-12345`, `GHSA-…`, `ALAS2-…`.
    package static func isName(_ text: String) -> Bool {
        (1...mostOfName).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }

    /// The longest name, in bytes; a CVE has about fifteen.
    private static let mostOfName = 100
}
