internal import Glibc

/// A system call that failed, and the file concerned.
public struct SystemError: Error, Equatable, Sendable {
    /// The call that failed, for example `"open"`.
    public let call: String
    /// The file; empty if the call had none.
    public let path: String
    /// The value of `errno`, for example `ENOSPC`.
    public let code: CInt
    /// What is wrong with the file, if that is known better than from ``code``, for example `is a FIFO`.
    public let problem: String?

    public init(call: String, path: String, code: CInt, problem: String? = nil) {
        self.call = call
        self.path = path
        self.code = code
        self.problem = problem
    }

    /// Whether the process lacks a permission.
    public var isDenied: Bool { code == EACCES || code == EPERM }

    /// The error in this thread's `errno`; call it right after the call that failed.
    static func last(_ call: String, _ path: String = "") -> SystemError {
        SystemError(call: call, path: path, code: errno)
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        if let problem { return "\(path) \(problem)" }
        // glibc keeps this text per thread (since 2.32), so no lock is needed.
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "\(call)\(path.isEmpty ? "" : " \(path)"): \(reason)"
    }
}
