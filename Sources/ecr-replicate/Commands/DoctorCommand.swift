import ArgumentParser
import Content
import Doctor
import IAMPolicies
import Platform
import Promotion
import Replicate
import Rules

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything a copy or a rule file needs, and say what is missing.",
        discussion: """
            On each side, checks the endpoint, the clock, the caller, the repository and its settings, each permission, and \
            whether layers can be read. Also says how the destination's settings will affect the image. Prints a line for \
            each check as it ends, the source's first, with a remedy for each problem. Changes nothing: it opens one upload \
            and closes it. Exit status: 0 a copy should work, 4 only credentials or permissions are missing, 1 any other \
            problem.

            With -f, checks each registry of a rule file once, and for each rule at least three repositories at both sides \
            (up to ten, if their settings differ).

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PRODUCTION=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate doctor $EU/team/app:v1
              ecr-replicate doctor --destination-profile production \\
                  $EU/team/app:v1 $PRODUCTION/team/app
              ecr-replicate doctor --create-repository defaults \\
                  $EU/team/app:v1 $EU/mirror/app
              ecr-replicate doctor -f rules.yaml
              ecr-replicate doctor -f rules.yaml releases
            """
    )

    @Argument(help: ArgumentHelp("\(imageHelp.abstract) With -f, the names of rules."))
    var source: String?

    @Argument(help: "HOST/REPO[:TAG], REPO[:TAG] or oci:DIR[:TAG]; HOST/ keeps the source's repository name.")
    var destination: [String] = []

    @OptionGroup var rules: RuleFileArgument

    @Option(help: "Whether the copy includes signatures, SBOMs and attestations.")
    var referrers: CopyOptions.Referrers = .all

    @Option(help: "What the copy does if the destination's repository is missing.")
    var createRepository: CopyOptions.RepositoryCreation = .never

    @OptionGroup var keys: KeyArguments
    @OptionGroup(title: "As for promote") var gates: GateArguments

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    /// The number of attempts for a check's request.
    private static let attempts = 2

    /// The interval between two checks whether standard output is still open.
    private static let outputInterval: Duration = .milliseconds(500)

    /// What is examined without a rule file.
    private struct References {
        var source: ImageReference
        var destination: DestinationReference?
    }

    func validate() throws {
        for (name, isGiven) in connection.ofReferences {
            try rules.refuse(name, isGiven, "the registries of a rule file have their own identities and endpoints")
        }
        try rules.refuse("--referrers", referrers != .all, "the rules decide that")
        try rules.refuse("--create-repository", createRepository != .never, "the rules decide that")
        try rules.refuse("gates", !gates.settings.isEmpty, "the rules decide that")
        try rules.refuse("--kms-key", !keys.mappings.isEmpty, "the registries of a rule file have their own keys")
        guard rules.file == nil else { return }
        try keys.check(createRepository)
        let references = try references()
        guard let destination = references.destination else { return }
        try refuseUnfit([destination.tag ?? references.source.tag].compactMap { $0 }, at: destination.registry)
    }

    private func references() throws -> References {
        guard let source else { throw missingArgument("<source>") }
        if destination.count > 1 { throw ValidationError("Unexpected argument '\(destination[1])'") }
        return References(
            source: try readArgument(source, as: "<source>", ImageReference.init(parsing:)),
            destination: try destination.first.map {
                try readArgument($0, as: "<destination>", DestinationReference.init(parsing:))
            }
        )
    }

    func run() async throws {
        if let file = rules.file { return try await examine(rulesIn: file) }
        let references = try references()
        let (source, destination) = (references.source, references.destination)
        let display = DoctorDisplay(output)
        let session = Session(command: "doctor", output, connection, attempts: Self.attempts)
        @Sendable func found() -> Diagnosis {
            Diagnosis(source: "\(source)", destination: destination.map { "\($0)" }, findings: display.findings)
        }
        try await session.read { replicator in
            let doctor = Doctor(
                replicator,
                source: session.source,
                destination: session.destination,
                referrers: referrers,
                createRepository: createRepository,
                kmsKeys: destination.map { keys.keys(at: $0.registry) } ?? [:],
                gates: GateNeeds(gates.settings)
            )
            defer { display.finish() }
            let ended = try await untilOutputCloses {
                try await doctor.examine(source, destination) { display.note($0) }
            }
            // Closing standard output (`| head`) ends the command; the exit status covers the checks made so far.
            let diagnosis = ended ?? found()
            return Session.Answer(
                text: diagnosis.summary + "\n",
                document: diagnosis,
                exitCode: diagnosis.exitCode
            )
        } interrupted: { exitCode in
            var diagnosis = found()
            diagnosis.interruption = Diagnosis.Interruption(exitCode: exitCode, unanswered: display.unanswered)
            LineStream.standardError.writeLine(diagnosis.summary)
            return diagnosis
        }
    }

    /// Examines the registries and the rules of a file.
    private func examine(rulesIn name: String) async throws {
        let file = try readRuleFile(name, for: "doctor", printsJSON: output.output == .json) { bytes in
            try RuleFile(parsing: bytes, name: name, variables: .current)
        }
        let selected = try RuleFileArgument.rules(of: file, named: [source].compactMap { $0 } + destination)
        let checkup = RuleCheckup(file, selected)
        let display = RuleDoctorDisplay(output)
        let session = Session(
            command: "doctor",
            output,
            file.registries,
            caBundle: connection.common.caBundle,
            attempts: Self.attempts
        )
        try await session.read { replicator in
            defer { display.finish() }
            let ended = try await untilOutputCloses {
                try await RuleDoctor(replicator).examine(checkup) { display.note($0) }
            }
            let diagnosis = ended ?? RuleDiagnosis(file: checkup.file, findings: display.findings)
            return Session.Answer(
                text: diagnosis.summary + "\n",
                document: diagnosis,
                exitCode: diagnosis.exitCode
            )
        } interrupted: { exitCode in
            var diagnosis = RuleDiagnosis(file: checkup.file, findings: display.findings)
            diagnosis.interruption = .init(exitCode: exitCode, unanswered: display.unanswered)
            LineStream.standardError.writeLine(diagnosis.summary)
            return diagnosis
        }
    }

    /// Runs `body` until it ends or standard output is closed.
    ///
    /// - Returns: `nil` if standard output was closed first.
    private func untilOutputCloses<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value?
    {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while !LineStream.standardOutput.isReaderGone { try await Task.sleep(for: Self.outputInterval) }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
