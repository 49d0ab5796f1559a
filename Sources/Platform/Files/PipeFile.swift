internal import Glibc

/// A named pipe that is read like a file, as a shell's `<(command)` makes one.
public enum PipeFile {
    /// Reads the pipe until its writers close it.
    ///
    /// Opening a pipe may wait for a writer for ever; this does not.
    ///
    /// - Parameters:
    ///   - limit: In bytes; more is an error (`EFBIG`).
    ///   - patience: The longest pause between two writes, in milliseconds; after that it is an error (`ETIMEDOUT`).
    /// - Throws: ``SystemError``
    public static func read(_ path: String, limit: Int, patience: Int32) throws(SystemError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = retried { unsafe Int(poll(&wanted, 1, patience)) }
            guard ready >= 0 else { throw .last("poll", path) }
            guard ready > 0 else { throw SystemError(call: "read", path: path, code: ETIMEDOUT) }
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                retried { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
            }
            if count < 0, errno == EAGAIN { continue }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw SystemError(call: "read", path: path, code: EFBIG) }
            bytes += chunk[..<count]
        }
    }
}
