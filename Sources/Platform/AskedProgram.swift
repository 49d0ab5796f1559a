internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A program that answers on its standard output, run without a shell.
public struct AskedProgram: Sendable {
    /// Why there is no answer.
    public enum Failure: Error, Sendable, Equatable { case notFound, tooSlow, tooLong, notStarted }

    /// What came of it.
    public struct Answer: Sendable {
        public var output: [UInt8]
        /// What it wrote to standard error; there may be anything in it.
        public var complaint: [UInt8]
        /// In words, `nil` if it succeeded: `status 3`, `signal 9`.
        public var failure: String?
        /// Whether ^C or a request to end ended it: these go to every program at the terminal, ours too.
        public var wasStopped: Bool
    }

    /// A path, or a name to be found on ``variables``' `PATH`.
    public var program: String
    public var arguments: [String]
    /// Everything it sees.
    public var variables: [String: String]
    public var clock: any Clock<Duration>

    /// How long it has to put things in order between SIGTERM and SIGKILL; what it has started itself is its own business.
    private static let grace: Duration = .seconds(2)
    /// In bytes, of what it writes to standard error.
    private static let longestComplaint = 1 << 20

    public init(_ program: String, _ arguments: [String], variables: [String: String], clock: any Clock<Duration>) {
        self.program = program
        self.arguments = arguments
        self.variables = variables
        self.clock = clock
    }

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - question: What it reads on its standard input.
    ///   - limit: How long it may take; then it is killed.
    ///   - longest: What it may answer, in bytes.
    /// - Throws: ``Failure``, or `CancellationError`; then it is killed.
    public func answer(to question: String, within limit: Duration, longest: Int) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await run(question, longest) }
            group.addTask {
                try await clock.sleep(for: limit)
                return nil
            }
            // Cancelling the task that runs it ends the program.
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else { throw Failure.tooSlow }
            return answer
        }
    }

    private func run(_ question: String, _ longest: Int) async throws -> Answer {
        var environment: [Environment.Key: String] = [:]
        for (name, value) in variables { environment[Environment.Key(stringLiteral: name)] = value }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.grace)]
        do {
            let ended = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(arguments),
                environment: .custom(environment),
                platformOptions: options,
                input: .inputWriter,
                output: .bytes(limit: longest),
                error: .bytes(limit: Self.longestComplaint)
            ) { program in
                // One that answers without having read the question breaks the pipe, which is no failure.
                _ = try? await program.standardInputWriter.write(question)
                try? await program.standardInputWriter.finish()
            }
            return Answer(
                output: ended.standardOutput,
                complaint: ended.standardError,
                failure: ended.terminationStatus.failure,
                wasStopped: ended.terminationStatus.isStop
            )
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            if error.code == .executableNotFound { throw Failure.notFound }
            if error.code == .outputLimitExceeded { throw Failure.tooLong }
            throw Failure.notStarted
        }
    }
}

extension TerminationStatus {
    fileprivate var failure: String? {
        switch self {
        case .exited(0): nil
        case .exited(let code): "status \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }

    /// A shell reports a signal as its number and 128.
    fileprivate var isStop: Bool {
        switch self {
        case .exited(let code): [128 + SIGINT, 128 + SIGTERM].contains(code)
        case .signaled(let signal): [SIGINT, SIGTERM].contains(signal)
        }
    }
}
