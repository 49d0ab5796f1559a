internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A helper program that reads a question and prints an answer, run without a shell.
public struct AskedProgram: Sendable {
    /// The reason for which there is no answer.
    public enum Failure: Error, Sendable, Equatable { case notFound, tooSlow, tooLong, notStarted }

    /// The result of one run.
    public struct Answer: Sendable {
        public var output: [UInt8]
        /// Its standard error, unchecked: it may contain secrets or control characters.
        public var complaint: [UInt8]
        /// How it failed, in words (`status 3`, `signal 9`); `nil` if it succeeded.
        public var failure: String?
        /// The status with which it ended; `nil` if a signal ended it.
        public var exitStatus: Int32?
        /// Whether SIGINT or SIGTERM ended it; a terminal sends these to every process of the job, including this one.
        public var wasStopped: Bool
    }

    /// A path, or a name to look up on the `PATH` in ``variables``.
    public var program: String
    public var arguments: [String]
    /// Its whole environment.
    public var variables: [String: String]
    public var clock: any Clock<Duration>

    /// The time between SIGTERM and SIGKILL, which are sent to the program but not to its children.
    private static let grace: Duration = .seconds(2)
    /// The most bytes of its standard error that are kept.
    private static let longestComplaint = 1 << 20

    public init(_ program: String, _ arguments: [String], variables: [String: String], clock: any Clock<Duration>) {
        self.program = program
        self.arguments = arguments
        self.variables = variables
        self.clock = clock
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - question: The text for its standard input.
    ///   - limit: The time after which it is killed.
    ///   - longest: The most bytes that it may write to standard output.
    /// - Throws: ``Failure``, or `CancellationError`, after the program was killed.
    public func answer(to question: String, within limit: Duration, longest: Int) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await run(question, longest) }
            group.addTask {
                try await clock.sleep(for: limit)
                return nil
            }
            // A program is ended by cancelling the task that runs it.
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
                // A program may answer without reading the question. The pipe then breaks, which is not a failure.
                _ = try? await program.standardInputWriter.write(question)
                try? await program.standardInputWriter.finish()
            }
            return Answer(
                output: ended.standardOutput,
                complaint: ended.standardError,
                failure: ended.terminationStatus.failure,
                exitStatus: ended.terminationStatus.exitStatus,
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

    fileprivate var exitStatus: Int32? {
        switch self {
        case .exited(let code): code
        case .signaled: nil
        }
    }

    /// A shell reports a signal as 128 plus its number.
    fileprivate var isStop: Bool {
        switch self {
        case .exited(let code): [128 + SIGINT, 128 + SIGTERM].contains(code)
        case .signaled(let signal): [SIGINT, SIGTERM].contains(signal)
        }
    }
}
