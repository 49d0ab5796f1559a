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

    /// The longest time that it may run; helpers of cloud providers send requests.
    static let limit: Duration = .seconds(60)
    /// The longest answer, in bytes; real ones have a few hundred, or a few thousand with a token.
    static let longestAnswer = 65_536

    init(name: String, place: String, variables: [String: String], clock: any Clock<Duration>) {
        program = "docker-credential-\(name)"
        self.place = place
        self.variables = variables
        self.clock = clock
    }

    /// Runs the helper and reads its answer.
    ///
    /// - Parameter server: The server as `docker login` stored it: a host, or a URL for Docker Hub.
    /// - Returns: `nil` if the helper has no login for it.
    /// - Throws: ``LoginError``, or `CancellationError`
    func credentials(for server: String) async throws -> RegistryCredentials? {
        let answered = try await ask(server)
        if let status = answered.failure {
            let message = String(decoding: answered.output, as: UTF8.self).lowercased()
            if Self.nothingStored.contains(where: message.contains) { return nil }
            throw failure(server, "ended with \(status)")
        }
        // Helpers written for Windows may begin with a byte order mark.
        let json = withoutByteOrderMark(answered.output[...])
        guard let answer = try? JSONDecoder().decode(Answer?.self, from: Data(json)) ?? Answer(),
            (answer.Username == nil) == (answer.Secret == nil)
        else { throw failure(server, "did not answer with JSON that has a Username and a Secret") }
        guard let user = answer.Username, let secret = answer.Secret, !user.isEmpty || !secret.isEmpty else {
            return nil
        }
        return RegistryCredentials(user: user, secret: secret)
    }

    /// The messages of helpers that have no login; docker checks for them too.
    private static let nothingStored = ["credentials not found in native keychain"]

    private func ask(_ server: String) async throws -> AskedProgram.Answer {
        do {
            return try await AskedProgram(program, ["get"], variables: variables, clock: clock)
                .answer(to: server, within: Self.limit, longest: Self.longestAnswer)
        } catch let reason as AskedProgram.Failure {
            switch reason {
            case .notFound: throw failure(server, "is not on PATH")
            case .tooLong: throw failure(server, "printed too much")
            case .tooSlow: throw failure(server, "did not answer within \(Self.limit.components.seconds) s")
            case .notStarted: throw failure(server, "could not be started")
            }
        }
    }

    private func failure(_ server: String, _ problem: String) -> LoginError {
        LoginError(
            "\(program) (\(place)) \(problem)",
            remedy: "run it to see its answer: echo \(server) | \(program) get"
        )
    }

    private struct Answer: Decodable {
        var Username: String?
        var Secret: String?
    }
}
