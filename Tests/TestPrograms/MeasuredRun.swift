/// Runs a program until it ends, and returns the most resident memory it had, in bytes.
///
/// The kernel also counts the memory before `exec`, and a test runner is large. Therefore a small Python process starts
/// the program, and wait4(2) gives the figure of this one child.
public func runMeasured(
    _ program: Program,
    _ arguments: [String],
    environment: [String: String] = [:]
) async throws -> (ended: Ended, peakResidentByteCount: Int) {
    guard let path = program.path else { throw ChildError("\(program.name) is not installed") }
    let script = """
        import os, sys
        child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
        _, status, usage = os.wait4(child, 0)
        print("ru_maxrss", usage.ru_maxrss, file=sys.stderr)
        sys.exit(os.waitstatus_to_exitcode(status))
        """
    let ended = try await run(.python, ["-S", "-c", script, path] + arguments, environment: environment)
    let figure = ended.errors.split(separator: "\n").last?.split(separator: " ").last.flatMap { Int($0) }
    guard let kibibytes = figure else { throw ChildError("no figure from wait4: \(ended.errors)") }
    return (ended, kibibytes << 10)
}
