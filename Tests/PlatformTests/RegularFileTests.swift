import Glibc
import Testing

@testable import Platform

@Suite("Regular files", .timeLimit(.minutes(1)))
struct RegularFileTests {
    @Test("are all that is opened; anything else is refused at once, and the error names the path")
    func others() async throws {
        try await withScratchDirectory { directory in
            let root = "\(directory)/root"
            try DurableFile.makeDirectory("\(root)/inner")
            try DurableFile.write([1, 2], to: "\(root)/file")
            try DurableFile.write([3], to: "\(directory)/outside")
            #expect(mkfifo("\(root)/fifo", 0o600) == 0)
            for (name, target) in [
                ("link", "file"), ("out", "../outside"), ("absolute", "\(directory)/outside"), ("device", "/dev/zero"),
                ("lost", "nothing"), ("through", "inner/../../outside"), ("circle", "circle"),
            ] { #expect(symlink(target, "\(root)/\(name)") == 0) }

            #expect(try DurableFile.read("\(root)/file", limit: 9, inside: root) == [1, 2])
            #expect(try DurableFile.read("\(root)/link", limit: 9, inside: root) == [1, 2])
            #expect(try DurableFile.read("\(root)/none", limit: 9, inside: root) == nil)
            #expect(try DurableFile.read("\(root)/file/none", limit: 9, inside: root) == nil)
            #expect(try ByteFile(regular: "\(root)/file", inside: root)?.read(at: 1, count: 9) == [2])
            for (name, words) in [
                ("fifo", "is a FIFO"), ("inner", "is a directory"), ("out", "is outside"), ("absolute", "is outside"),
                ("device", "is outside"), ("lost", "is a symbolic link to a missing file"), ("through", "is outside"),
                ("circle", "symbolic link"),
            ] {
                let path = "\(root)/\(name)"
                for open in [
                    { _ = try ByteFile(regular: path, inside: root) }, { _ = try FileVersion(of: path, inside: root) },
                ] as [() throws -> Void] {
                    let error = #expect(throws: SystemError.self, "\(name)") { try open() }
                    #expect(error?.description.contains(path) == true && error?.description.contains(words) == true)
                }
            }
        }
    }

    @Test("may be reached through a link, unless they must be in a directory")
    func anywhere() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.write([1], to: "\(directory)/file")
            #expect(symlink("\(directory)/file", "\(directory)/link") == 0)
            #expect(try ByteFile(regular: "\(directory)/link")?.size == 1)
            #expect(try ByteFile(regular: "\(directory)/none") == nil)
            #expect(throws: SystemError.self) { try ByteFile(regular: "/dev/zero") }
            #expect(throws: SystemError.self) { try ByteFile(regular: directory) }
        }
    }

    @Test("are found in a directory that is a link itself")
    func linkedRoot() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.makeDirectory("\(directory)/real")
            try DurableFile.write([1], to: "\(directory)/real/file")
            // A path that begins with the directory's name, but isn't in it.
            try DurableFile.makeDirectory("\(directory)/realm")
            try DurableFile.write([2], to: "\(directory)/realm/file")
            #expect(symlink("real", "\(directory)/root") == 0)
            #expect(symlink("../realm/file", "\(directory)/real/next") == 0)
            #expect(try DurableFile.read("\(directory)/root/file", limit: 9, inside: "\(directory)/root") == [1])
            #expect(throws: SystemError.self) {
                try DurableFile.read("\(directory)/root/next", limit: 9, inside: "\(directory)/root")
            }
        }
    }

    @Test("can be read in part, and never past the part's end")
    func regions() async throws {
        try await withScratchDirectory { directory in
            try DurableFile.write((0..<100).map { UInt8($0) }, to: "\(directory)/file")
            let file = try #require(try ByteFile(regular: "\(directory)/file"))
            let region = FileRegion(file, offset: 10, byteCount: 5)
            #expect(try region.read(at: 0, count: 100) == [10, 11, 12, 13, 14])
            #expect(try region.read(at: 3, count: 1) == [13])
            #expect(try region.read(at: 5, count: 1) == [] && region.read(at: -1, count: 1) == [])
            #expect(try region.readAll(limit: 5) == [10, 11, 12, 13, 14])
            #expect(throws: SystemError.self) { try region.readAll(limit: 4) }
            #expect(FileRegion(allOf: file).byteCount == 100)
            let beyond = FileRegion(file, offset: 98, byteCount: 5)
            #expect(throws: SystemError.self) { try beyond.readAll(limit: 99) }
        }
    }

    @Test("are read on threads that may wait, and a cancellation ends the work")
    func work() async throws {
        #expect(try await FileWork.run { _ in 7 } == 7)
        await #expect(throws: SystemError.self) {
            try await FileWork.run { _ in throw SystemError(call: "x", path: "y", code: 1) }
        }
        let task = Task {
            try await FileWork.run { isCancelled in
                while !isCancelled() { sched_yield() }
                return true
            }
        }
        task.cancel()
        #expect(try await task.value)
    }
}
