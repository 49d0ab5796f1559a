internal import Content
internal import FoundationEssentials
internal import Platform
internal import Replicate
internal import Wire

/// Lets a program decide.
///
/// The program is run without a shell and without arguments. It gets the image's facts as one JSON object on standard
/// input, and answers by its exit status: 0 lets the image pass, 3 denies it, and anything else is no decision. The first
/// line of its standard output is the reason.
package struct CommandGate: Gate {
    package let name = "command"
    let program: String
    let limit: Duration
    let variables: [String: String]
    let clock: any Clock<Duration>
    /// Where the image is promoted to, for the program; empty if that is not known.
    let destinations: [String]

    /// The time after which the program is killed, unless the user gives another.
    package static let usualLimit: Duration = .seconds(60)
    /// The most bytes that the program may print.
    static let longestAnswer = 64 << 10
    /// The exit status that denies an image.
    static let denied: Int32 = 3
    /// The most characters of its answer that are shown.
    private static let mostOfReason = 300

    /// - Parameters:
    ///   - program: A path, or a name to look up on the `PATH` in `variables`.
    ///   - variables: The program's whole environment.
    package init(
        _ program: String,
        limit: Duration = usualLimit,
        variables: [String: String],
        clock: any Clock<Duration>,
        destinations: [String] = []
    ) {
        (self.program, self.limit, self.variables) = (program, limit, variables)
        (self.clock, self.destinations) = (clock, destinations)
    }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        let shown = "'\(quotable(program, upTo: 200))'"
        do {
            let question = try facts(of: candidate)
            let answer = try await AskedProgram(program, [], variables: variables, clock: clock)
                .answer(to: question, within: limit, longest: Self.longestAnswer)
            let line = Self.firstLine(answer.output)
            let said = line.map { ": \($0)" } ?? ""
            switch answer.exitStatus {
            case 0: return GateDecision(name, .passed, "\(shown) lets the image pass\(said)")
            case Self.denied:
                return GateDecision(
                    name,
                    .failed,
                    "\(shown) denies the image\(said)",
                    remedy: "do what \(shown) asks for, or promote another image"
                )
            default:
                return GateDecision(
                    name,
                    .unknown,
                    "\(shown) ended with \(answer.failure ?? "no status")\(said)",
                    remedy: "run \(shown) with the image's facts on standard input; it must end with status 0 or 3"
                )
            }
        } catch let failure as AskedProgram.Failure {
            let problem =
                switch failure {
                case .notFound: "does not exist"
                case .tooSlow: "did not answer within \(limit.inWords)"
                case .tooLong: "printed more than \(Self.longestAnswer) bytes"
                case .notStarted: "could not be started"
                }
            return GateDecision(
                name,
                .unknown,
                "\(shown) \(problem)",
                remedy: "name a program that can be run, by its path or by a name on PATH"
            )
        } catch {
            return try .unreadable(name, error, "\(shown) could not be asked")
        }
    }

    private static func firstLine(_ output: [UInt8]) -> String? {
        let text = String(decoding: output, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map { printable($0.prefix(mostOfReason)) } ?? ""
        return line.isEmpty ? nil : line
    }

    // MARK: The question

    /// What the program is told; members may be added, and are not renamed while `version` stays the same.
    private struct Facts: Encodable {
        var version = 1
        var image: String
        var repository: String
        var tag: String?
        var digest: String
        var mediaType: String
        var artifactType: String?
        var size: Int
        /// The images of an index.
        var images: [Child]?
        var destinations: [String]
    }

    private struct Child: Encodable {
        var digest: String
        var mediaType: String
        var platform: ImagePlatform?
        var isAttestation: Bool
    }

    private func facts(of candidate: GateCandidate) throws -> String {
        let root = candidate.root
        let facts = Facts(
            image: "\(candidate.image.bare)@\(candidate.digest)",
            repository: "\(candidate.image.bare)",
            tag: candidate.image.tag?.value,
            digest: "\(root.digest)",
            mediaType: "\(root.mediaType)",
            artifactType: root.artifactType,
            size: root.byteCount,
            images: root.kind == .index
                ? root.children.map {
                    Child(
                        digest: "\($0.digest)",
                        mediaType: "\($0.mediaType)",
                        platform: $0.platform,
                        isAttestation: !$0.isRunnable
                    )
                } : nil,
            destinations: destinations
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(facts), as: UTF8.self) + "\n"
    }
}
