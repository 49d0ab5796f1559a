import Platform
import Testing

@Suite("A directory's lock")
struct DirectoryLockTests {
    @Test("is held by one at a time, in this process too, and leaves nothing behind")
    func one() async throws {
        try await withScratchDirectory { directory in
            var first = try DirectoryLock(trying: directory)
            #expect(first != nil)
            #expect(try DirectoryLock(trying: directory) == nil)
            withExtendedLifetime(first) {}
            first = nil
            #expect(try DirectoryLock(trying: directory) != nil)
            #expect(names(in: directory).isEmpty)
        }
    }

    @Test("is no lock of a file, nor of what isn't there")
    func others() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.write([1], to: "\(directory)/file")
            for name in ["file", "nothing"] {
                #expect(throws: SystemError.self) { try DirectoryLock(trying: "\(directory)/\(name)") }
            }
        }
    }
}
