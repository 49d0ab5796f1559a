import Content
import FoundationEssentials
import TestPrograms

/// Runs botocore on an input, with a script in `scripts/oracles`.
func oracle(
    _ name: String,
    _ arguments: [String] = [],
    _ environment: [String: String] = [:]
) async throws -> Data {
    let script = repositoryFile("scripts/oracles/\(name).py")
    let ended = try await run(.botocore, [script] + arguments, environment: environment)
    guard ended.exitCode == 0 else { throw ChildError("\(name).py: \(ended.errors)") }
    return Data(ended.outputBytes)
}
