import ArgumentParser
import Content
import Doctor
import Platform
import Replicate

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Try what a copy needs, on both sides, and say what is missing.",
        discussion: """
            For each side: who is calling, whether the endpoint answers, the clock, the repository and its settings, each \
            permission, whether layers can be had; what will happen to what arrives. A line for each check as soon as it is made, the \
            source's first, and the remedy where there is one. Nothing is changed: one upload is opened and closed again. Ends with 0 if a copy should work, 4 if only \
            credentials or permissions are missing, else 1.

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
        help:
            "The image: HOST/REPO:TAG, …@DIGEST, REPO:TAG, an ARN, oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG].",
        transform: parseReference
    )
    var source: ImageReference

    @Argument(help: "Where it is to go.", transform: parseDestination)
    var destination: DestinationReference?

    @Option(help: "Whether signatures, SBOMs and attestations are to come along.")
    var referrers: ReferrerMode = .all

    @Option(help: "What a copy is to do when the destination's repository is missing.")
    var createRepository: RepositoryCreation = .never

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    /// How often a check's request is tried: a second failure is final.
    private static let attempts = 2

    /// The interval between two checks whether standard output is still open.
    private static let glance: Duration = .milliseconds(500)

    func validate() throws {
        guard let destination else { return }
        try refuseUnfit([destination.tag ?? source.tag].compactMap { $0 }, at: destination.registry)
    }

    func run() async throws {
        let display = DoctorDisplay(output)
        let session = Session(command: "doctor", output, connection, attempts: Self.attempts)
        try await session.read { replicator in
            let doctor = Doctor(
                replicator,
                source: session.connection.source,
                destination: session.destination,
                referrers: referrers,
                createRepository: createRepository
            )
            defer { display.finish() }
            let ended = try await whileSomebodyReads {
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

    /// - Returns: `nil` if standard output was closed first.
    private func whileSomebodyReads<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value?
    {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while !LineStream.standardOutput.isReaderGone { try await Task.sleep(for: Self.glance) }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
