internal import Content
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// A program of the user's that prints credentials: `credential_process`.
///
/// - Source: docs/facts/identity.md#credential_process
struct CredentialProcess: Sendable {
    let profile: String
    /// Where the program is configured, as `path:line`.
    let place: String
    private let words: [String]
    /// The profile's account, used where the program doesn't print one.
    private let account: String?
    let variables: [String: String]
    let clock: any Clock<Duration>
    let isStopping: @Sendable () -> Bool
    let logger: Logger

    /// How long the program may run: some open a browser and wait for a person.
    static let limit: Duration = .seconds(120)
    /// How long the program runs before a log line says what is awaited.
    static let patience: Duration = .seconds(5)
    /// How long to wait for a signal that ended the program to reach this process too.
    private static let moment: Duration = .milliseconds(500)
    /// The longest answer, in bytes; session tokens have a few thousand.
    private static let longestAnswer = 65_536
    /// The most bytes of standard error that are quoted.
    private static let longestComplaint = 300

    /// - Throws: ``IdentityError`` when `command` can't be split into words.
    init(_ command: String, _ profile: SharedConfig.Profile, _ surroundings: Surroundings) throws {
        self.profile = profile.name
        place = profile.place(of: "credential_process")
        account = profile["aws_account_id"]
        variables = surroundings.environment.variables
        clock = surroundings.retry.clock
        isStopping = surroundings.isStopping
        logger = surroundings.logger
        guard let words = shellWords(command), let program = words.first, !program.isEmpty else {
            throw IdentityError(
                "the credential_process of profile '\(profile.name)' is not a command line",
                tried: [place],
                remedy: "close its quotes; it is run without a shell"
            )
        }
        self.words = words
    }

    /// - Throws: ``IdentityError``, which never quotes the program's standard output; `CancellationError`, also where
    ///   the program ended because the run is stopping.
    func credentials() async throws -> AWSCredentials {
        let answered: AskedProgram.Answer
        do {
            answered = try await answer()
        } catch let reason as AskedProgram.Failure {
            throw switch reason {
            case .notFound: failure("is not there, not on PATH, or may not be executed")
            case .tooSlow: failure("has not answered within \(Self.limit.components.seconds) s")
            case .tooLong: failure("answered at far too great a length")
            case .notStarted: failure("could not be run")
            }
        }
        if let status = answered.failure {
            if answered.wasStopped, !isStopping() { try await clock.sleep(for: Self.moment) }
            // ^C ended the program, or made it give up: that isn't a failure of its own.
            if isStopping() { throw CancellationError() }
            let said = String(decoding: answered.complaint.prefix(longestRead), as: UTF8.self)
            // A user who debugs the program may print its answer to standard error too.
            let printed = Secrets([String(decoding: answered.output, as: UTF8.self)])
            throw failure(
                "ended with \(status)"
                    + (trimmed(said).isEmpty
                        ? "" : ": \(presentable(said, without: printed, upTo: Self.longestComplaint))")
            )
        }
        let answer: CredentialProcessAnswer
        do {
            answer = try CredentialProcessAnswer(answered.output)
        } catch {
            throw failure(error.words)
        }
        let credentials = AWSCredentials(
            accessKeyID: answer.accessKeyID,
            secretAccessKey: answer.secretAccessKey,
            sessionToken: answer.sessionToken,
            expiration: answer.expiration,
            accountID: answer.accountID ?? account,
            source: "credential_process of profile \(profile)"
        )
        try check(credentials)
        return credentials
    }

    /// Refuses malformed keys: scripts print values from a file or a prompt with the trailing line break.
    private func check(_ credentials: AWSCredentials) throws {
        func named(_ member: String, _ text: String) -> PastedKeys.Value {
            .init(
                name: "the \(member) that the credential_process of profile '\(quotable(profile))' printed",
                text: text
            )
        }
        try PastedKeys(
            id: named("AccessKeyId", credentials.accessKeyID),
            secret: named("SecretAccessKey", credentials.secretAccessKey),
            token: credentials.sessionToken.map { named("SessionToken", $0) },
            tokenName: "SessionToken",
            place: place
        ).check()
    }

    /// Runs the program, and logs once when it takes long: it may wait for a person, in a browser or at another device.
    private func answer() async throws -> AskedProgram.Answer {
        try await withThrowingTaskGroup(of: AskedProgram.Answer?.self) { group in
            group.addTask {
                try await AskedProgram(words[0], Array(words.dropFirst()), variables: variables, clock: clock)
                    .answer(to: "", within: Self.limit, longest: Self.longestAnswer)
            }
            group.addTask {
                try await clock.sleep(for: Self.patience)
                // The log line leaves out the arguments, which may hold secrets.
                logger.warning(
                    "still waiting for the credential_process of profile '\(profile)' (\(words[0])); it has \(Self.limit.components.seconds) s"
                )
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// The most bytes of standard error that are examined.
    private var longestRead: Int { 4_096 }

    private func failure(_ what: String) -> IdentityError {
        IdentityError(
            "the credential_process of profile '\(profile)' (\(words[0])) \(what)",
            tried: [place],
            remedy: "run it as it stands, without a shell (no ~, pipes or variables): it must print "
                + "{\"Version\": 1, \"AccessKeyId\": …} and end with status 0"
        )
    }
}
