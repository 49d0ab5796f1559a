import AWSIdentity
import Content
import Replicate
import TestPrograms
import Testing

@testable import IAMPolicies
@testable import Rules

@Suite("Policies of rules")
struct RulePolicyTests {
    private static let copier = "arn:aws:iam::111122223333:user/copier"
    private static let promoter = "arn:aws:iam::444455556666:role/promoter"

    private static let registries = """
        version: 1
        registries:
          build: { account: "111122223333", region: eu-west-1 }
          far: { account: "111122223333", region: us-east-1 }
          production:
            account: "444455556666"
            region: eu-west-1
            roleArn: "arn:aws:iam::444455556666:role/promoter"
            externalId: ex-1
          foreign: { account: "444455556666", region: eu-west-1 }
          hub: { host: docker.io }
        rules:

        """

    private func set(
        _ rules: String,
        _ names: [String] = [],
        principal: String? = copier,
        change: (inout RulePolicies.Options) -> Void = { _ in }
    ) throws -> PolicySet {
        let file = try RuleFile(
            parsing: Array((Self.registries + rules).utf8),
            name: "a/production.yaml",
            variables: [:]
        )
        var options = RulePolicies.Options(environment: AWSEnvironment(variables: [:], home: "/nonexistent"))
        options.principals = principal.flatMap { Principal(arn: $0) }.map { [nil: $0] } ?? [:]
        change(&options)
        let policies = try RulePolicies(file, try file.rules(named: names), options)
        return try PolicySet(policies.requests, named: policies.policyName)
    }

    private func names(_ set: PolicySet) -> [[String]] { set.entries.map { $0.names.map(\.description) } }

    private func lines(_ set: PolicySet, _ name: PolicyName) throws -> [String] {
        try #require(set[name]).policy.statements.map { statement in
            let resources = statement.resources.map { resource in
                resource.split(separator: ":").count > 4
                    ? resource.split(separator: ":").dropFirst(3).joined(separator: ":") : resource
            }
            return
                "\(statement.id ?? ""): \(statement.actions.map { $0.split(separator: ":")[1] }.joined(separator: " "))"
                + " on \(resources.joined(separator: " "))"
        }
    }

    private static let releases = """
          - name: releases
            from: { registry: build, repository: "team/*" }
            to: { registry: production, repository: "prod/{name}" }

        """
    private static let backup = """
          - name: backup
            from: { registry: build, repository: [base/a, base/b] }
            to: { registry: far, repository: "backup/{repository}" }
            createRepository: defaults
            prune: { enabled: true, maxDelete: 5 }

        """

    @Test("are one document for each identity, with what each of its repositories needs")
    func documents() throws {
        let set = try set(Self.releases + Self.backup)
        #expect(
            names(set) == [
                ["destination-trust"], ["source-identity", "destination-caller", "destination-identity"],
                ["destination-identity-2"],
            ]
        )
        let source = try lines(set, PolicyName(.sourceIdentity))
        #expect(
            source == [
                "Read: BatchGetImage GetDownloadUrlForLayer on eu-west-1:111122223333:repository/team/* "
                    + "eu-west-1:111122223333:repository/base/a eu-west-1:111122223333:repository/base/b",
                "List: DescribeImages on eu-west-1:111122223333:repository/team/* "
                    + "eu-west-1:111122223333:repository/base/a us-east-1:111122223333:repository/backup/base/a "
                    + "eu-west-1:111122223333:repository/base/b us-east-1:111122223333:repository/backup/base/b",
                "ListRegistry: DescribeRepositories on eu-west-1:111122223333:repository/*",
                "Token: GetAuthorizationToken on *",
                "Write: BatchGetImage BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart "
                    + "CompleteLayerUpload PutImage on us-east-1:111122223333:repository/backup/base/a "
                    + "us-east-1:111122223333:repository/backup/base/b",
                "AskBeforeTagsMove: DescribeRepositories on us-east-1:111122223333:repository/backup/base/a "
                    + "us-east-1:111122223333:repository/backup/base/b",
                "Prune: BatchDeleteImage on us-east-1:111122223333:repository/backup/base/a "
                    + "us-east-1:111122223333:repository/backup/base/b",
                "Create: CreateRepository on us-east-1:111122223333:repository/backup/base/a "
                    + "us-east-1:111122223333:repository/backup/base/b",
                "Assume: AssumeRole on 444455556666:role/promoter",
            ]
        )
        #expect(
            try lines(set, PolicyName(.destinationIdentity, number: 2)) == [
                "Token: GetAuthorizationToken on *",
                "Write: BatchGetImage BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart "
                    + "CompleteLayerUpload PutImage on eu-west-1:444455556666:repository/prod/*",
                "List: DescribeImages on eu-west-1:444455556666:repository/prod/*",
                "AskBeforeTagsMove: DescribeRepositories on eu-west-1:444455556666:repository/prod/*",
            ]
        )
        let trust = try #require(set[.destinationTrust]?.statements)
        #expect(trust.map(\.principal) == [.aws(Self.copier)])
        #expect(trust[0].conditions == [.init("StringEquals", "sts:ExternalId", "ex-1")])
        #expect(
            set.text.contains(
                "# source-identity, destination-caller, destination-identity: for user copier in account 111122223333, who "
                    + "reads, writes and assumes role promoter in account 444455556666\n"
            )
        )
        #expect(set.text.contains("--policy-name ecr-replicate-rules+production+copier "))
    }

    @Test("are of the selected rules only, under a name of their own")
    func selected() throws {
        let set = try set(Self.releases + Self.backup, ["backup"])
        #expect(names(set) == [["source-identity", "destination-identity"]])
        #expect(!set.text.contains("team/*") && !set.text.contains("promoter"))
        // The repositories are named, so the source's registry is not listed.
        #expect(!set.text.contains("repository/*"))
        #expect(set.text.contains("--policy-name ecr-replicate-rules+production+backup+copier "))
    }

    @Test("allow a repository once, where rules overlap")
    func overlap() throws {
        let set = try set(
            Self.releases + """
                  - name: one
                    from: { registry: build, repository: [team/app, other/app] }
                    to: { registry: production, repository: "prod/{name}" }

                """
        )
        let read = try #require(try lines(set, PolicyName(.sourceIdentity)).first)
        #expect(
            read == "Read: BatchGetImage GetDownloadUrlForLayer on eu-west-1:111122223333:repository/team/* "
                + "eu-west-1:111122223333:repository/other/app"
        )
        let write = try lines(set, PolicyName(.destinationIdentity)).first { $0.hasPrefix("Write") }
        #expect(write?.hasSuffix(" on eu-west-1:444455556666:repository/prod/*") == true)
    }

    @Test("of a rule that only sets tags allow no layers, also for patterns")
    func retag() throws {
        let set = try set(
            """
              - name: stable
                from: { registry: build, repository: "team/*" }
                to: { registry: build, tag: "stable-{tag}" }

            """
        )
        #expect(names(set) == [["source-identity", "destination-identity"]])
        #expect(
            try lines(set, PolicyName(.sourceIdentity)) == [
                "List: DescribeImages on eu-west-1:111122223333:repository/team/*",
                "ListRegistry: DescribeRepositories on eu-west-1:111122223333:repository/*",
                "Write: BatchGetImage PutImage on eu-west-1:111122223333:repository/team/*",
            ]
        )
    }

    @Test("across accounts let the caller in by the repositories' policies, and say what they can't allow")
    func acrossAccounts() throws {
        let set = try set(
            """
              - name: shared
                from: { registry: build, repository: "team/*" }
                to: { registry: foreign, repository: "prod/{name}" }
              - name: one
                from: { registry: build, repository: other/app }
                to: { registry: foreign, repository: "prod/{name}" }
                prune: { enabled: true, maxDelete: 1 }

            """
        )
        #expect(
            names(set) == [
                ["source-identity", "destination-identity"], ["destination-repository"], ["destination-repository-2"],
            ]
        )
        let let1 = try #require(set[PolicyName(.destinationRepository)])
        #expect(let1.place == .repositories([PolicyPlace(host: try host("444455556666"), pattern: "prod/*")]))
        let write = [
            "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:BatchCheckLayerAvailability",
            "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage",
        ]
        #expect(Set(let1.policy.statements.flatMap(\.actions)) == Set(write))
        // A repository has one policy: this one has what the pattern's has, and its own.
        let let2 = try #require(set[PolicyName(.destinationRepository, number: 2)])
        #expect(Set(let2.policy.statements.flatMap(\.actions)) == Set(write + ["ecr:BatchDeleteImage"]))
        #expect(let2.policy.statements.map(\.principal) == [.aws(Self.copier)])
        #expect(set[PolicyName(.sourceIdentity)]?.notes == [])
        let reading = try self.set(
            """
              - { name: r, from: { registry: foreign, repository: "team/*" }, to: { registry: build } }

            """
        )
        #expect(
            reading[PolicyName(.sourceIdentity)]?.notes == [
                "ECR lists the repositories of an account for its own identities: give registry 'foreign' a roleArn of account "
                    + "444455556666, or allow ecr:DescribeRepositories in its registry's policy"
            ]
        )
    }

    private func host(_ account: String) throws -> ECRHost {
        ECRHost(account: try AccountID(parsing: account), region: "eu-west-1")
    }

    @Test("create no repository for a caller of another account, and name the registry that needs a role")
    func foreignCreation() throws {
        let error = #expect(throws: ForeignCreation.self) {
            try set(
                """
                  - name: shared
                    from: { registry: build, repository: team/app }
                    to: { registry: foreign }
                    createRepository: defaults

                """
            )
        }
        #expect(error?.description.contains("give registry 'foreign' a roleArn of account 444455556666") == true)
    }

    @Test("say what IAM's wildcards can't, for each side")
    func notes() throws {
        let set = try set(
            """
              - name: apps
                from:
                  registry: build
                  repository: "re:team/(?<app>[a-z]+)"
                  exclude: ["team/scratch*", other/x]
                to: { registry: production, repository: "prod/{app}" }

            """
        )
        #expect(
            set[PolicyName(.sourceIdentity)]?.notes == [
                "rule 'apps' selects re:team/(?<app>[a-z]+), which IAM's wildcards can't say: team/?* is allowed",
                "rule 'apps' leaves out team/scratch*, which this policy allows too: a Deny would also bind other policies",
            ]
        )
        #expect(
            set[PolicyName(.destinationIdentity)]?.notes == [
                "rule 'apps' writes prod/{app}, which IAM's wildcards can't say: prod/?* is allowed"
            ]
        )
    }

    @Test("guess where unnamed keys belong, and keep the keys of profiles apart")
    func keys() async throws {
        try await withScratchDirectory { home in
            try write(
                """
                [profile build]
                aws_access_key_id = A
                aws_secret_access_key = B
                [profile deploy]
                role_arn = arn:aws:iam::111122223333:role/deploy
                source_profile = build
                """,
                to: "\(home)/config"
            )
            let text = """
                version: 1
                registries:
                  plain: { account: "111122223333", region: eu-west-1 }
                  build: { account: "111122223333", region: eu-west-1, profile: build }
                  deploy: { account: "111122223333", region: us-east-1, profile: deploy }
                rules:
                  - { name: one, from: { registry: build, repository: team/a }, to: { registry: plain, repository: x/a } }
                  - { name: two, from: { registry: plain, repository: team/b }, to: { registry: deploy } }
                """
            let file = try RuleFile(parsing: Array(text.utf8), name: "-", variables: [:])
            let variables = ["AWS_CONFIG_FILE": "\(home)/config"]
            var options = RulePolicies.Options(environment: AWSEnvironment(variables: variables, home: home))
            func policies() throws -> PolicySet {
                let policies = try RulePolicies(file, file.rules, options)
                return try PolicySet(policies.requests, named: policies.policyName)
            }
            let guessed = try policies()
            let root = "arn:aws:iam::111122223333:root"
            let holders = PolicySetDocument(guessed).policies.map { [$0.kind, $0.holder, $0.keys] }
            #expect(
                holders == [
                    ["trust", "arn:aws:iam::111122223333:role/deploy", nil],
                    ["identity", root, "the keys of profile 'build'"],
                    ["identity", root, "the keys without a profile"],
                    ["identity", "arn:aws:iam::111122223333:role/deploy", nil],
                ]
            )
            #expect(guessed.text.contains("ARN-OF-THE-CALLER"))
            #expect(
                guessed.text.contains("(the keys of profile 'build'), who reads and assumes role deploy in account")
            )
            #expect(
                guessed.text.contains(
                    "# the keys of profile 'build' are taken to be of account 111122223333: name their owner with "
                        + "--principal build=ARN\n"
                )
            )
            #expect(guessed.text.contains("--policy-name ecr-replicate-rules+stdin+build "))
            options.principals = [
                nil: try #require(Principal(arn: Self.copier)),
                "build": try #require(Principal(arn: "arn:aws:iam::111122223333:user/builder")),
                "deploy": try #require(Principal(arn: "arn:aws:iam::111122223333:user/builder")),
            ]
            let named = try policies()
            #expect(
                PolicySetDocument(named).policies.map(\.holder) == [
                    "arn:aws:iam::111122223333:role/deploy", "arn:aws:iam::111122223333:user/builder", Self.copier,
                    "arn:aws:iam::111122223333:role/deploy",
                ]
            )
            #expect(!named.text.contains("ARN-OF-THE-CALLER") && !named.text.contains("taken to be"))
            options.principals = ["biuld": try #require(Principal(arn: Self.copier))]
            let error = #expect(throws: RulePolicies.Problem.self) { try policies() }
            #expect(
                error?.description
                    == "no registry of the rules uses the profile 'biuld'\n  next: name one of build, deploy"
            )
        }
    }

    @Test("are refused for a profile that doesn't exist, for rules without ECR, and for callers of other partitions")
    func impossible() throws {
        let plain = """
              - { name: r, from: { registry: hub, repository: library/debian }, to: { registry: hub, repository: my/debian } }

            """
        #expect(throws: RulePolicies.Problem.self) { try set(plain) }
        let stranger = #expect(throws: ImpossiblePolicy.self) {
            try set(Self.backup, principal: "arn:aws-cn:iam::111122223333:user/copier")
        }
        #expect(stranger?.description.contains("but no repository is") == true)
        let text = """
            version: 1
            registries:
              build: { account: "111122223333", region: eu-west-1, profile: absent }
            rules:
              - { name: r, from: { registry: build, repository: team/a }, to: { registry: build, repository: x/a } }
            """
        let file = try RuleFile(parsing: Array(text.utf8), name: "r.yaml", variables: [:])
        let options = RulePolicies.Options(environment: AWSEnvironment(variables: [:], home: "/nonexistent"))
        let error = #expect(throws: RulePolicies.Problem.self) { try RulePolicies(file, file.rules, options) }
        #expect(error?.description.hasPrefix("registry 'build': there is no profile 'absent'") == true)
    }

    @Test("of a mirror from another registry are for its destination alone")
    func mirror() throws {
        let set = try set(
            """
              - { name: r, from: { registry: hub, repository: debian }, to: { registry: build, repository: "mirror/{name}" } }

            """
        )
        #expect(names(set) == [["destination-identity"]])
        #expect(set.text.contains("repository/mirror/debian"))
    }

    @Test("with optional permissions let layers be mounted from every repository of the run")
    func optional() throws {
        let rules = """
              - { name: r, from: { registry: build, repository: team/a }, to: { registry: build, repository: "x/a" } }
              - { name: s, from: { registry: build, repository: team/b }, to: { registry: build, repository: "x/b" } }

            """
        let plain = try set(rules)
        let full = try set(rules) { $0.includesOptional = true }
        let mount = try #require(full[.sourceIdentity]?.statements.first { $0.id == "Mount" })
        #expect(
            Set(mount.resources.map { $0.suffix(3) }) == ["x/a", "x/b"],
            "what is read anyway needs no statement: \(mount.resources)"
        )
        #expect(plain[.sourceIdentity]?.statements.contains { $0.id == "Mount" } == false)
    }

    @Test(
        "can be printed for each example file",
        arguments: ["accounts", "promote", "prune", "regions", "retag", "gates"]
    )
    func examples(_ name: String) async throws {
        try await withScratchDirectory { home in
            try write("[profile build]\naws_access_key_id = A\naws_secret_access_key = B\n", to: "\(home)/config")
            let bytes = try RuleFileBytes.read(repositoryFile("config/examples/\(name).yaml"))
            let file = try RuleFile(parsing: bytes, name: "\(name).yaml", variables: [:])
            let variables = ["AWS_CONFIG_FILE": "\(home)/config"]
            let options = RulePolicies.Options(environment: AWSEnvironment(variables: variables, home: home))
            let policies: PolicySet
            do {
                let requests = try RulePolicies(file, file.rules, options)
                policies = try PolicySet(requests.requests, named: requests.policyName)
            } catch is ForeignCreation {
                return
            }
            #expect(!policies.entries.isEmpty)
            #expect(policies.entries.allSatisfy { $0.policy.size <= PolicyLimit.inlineOfRole })
        }
    }
}
