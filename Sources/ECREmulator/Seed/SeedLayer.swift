public import Content

/// A layer of exactly so many bytes that every runtime can unpack: a gzip stream of a tar with one file.
///
/// The file's content are ``SeedBytes``, which don't compress, so the stream stores them, and any part of it can be made
/// without what is before it. What is left to the wanted size stands in the gzip header, where nobody reads it.
///
/// A layer too small for that has less: a file of 16 bytes, compressed; an archive without a file; under 30 bytes it is
/// no archive at all, for no gzip stream is so short and still different from others.
///
/// - Source: RFC 1951 and RFC 1952; POSIX.1-2017, pax, "ustar Interchange Format"
public struct SeedLayer: Sendable, Equatable {
    /// In bytes, of the compressed layer.
    public let size: Int64
    let seed: UInt64
    /// Of the whole tar; kept with a layer, for it takes a while to reckon of gigabytes.
    let checksum: UInt32

    private let tarSize: Int64
    private let tarHeader: [UInt8]
    private let gzipHeader: [UInt8]
    private let content: SeedBytes

    /// In bytes, that one stored block of deflate can have.
    private static let blockSize: Int64 = 65_535
    /// In bytes: whether it is the last block, its length, and its length inverted.
    private static let blockHead: Int64 = 5
    private static let trailerSize: Int64 = 8
    private static let record: Int64 = 512

    /// - Parameter checksum: As it was reckoned before, if it was.
    /// - Returns: `nil` if the size is too small for a file that is stored.
    public init?(size: Int64, seed: UInt64) { self.init(size: size, seed: seed, checksum: nil) }

    init?(size: Int64, seed: UInt64, checksum: UInt32?) {
        // The file's header, at least one record of it, and the two empty records at the end.
        var tarSize = size / Self.record * Self.record
        while tarSize >= 4 * Self.record, Self.gzipSize(tarSize) > size { tarSize -= Self.record }
        guard tarSize >= 4 * Self.record else { return nil }
        self.size = size
        self.seed = seed
        self.tarSize = tarSize
        let contentSize = tarSize - 3 * Self.record
        let tarHeader = TarArchive.header(Self.path(seed), size: contentSize)
        let content = SeedBytes(seed: seed, byteCount: contentSize)
        self.tarHeader = tarHeader
        self.content = content
        gzipHeader = Self.gzipHeader(padding: Int(size - Self.gzipSize(tarSize)), seed: seed)
        if let checksum {
            self.checksum = checksum
        } else {
            var crc = CRC32()
            crc.update(tarHeader)
            content.update(&crc, byteCount: contentSize)
            crc.update([UInt8](repeating: 0, count: Int(2 * Self.record)))
            self.checksum = crc.value
        }
    }

    /// Without anything in the header.
    private static func gzipSize(_ tarSize: Int64) -> Int64 {
        10 + tarSize + blockHead * ((tarSize + blockSize - 1) / blockSize) + trailerSize
    }

    /// The digests of the layer and of the tar in it, which a config names.
    public func digests() -> (layer: Digest, diff: Digest) {
        var layer = SHA256Hasher()
        var diff = SHA256Hasher()
        layer.update(gzipHeader)
        var offset: Int64 = 0
        while offset < tarSize {
            let count = min(Self.blockSize, tarSize - offset)
            let bytes = tar(at: offset, count: Int(count))
            layer.update(blockHeader(offset / Self.blockSize))
            layer.update(bytes)
            diff.update(bytes)
            offset += count
        }
        layer.update(trailer)
        return (layer.finishDigest(), diff.finishDigest())
    }

    /// Up to `count` bytes from `offset` on.
    public func read(at offset: Int64, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        let end = min(size, offset + Int64(count))
        let bodyEnd = size - Self.trailerSize
        while offset + Int64(bytes.count) < end {
            let place = offset + Int64(bytes.count)
            let wanted = Int(end - place)
            if place < Int64(gzipHeader.count) {
                bytes += gzipHeader[Int(place)...].prefix(wanted)
            } else if place < bodyEnd {
                let (block, within) = (place - Int64(gzipHeader.count))
                    .quotientAndRemainder(dividingBy: Self.blockSize + Self.blockHead)
                if within < Self.blockHead {
                    bytes += blockHeader(block)[Int(within)...].prefix(wanted)
                } else {
                    let start = block * Self.blockSize + within - Self.blockHead
                    let left = min(Self.blockSize, tarSize - block * Self.blockSize) - (within - Self.blockHead)
                    bytes += tar(at: start, count: min(wanted, Int(left)))
                }
            } else {
                bytes += trailer[Int(place - bodyEnd)...].prefix(wanted)
            }
        }
        return bytes
    }

    private func tar(at offset: Int64, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        let contentEnd = tarSize - 2 * Self.record
        while bytes.count < count {
            let place = offset + Int64(bytes.count)
            let wanted = count - bytes.count
            if place < Self.record {
                bytes += tarHeader[Int(place)...].prefix(wanted)
            } else if place < contentEnd {
                bytes += content.read(at: place - Self.record, count: min(wanted, Int(contentEnd - place)))
            } else {
                bytes += [UInt8](repeating: 0, count: wanted)
            }
        }
        return bytes
    }

    private func blockHeader(_ number: Int64) -> [UInt8] {
        let left = tarSize - number * Self.blockSize
        let count = UInt16(min(Self.blockSize, left))
        return [left <= Self.blockSize ? 1 : 0] + littleEndian(count) + littleEndian(~count)
    }

    private var trailer: [UInt8] { littleEndian(checksum) + littleEndian(UInt32(truncatingIfNeeded: tarSize)) }

    private static func path(_ seed: UInt64) -> String {
        let digits = String(seed, radix: 16)
        return "usr/share/seed/" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// - Parameter padding: In bytes: how much longer it is to be than the ten it has at least.
    private static func gzipHeader(padding: Int, seed: UInt64) -> [UInt8] {
        let (extraField, comment): (UInt8, UInt8) = (4, 16)
        func header(_ flags: UInt8) -> [UInt8] { [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255] }
        switch padding {
        case 0: return header(0)
        // One byte is an empty comment's end; an extra field has two for its length.
        case 1: return header(comment) + [0]
        default:
            return header(extraField) + littleEndian(UInt16(padding - 2))
                + SeedBytes(seed: seed ^ .max, byteCount: Int64(padding)).prefix(padding - 2)
        }
    }
}

extension SeedLayer {
    /// In bytes: in a header, that make one layer differ from others.
    private static let leastDifference = 10

    /// A layer that is too small to store a file in.
    ///
    /// - Returns: Its bytes, and the tar's digest.
    static func small(size: Int, seed: UInt64) -> (bytes: [UInt8], diff: Digest) {
        var archive = TarArchive()
        archive.add(path(seed), Array(String(seed | 1 << 63, radix: 16).utf8))
        // The third is no archive, but read as one it is an empty one.
        for tar in [archive.bytes, TarArchive().bytes, []] {
            let compressed = Deflate.compressed(tar)
            let padding = size - compressed.count - 18
            guard padding >= leastDifference || (padding >= 0 && tar == archive.bytes) else { continue }
            var crc = CRC32()
            crc.update(tar)
            let bytes =
                gzipHeader(padding: padding, seed: seed) + compressed + littleEndian(crc.value)
                + littleEndian(UInt32(tar.count))
            return (bytes, Digest(of: tar))
        }
        let bytes = SeedBytes(seed: seed, byteCount: Int64(size)).prefix(size)
        return (bytes, Digest(of: bytes))
    }
}

private func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
