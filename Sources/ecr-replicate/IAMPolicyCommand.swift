public import ArgumentParser
import Content
import Platform
public import Replicate

struct IAMPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iam-policy",
        abstract: "Print the IAM policies that a copy needs, and no more.",
        discussion: """
            Asks nobody and changes nothing: what is printed follows from the references and flags, which are those of \
            copy. A repository may hold *, for all that match. Within one account the identity policies are enough; where \
            a caller is of another account than the repository, the repository's policy is printed too.

            The caller of each side is the role that is named for it, else --principal, else everybody of the source's \
            account whose own policies allow it. Source and destination in one repository are a retag.

            Standard output gets each policy under a comment that says where it belongs; with --only nothing but the JSON \
            of one, ready for --policy-document file://…

            EXAMPLES
              BUILD=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate iam-policy $BUILD/team/app $PROD/prod/app
              ecr-replicate iam-policy --only destination-repository \\
                  --principal arn:aws:iam::111122223333:role/build \\
                  "$BUILD/team/*" "$PROD/prod/*" > policy.json
            """
    )

    /// What standard output gets.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "The source: HOST/REPO, or an ARN; * stands for any characters.")
    var source: String

    @Argument(help: "The destination; HOST/ keeps the repository's name.")
    var destination: String

    @Option(help: "Print this policy alone.")
    var only: PolicyPart?

    @Option(help: "What standard output gets: policies under comments, or one JSON document.")
    var output: Format = .text

    @Flag(help: "Also what a copy does without if it is denied, at a price.")
    var withOptional = false

    @OptionGroup(title: "Who copies") var callers: CallerArguments
    @OptionGroup(title: "As for copy") var copying: CopyShapeArguments

    func validate() throws { _ = try policies() }

    func run() async throws {
        let policies = try policies()
        if let only {
            guard let policy = policies[only] else {
                throw ValidationError("this copy needs no \(only.rawValue) policy")
            }
            LineStream.standardOutput.write(policy.text)
        } else if output == .json {
            printJSON(PolicySetDocument(policies))
        } else {
            LineStream.standardOutput.write(policies.text)
        }
    }

    private func policies() throws -> PolicySet {
        let request = try request()
        do { return try PolicySet(request) } catch { throw ValidationError("\(error)") }
    }

    private func request() throws -> PolicyRequest {
        let from = try usage { try PolicyPlace(parsing: source) }
        let to = try usage { try PolicyPlace(parsing: destination, keeping: from?.pattern) }
        guard from != nil || to != nil else {
            throw ValidationError("neither side is ECR, and nobody else knows IAM policies")
        }
        var request = PolicyRequest(source: from, destination: to)
        request.reader = callers.reader
        request.writer = callers.writer
        request.listsImages = copying.listsImages
        request.upload = copying.upload
        request.createsRepository = copying.createRepository == .defaults
        request.keyARN = copying.kmsKey
        request.includesOptional = withOptional
        return request
    }
}

extension PolicyPart: ExpressibleByArgument {}

/// Whose policies they are.
struct CallerArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("Who copies: a role, a session of one, a user or an account's root.", valueName: "arn"),
        transform: parsePrincipal
    )
    var principal: Principal?

    @Option(help: ArgumentHelp("Role that copies, for both sides.", valueName: "arn"), transform: parsePrincipal)
    var roleArn: Principal?

    @Option(help: ArgumentHelp("Role that reads the source.", valueName: "arn"), transform: parsePrincipal)
    var sourceRoleArn: Principal?

    @Option(help: ArgumentHelp("Role that writes to the destination.", valueName: "arn"), transform: parsePrincipal)
    var destinationRoleArn: Principal?

    var reader: Principal? { sourceRoleArn ?? roleArn ?? principal }
    var writer: Principal? { destinationRoleArn ?? roleArn ?? principal }
}

/// What of a copy decides which actions it calls.
struct CopyShapeArguments: ParsableArguments {
    @Flag(help: "Images are chosen among many, as with --match and --newest, too.")
    var allTags = false

    @Option(
        name: .customLong("match"),
        parsing: .singleValue,
        help: ArgumentHelp("The same; which ones makes no difference.", valueName: "pattern"),
        transform: parsePattern
    )
    var patterns: [TagPattern] = []

    @Option(help: ArgumentHelp("The same.", valueName: "n"))
    var newest: Int?

    @Option(help: "Which way layers go to ECR.")
    var upload: UploadMode = .auto

    @Option(help: "Whether a missing repository is created.")
    var createRepository: RepositoryCreation = .never

    @Option(
        help: ArgumentHelp(
            "The repository is created with this key: also what KMS asks of who creates it.",
            valueName: "arn"
        ),
        transform: parseKey
    )
    var kmsKey: String?

    var listsImages: Bool { allTags || !patterns.isEmpty || newest != nil }
}

private func parsePrincipal(_ text: String) throws -> Principal {
    guard let principal = Principal(arn: text) else {
        throw ValidationError("'\(text)' is not the ARN of a role, a session, a user or an account's root")
    }
    return principal
}

private func parseKey(_ text: String) throws -> String {
    let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard fields.count == 6, fields[0] == "arn", fields[2] == "kms", fields[5].hasPrefix("key/"),
        text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
    else { throw ValidationError("'\(text)' is not the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID") }
    return text
}
