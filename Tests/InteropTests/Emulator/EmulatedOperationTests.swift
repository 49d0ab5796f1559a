import Foundation
import TestPrograms
import Testing

@testable import ECREmulator

/// Calls every operation of ECR's service model with the AWS CLI, and checks the answers against the model.
@Suite("The emulator and the service model", .timeLimit(.minutes(2)), .needs(.botocore))
struct EmulatedOperationTests {

    @Test("every operation is answered, or docs/emulator.md lists it as missing")
    func all() async throws {
        let script =
            "import botocore.session; m = botocore.session.get_session().get_service_model('ecr')\n"
            + "print('\\n'.join(m.operation_names))"
        let listed = try await run(.botocore, ["-c", script])
        let operations = Set(listed.lines)
        #expect(operations.count > 50, "\(listed.errors)")
        let page = try String(contentsOfFile: repositoryFile("docs/emulator.md"), encoding: .utf8)
        let section = page.components(separatedBy: "\n## ").first { $0.hasPrefix("What it does not do") } ?? ""
        let named = Set(section.split(separator: "`").map(String.init)).intersection(operations)
        let answered = Set(APICall.operations.keys)
        #expect(answered.intersection(named).isEmpty, "named as unknown, but answered")
        #expect(operations.subtracting(answered) == named, "unknown, and the page says otherwise")
        #expect(answered.isSubset(of: operations), "not in the model")
    }

    /// The outcome of one command.
    private struct Outcome: Decodable {
        var status: Int
        var output: String
        var errors: String
        var problems: [String]

        /// The output, with one space between fields; for an error, its name.
        var text: String {
            if status != 0, let name = errors.firstMatch(of: /error occurred \((\w+)\)/)?.output.1 {
                return String(name)
            }
            return output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    private func cli(_ commands: [[String]], _ variables: [String: String]) async throws -> [Outcome] {
        try await withScratchDirectory { directory in
            let file = "\(directory)/commands.json"
            try write(String(decoding: JSONEncoder().encode(commands), as: UTF8.self), to: file)
            return try JSONDecoder().decode([Outcome].self, from: try await oracle("ecr_cli", [file], variables))
        }
    }

    /// Runs commands in sequence, and compares the output of each.
    private func expect(_ emulator: Emulator, _ steps: [(command: String, text: String)]) async throws {
        let outcomes = try await cli(steps.map { arguments($0.command) }, emulator.variables())
        try #require(outcomes.count == steps.count)
        for (step, outcome) in zip(steps, outcomes) {
            #expect(outcome.text == step.text, "\(step.command): \(outcome.errors)")
            #expect(outcome.problems.isEmpty, "\(step.command)")
        }
    }

    /// Splits a command into words; a JSON word may be in quotes.
    private func arguments(_ command: String) -> [String] {
        command.split(separator: "'", omittingEmptySubsequences: false).enumerated().flatMap { index, part in
            index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
        }
    }

    private static let rule =
        #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#

    @Test("templates and rules, with their effects on pushes and pulls")
    func templates() async throws {
        try await withEmulator { emulator in
            try await expect(
                emulator,
                [
                    (
                        "create-repository-creation-template --prefix mirror --applied-for CREATE_ON_PUSH "
                            + "--image-tag-mutability IMMUTABLE_WITH_EXCLUSION "
                            + "--image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=dev* "
                            + "--resource-tags Key=a,Value=b --custom-role-arn arn:aws:iam::\(Cloud.build):role/t "
                            + "--lifecycle-policy '\(Self.rule)' "
                            + "--query repositoryCreationTemplate.[prefix,imageTagMutability]",
                        "mirror IMMUTABLE_WITH_EXCLUSION"
                    ),
                    (
                        "create-repository-creation-template --prefix mirror/ --applied-for REPLICATION",
                        "TemplateAlreadyExistsException"
                    ),
                    (
                        "update-repository-creation-template --prefix mirror --description '' "
                            + "--query repositoryCreationTemplate.appliedFor",
                        "CREATE_ON_PUSH"
                    ),
                    (
                        "describe-repository-creation-templates --query repositoryCreationTemplates[].resourceTags[].Key",
                        "a"
                    ),
                    ("describe-images --repository-name mirror/app", "RepositoryNotFoundException"),
                    ("initiate-layer-upload --repository-name mirror/app --query partSize", "10485760"),
                    (
                        "describe-repositories --repository-names mirror/app "
                            + "--query repositories[].imageTagMutabilityExclusionFilters[].filter",
                        "dev*"
                    ),
                    (
                        "list-tags-for-resource --resource-arn "
                            + "arn:aws:ecr:\(Cloud.home):\(Cloud.build):repository/mirror/app --query tags[].Value",
                        "b"
                    ),
                    ("get-lifecycle-policy --repository-name mirror/app --query lifecyclePolicyText", Self.rule),
                    ("delete-repository-creation-template --prefix mirror --query registryId", Cloud.build),
                    ("delete-repository-creation-template --prefix mirror", "TemplateNotFoundException"),
                    (
                        "create-pull-through-cache-rule --ecr-repository-prefix hub --upstream-registry-url "
                            + "registry-1.docker.io --credential-arn arn:aws:secretsmanager:us-east-1:\(Cloud.build)"
                            + ":secret:ecr-pullthroughcache/hub-a1b2c3 --query upstreamRegistry",
                        "docker-hub"
                    ),
                    (
                        "update-pull-through-cache-rule --ecr-repository-prefix hub --custom-role-arn "
                            + "arn:aws:iam::\(Cloud.build):role/hub --query ecrRepositoryPrefix",
                        "hub"
                    ),
                    ("validate-pull-through-cache-rule --ecr-repository-prefix hub --query isValid", "False"),
                    (
                        "batch-get-image --repository-name hub/library/alpine --image-ids imageTag=3",
                        "UnableToGetUpstreamImageException"
                    ),
                    (
                        "describe-pull-through-cache-rules --query pullThroughCacheRules[].upstreamRegistryUrl",
                        "registry-1.docker.io"
                    ),
                    (
                        "delete-pull-through-cache-rule --ecr-repository-prefix hub --query upstreamRegistryUrl",
                        "registry-1.docker.io"
                    ),
                    (
                        "validate-pull-through-cache-rule --ecr-repository-prefix hub",
                        "PullThroughCacheRuleNotFoundException"
                    ),
                ]
            )
        }
    }

    @Test("lifecycle policies, scanning, signing, replication, exclusions, archives")
    func settings() async throws {
        try await withEmulator { emulator in
            for number in 1...3 {
                try emulator.seed(
                    .oci("image \(number)", layers: [3_000]),
                    tag: "v\(number)",
                    account: Cloud.build,
                    region: Cloud.home,
                    repository: "team/app"
                )
            }
            let app = "--repository-name team/app"
            let user = "arn:aws:iam::\(Cloud.build):user/ci"
            let profile = "arn:aws:signer:\(Cloud.home):\(Cloud.build):/signing-profiles/release"
            try await expect(
                emulator,
                [
                    (
                        "start-lifecycle-policy-preview \(app) --lifecycle-policy-text '\(Self.rule)' --query status",
                        "IN_PROGRESS"
                    ),
                    (
                        "get-lifecycle-policy-preview \(app) --query [status,summary.expiringImageTotalCount,previewResults[].action.type]",
                        "COMPLETE 2 EXPIRE EXPIRE"
                    ),
                    (
                        "put-lifecycle-policy \(app) --lifecycle-policy-text '\(Self.rule)' --query registryId",
                        Cloud.build
                    ),
                    ("delete-lifecycle-policy \(app) --query lifecyclePolicyText", Self.rule),
                    ("get-lifecycle-policy \(app)", "LifecyclePolicyNotFoundException"),
                    (
                        "put-registry-scanning-configuration --scan-type ENHANCED --rules "
                            + #"'[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[{"filter":"team/*","filterType":"WILDCARD"}]}]' "#
                            + "--query registryScanningConfiguration.scanType",
                        "ENHANCED"
                    ),
                    (
                        "get-registry-scanning-configuration --query scanningConfiguration.rules[].scanFrequency",
                        "CONTINUOUS_SCAN"
                    ),
                    (
                        "batch-get-repository-scanning-configuration --repository-names team/app none --query "
                            + "[scanningConfigurations[].scanFrequency,failures[].failureCode]",
                        "CONTINUOUS_SCAN REPOSITORY_NOT_FOUND"
                    ),
                    (
                        "put-image-scanning-configuration \(app) --image-scanning-configuration scanOnPush=true --query "
                            + "imageScanningConfiguration.scanOnPush",
                        "True"
                    ),
                    ("describe-image-scan-findings \(app) --image-id imageTag=v1", "ScanNotFoundException"),
                    ("get-signing-configuration", "SigningConfigurationNotFoundException"),
                    (
                        "put-signing-configuration --signing-configuration "
                            + #"'{"rules":[{"signingProfileArn":"\#(profile)"}]}' --query signingConfiguration.rules[].signingProfileArn"#,
                        profile
                    ),
                    ("get-signing-configuration --query registryId", Cloud.build),
                    (
                        "describe-image-signing-status \(app) --image-id imageTag=v1 --query signingStatuses[].status",
                        "IN_PROGRESS"
                    ),
                    ("delete-signing-configuration --query registryId", Cloud.build),
                    (
                        "put-replication-configuration --replication-configuration "
                            + #"'{"rules":[{"destinations":[{"region":"eu-west-1","registryId":"\#(Cloud.build)"}]}]}' "#
                            + "--query replicationConfiguration.rules[].destinations[].region",
                        "eu-west-1"
                    ),
                    ("describe-registry --query replicationConfiguration.rules[].destinations[].region", "eu-west-1"),
                    (
                        "describe-image-replication-status \(app) --image-id imageTag=v1 --query replicationStatuses[].status",
                        "IN_PROGRESS"
                    ),
                    ("register-pull-time-update-exclusion --principal-arn \(user) --query principalArn", user),
                    ("list-pull-time-update-exclusions --query pullTimeUpdateExclusions", user),
                    ("deregister-pull-time-update-exclusion --principal-arn \(user) --query principalArn", user),
                    ("deregister-pull-time-update-exclusion --principal-arn \(user)", "ExclusionNotFoundException"),
                    (
                        "update-image-storage-class \(app) --image-id imageTag=v1 --target-storage-class ARCHIVE --query imageStatus",
                        "ARCHIVED"
                    ),
                    ("list-images \(app) --filter imageStatus=ARCHIVED --query imageIds[].imageTag", "v1"),
                    ("describe-images \(app) --image-ids imageTag=v1 --query imageDetails[].imageStatus", "ARCHIVED"),
                    (
                        "batch-get-image \(app) --image-ids imageTag=v1 --query failures[].failureCode",
                        "ImageInaccessible"
                    ),
                    ("get-account-setting --name BLOB_MOUNTING --query value", "DISABLED"),
                    ("put-account-setting --name BLOB_MOUNTING --value ENABLED --query value", "ENABLED"),
                    (
                        "put-image-tag-mutability \(app) --image-tag-mutability MUTABLE_WITH_EXCLUSION "
                            + "--image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=v* --query imageTagMutability",
                        "MUTABLE_WITH_EXCLUSION"
                    ),
                    ("start-image-scan \(app) --image-id imageTag=v1", "UnknownOperationException"),
                ]
            )
        }
    }

    @Test("moto answers these settings the same way, as far as it supports them", .needs(.moto))
    func comparison() async throws {
        let app = "--repository-name team/app"
        let policy =
            #"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":["ecr:ReplicateImage"],"Resource":"*"}]}"#
        let commands = [
            "create-repository \(app) --query repository.imageTagMutability",
            "get-lifecycle-policy \(app)",
            "put-lifecycle-policy \(app) --lifecycle-policy-text '\(Self.rule)' --query repositoryName",
            "get-lifecycle-policy \(app) --query lifecyclePolicyText",
            "delete-lifecycle-policy \(app) --query repositoryName",
            "delete-lifecycle-policy \(app)", "delete-lifecycle-policy --repository-name none",
            "get-registry-policy", "put-registry-policy --policy-text '\(policy)' --query policyText",
            "delete-registry-policy --query policyText", "delete-registry-policy",
            "put-image-scanning-configuration \(app) --image-scanning-configuration scanOnPush=true --query imageScanningConfiguration.scanOnPush",
            "put-image-scanning-configuration --repository-name none --image-scanning-configuration scanOnPush=true",
            "put-image-tag-mutability \(app) --image-tag-mutability IMMUTABLE --query imageTagMutability",
            "describe-registry --query replicationConfiguration.rules",
            #"put-registry-scanning-configuration --scan-type BASIC --rules '[{"scanFrequency":"SCAN_ON_PUSH","repositoryFilters":[{"filter":"team","filterType":"WILDCARD"}]}]' --query registryScanningConfiguration.rules[].repositoryFilters[].filter"#,
            "get-registry-scanning-configuration --query scanningConfiguration.scanType",
            "batch-get-repository-scanning-configuration --repository-names team/app --query scanningConfigurations[].scanFrequency",
        ].map(arguments)
        var theirs: [Outcome] = []
        try await LocalCloud.moto { moto in
            theirs = try await cli(
                commands,
                [
                    "AWS_ENDPOINT_URL": moto.endpoint, "AWS_DEFAULT_REGION": Cloud.home,
                    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                    "AWS_SECRET_ACCESS_KEY": "secret",
                ]
            )
        }
        let ours = try await withEmulator { try await cli(commands, $0.variables()) }
        for (command, (our, their)) in zip(commands, zip(ours, theirs)) {
            #expect(our.text == their.text, "\(command): \(our.errors) \(their.errors)")
            #expect(our.problems.isEmpty, "\(command)")
        }
    }
}
