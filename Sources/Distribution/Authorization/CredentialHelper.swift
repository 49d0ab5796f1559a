internal import FoundationEssentials
internal import Platform

/// A credential helper, a program called `docker-credential-NAME`.
///
/// It runs without a shell, gets one server's name on its standard input, and answers with JSON. Its standard error is
/// never shown, because it may contain secrets.
///
/// - Source: docker/docker-credential-helpers, "Development"
struct CredentialHelper: Sendable {
    /// `docker-credential-` and the name in the configuration.
    let program: String
    /// The place in the configuration that names it, for errors.
    let place: String
    /// The environment it gets, its `PATH` included.
    let variables: [String: String]
    let clock: any Clock<Duration>

    /// The longest time it may take; helpers of cloud providers ask a server.
    static let limit: Duration = .seconds(60)
    /// The longest answer, in bytes; real ones have a few hundred, or a few thousand with a token.
    static let longestAnswer = 65_536

    init(name: String, place: String, variables: [String: String], clock: any Clock<Duration>) {
        program = "docker-credential-\(name)"
        self.place = place
        self.variables = variables
        self.clock = clock
    }

    /// - Parameter server: The server as `docker login` stored it: a host, or a URL for Docker Hub.
    /// - Returns: `nil` if the helper has no login for it.
    /// - Throws: ``LoginError``, or `CancellationError`
    func credentials(for server: String) async throws -> RegistryCredentials? {
        let answered = try await ask(server)
        if let status = answered.failure {
            let said = String(decoding: answered.output, as: UTF8.self).lowercased()
            if Self.nothingStored.contains(where: said.contains) { return nil }
            throw failure(server, "ended with \(status)")
        }
        // Helpers written for Windows may begin with a byte order mark.
        let json = answered.output.starts(with: [0xEF, 0xBB, 0xBF]) ? answered.output[3...] : answered.output[...]
        guard let answer = try? JSONDecoder().decode(Answer?.self, from: Data(json)) ?? Answer(),
            (answer.Username == nil) == (answer.Secret == nil)
        else { throw failure(server, "answered with something else than JSON with a Username and a Secret") }
        guard let user = answer.Username, let secret = answer.Secret, !user.isEmpty || !secret.isEmpty else {
            return nil
        }
        return RegistryCredentials(user: user, secret: secret)
    }

    /// The words of helpers that have no login; docker checks for these words too.
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
