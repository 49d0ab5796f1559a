internal import Content
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// The program that a profile's `credential_process` names, which prints credentials.
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

    /// The longest time that the program may run; some open a browser and wait for the user.
    static let limit: Duration = .seconds(120)
    /// The time after which a log line says that the program is still running.
    static let warningDelay: Duration = .seconds(5)
    /// The time to wait for a signal that ended the program to reach this process too.
    private static let signalDelay: Duration = .milliseconds(500)
    /// The longest answer, in bytes; session tokens have a few thousand.
    private static let longestAnswer = 65_536
    /// The most bytes of standard error that are examined.
    private static let longestExamined = 4_096
    /// The most bytes of standard error that are quoted.
    private static let longestQuote = 300

    /// Reads the command line of a profile.
    ///

    /// - Throws: ``IdentityError`` when `command` can't be split into words.
    init(_ command: String, _ profile: SharedConfig.Profile, _ context: ProviderContext) throws {
        self.profile = profile.name
        place = profile.place(of: "credential_process")
        account = profile["aws_account_id"]
        variables = context.environment.variables
        clock = context.retry.clock
        isStopping = context.isStopping
        logger = context.logger
        guard let words = shellWords(command), let program = words.first, !program.isEmpty else {
            throw IdentityError(
                "the credential_process of profile '\(profile.name)' is not a command line",
                tried: [place],
                remedy: "close its quotes; it runs without a shell"
            )
        }
        self.words = words
    }

    /// Runs the program and reads its answer.
    ///
    /// - Throws: ``IdentityError``, which never quotes the program's standard output; `CancellationError`, also if the
    ///   program ended because the run is stopping.
    func credentials() async throws -> AWSCredentials {
        let answered: AskedProgram.Answer
        do {
            answered = try await answer()
        } catch let reason as AskedProgram.Failure {
            throw switch reason {
            case .notFound: failure("was not found, or is not executable")
            case .tooSlow: failure("did not answer within \(Self.limit.components.seconds) s")
            case .tooLong: failure("printed too much")
            case .notStarted: failure("could not be started")
            }
        }
        if let status = answered.failure {
            if answered.wasStopped, !isStopping() { try await clock.sleep(for: Self.signalDelay) }
            // ^C ended the program, or made it give up, so there is no failure to report.
            if isStopping() { throw CancellationError() }
            let message = String(decoding: answered.complaint.prefix(Self.longestExamined), as: UTF8.self)
            // A user who debugs the program may print its answer to standard error too.
            let printed = Secrets([String(decoding: answered.output, as: UTF8.self)])
            throw failure(
                "ended with \(status)"
                    + (trimmed(message).isEmpty
                        ? "" : ": \(presentable(message, without: printed, upTo: Self.longestQuote))")
            )
        }
        let answer: CredentialProcessAnswer
        do {
            answer = try CredentialProcessAnswer(answered.output)
        } catch {
            throw failure(error.problem)
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

    /// Refuses malformed keys: scripts print values from a file or a prompt with a trailing line break.
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

    /// Runs the program, and logs once if it takes long, because it may wait for the user in a browser.
    private func answer() async throws -> AskedProgram.Answer {
        try await withThrowingTaskGroup(of: AskedProgram.Answer?.self) { group in
            group.addTask {
                try await AskedProgram(words[0], Array(words.dropFirst()), variables: variables, clock: clock)
                    .answer(to: "", within: Self.limit, longest: Self.longestAnswer)
            }
            group.addTask {
                try await clock.sleep(for: Self.warningDelay)
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

    private func failure(_ problem: String) -> IdentityError {
        IdentityError(
            "the credential_process of profile '\(profile)' (\(words[0])) \(problem)",
            tried: [place],
            remedy: "run the program yourself; it gets no shell (no ~, pipes or variables), and must print "
                + "{\"Version\": 1, \"AccessKeyId\": …} and end with status 0"
        )
    }
}
