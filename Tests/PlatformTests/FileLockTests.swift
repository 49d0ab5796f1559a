import Foundation
import Glibc
import Testing

@testable import Platform

@Suite("A lock file")
struct FileLockTests {
    @Test("excludes all others while it is held, without making them wait")
    func excludes() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/a.lock"
            var first = try FileLock(path: path)
            #expect(first != nil)
            #expect(try permissions(of: path) == 0o600)
            #expect(try FileLock(path: path) == nil)
            first = nil
            let second = try FileLock(path: path)
            #expect(second != nil)
            #expect(try FileLock(path: path) == nil)
            withExtendedLifetime(second) {}
        }
    }

    @Test("is free at once, even if a child that is being started has its descriptor too")
    func inherited() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/a.lock"
            var lock = try FileLock(path: path)
            try #require(lock != nil)
            let files = FileManager.default
            let own = try files.contentsOfDirectory(atPath: "/proc/self/fd").first {
                (try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
            }
            let copy = dup(try #require(own.flatMap { CInt($0) }))
            try #require(copy >= 0)
            lock = nil
            let next = try FileLock(path: path)
            #expect(next != nil)
            close(copy)
        }
    }

    @Test("can be taken again after its holder has removed it, with any timing")
    func removed() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/a.lock"
            let first = try #require(try FileLock(path: path))
            first.remove()
            #expect(names(in: directory) == [])
            // The old lock is still held, and doesn't block the new one.
            let second = try #require(try FileLock(path: path))
            #expect(try FileLock(path: path) == nil)
            withExtendedLifetime((first, second)) {}
        }
    }

    @Test("is held by one of many threads at a time")
    func contended() async throws {
        try await withScratchDirectory { directory in
            let path = "\(directory)/a.lock"
            let holders = Lock(0)
            let most = Lock(0)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<200 {
                            guard let lock = (try? FileLock(path: path)) ?? nil else { continue }
                            let count = holders.withLock { count in
                                count += 1
                                return count
                            }
                            most.withLock { $0 = max($0, count) }
                            holders.withLock { $0 -= 1 }
                            lock.remove()
                        }
                    }
                }
            }
            #expect(most.withLock { $0 } == 1)
        }
    }

    @Test("that can't be created gives the reason")
    func refused() async throws {
        try await withScratchDirectory { directory in
            let error = #expect(throws: SystemError.self) { try FileLock(path: "\(directory)/missing/a.lock") }
            #expect(error?.code == ENOENT)
        }
    }
}
