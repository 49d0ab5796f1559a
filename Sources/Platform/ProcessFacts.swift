internal import Glibc

/// Facts about this process: its executable, user, machine and memory.
public enum ProcessFacts {
    /// The path of the executable, with symbolic links resolved; `nil` without `/proc`.
    public static var executablePath: String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            unsafe room.baseAddress.map { unsafe readlink("/proc/self/exe", $0, room.count) } ?? -1
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// The user's name, or the user's number if it has no name, as in many containers.
    public static var userName: String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: entryLimit)
        return unsafe room.withUnsafeMutableBufferPointer { room in
            guard let start = room.baseAddress else { return "\(getuid())" }
            let status = unsafe getpwuid_r(getuid(), &entry, start, room.count, &found)
            guard status == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return "\(getuid())" }
            return unsafe String(cString: name)
        }
    }

    /// The home directory in the system's user database; `nil` for an unknown user.
    ///
    /// - Parameter user: The user's name, or `nil` for the user that runs this process.
    public static func homeDirectory(of user: String? = nil) -> String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: entryLimit)
        return unsafe room.withUnsafeMutableBufferPointer { room in
            guard let start = room.baseAddress else { return nil }
            let status =
                if let user {
                    unsafe getpwnam_r(user, &entry, start, room.count, &found)
                } else {
                    unsafe getpwuid_r(getuid(), &entry, start, room.count, &found)
                }
            guard status == 0, unsafe found != nil, let home = unsafe entry.pw_dir else { return nil }
            return unsafe String(cString: home)
        }
    }

    /// The room for one entry of the user database, in bytes: more than sysconf(_SC_GETPW_R_SIZE_MAX), which only
    /// suggests a size.
    private static let entryLimit = 16 << 10

    public static var userID: UInt32 { getuid() }

    public static var processID: Int32 { getpid() }

    /// The host name; in a container, the container's identifier.
    public static var hostName: String {
        var system = utsname()
        guard unsafe uname(&system) == 0 else { return "unknown" }
        return unsafe withUnsafeBytes(of: &system.nodename) { name in
            unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The peak of this process's resident memory so far, in bytes.
    ///
    /// - Source: getrusage(2): `ru_maxrss` is in KiB
    public static var peakResidentByteCount: Int64 {
        var usage = rusage()
        guard unsafe getrusage(CInt(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Int64(usage.ru_maxrss) << 10
    }
}
