import Platform
import Subprocess
import SystemPackage

/// A running program.
public final class Child: Sendable {
    public let output = LineRecord()
    public let errors = LineRecord()
    public let processID: Int32
    private let send: @Sendable (Signal) -> Void

    init(_ processID: Int32, send: @escaping @Sendable (Signal) -> Void) {
        self.processID = processID
        self.send = send
    }

    public func interrupt() { send(.interrupt) }
    public func terminate() { send(.terminate) }
    public func kill() { send(.kill) }
}

/// The exit status and the output of a program.
public struct Ended: Sendable {
    /// The exit status as a shell reports it: 128 and the signal's number if a signal ended the program.
    public let exitCode: Int32
    public let outputBytes: [UInt8]
    public let output: String
    public let errors: String

    /// The lines of the output, without newlines; an empty list without output.
    public var lines: [String] {
        output.isEmpty
            ? []
            : (output.hasSuffix("\n") ? String(output.dropLast()) : output).split(
                separator: "\n",
                omittingEmptySubsequences: false
            ).map(String.init)
    }
}

/// Runs a program until it ends.
///
/// If the test is cancelled, for example by its time limit, the program is ended.
///
/// - Parameter environment: Variables besides those that every child gets; nothing is inherited.
public func run(
    _ program: Program,
    _ arguments: [String],
    environment: [String: String] = [:],
    directory: String? = nil
) async throws -> Ended {
    try await withChild(program, arguments, environment: environment, directory: directory, killed: false) { _ in }
        .ended
}

/// Runs a program while `body` runs.
///
/// - Parameter killed: Whether the program is ended after `body`, as servers must be; otherwise the call waits for its
///   end.
public func withChild<Result: Sendable>(
    _ program: Program,
    _ arguments: [String],
    environment: [String: String] = [:],
    directory: String? = nil,
    killed: Bool = true,
    _ body: (Child) async throws -> Result
) async throws -> (result: Result, ended: Ended) {
    guard let path = program.path else { throw ChildError("\(program.name) is not installed") }
    var variables = Dictionary(uniqueKeysWithValues: usualEnvironment.map { (Environment.Key(stringLiteral: $0), $1) })
    // A sanitized program needs its suppressions.
    for name in ["TSAN_OPTIONS", "ASAN_OPTIONS"] {
        if let options = EnvironmentVariables.current[name] {
            variables[Environment.Key(stringLiteral: name)] = options
        }
    }
    for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
    let ran = try await Subprocess.run(
        .path(FilePath(path)),
        arguments: Arguments(arguments),
        environment: .custom(variables),
        workingDirectory: directory.map { FilePath($0) },
        input: .none,
        output: .sequence,
        error: .sequence
    ) { execution in
        let child = Child(execution.processIdentifier.value) { signal in try? execution.send(signal: signal) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await fill(child.output, from: execution.standardOutput) }
            group.addTask { try await fill(child.errors, from: execution.standardError) }
            do {
                let result = try await body(child)
                if killed { child.kill() }
                try await group.waitForAll()
                return (result: result, child: child)
            } catch {
                // The readers end when the program ends.
                child.kill()
                throw error
            }
        }
    }
    let (result, child) = ran.closureResult
    let code: Int32 =
        switch ran.terminationStatus {
        case .exited(let code): code
        case .signaled(let number): 128 + number
        }
    let output = child.output.bytes
    let ended = Ended(
        exitCode: code,
        outputBytes: output,
        output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: child.errors.bytes, as: UTF8.self)
    )
    return (result, ended)
}

private func fill(_ record: LineRecord, from sequence: SubprocessOutputSequence) async throws {
    defer { record.end() }
    for try await buffer in sequence { record.add(buffer.withUnsafeBytes { Array($0) }) }
}

/// A child must not see the machine's own AWS settings and logins, or a metadata service.
private let usualEnvironment: [String: String] = [
    "PATH": EnvironmentVariables.current["PATH"] ?? "/usr/bin:/bin",
    "HOME": EnvironmentVariables.current["HOME"] ?? "/",
    "LANG": "C.UTF-8",
    "DOCKER_CONFIG": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
]
