internal import Glibc

/// What this process is: where its program lies, who runs it, on which machine, how large it grew.
public enum ProcessFacts {
    /// The program's own file, symbolic links resolved; `nil` without `/proc`.
    public static var executablePath: String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            unsafe room.baseAddress.map { unsafe readlink("/proc/self/exe", $0, room.count) } ?? -1
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// The user's name, else the number as text: containers run as users that have no name.
    public static var userName: String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        // 16 KiB is more than sysconf(_SC_GETPW_R_SIZE_MAX) says, which is only a suggestion.
        var room = [CChar](repeating: 0, count: 16 << 10)
        return unsafe room.withUnsafeMutableBufferPointer { room in
            guard let start = room.baseAddress else { return "\(getuid())" }
            let status = unsafe getpwuid_r(getuid(), &entry, start, room.count, &found)
            guard status == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return "\(getuid())" }
            return unsafe String(cString: name)
        }
    }

    public static var userID: UInt32 { getuid() }

    public static var processID: Int32 { getpid() }

    /// The machine's name; in a container its identifier.
    public static var hostName: String {
        var system = utsname()
        guard unsafe uname(&system) == 0 else { return "unknown" }
        return unsafe withUnsafeBytes(of: &system.nodename) { name in
            unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The most memory this process has had resident so far, in bytes.
    ///
    /// - Source: getrusage(2): `ru_maxrss` is in KiB
    public static var peakResidentByteCount: Int64 {
        var usage = rusage()
        guard unsafe getrusage(CInt(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Int64(usage.ru_maxrss) << 10
    }
}
