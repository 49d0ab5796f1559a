internal import Glibc

extension ProcessFacts {
    /// The words the process was started with, its own name first.
    public static var arguments: [String] { CommandLine.arguments }

    /// Ends the process without waiting for anything, for the second signal.
    public static func exitNow(_ status: Int32) -> Never { _exit(status) }
}
