/// Runs a program to its end, and says the most memory it had resident, in bytes.
///
/// The kernel counts what a process had before `exec` too, and a test runner is large: a small Python in between
/// makes the figure the program's own, as wait4(2) gives it for this one child.
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
