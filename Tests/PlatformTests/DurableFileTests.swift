import Glibc
import Testing

@testable import Platform

@Suite("Durable files")
struct DurableFileTests {
    @Test("contain the bytes written, for their owner only", arguments: [0, 1, 4_096, 300_000])
    func roundTrip(count: Int) async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/state.json"
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try DurableFile.write(bytes, to: path)
            #expect(try DurableFile.read(path, limit: count) == bytes)
            #expect(try permissions(of: path) == 0o600)
            #expect(names(in: directory) == ["state.json"])
        }
    }

    @Test("replace an old file completely, with its permissions")
    func replaces() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/f"
            try DurableFile.write(Array("the longer first text".utf8), to: path, mode: 0o644)
            #expect(try permissions(of: path) == 0o644)
            try DurableFile.write(Array("short".utf8), to: path)
            #expect(try DurableFile.read(path, limit: 100) == Array("short".utf8))
            #expect(try permissions(of: path) == 0o600)
        }
    }

    @Test("are complete at every moment, with several writers and a reader")
    func neverTorn() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/f"
            let count = 50_000
            try DurableFile.write([UInt8](repeating: 0, count: count), to: path)
            try await withThrowingTaskGroup { group in
                for writer in 1...4 {
                    group.addTask {
                        for _ in 0..<10 {
                            try DurableFile.write([UInt8](repeating: UInt8(writer), count: count), to: path)
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<100 {
                        let bytes = try #require(try DurableFile.read(path, limit: count))
                        #expect(bytes.count == count)
                        #expect(Set(bytes).count == 1)
                    }
                }
                try await group.waitForAll()
            }
            #expect(names(in: directory) == ["f"])
        }
    }

    @Test("that can't be written give the reason, and leave nothing behind")
    func refusedWrite() async throws {
        try await withScratchDirectory { directory in
            #expect(throws: SystemError(call: "create", path: "\(directory)/no/f", code: ENOENT)) {
                try DurableFile.write([1], to: "\(directory)/no/f")
            }
            try DurableFile.makeDirectory("\(directory)/taken")
            #expect(throws: SystemError(call: "rename", path: "\(directory)/taken", code: EISDIR)) {
                try DurableFile.write([1], to: "\(directory)/taken")
            }
            #expect(names(in: directory) == ["taken"])
        }
    }

    @Test("may be absent when read; those that are too long are an error")
    func reading() async throws {
        try await withScratchDirectory { directory in
            #expect(try DurableFile.read("\(directory)/none", limit: 1) == nil)
            let path = "\(directory)/f"
            try DurableFile.write([1, 2, 3], to: path)
            #expect(try DurableFile.read("\(path)/below", limit: 1) == nil)
            #expect(throws: SystemError(call: "read", path: path, code: EFBIG)) {
                try DurableFile.read(path, limit: 2)
            }
            #expect(throws: SystemError(call: "read", path: directory, code: EISDIR)) {
                try DurableFile.read(directory, limit: 2)
            }
        }
    }

    @Test("can be removed again without an error")
    func removing() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/f"
            try DurableFile.write([1], to: path)
            try DurableFile.remove(path)
            #expect(names(in: directory) == [])
            try DurableFile.remove(path)
            try DurableFile.remove("\(directory)/none/f")
        }
    }

    @Test("get new directories for their owner only")
    func directories() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.makeDirectory("\(directory)/a/b/c")
            for part in ["a", "a/b", "a/b/c"] { #expect(try permissions(of: "\(directory)/\(part)") == 0o700) }
            try DurableFile.makeDirectory("\(directory)/a/b/c/")
            try DurableFile.write([], to: "\(directory)/f")
            #expect(throws: SystemError(call: "mkdir", path: "\(directory)/f", code: ENOTDIR)) {
                try DurableFile.makeDirectory("\(directory)/f")
            }
            #expect(throws: SystemError(call: "mkdir", path: "\(directory)/f/g", code: ENOTDIR)) {
                try DurableFile.makeDirectory("\(directory)/f/g")
            }
        }
    }

    @Test(
        "have the right parent directory",
        arguments: [("a", "."), ("/a", "/"), ("/", "/"), ("a/b", "a"), ("a/b/", "a"), ("/a/b//", "/a"), ("", ".")]
    )
    func parents(path: String, parent: String) {
        #expect(DurableFile.parent(of: path) == parent)
    }

    @Test("have readable errors")
    func errorText() {
        let error = SystemError(call: "open", path: "/x/y", code: EACCES)
        #expect("\(error)" == "open /x/y: Permission denied")
        #expect("\(SystemError(call: "pipe", path: "", code: EMFILE))" == "pipe: Too many open files")
    }
}

@Suite("Directories for state")
struct PrivateDirectoryTests {
    @Test("are created for their owner only, with their parents")
    func made() async throws {
        try await withScratchDirectory { scratch in
            let path = "\(scratch)/a/b"
            for _ in 0..<2 { try DurableFile.makePrivateDirectory(path) }
            try DurableFile.makePrivateDirectory(path + "/")
            for directory in [path, "\(scratch)/a"] { #expect(try permissions(of: directory) == 0o700) }
        }
    }

    @Test(
        "are refused if other users can write to them",
        arguments: [(0o700, true), (0o755, true), (0o770, false), (0o702, false), (0o777, false), (0o1777, false)]
    )
    func modes(_ mode: Int, _ isUsed: Bool) async throws {
        try await withScratchDirectory { scratch in
            let path = "\(scratch)/state"
            try DurableFile.makePrivateDirectory(path)
            chmod(path, mode_t(mode))
            let error = problem { try DurableFile.makePrivateDirectory(path) }
            #expect((error == nil) == isUsed)
            if let error { #expect(error.contains("is writable by other users")) }
        }
    }

    @Test("are refused if they are links, files or another user's")
    func others() async throws {
        try await withScratchDirectory { scratch in
            try DurableFile.makePrivateDirectory("\(scratch)/real")
            symlink("\(scratch)/real", "\(scratch)/link")
            for path in ["\(scratch)/link", "\(scratch)/link/"] {
                #expect(problem { try DurableFile.makePrivateDirectory(path) }?.contains("symbolic link") == true)
            }
            try DurableFile.write([1], to: "\(scratch)/file")
            #expect(throws: SystemError.self) { try DurableFile.makePrivateDirectory("\(scratch)/file") }
            // Only root can change the owner of a directory, so only tests that run as root check this.
            guard geteuid() == 0 else { return }
            chown("\(scratch)/real", 65_534, 65_534)
            #expect(
                problem { try DurableFile.makePrivateDirectory("\(scratch)/real") }?.contains("another user") == true
            )
        }
    }

    private func problem(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
