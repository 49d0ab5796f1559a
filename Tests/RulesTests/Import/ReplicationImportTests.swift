import Testing

@testable import Rules

@Suite("Importing ECR's replication")
struct ReplicationImportTests {
    private static let described = """
        {
            "registryId": "111122223333",
            "replicationConfiguration": {
                "rules": [
                    {
                        "destinations": [
                            { "region": "us-east-1", "registryId": "111122223333" },
                            { "region": "eu-west-1", "registryId": "444455556666" }
                        ],
                        "repositoryFilters": [
                            { "filter": "prod", "filterType": "PREFIX_MATCH" },
                            { "filter": "team/base", "filterType": "PREFIX_MATCH" }
                        ]
                    },
                    {
                        "destinations": [ { "region": "ap-southeast-1", "registryId": "111122223333" } ],
                        "deleteReplication": { "enabled": true }
                    }
                ]
            }
        }
        """

    private static let east = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    private static let west = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"

    @Test("gives a rule for each of its rules")
    func rules() throws {
        let imported = try Imported.replication(Self.described)
        #expect(
            imported.rules == [
                "replication: \(Self.west) prod*,team/base* -> \(Self.east) {repository}:{tag}, "
                    + "444455556666.dkr.ecr.eu-west-1.amazonaws.com {repository}:{tag}; create defaults; referrers all",
                "replication-2: \(Self.west) * -> 111122223333.dkr.ecr.ap-southeast-1.amazonaws.com {repository}:{tag}; "
                    + "create defaults; referrers all",
            ]
        )
        #expect(
            imported.comments.contains {
                $0.hasPrefix("replicationConfiguration.rules[1].deleteReplication (line 17): deletions are not copied")
            },
            "\(imported.comments)"
        )
    }

    private static let rule =
        "{\"destinations\":[{\"region\":\"us-east-1\",\"registryId\":\"111122223333\"}],\"repositoryFilters\":[]}"

    @Test(
        "reads the configuration alone, and its rules alone",
        arguments: [
            "{\"replicationConfiguration\":{\"rules\":[\(rule)]}}", "{\"rules\":[\(rule)]}", "[\(rule)]",
            "{\n\t\"rules\": [\n\t\t\(rule)\n\t]\n}",
            "rules:\n- destinations:\n  - registryId: '111122223333'\n    region: us-east-1\n",
        ]
    )
    func parts(_ text: String) throws {
        let imported = try Imported(text, from: .ecrReplication) { options in
            options.region = "eu-west-1"
            options.account = "111122223333"
        }
        #expect(
            imported.rules == [
                "replication: \(Self.west) * -> \(Self.east) {repository}:{tag}; create defaults; referrers all"
            ]
        )
    }

    @Test("leaves out rules that copy something else")
    func leftOut() throws {
        let imported = try Imported.replication(
            """
            registryId: "111122223333"
            replicationConfiguration:
              rules:
              - destinations: [{ region: us-east-1, registryId: "111122223333", note: x }]
                priority: 1
              - destinations: [{ region: us-east-1, registryId: "111122223333" }]
                repositoryFilters: [{ filter: prod, filterType: WILDCARD }]
              - destinations: []
              - destinations: [{ region: eu-west-1, registryId: "111122223333" }]
              - destinations: [{ region: us-east-1, registryId: "111122223333" }]
                repositoryFilters: [{ filter: "{a}", filterType: PREFIX_MATCH }]
            scope: V2
            """
        )
        #expect(imported.rules.count == 1)
        #expect(
            imported.leftOut == [
                "6 replicationConfiguration.rules[1]: left out: the filterType 'WILDCARD' is not known",
                "8 replicationConfiguration.rules[2]: left out: it has no destination",
                "9 replicationConfiguration.rules[3]: left out: in a rule file, this copies "
                    + "111122223333.dkr.ecr.eu-west-1.amazonaws.com to itself",
                "10 replicationConfiguration.rules[4]: left out: '{a}' is not the beginning of the name of a repository",
            ]
        )
        for beginning in [
            "scope (line 12): this is not a known key of ECR",
            "replicationConfiguration.rules[0].priority (line 5): this is not a known key of ECR",
            "replicationConfiguration.rules[0].destinations[0].note (line 4): this is not a known key of ECR",
        ] {
            #expect(imported.comments.contains { $0.hasPrefix(beginning) }, "\(imported.comments)")
        }
    }

    @Test(
        "refuses a file with mistakes, with their places",
        arguments: [
            (
                "{ \"registryId\": \"111122223333\", \"replicationConfiguration\": { \"rules\": [] } }",
                "1:72 replicationConfiguration.rules: there is no replication rule"
            ),
            (
                "registryId: \"12\"\nrules: [{ destinations: [{ region: us-east-1, registryId: \"111122223333\" }] }]",
                "1:13 registryId: '12' is not an AWS account"
            ),
            (
                "registryId: \"111122223333\"\nrules: [{ destinations: [{ region: us-east-1a, registryId: \"111122223333\" }] }]",
                "2:36 rules[0].destinations[0].region: 'us-east-1a' is an availability zone"
            ),
            (
                "registryId: \"111122223333\"\nrules: [{ destinations: [{ region: us-east-1 }] }]",
                "2:26 rules[0].destinations[0]: 'registryId' is missing"
            ),
            ("{ \"registryId\": \"111122223333\", \"rules\": [ }", "1:44 : this is not YAML"),
        ]
    )
    func mistakes(_ text: String, _ expected: String) throws {
        let found = try importProblems(text, from: .ecrReplication).map { "\($0.position) \($0.path): \($0.message)" }
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test(
        "asks for the region and the account",
        arguments: [
            (nil, nil, "add it as --region REGION"), ("eu-west-1a", "111122223333", "is an availability zone"),
            ("eu-west-1", nil, "add it as --account"), ("eu-west-1", "12", "--account '12' is not an AWS account"),
        ] as [(String?, String?, String)]
    )
    func needsSource(_ region: String?, _ account: String?, _ expected: String) throws {
        let fault = try #require(throws: RuleImport.OptionFault.self) {
            try Imported("{\"rules\":[\(Self.rule)]}", from: .ecrReplication) { options in
                options.region = region
                options.account = account
            }
        }
        #expect(fault.description.contains(expected), "\(fault)")
    }

    @Test("does not take the account of another file")
    func otherAccount() throws {
        let fault = try #require(throws: RuleImport.OptionFault.self) {
            try Imported(Self.described, from: .ecrReplication) { options in
                options.region = "eu-west-1"
                options.account = "444455556666"
            }
        }
        #expect(fault.description == "the file is of account '111122223333', not of --account '444455556666'")
    }
}
