/// The rules for scanning a registry's repositories; the emulator stores and returns them, but scans nothing.
///
/// - Source: the service model, `PutRegistryScanningConfiguration`; ECR User Guide, "Filters to choose which repositories
///   are scanned"
struct ScanningConfiguration: Codable, Sendable, Equatable {
    struct Filter: Codable, Sendable, Equatable {
        var filter: String
        var filterType: String

        /// Whether the filter matches a repository; a filter without a star matches any part of a name.
        func matches(_ repository: String) -> Bool {
            Wildcard.matches(repository, filter.contains("*") ? filter : "*\(filter)*")
        }
    }

    struct Rule: Codable, Sendable, Equatable {
        var scanFrequency: String
        var repositoryFilters: [Filter]
    }

    var scanType = "BASIC"
    var rules: [Rule] = []

    /// - Throws: `InvalidParameterException`
    func check() throws(ServiceFault) {
        try Constraint.choice(scanType, ["BASIC", "ENHANCED"], "scanType")
        try Constraint.count(rules.count, 0...2, "rules")
        for rule in rules {
            try Constraint.choice(
                rule.scanFrequency,
                ["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"],
                "rules.scanFrequency"
            )
            guard (rule.scanFrequency == "CONTINUOUS_SCAN" ? "ENHANCED" : scanType) == scanType,
                (rule.scanFrequency == "MANUAL" ? "BASIC" : scanType) == scanType
            else {
                throw .invalidParameter(
                    "rules.scanFrequency",
                    "\(rule.scanFrequency) is not allowed with the scan type \(scanType)"
                )
            }
            try Constraint.count(rule.repositoryFilters.count, 0...100, "rules.repositoryFilters")
            for filter in rule.repositoryFilters {
                try Constraint.choice(filter.filterType, ["WILDCARD"], "rules.repositoryFilters.filterType")
                try Constraint.length(filter.filter, 1...255, "rules.repositoryFilters.filter")
                try Constraint.pattern(filter.filter, .scanningFilter, "rules.repositoryFilters.filter")
            }
        }
    }

    /// Returns how often a repository is scanned, and the filters that decide it.
    ///
    /// Continuous scans come before scans on push; without a matching rule the repository's own setting applies.
    func applied(to repository: EmulatedRepository) -> (frequency: String, filters: [Filter]) {
        for frequency in ["CONTINUOUS_SCAN", "SCAN_ON_PUSH"] {
            let filters = rules.filter { $0.scanFrequency == frequency }.flatMap(\.repositoryFilters)
                .filter { $0.matches(repository.name) }
            if !filters.isEmpty { return (frequency, filters) }
        }
        return (repository.scansOnPush && scanType == "BASIC" ? "SCAN_ON_PUSH" : "MANUAL", [])
    }

    var json: JSON {
        .members([
            "scanType": .text(scanType),
            "rules": .list(
                rules.map { rule in
                    .members([
                        "scanFrequency": .text(rule.scanFrequency),
                        "repositoryFilters": .list(rule.repositoryFilters.map(\.json)),
                    ])
                }
            ),
        ])
    }
}

extension ScanningConfiguration.Filter {
    var json: JSON { .members(["filter": .text(filter), "filterType": .text(filterType)]) }
}
