import Glibc
import Testing

@testable import Platform

@Suite("Files with secrets", .timeLimit(.minutes(1)))
struct PrivateFileTests {
    @Test(
        "are read if only their owner may use them",
        arguments: [(0o600, true), (0o400, true), (0o644, false), (0o640, false), (0o604, false), (0o610, false)]
    )
    func modes(mode: Int, isRead: Bool) async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/key"
            try DurableFile.write([1, 2, 3], to: path)
            #expect(chmod(path, mode_t(mode)) == 0)
            // The mode of the file counts, not that of a link to it.
            #expect(symlink("key", "\(directory)/link") == 0)
            for name in ["key", "link"] {
                if isRead {
                    #expect(try PrivateFile.read("\(directory)/\(name)", upTo: 3) == [1, 2, 3])
                } else {
                    let error = #expect(throws: SystemError.self) {
                        try PrivateFile.read("\(directory)/\(name)", upTo: 3)
                    }
                    let digits = String(mode, radix: 8)
                    #expect(error?.problem == "may be used by other users of this machine (mode 0\(digits))")
                }
            }
        }
    }

    @Test("that are larger than allowed, no files, or missing are refused")
    func others() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/key"
            try DurableFile.write([1, 2, 3], to: path)
            #expect(chmod(path, 0o600) == 0)
            #expect(throws: SystemError.self) { try PrivateFile.read(path, upTo: 2) }
            #expect(throws: SystemError.self) { try PrivateFile.read("\(directory)/none", upTo: 2) }
            #expect(mkfifo("\(directory)/fifo", 0o600) == 0)
            for name in ["fifo", "."] {
                let error = #expect(throws: SystemError.self) { try PrivateFile.read("\(directory)/\(name)", upTo: 9) }
                #expect(error?.problem == "is not a regular file")
            }
        }
    }
}
