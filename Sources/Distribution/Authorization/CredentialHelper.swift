internal import FoundationEssentials
internal import Platform

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
        let answered = try await ask(server)
        if let status = answered.failure {
            let said = String(decoding: answered.output, as: UTF8.self).lowercased()
            if Self.nothingStored.contains(where: said.contains) { return nil }
            throw failure(server, "ended with \(status)")
        }
        // Helpers that are Windows programs may put a byte order mark in front.
        let json = answered.output.starts(with: [0xEF, 0xBB, 0xBF]) ? answered.output[3...] : answered.output[...]
        guard let answer = try? JSONDecoder().decode(Answer?.self, from: Data(json)) ?? Answer(),
            (answer.Username == nil) == (answer.Secret == nil)
        else { throw failure(server, "answered with something else than JSON with a Username and a Secret") }
        guard let user = answer.Username, let secret = answer.Secret, !user.isEmpty || !secret.isEmpty else {
            return nil
        }
        return RegistryCredentials(user: user, secret: secret)
    }

    /// What helpers print where they have nothing; docker knows it by these words too.
    private static let nothingStored = ["credentials not found in native keychain"]

    private func ask(_ server: String) async throws -> AskedProgram.Answer {
        do {
            return try await AskedProgram(program, ["get"], variables: variables, clock: clock)
                .answer(to: server, within: Self.limit, longest: Self.longestAnswer)
        } catch let reason as AskedProgram.Failure {
            switch reason {
            case .notFound: throw failure(server, "is not on PATH")
            case .tooLong: throw failure(server, "answered at far too great a length")
            case .tooSlow: throw failure(server, "has not answered within \(Self.limit.components.seconds) s")
            case .notStarted: throw failure(server, "could not be run")
            }
        }
    }

    private func failure(_ server: String, _ what: String) -> LoginError {
        LoginError("\(program) (\(place)) \(what)", remedy: "see what it says: echo \(server) | \(program) get")
    }

    private struct Answer: Decodable {
        var Username: String?
        var Secret: String?
    }
}
