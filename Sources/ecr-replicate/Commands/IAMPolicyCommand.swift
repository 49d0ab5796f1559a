import ArgumentParser
import Content
package import IAMPolicies
import Platform
import Replicate
import Reporting

struct IAMPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iam-policy",
        abstract: "Print the IAM policies that a copy needs, and no more.",
        discussion: """
            Asks nobody and changes nothing: what is printed follows from the references, the flags, which are those of \
            copy, and the profile that a flag names. A repository may hold *, for all that match. Within one account the \
            identity policies are enough; where a caller is of another account than the repository, the repository's \
            policy is printed too. Where roles are assumed, so are their trust policies, and what their callers need.

            Who copies is --principal, else whom the profile tells, else everybody of the source's account whose own \
            policies allow it; where roles are named, by a flag or by the profile, they are assumed one after the other, \
            and the last one copies. Source and destination in one repository are a retag.

            Standard output gets each policy under a comment that says where it belongs; with --only nothing but the JSON \
            of one, ready for --policy-document file://…

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

    @Argument(help: "The source: HOST/REPO, or an ARN; * stands for any characters.")
    var source: String

    @Argument(help: "The destination, or several; HOST/ keeps the repository's name.")
    var destinations: [String]

    @Option(help: "Print this policy alone; of several of its kind -2 names the second.")
    var only: PolicyName?

    @Option(help: "What standard output gets: policies under comments, or one JSON document.")
    var output: Format = .text

    @Flag(help: "Also what a copy does without if it is denied, at a price.")
    var withOptional = false

    @OptionGroup(title: "Who copies") var callers: CallerArguments
    @OptionGroup(title: "As for copy") var copying: CopyShapeArguments
    @OptionGroup(title: "As for copy") var indifferent: IndifferentArguments

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
            throw ValidationError("this copy needs no \(only) policy; it needs \(names.joined(separator: ", "))")
        }
        return policies.only(only)
    }

    private func request() throws -> PolicyRequest {
        let from = try usage { try PolicyPlace(parsing: source) }
        let to = try destinations.map { text in try usage { try PolicyPlace(parsing: text, keeping: from?.pattern) } }
        guard from != nil || to.contains(where: { $0 != nil }) else {
            throw ValidationError("neither side is ECR, and nobody else knows IAM policies")
        }
        var request = PolicyRequest(source: from, destinations: to)
        (request.reader, request.writer) = (try callers.reader(), try callers.writer())
        request.listsImages = copying.listsImages
        request.upload = copying.upload
        request.createsRepository = copying.createRepository == .defaults
        request.keyARN = copying.kmsKey
        request.includesOptional = withOptional
        guard copying.kmsKey == nil || to.contains(where: { $0.map { request.key(at: $0) != nil } ?? false }) else {
            throw ValidationError("--kms-key must be of a destination's region, as KMS keys are used nowhere else")
        }
        return request
    }
}

extension PolicyName: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }
    package static var allValueStrings: [String] { PolicyPart.allCases.map(\.rawValue) }
}
