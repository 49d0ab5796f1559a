import Content
import Dispatch
import Platform
import TestClouds
import TestPrograms
import Testing
import Wire

@testable import Replicate

/// Files are read and written on separate threads, so that a hanging disk blocks nothing else.
@Suite("Layout file access", .timeLimit(.minutes(1)))
struct LayoutFileTests {
    @Test("A hanging disk does not block other tasks")
    func hangingDisk() async throws {
        try await withScratchDirectory { directory in
            let isReleased = DispatchSemaphore(value: 0)
            let readers = processorCount * 2
            let repositories = try (0..<readers).map { number in
                var store = LayoutStore(path: "\(directory)/\(number)", clock: InstantClock())
                store.names = { _ in
                    isReleased.wait()
                    return nil
                }
                return LayoutImageRepository(
                    try ImageReference(parsing: "oci:\(directory)/\(number)"),
                    store,
                    side: .source
                )
            }
            let listings = repositories.map { repository in Task { _ = try? await repository.list() } }
            // Reads on the cooperative pool would occupy all of its threads now.
            try await (0..<100).forEachConcurrently(limit: 100) { _ in await Task.yield() }
            for _ in repositories { isReleased.signal() }
            for _ in repositories { isReleased.signal() }
            for listing in listings { await listing.value }
        }
    }
}
