/// Checks the form of a region's name.
package enum RegionText {
    /// Finds the mistake in the name of a region.
    ///
    /// The name becomes part of host names and of signatures, so nothing else is accepted. Users often paste an
    /// availability zone, a URL, or a value that still has its quotes, its comment or a line break.
    ///
    /// - Returns: `nil` if the text may be a region.
    package static func fault(in text: String) -> Fault? {
        guard !ECRHost.isRegion(text) || zone(text) != nil || isZoneID(text) else { return nil }
        let lowered = text.lowercased()
        let meant = candidates(in: lowered)
        let proposal = meant.count == 1 ? "write \(meant[0])" : "write it as eu-west-1"
        func fault(_ problem: String) -> Fault { Fault(problem: problem, remedy: proposal) }
        guard !text.isEmpty else { return fault("is empty") }
        if text.unicodeScalars.contains(where: \.isLineBreak) { return fault("has a line break in it") }
        if lowered.contains("#") || lowered.contains(";") { return fault("has a comment in it") }
        if text.unicodeScalars.contains(where: \.isQuote) { return fault("has quotes in it") }
        if lowered.contains("://") || lowered.contains(".") { return fault("is an address, not the name of a region") }
        if text.unicodeScalars.contains(where: \.isInvisible) { return fault("has an invisible character in it") }
        if text.contains(where: \.isWhitespace) { return fault("has a blank in it") }
        if let region = zone(text) {
            return Fault(problem: "is an availability zone", remedy: "write \(region), its region")
        }
        if isZoneID(text) {
            return Fault(problem: "is the id of an availability zone", remedy: "write its region, as eu-west-1")
        }
        if lowered != text, ECRHost.isRegion(lowered) { return fault("has capitals") }
        return fault("is not the name of a region")
    }

    /// A mistake in a text, in words that follow the text, and what to write instead.
    package struct Fault: Equatable, CustomStringConvertible {
        package let problem: String
        package let remedy: String

        package var description: String { "\(problem); \(remedy)" }
    }

    /// The region of an availability zone (`eu-west-1a`) or a local zone (`us-west-2-lax-1a`).
    ///
    /// - Source: AWS Regions and Availability Zones user guide, "Availability Zones" and "Local Zones"
    private static func zone(_ text: String) -> String? {
        guard let last = text.utf8.last, (97...122).contains(last), isName(String(text.dropLast())) else { return nil }
        // A local zone's name continues after the region's number.
        let labels = text.dropLast().split(separator: "-")
        guard let number = labels.firstIndex(where: { isNumber($0) }) else { return nil }
        return labels[...number].joined(separator: "-")
    }

    /// Whether it is the id of a zone, for example `euw1-az1`.
    private static func isZoneID(_ text: String) -> Bool {
        let labels = text.split(separator: "-")
        return labels.count > 1 && labels.last.map { $0.hasPrefix("az") && isNumber($0.dropFirst(2)) } == true
    }

    /// Whether it has the form of AWS's regions: letters first, words between hyphens, a number last.
    ///
    /// - Source: botocore `endpoints.json`, `regionRegex` of each partition
    static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: "-", omittingEmptySubsequences: false)
        guard labels.count >= 3, let first = labels.first, (2...4).contains(first.utf8.count), let last = labels.last
        else {
            return false
        }
        return isNumber(last) && first.utf8.allSatisfy { (97...122).contains($0) }
            && labels.dropFirst().dropLast().allSatisfy { label in
                !label.isEmpty && label.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
            }
    }

    /// The region itself, or the region of a zone; `nil` for any other text.
    static func region(of text: String) -> String? { isName(text) ? text : zone(text) }

    /// Finds the regions in a text, each once.
    private static func candidates(in text: String) -> [String] {
        let words = text.unicodeScalars.split { scalar in
            !(97...122).contains(scalar.value) && !(48...57).contains(scalar.value) && scalar != "-"
        }
        var found: [String] = []
        for region in words.compactMap({ region(of: String($0)) }) where !found.contains(region) {
            found.append(region)
        }
        return found
    }

    private static func isNumber(_ text: some StringProtocol) -> Bool {
        (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
    }
}
