import AWSIdentity
import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Promotion
import Replicate
import Rules

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Copy an image to a production repository if it passes the gates, and refuse to overwrite tags.",
        discussion: """
            Resolves the source to its digest once, evaluates all gates at the source, and copies that digest. If a gate \
            fails or can't be decided, nothing is written (exit status 3), and standard error says what each gate found. \
            Refuses to move a tag that holds another image (exit status 3) unless --if-exists move is given. Sets the tag \
            last, after signatures and other referrers. Standard error shows the caller, the gates and the plan first, then \
            the result. --dry-run evaluates the gates and prints them with the plan.

            Before the tag is set, a record of who promoted what, when and why is stored beside the image; history shows \
            it, and undo puts the tag back. --no-record leaves it out.

            With -f, carries out the rules of a file that have gates, or the named ones.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate promote $EU/team/app:v1 $PROD/prod/app:v1 \\
                  --destination-role-arn arn:aws:iam::444455556666:role/promoter
              ecr-replicate promote --max-severity HIGH --min-age 1h \\
                  $EU/team/app:v1 $PROD/prod/app:v1
              ecr-replicate promote --dry-run --approved approved.txt \\
                  $EU/team/app:v1 $PROD/prod/app:v1
              ecr-replicate promote -f rules.yaml
            """
    )

    @Argument(help: ArgumentHelp("\(imageHelp.abstract) With -f, the names of rules."))
    var source: String?

    @Argument(help: "HOST/REPO[:TAG], REPO[:TAG] or oci:DIR[:TAG]; HOST/ keeps the source's repository name.")
    var destination: [String] = []

    @OptionGroup var rules: RuleFileArgument

    @Option(
        name: .customLong("tag"),
        parsing: .singleValue,
        help: ArgumentHelp("Another tag to set at the destination (repeatable).", valueName: "tag"),
        transform: parseTag
    )
    var tags: [Tag] = []

    @OptionGroup(title: "Gates") var gates: GateArguments
    @OptionGroup(title: "Record") var record: RecordArguments
    @OptionGroup(title: "Safety") var copying: CopyArguments
    @OptionGroup(title: "Large layers") var uploading: UploadArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    func validate() throws {
        guard rules.file == nil else { return try refuseReferenceOptions() }
        let (source, destination) = try references()
        guard ManifestID(source) != nil else {
            throw ValidationError(
                "'\(source)' has no tag or digest\n  next: add :TAG or @DIGEST; promote copies one image at a time"
            )
        }
        try refuseUnnamed([destination], from: source)
        try record.refuseUnfit(for: destination.registry)
        let named = [destination.tag].compactMap { $0 } + tags
        try refuseUnfit(named.isEmpty ? [source.tag].compactMap { $0 } : named, at: destination.registry)
    }

    private func references() throws -> (ImageReference, DestinationReference) {
        guard let source else { throw missingArgument("<source>") }
        guard let first = destination.first else { throw missingArgument("<destination>") }
        if destination.count > 1 { throw ValidationError("Unexpected argument '\(destination[1])'") }
        return (
            try readArgument(source, as: "<source>", ImageReference.init(parsing:)),
            try readArgument(first, as: "<destination>", DestinationReference.init(parsing:))
        )
    }

    private func refuseReferenceOptions() throws {
        let given: [(String, Bool)] =
            connection.ofReferences + [
                ("--tag", !tags.isEmpty), ("gates", !gates.settings.isEmpty),
                ("--if-exists", copying.tag.ifExists != nil), ("--if-current", copying.tag.ifCurrent != nil),
                ("--referrers", copying.referrers != .all), ("--repair", copying.repair),
                ("--create-repository", copying.createRepository != .never),
                ("--kms-key", !copying.keys.mappings.isEmpty),
            ]
        for (name, isGiven) in given { try rules.refuse(name, isGiven, "the rules decide that") }
    }

    func run() async throws {
        if let file = rules.file { return try await promote(rulesIn: file) }
        let (source, destination) = try references()
        guard let id = ManifestID(source) else { return }
        let admission = try admission(to: destination)
        let session = Session(
            command: "promote",
            output,
            connection,
            transfers,
            uploads: uploading.options,
            announcesPlan: true,
            callerDestination: destination,
            admission: admission
        )
        var options = copying.options(ifExists: .fail)
        options.tagsAfterReferrers = true
        options.admission = admission
        let request = CopyRequest(
            source,
            from: session.source,
            .one(id),
            to: [
                CopyDestination(
                    destination,
                    session.destination,
                    kmsKeys: copying.keys.keys(at: destination.registry)
                )
            ],
            tags: tags,
            options
        )
        let isRecorded = record.record && !copying.tag.dryRun && !destination.registry.isLayout
        let key = try isRecorded ? record.key() : nil
        try await session.runNamingCaller { [request] run, caller in
            var request = request
            if isRecorded {
                var recorder = Recorder(toolVersion: Build.version)
                recorder.caller = { _ in caller }
                recorder.reason = record.reason
                recorder.policy = gates.settings.isEmpty ? nil : .commandLine(gates.settings)
                if let admission { recorder.gates = { admission.report(of: $0)?.decisions } }
                recorder.signer = try await run.signer(
                    key,
                    for: destination.repository(for: source),
                    session.destination
                )
                request.options.additions = recorder
            }
            if let admission, request.options.referrers == .all {
                let side = session.destination
                request.options.additions = admission.confirming(request.options.additions) { place in
                    try await run.repository(of: place, .destination, side)
                }
            }
            return try await run.copy(request)
        }
    }

    /// The gates that the options ask for; `nil` for none.
    private func admission(to destination: DestinationReference) throws -> GateAdmission? {
        guard !gates.settings.isEmpty else { return nil }
        let surroundings = GateSet.Surroundings(
            variables: AWSEnvironment.current().variables,
            destinations: ["\(destination)"]
        )
        let set = try usage { try GateSet(gates.settings, in: surroundings) }
        // A dry run prints the gates on standard output, with the plan.
        let isAnnounced = output.output == .text && !copying.tag.dryRun
        return GateAdmission(set) { report in
            if isAnnounced { report.lines.forEach(LineStream.standardError.say) }
        }
    }

    // MARK: Rules

    private func promote(rulesIn file: String) async throws {
        let names = [source].compactMap { $0 } + destination
        let (read, named) = try readRules(file, named: names, for: "promote", output.output)
        let gated = names.isEmpty ? named.filter { $0.gates?.isEmpty == false } : named
        if let bare = gated.first(where: { $0.gates?.isEmpty != false }) {
            throw ValidationError(
                "rule '\(bare.name)' has no gates\n  next: add gates to it, or carry it out with sync -f"
            )
        }
        guard !gated.isEmpty else {
            throw ValidationError(
                "no rule of \(quotable(file, upTo: 200)) has gates\n  next: add gates, or carry the rules out with sync -f"
            )
        }
        let isAnnounced = output.output == .text
        let isDry = copying.tag.dryRun
        let key = try record.record && !isDry ? record.key() : nil
        let keepsReports = output.output == .json || (record.record && !isDry)
        let admissions = try ruleGates(of: gated, keepsReports: keepsReports) { report in
            if isAnnounced { report.lines.forEach(LineStream.standardError.say) }
        }
        let session = Session(
            command: "promote",
            output,
            read.registries,
            caBundle: connection.common.caBundle,
            transfers,
            uploads: uploading.options
        )
        var reporting = RuleReporting(isPlan: isDry, file: read.name)
        reporting.isDryRun = isDry
        reporting.admissions = admissions
        try await session.runRules(reporting) { replicator, run, report in
            let recorders =
                isDry ? nil : try await record.recorders(of: gated, in: read, admissions, signedWith: key, run)
            try await RuleRun(
                gated,
                isDry ? .plan : .carryOut,
                by: replicator,
                in: run,
                now: Date(),
                beside: read.rules(beside: gated),
                admissions: admissions,
                additions: { recorders?($0) },
                announce: { LineStream.standardError.say($0) }
            )
            .outcomes(report)
        }
    }
}
