/// The rules by which AWS Signer signs pushed images; the emulator stores and returns them, but signs nothing.
///
/// - Source: the service model, `PutSigningConfiguration`; docs/facts/ecr-api.md#managed-signing
struct SigningConfiguration: Codable, Sendable, Equatable {
    struct Filter: Codable, Sendable, Equatable {
        var filter: String
        var filterType: String
    }

    struct Rule: Codable, Sendable, Equatable {
        var signingProfileArn: String
        /// The filters; `nil` for every repository.
        var repositoryFilters: [Filter]?

        func signs(_ repository: String) -> Bool {
            repositoryFilters?.contains { Wildcard.matches(repository, $0.filter) } ?? true
        }
    }

    var rules: [Rule]

    /// - Throws: `InvalidParameterException`
    func check() throws(ServiceFault) {
        try Constraint.count(rules.count, 0...10, "signingConfiguration.rules")
        for rule in rules {
            try Constraint.length(rule.signingProfileArn, 0...200, "signingConfiguration.rules.signingProfileArn")
            try Constraint.pattern(
                rule.signingProfileArn,
                .signingProfile,
                "signingConfiguration.rules.signingProfileArn"
            )
            guard let filters = rule.repositoryFilters else { continue }
            try Constraint.count(filters.count, 1...100, "signingConfiguration.rules.repositoryFilters")
            for filter in filters {
                let member = "signingConfiguration.rules.repositoryFilters.filter"
                try Constraint.choice(filter.filterType, ["WILDCARD_MATCH"], "\(member)Type")
                try Constraint.length(filter.filter, 1...256, member)
                try Constraint.pattern(filter.filter, .signingFilter, member)
            }
        }
    }

    var json: JSON {
        .members([
            "rules": .list(
                rules.map { rule in
                    .members([
                        "signingProfileArn": .text(rule.signingProfileArn),
                        "repositoryFilters": rule.repositoryFilters.map { filters in
                            .list(
                                filters.map {
                                    .members(["filter": .text($0.filter), "filterType": .text($0.filterType)])
                                }
                            )
                        },
                    ])
                }
            )
        ])
    }
}
