import ArgumentParser
import Content
package import IAMPolicies
import Platform
import Replicate
import Reporting

struct IAMPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iam-policy",
        abstract: "Print the minimum IAM policies for a copy.",
        discussion: """
            Sends no requests: the policies are derived from the references, the flags, and the named profile. A repository \
            name may contain *. Within one account, identity policies are enough; across accounts, the repository's policy \
            is printed too. For roles that are assumed, their trust policies and their callers' policies are printed too.

            The caller is --principal, else the profile's identity, else every principal in the source's account whose own \
            policies allow it. Roles from the flags or the profile are assumed one after the other, and the last one \
            copies. If source and destination are the same repository, the policies are those of a retag.

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
            """
    )

    /// The format of standard output.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "The source: HOST/REPO or an ARN; * matches any characters.")
    var source: String

    @Argument(help: "One or more destinations; HOST/ keeps the source's repository name.")
    var destinations: [String]

    @Option(help: "Print only this policy; add -2 for the second of its kind.")
    var only: PolicyName?

    @Option(help: "Format of standard output: policies under comments, or one JSON document.")
    var output: Format = .text

    @Flag(help: "Include optional permissions; without them a copy works, but may take longer or report less.")
    var withOptional = false

    @OptionGroup(title: "Caller") var callers: CallerArguments
    @OptionGroup(title: "As for copy") var copying: PolicyArguments
    @OptionGroup(title: "As for copy") var ignored: IgnoredArguments

    func validate() throws { _ = try policies() }

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
        let request = try request()
        let policies = try usage { try PolicySet(request) }
        guard let only else { return policies }
        guard policies[only] != nil else {
            let names = policies.entries.flatMap(\.names).map(\.description)
            throw ValidationError(
                "this copy doesn't need the policy '\(only)'\n  next: choose one of \(names.joined(separator: ", "))"
            )
        }
        return policies.only(only)
    }

    private func request() throws -> PolicyRequest {
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
        let regions = Set(to.compactMap { $0?.host.region })
        guard copying.kmsKeys.allSatisfy({ $0.region.map(regions.contains) ?? true }) else {
            throw ValidationError(
                "the KMS key is not in a destination's region\n  next: name a key in the region of the new repository"
            )
        }
        return request
    }
}

extension PolicyName: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
    package static var allValueStrings: [String] { PolicyPart.allCases.map(\.rawValue) }
}
