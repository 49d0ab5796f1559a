internal import FlyingSocks
internal import FoundationEssentials
internal import Platform

/// An answer's body on its way out, and what may happen to it there.
struct BodyStream: AsyncBufferedSequence {
    typealias Element = UInt8

    enum Source: Sendable {
        case bytes([UInt8])
        case file(ByteFile, from: Int64)
    }

    /// In bytes; large enough that a layer isn't sent in crumbs.
    static let chunkSize = 131_072

    var source: Source
    var count: Int64
    /// The connection is cut after so many bytes.
    var cutAfter: Int64?
    /// This byte is another.
    var corruptAt: Int64?

    func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let stream: BodyStream
        var offset: Int64 = 0

        mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            if let cut = stream.cutAfter, offset >= cut { throw ConnectionCut() }
            let end = Swift.min(stream.count, stream.cutAfter ?? .max)
            let wanted = Int(Swift.min(Int64(Swift.min(count, BodyStream.chunkSize)), end - offset))
            guard wanted > 0 else { return nil }
            var chunk: [UInt8]
            switch stream.source {
            case .bytes(let bytes): chunk = Array(bytes[Int(offset)..<Int(offset) + wanted])
            case .file(let file, let start): chunk = try file.read(at: start + offset, count: wanted)
            }
            guard !chunk.isEmpty else { throw ConnectionCut() }
            if let corrupt = stream.corruptAt, (offset..<offset + Int64(chunk.count)).contains(corrupt) {
                chunk[Int(corrupt - offset)] ^= 0x55
            }
            offset += Int64(chunk.count)
            return chunk
        }
    }
}
