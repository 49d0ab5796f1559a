import ArgumentParser
import Content
import Doctor
import Platform
import Replicate

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything a copy needs on both sides, and say what is missing.",
        discussion: """
            On each side, checks the endpoint, the clock, the caller, the repository and its settings, each permission, and \
            whether layers can be read. Also says how the destination's settings will affect the image. Prints a line for \
            each check as it ends, the source's first, with a remedy for each problem. Changes nothing: it opens one upload \
            and closes it. Exit status: 0 a copy should work, 4 only credentials or permissions are missing, 1 any other \
            problem.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PRODUCTION=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate doctor $EU/team/app:v1
              ecr-replicate doctor --destination-profile production \\
                  $EU/team/app:v1 $PRODUCTION/team/app
              ecr-replicate doctor --create-repository defaults \\
                  $EU/team/app:v1 $EU/mirror/app
            """
    )

    @Argument(
        help: imageHelp,
        transform: parseReference
    )
    var source: ImageReference

    @Argument(
        help: "HOST/REPO[:TAG], REPO[:TAG] or oci:DIR[:TAG]; HOST/ keeps the source's repository name.",
        transform: parseDestination
    )
    var destination: DestinationReference?

    @Option(help: "Whether the copy includes signatures, SBOMs and attestations.")
    var referrers: CopyOptions.Referrers = .all

    @Option(help: "What the copy does if the destination's repository is missing.")
    var createRepository: CopyOptions.RepositoryCreation = .never

    @OptionGroup var keys: KeyArguments

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    /// The number of attempts for a check's request.
    private static let attempts = 2

    /// The interval between two checks whether standard output is still open.
    private static let outputInterval: Duration = .milliseconds(500)

    func validate() throws {
        try keys.check(createRepository)
        guard let destination else { return }
        try refuseUnfit([destination.tag ?? source.tag].compactMap { $0 }, at: destination.registry)
    }

    func run() async throws {
        let display = DoctorDisplay(output)
        let session = Session(command: "doctor", output, connection, attempts: Self.attempts)
        try await session.read { replicator in
            let doctor = Doctor(
                replicator,
                source: session.source,
                destination: session.destination,
                referrers: referrers,
                createRepository: createRepository,
                kmsKeys: destination.map { keys.keys(at: $0.registry) } ?? [:]
            )
            defer { display.finish() }
            let ended = try await untilOutputCloses {
                try await doctor.examine(source, destination) { display.note($0) }
            }
            // Closing standard output (`| head`) ends the command; the exit status covers the checks made so far.
            let diagnosis = ended ?? found(display)
            return Session.Answer(
                text: diagnosis.summary + "\n",
                document: diagnosis,
                exitCode: diagnosis.exitCode
            )
        } interrupted: { exitCode in
            var diagnosis = found(display)
            diagnosis.interruption = Diagnosis.Interruption(exitCode: exitCode, unanswered: display.unanswered)
            LineStream.standardError.writeLine(diagnosis.summary)
            return diagnosis
        }
    }

    private func found(_ display: DoctorDisplay) -> Diagnosis {
        Diagnosis(source: "\(source)", destination: destination.map { "\($0)" }, findings: display.findings)
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
