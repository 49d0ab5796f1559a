import Content
import Platform
import TestClouds
import TestPrograms
import Testing

@testable import Replicate

@Suite("Layout index files", .timeLimit(.minutes(1)))
struct LayoutStoreTests {
    private func entry(_ number: Int) -> Descriptor {
        var entry = Descriptor(mediaType: .ociManifest, digest: Digest(of: "\(number)".utf8), size: 1)
        entry.annotations = [ImageLayout.tagAnnotation: "v\(number)"]
        return entry
    }

    @Test("An index may list more images than a manifest")
    func manyImages() async throws {
        try await withScratchDirectory { directory in
            let store = LayoutStore(path: directory, clock: InstantClock())
            let count = Manifest.mostDescriptors + 1
            try store.make()
            try await store.change { index in for number in 0..<count { index.append(entry(number)) } }
            try await store.change { $0.append(entry(count)) }
            #expect(try contents(of: "\(directory)/index.json").count > Manifest.largestByteCount)
            let read = try LayoutStore(path: directory, clock: InstantClock()).index()
            #expect(read?.entries == (0...count).map(entry))
        }
    }

    @Test("An index is never written larger than it can be read", arguments: [(1_000, 100), (100_000, 3)])
    func full(byteCount: Int, descriptors: Int) async throws {
        try await withScratchDirectory { directory in
            let limits = Manifest.Limits(byteCount: byteCount, descriptors: descriptors)
            let store = LayoutStore(path: directory, clock: InstantClock(), limits: limits)
            try store.make()
            for number in 0..<3 { try await store.change { $0.append(entry(number)) } }
            for number in 3..<5 {
                let error = await #expect(throws: LayoutError.self) {
                    try await store.change { index in for more in 0..<3 { index.append(entry(number + more)) } }
                }
                #expect(error?.description.hasPrefix("\(directory)/index.json is full: it may list") == true)
            }
            for reader in [store, LayoutStore(path: directory, clock: InstantClock(), limits: limits)] {
                #expect(try reader.index()?.entries == (0..<3).map(entry))
            }
            try await store.change { $0.remove { $0 == entry(0) } }
            #expect(try store.index()?.entries == (1..<3).map(entry))
        }
    }

    @Test("An index is read again only after another writer has changed it")
    func readOnce() async throws {
        try await withScratchDirectory { directory in
            let stores = (0..<2).map { _ in LayoutStore(path: directory, clock: InstantClock()) }
            try stores[0].make()
            try await stores[0].change { $0.append(entry(0)) }
            for number in 1..<20 {
                try await stores[number % 2].change { $0.append(entry(number)) }
                for store in stores {
                    let first = try store.index()
                    #expect(first?.entries == (0...number).map(entry))
                    #expect(address(of: first) == address(of: try store.index()), "it was read twice")
                }
            }
        }
    }

    /// The address of an index's bytes, which differs between two reads.
    private func address(of index: IndexText?) -> UInt? {
        index?.bytes.withUnsafeBytes { $0.baseAddress.map { UInt(bitPattern: $0) } } ?? nil
    }

    @Test("Temporary files of a killed run are removed, those of a running one are kept")
    func swept() async throws {
        try await withScratchDirectory { directory in
            let first = LayoutStore(path: directory, clock: InstantClock())
            try first.make()
            let blobs = "\(directory)/blobs/sha256"
            let (written, left) = (Digest(of: "written".utf8), Digest(of: "left".utf8))
            let arriving = try ArrivingFile(first.blobPath(written))
            try arriving.append(Array("writ".utf8))
            for path in [
                "\(directory)/oci-layout.1.new", "\(directory)/index.json.2.new", "\(directory)/theirs.3.new",
                "\(blobs)/\(left.hex).4.new", "\(blobs)/\(written.hex).5.new", "\(blobs)/theirs.6.new",
            ] { try DurableFile.write([1], to: path) }

            try LayoutStore(path: directory, clock: InstantClock()).make()
            #expect(names(in: directory) == ["blobs", "oci-layout", "theirs.3.new"])
            #expect(names(in: blobs).count == 2)
            try arriving.append(Array("ten".utf8))
            try arriving.commit()
            #expect(names(in: blobs) == [written.hex, "theirs.6.new"])
            #expect(Digest(of: try contents(of: first.blobPath(written))) == written)
        }
    }
}
