import Glibc
import Testing

@testable import Platform

@Suite("Unfinished files", .timeLimit(.minutes(1)))
struct UnfinishedFileTests {
    @Test("are removed if no process writes them, and kept while one does")
    func abandoned() async throws {
        try await withScratchDirectory { directory in
            let arriving = try ArrivingFile("\(directory)/blob")
            try arriving.append([1, 2])
            // A file as a killed process leaves it: the kernel has released the lock.
            let left = "\(directory)/blob.1x2y.new"
            try DurableFile.write([1], to: left)

            for name in names(in: directory) {
                #expect(UnfinishedFile.finalName(of: name) == "blob")
                #expect(UnfinishedFile.removeIfAbandoned("\(directory)/\(name)") == (name == "blob.1x2y.new"))
            }
            #expect(names(in: directory).count == 1)
            try arriving.append([3])
            try arriving.commit()
            #expect(names(in: directory) == ["blob"])
            #expect(try DurableFile.read("\(directory)/blob", limit: 10) == [1, 2, 3])
        }
    }

    @Test("get their name even if other processes look for abandoned files")
    func swept() async throws {
        try await withScratchDirectory { directory in
            let looks = Lock(0)
            async let looking: Void = onOwnThread {
                while looks.withLock({ $0 }) < 20_000 {
                    for name in names(in: directory) where UnfinishedFile.finalName(of: name) != nil {
                        UnfinishedFile.removeIfAbandoned("\(directory)/\(name)")
                    }
                    looks.withLock { $0 += 1 }
                }
            }
            let writing = await onOwnThread {
                Result {
                    while looks.withLock({ $0 }) < 20_000 {
                        try DurableFile.write([1], to: "\(directory)/small")
                        let file = try ArrivingFile("\(directory)/large")
                        try file.append([1])
                        try file.commit()
                    }
                }
            }
            await looking
            try writing.get()
            #expect(names(in: directory) == ["large", "small"])
        }
    }

    @Test(
        "are recognized by their names",
        arguments: [
            ("a.x1.new", "a"), ("index.json.3w5e11264sgsf.new", "index.json"), ("a.new", nil), ("a..new", nil),
            ("a.x_1.new", nil), ("a.x1", nil), (".new", nil), ("a.x1.new.lock", nil),
        ] as [(String, String?)]
    )
    func called(name: String, wanted: String?) {
        #expect(UnfinishedFile.finalName(of: name) == wanted)
    }
}

@Suite("A version of a file", .timeLimit(.minutes(1)))
struct FileVersionTests {
    @Test("is current until the file is changed, replaced or removed")
    func current() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/a"
            #expect(try FileVersion(of: path) == nil)
            try DurableFile.write([1, 2], to: path)
            let first = try #require(try FileVersion(of: path))
            #expect(first.isCurrent)
            #expect(try first.read(limit: 2) == [1, 2])
            #expect(first.isCurrent)

            // The same size, and possibly within the same tick of the clock.
            try DurableFile.write([2, 1], to: path)
            #expect(!first.isCurrent)
            let second = try #require(try FileVersion(of: path))
            try ByteFile(appending: path).append([3])
            #expect(!second.isCurrent)
            let third = try #require(try FileVersion(of: path))
            #expect(throws: SystemError(call: "read", path: path, code: EFBIG)) { try third.read(limit: 2) }
            try DurableFile.remove(path)
            #expect(!third.isCurrent)
        }
    }
}
