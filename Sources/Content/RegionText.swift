/// The name of a region, as far as its form tells.
package enum RegionText {
    /// What is wrong with a text that should be the name of a region.
    ///
    /// It becomes part of host names and of what is signed, so nothing but a name may pass. People paste a zone for its
    /// region, an address, or a value with its quotes, its comment or a line break.
    ///
    /// - Returns: What is wrong and what to write, in words that follow the text; `nil` for what may be a region.
    package static func fault(in text: String) -> String? {
        guard !ECRHost.isRegion(text) || zone(text) != nil || isZoneID(text) else { return nil }
        let words = "write it as eu-west-1"
        guard !text.isEmpty else { return "is empty; \(words)" }
        let lowered = text.lowercased()
        let meant = candidates(in: lowered)
        let proposal = meant.count == 1 ? meant.first.map { "write \($0)" } ?? words : words
        if text.unicodeScalars.contains(where: isBreak) { return "has a line break in it; \(proposal)" }
        if lowered.contains("#") || lowered.contains(";") { return "has a comment in it; \(proposal)" }
        if text.unicodeScalars.contains(where: isQuote) { return "has quotes in it; \(proposal)" }
        if lowered.contains("://") || lowered.contains(".") {
            return "is an address, and not the name of a region; \(proposal)"
        }
        if text.unicodeScalars.contains(where: isInvisible) { return "has an invisible character in it; \(proposal)" }
        if text.contains(where: \.isWhitespace) { return "has a blank in it; \(proposal)" }
        if let region = zone(text) { return "is an availability zone; write \(region), its region" }
        if isZoneID(text) { return "is the id of an availability zone; write its region, as eu-west-1" }
        if lowered != text, ECRHost.isRegion(lowered) { return "has capitals; \(proposal)" }
        return "is not the name of a region; \(proposal)"
    }

    /// The region of a zone: of `eu-west-1a`, of a local zone as `us-west-2-lax-1a`.
    ///
    /// - Source: AWS Regions and Availability Zones user guide, "Availability Zones" and "Local Zones"
    private static func zone(_ text: String) -> String? {
        guard let last = text.utf8.last, (97...122).contains(last), isName(String(text.dropLast())) else { return nil }
        // A local zone's name continues after the region's number.
        let labels = text.dropLast().split(separator: "-")
        guard let number = labels.firstIndex(where: { isNumber($0) }) else { return nil }
        return labels[...number].joined(separator: "-")
    }

    /// Of the form `euw1-az1`.
    private static func isZoneID(_ text: String) -> Bool {
        let labels = text.split(separator: "-")
        return labels.count > 1 && labels.last.map { $0.hasPrefix("az") && isNumber($0.dropFirst(2)) } == true
    }

    /// Whether it has the form that all of AWS's regions have: letters first, words between hyphens, a number last.
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

    /// The region that a text is or, for a zone, is in; `nil` for a text of another form.
    static func region(of text: String) -> String? { isName(text) ? text : zone(text) }

    /// The regions that are named somewhere in a text, each once.
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

    private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .format || scalar.properties.generalCategory == .control
    }

    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: true
        default: scalar == "\"" || scalar == "'" || scalar == "`" || scalar == "\u{201A}" || scalar == "\u{201E}"
        }
    }
}
