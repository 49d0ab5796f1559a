public import Content

/// A layer of an exact size that every runtime can unpack: a gzip stream of a tar with one file.
///
/// The file's content is ``SeedBytes``. They don't compress, so the stream stores them, and any range can be generated
/// directly. Padding in the gzip header, which readers ignore, makes up the rest of the size.
///
/// A layer that is too small for that has a compressed file of 16 bytes, or an archive without a file. Under 30 bytes it
/// isn't an archive, because gzip streams of that length can't differ from each other.
///
/// - Source: RFC 1951 and RFC 1952; POSIX.1-2017, pax, "ustar Interchange Format"
public struct SeedLayer: Sendable, Equatable {
    /// The size of the compressed layer, in bytes.
    public let size: Int64
    let seed: UInt64
    /// The checksum of the whole tar; kept because it takes a while to compute for gigabytes.
    let checksum: UInt32

    private let tarSize: Int64
    private let tarHeader: [UInt8]
    private let gzipHeader: [UInt8]
    private let content: SeedBytes

    /// The most bytes in one stored block of deflate.
    private static let blockSize: Int64 = 65_535
    /// The bytes before a stored block: whether it is the last, its length, and its length inverted.
    private static let blockHead: Int64 = 5
    private static let trailerSize: Int64 = 8
    private static let record: Int64 = 512

    /// - Parameter checksum: The checksum, if it was computed before.
    /// - Returns: `nil` if the size is too small to store a file.
    public init?(size: Int64, seed: UInt64) { self.init(size: size, seed: seed, checksum: nil) }

    init?(size: Int64, seed: UInt64, checksum: UInt32?) {
        // The file's header, at least one record of content, and the two empty records at the end.
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

    /// Returns the size of the gzip stream without padding in its header.
    private static func gzipSize(_ tarSize: Int64) -> Int64 {
        10 + tarSize + blockHead * ((tarSize + blockSize - 1) / blockSize) + trailerSize
    }

    /// Computes the digests of the layer and of the tar in it, which a config names.
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

    /// Returns up to `count` bytes, starting at `offset`.
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

    /// - Parameter padding: How many bytes longer than the minimum of ten the header is.
    private static func gzipHeader(padding: Int, seed: UInt64) -> [UInt8] {
        let (extraField, comment): (UInt8, UInt8) = (4, 16)
        func header(_ flags: UInt8) -> [UInt8] { [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255] }
        switch padding {
        case 0: return header(0)
        // One byte ends an empty comment; an extra field has two bytes for its length.
        case 1: return header(comment) + [0]
        default:
            return header(extraField) + littleEndian(UInt16(padding - 2))
                + SeedBytes(seed: seed ^ .max, byteCount: Int64(padding)).prefix(padding - 2)
        }
    }
}

extension SeedLayer {
    /// The fewest bytes of padding that make a layer differ from others.
    private static let leastDifference = 10

    /// Makes a layer that is too small to store a file.
    ///
    /// - Returns: The layer's bytes, and the tar's digest.
    static func small(size: Int, seed: UInt64) -> (bytes: [UInt8], diff: Digest) {
        var archive = TarArchive()
        archive.add(path(seed), Array(String(seed | 1 << 63, radix: 16).utf8))
        // The third isn't an archive, but readers accept it as an empty one.
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
