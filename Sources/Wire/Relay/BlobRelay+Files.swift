internal import HTTPTypes
internal import Platform

/// A local source of a relay.
enum LocalFeed {
    case file(FileRegion)
    case bytes([UInt8])

    /// Reads up to `count` bytes from `offset`; none after the end.
    func read(at offset: Int64, count: Int) throws(ByteFile.Failure) -> [UInt8] {
        switch self {
        case .file(let region): try region.read(at: offset, count: count)
        case .bytes(let bytes): Array(bytes.dropFirst(Int(offset)).prefix(count))
        }
    }
}

/// The ends of a relay that are files or memory: image layouts, and blobs that are inline in a manifest.
extension BlobRelay {
    /// Reads while there is room, up to ``fileChunksPerTurn`` chunks.
    func readFeed() {
        guard let feed, failure == nil else { return }
        for _ in 0..<Self.fileChunksPerTurn {
            let wanted = Int(min(Int64(min(Self.fileChunk, blob.room)), request.size - fed))
            guard wanted > 0 else { break }
            if let wait = loop.rate?.wait(holding: turn) {
                turn = wait
                sourceWaitsUntil = wait
                return loop.wake(at: wait)
            }
            let chunk: [UInt8]
            do {
                chunk = try feed.read(at: fed, count: wanted)
            } catch {
                return failAll(sourceError(.file, "\(error)"))
            }
            guard !chunk.isEmpty else { return failAll(sourceError(.tooShort, "ended after \(fed) bytes")) }
            loop.rate?.spend(chunk.count, holding: turn.take())
            fed += Int64(chunk.count)
            unsafe chunk.withUnsafeBytes { _ = unsafe blob.offer($0) }
        }
        if fed == request.size {
            self.feed = nil
            finishInput()
        } else if blob.room > 0 {
            mark()
        }
    }

    /// Writes the bytes that are ready, and gives the file its name when all bytes are there and verified.
    func writeFile(_ outlet: RelayOutlet) {
        guard let file = outlet.file else { return }
        do {
            for _ in 0..<Self.fileChunksPerTurn {
                let chunk = blob.chunk(for: outlet.index, atMost: Self.fileChunk)
                guard !chunk.isEmpty else { break }
                try file.append(chunk)
                outlet.lastMoved = loop.now
                tell(outlet)
                // The source may have room again.
                mark()
            }
            guard blob.isDelivered(outlet.index) else { return }
            try file.commit()
            end(outlet, .success(.stored(WireResponse(status: .created))))
        } catch {
            end(outlet, .failure(outlet.error(.file, "\(error)")))
        }
    }
}
