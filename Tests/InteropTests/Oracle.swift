import Content
import FoundationEssentials
import TestPrograms

/// What botocore makes of something: the output of a script in `scripts/oracles`.
func oracle(
    _ name: String,
    _ arguments: [String] = [],
    _ environment: [String: String] = [:],
    place: String = #filePath
) async throws -> Data {
    let root = place.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    let ended = try await run(.botocore, ["\(root)/scripts/oracles/\(name).py"] + arguments, environment: environment)
    guard ended.exitCode == 0 else { throw ChildError("\(name).py: \(ended.errors)") }
    return Data(ended.outputBytes)
}
