internal import Glibc

extension ProcessFacts {
    /// The arguments of the process, with its own name first.
    public static var arguments: [String] { CommandLine.arguments }

    /// Ends the process at once, without running exit handlers; used for the second signal.
    public static func exitNow(_ status: Int32) -> Never { _exit(status) }
}
