import AWSIdentity
import ArgumentParser
import Content
package import IAMPolicies
import Platform
import Promotion
import Replicate
import Reporting
import Rules

struct IAMPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iam-policy",
        abstract: "Print the minimum IAM policies for a copy, or for rules.",
        discussion: """
            Sends no requests: the policies are derived from the references, the flags, and the named profile. A repository \
            name may contain *. Within one account, identity policies are enough; across accounts, the repository's policy \
            is printed too. For roles that are assumed, their trust policies and their callers' policies are printed too.

            The caller is --principal, else the profile's identity, else every principal in the source's account whose own \
            policies allow it. Roles from the flags or the profile are assumed one after the other, and the last one \
            copies. If source and destination are the same repository, the policies are those of a retag.

            With -f, the policies are those that plan and sync need for the rules of a file: one for each identity, which is \
            the role, the profile or the keys that the registries of the file name. A policy that is too long for IAM is \
            split into several managed policies.

            Standard output has each policy under a comment that says where to apply it; with --only, the JSON of one \
            policy, ready for --policy-document file://…

            EXAMPLES
              BUILD=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate iam-policy $BUILD/team/app $PROD/prod/app
              ecr-replicate iam-policy --only destination-repository \\
                  --principal arn:aws:iam::111122223333:role/build \\
                  "$BUILD/team/*" "$PROD/prod/*" > policy.json
              ecr-replicate iam-policy --create-repository defaults \\
                  --principal arn:aws:iam::111122223333:role/build \\
                  --destination-role-arn arn:aws:iam::444455556666:role/promoter \\
                  --destination-external-id ex-1 \\
                  $BUILD/team/app $PROD/prod/app
              ecr-replicate iam-policy -f rules.yaml
              ecr-replicate iam-policy -f rules.yaml \\
                  --principal build=arn:aws:iam::111122223333:user/build releases
            """
    )

    /// The format of standard output.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "The source: HOST/REPO or an ARN; * matches any characters. With -f, the names of rules.")
    var source: String?

    @Argument(help: "One or more destinations; HOST/ keeps the source's repository name.")
    var destinations: [String] = []

    @OptionGroup var rules: RuleFileArgument

    @Option(help: "Print only this policy; add -2 for the second of its kind.")
    var only: PolicyName?

    @Option(help: "Format of standard output: policies under comments, or one JSON document.")
    var output: Format = .text

    @Flag(help: "Include optional permissions; without them a copy works, but may take longer or report less.")
    var withOptional = false

    @OptionGroup(title: "Caller") var callers: CallerArguments
    @OptionGroup(title: "As for copy") var copying: PolicyArguments
    @OptionGroup(title: "As for promote") var gates: GateArguments
    @OptionGroup(title: "As for promote") var signing: SigningKeyName
    @OptionGroup(title: "As for copy") var ignored: IgnoredArguments

    func validate() throws {
        for (name, isGiven) in callers.ofReferences {
            try rules.refuse(name, isGiven, "the registries of a rule file say whose keys and roles are used")
        }
        for (name, isGiven) in copying.ofReferences { try rules.refuse(name, isGiven, "the rules decide that") }
        try rules.refuse("gates", !gates.settings.isEmpty, "the rules decide that")
        guard rules.file == nil else { return }
        if let other = callers.principals.first(where: { $0.profile != nil })?.profile {
            throw ValidationError(
                "'\(quotable(other))=' names the keys of a profile, which is for rule files\n  next: write the ARN alone, or pass -f"
            )
        }
        _ = try policies()
    }

    func run() async throws {
        let policies = try policies()
        if output == .json {
            if !printJSON(PolicySetDocument(policies)) { throw ExitCode(ExitStatus.failed) }
        } else if let only {
            LineStream.standardOutput.write(policies[only]?.policy.text ?? "")
        } else {
            LineStream.standardOutput.write(policies.text)
        }
    }

    private func policies() throws -> PolicySet {
        let policies = try rules.file.map { try self.policies(ofRulesIn: $0) } ?? policiesOfReferences()
        guard let only else { return policies }
        guard policies[only] != nil else {
            let names = policies.entries.flatMap(\.names).map(\.description)
            let what = rules.file == nil ? "this copy doesn't" : "the rules don't"
            throw ValidationError(
                "\(what) need the policy '\(only)'\n  next: choose one of \(names.joined(separator: ", "))"
            )
        }
        return policies.only(only)
    }

    private func policies(ofRulesIn name: String) throws -> PolicySet {
        let file = try readRuleFile(name, for: "iam-policy", printsJSON: output == .json) { bytes in
            try RuleFile(parsing: bytes, name: name, variables: .current)
        }
        let selected = try RuleFileArgument.rules(of: file, named: [source].compactMap { $0 } + destinations)
        var options = RulePolicies.Options(environment: .current())
        options.principals = callers.principalsByProfile
        options.upload = copying.upload
        options.includesOptional = withOptional
        options.signingKeys = try signingKeys()
        guard signing.signRecord == nil || selected.contains(where: { $0.gates != nil }) else {
            throw ValidationError(
                "--sign-record is for promotions, and none of the rules has gates\n  next: leave it out, or give a rule gates"
            )
        }
        return try usage {
            let policies = try RulePolicies(file, selected, options)
            return try PolicySet(policies.requests, named: policies.policyName)
        }
    }

    private func signingKeys() throws -> [KeyName] { try signing.arn().flatMap { KeyName($0) }.map { [$0] } ?? [] }

    private func policiesOfReferences() throws -> PolicySet {
        let request = try request()
        return try usage { try PolicySet(request) }
    }

    private func request() throws -> PolicyRequest {
        guard let source else { throw missingArgument("<source>") }
        guard !destinations.isEmpty else { throw missingArgument("<destinations> ...") }
        let from = try usage { try PolicyPlace(parsing: source) }
        let to = try destinations.map { text in try usage { try PolicyPlace(parsing: text, keeping: from?.pattern) } }
        guard from != nil || to.contains(where: { $0 != nil }) else {
            throw ValidationError("neither side is ECR, and only ECR has IAM policies")
        }
        var request = PolicyRequest(source: from, destinations: to)
        (request.reader, request.writer) = (try callers.reader(), try callers.writer())
        request.listsImages = copying.listsImages
        request.upload = copying.upload
        request.createsRepository = copying.createRepository == .defaults
        request.createsLikeSource = copying.createRepository == .likeSource
        request.keys = copying.kmsKeys
        request.includesOptional = withOptional
        request.gates = GateNeeds(gates.settings)
        request.signingKeys = try signingKeys()
        let regions = Set(to.compactMap { $0?.host.region })
        guard copying.kmsKeys.allSatisfy({ $0.region.map(regions.contains) ?? true }) else {
            throw ValidationError(
                "the KMS key is not in a destination's region\n  next: name a key in the region of the new repository"
            )
        }
        return request
    }
}

/// The usage error for an argument that is missing where no rule file is given.
func missingArgument(_ argument: String) -> ValidationError {
    ValidationError("Missing expected argument '\(argument)'\n  next: write it, or name a rule file with -f")
}

extension PolicyName: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
    package static var allValueStrings: [String] { PolicyPart.allCases.map(\.rawValue) }
}
