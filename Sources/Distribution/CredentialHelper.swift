internal import FoundationEssentials
internal import Subprocess

/// A program that knows passwords: `docker-credential-NAME`.
///
/// It is run without a shell, asked for one server on its standard input, and answers with JSON. What it writes to
/// standard error is shown to nobody: there may be anything in it.
///
/// - Source: docker/docker-credential-helpers, "Development"
struct CredentialHelper: Sendable {
    /// `docker-credential-` and what the configuration says.
    let program: String
    /// Where its name stands, for errors.
    let place: String
    /// Everything it sees, its `PATH` included.
    let variables: [String: String]
    let clock: any Clock<Duration>

    /// How long it may take; those of cloud providers ask a server of their own.
    static let limit: Duration = .seconds(60)
    /// In bytes; answers have a few hundred, with a token in them a few thousand.
    static let longestAnswer = 65_536

    init(name: String, place: String, variables: [String: String], clock: any Clock<Duration>) {
        program = "docker-credential-\(name)"
        self.place = place
        self.variables = variables
        self.clock = clock
    }

    /// - Parameter server: As `docker login` stored it: a host, for Docker Hub an address.
    /// - Returns: `nil` if the helper says that it has nothing for it.
    /// - Throws: ``LoginError``, or `CancellationError`
    func credentials(for server: String) async throws -> RegistryCredentials? {
        let (output, status) = try await ask(server)
        guard case .exited(0) = status else {
            let said = String(decoding: output, as: UTF8.self)
            if Self.nothingStored.contains(where: said.contains) { return nil }
            throw failure(server, "ended with \(status.shown)")
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
            throw failure(server, "answered with something else than JSON with a Username and a Secret")
        }
        guard !answer.Username.isEmpty || !answer.Secret.isEmpty else { return nil }
        return RegistryCredentials(user: answer.Username, secret: answer.Secret)
    }

    /// What helpers print where they have nothing; docker knows it by these words too.
    private static let nothingStored = ["credentials not found in native keychain"]

    private func ask(_ server: String) async throws -> (output: [UInt8], status: TerminationStatus) {
        try await withThrowingTaskGroup(of: (output: [UInt8], status: TerminationStatus)?.self) { group in
            group.addTask { try await run(server) }
            group.addTask {
                try await clock.sleep(for: Self.limit)
                return nil
            }
            // Cancelling the task that runs it ends the program.
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else {
                throw failure(server, "has not answered within \(Self.limit.components.seconds) s")
            }
            return answer
        }
    }

    private func run(_ server: String) async throws -> (output: [UInt8], status: TerminationStatus) {
        var environment: [Environment.Key: String] = [:]
        for (name, value) in variables { environment[Environment.Key(stringLiteral: name)] = value }
        do {
            let ended = try await Subprocess.run(
                .name(program),
                arguments: ["get"],
                environment: .custom(environment),
                input: .inputWriter,
                output: .bytes(limit: Self.longestAnswer),
                error: .discarded
            ) { helper in
                // One that answers without having read the question breaks the pipe, which is no failure.
                _ = try? await helper.standardInputWriter.write(server)
                try? await helper.standardInputWriter.finish()
            }
            return (ended.standardOutput, ended.terminationStatus)
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            if error.code == .executableNotFound { throw failure(server, "is not on PATH") }
            if error.code == .outputLimitExceeded { throw failure(server, "answered at far too great a length") }
            throw failure(server, "could not be run")
        }
    }

    private func failure(_ server: String, _ what: String) -> LoginError {
        LoginError("\(program) (\(place)) \(what)", remedy: "see what it says: echo \(server) | \(program) get")
    }

    private struct Answer: Decodable {
        var Username: String
        var Secret: String
    }
}

extension TerminationStatus {
    fileprivate var shown: String {
        switch self {
        case .exited(let code): "status \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}
