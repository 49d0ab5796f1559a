import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Seeded layers")
struct SeedLayerTests {
    /// Sizes around every limit of the format.
    static let sizes: [Int64] = [
        1, 19, 29, 30, 31, 33, 60, 100, 150, 200, 1_000, 2_070, 2_071, 2_072, 2_073, 2_600, 65_000, 65_535, 65_536,
        67_100, 131_072, 500_000, 1_048_576, 3_000_001,
    ]

    @Test("have the requested size and the digests they claim, in pieces and as a whole", arguments: sizes)
    func size(size: Int64) throws {
        let blob = SeedImage.Blob(layer: size, seed: 7)
        #expect(blob.size == size)
        let bytes = Self.bytes(of: blob)
        #expect(Int64(bytes.count) == size)
        #expect(Digest(of: bytes) == blob.digest)
        #expect(SeedImage.Blob(layer: size, seed: 7) == blob)
        if size >= 10 { #expect(SeedImage.Blob(layer: size, seed: 8).digest != blob.digest) }
        guard case .layer(let layer) = blob.source else { return }
        for (offset, count) in [(0, 1), (5, 20), (9, 3_000), (65_500, 100), (65_560, 65_600), (Int(size) - 9, 9)] {
            let end = min(Int(size), offset + count)
            #expect(layer.read(at: Int64(offset), count: count) == Array(bytes[min(offset, end)..<end]))
        }
        #expect(SeedLayer(size: size, seed: 7, checksum: layer.checksum) == layer)
    }

    @Test("have a tar with one file, with the right digest and checksum", arguments: sizes.filter { $0 >= 2_071 })
    func tar(size: Int64) throws {
        let blob = SeedImage.Blob(layer: size, seed: 7)
        let bytes = Self.bytes(of: blob)
        let tar = try Self.stored(in: bytes)
        #expect(Digest(of: tar) == blob.diffID)
        #expect(String(decoding: tar[..<30], as: UTF8.self) == "usr/share/seed/000000000000000")
        #expect(tar.suffix(1_024).allSatisfy { $0 == 0 })
        #expect(tar.count % 512 == 0)
        #expect(Int64(tar.count) > size - 600 - size / 1_000, "as much of the size as can be is the file's")
        #expect(Self.number(bytes.suffix(4)) == UInt32(tar.count))
        var crc = CRC32()
        crc.update(tar)
        #expect(Self.number(bytes.suffix(8).prefix(4)) == crc.value)
    }

    @Test("a checksum is the standard one, also when it is computed for repetitions")
    func checksum() {
        var crc = CRC32()
        crc.update("123456789".utf8)
        #expect(crc.value == 0xCBF4_3926)
        for count in [0, 1, 65_535, 65_536, 65_537, 200_000, 400_000] {
            var long = CRC32()
            SeedBytes(seed: 3).update(&long, byteCount: Int64(count))
            var plain = CRC32()
            plain.update(SeedBytes(seed: 3).prefix(count))
            #expect(long == plain, "\(count) bytes")
        }
    }

    @Test("of gigabytes are described at once, and above eight GiB they have a valid tar too")
    func gigabytes() throws {
        let layer = try #require(SeedLayer(size: 10 << 30, seed: 1))
        #expect(layer.read(at: (10 << 30) - 4, count: 100).count == 4)
        let header = layer.read(at: 0, count: 1_500)
        let start = try #require(header.firstRange(of: Array("usr/share".utf8))?.lowerBound)
        #expect(header[start + 124] == 0x80, "eleven octal digits are too few")
        let size = header[start + 125..<start + 136].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        #expect(size > (10 << 30) - (1 << 20) && size < 10 << 30)
    }

    @Test("deflate marks the last block, and compresses runs as matches")
    func deflate() {
        // zlib's output with the strategy Z_FIXED.
        #expect(Deflate.compressed([]) == [0x03, 0x00])
        #expect(Deflate.compressed(Array("a".utf8)) == [0x4B, 0x04, 0x00])
        #expect(Deflate.compressed([UInt8](repeating: 0, count: 1_024)).count < 20)
    }

    static func bytes(of blob: SeedImage.Blob) -> [UInt8] {
        switch blob.source {
        case .bytes(let bytes): bytes
        case .generated(let seed): SeedBytes(seed: seed).prefix(Int(blob.size))
        case .layer(let layer): layer.read(at: 0, count: Int(blob.size))
        }
    }

    /// Returns the content of a gzip stream of stored blocks.
    private static func stored(in bytes: [UInt8]) throws -> [UInt8] {
        try #require(bytes.starts(with: [0x1F, 0x8B, 8]))
        var place = 10
        if bytes[3] & 4 != 0 { place += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
        if bytes[3] & 16 != 0 { place = (bytes[place...].firstIndex(of: 0) ?? place) + 1 }
        var content: [UInt8] = []
        while true {
            let isLast = bytes[place] == 1
            let length = Int(bytes[place + 1]) + Int(bytes[place + 2]) << 8
            #expect(bytes[place + 1] == ~bytes[place + 3] && bytes[place + 2] == ~bytes[place + 4])
            content += bytes[(place + 5)..<(place + 5 + length)]
            place += 5 + length
            if isLast { break }
        }
        #expect(place + 8 == bytes.count)
        return content
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
