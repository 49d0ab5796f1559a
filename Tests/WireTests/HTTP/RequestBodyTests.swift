import Content
import Foundation
import Testing

@testable import Wire

@Suite("A request's body")
struct RequestBodyTests {
    static let lengths = [0, 1, 2, 3, 4, 5, 6, 255, 256, 257, 1_000, 100_001]

    private func body(_ bytes: [UInt8]) -> RequestBody {
        RequestBody(prefix: Array(#"{"blob":""#.utf8), base64Of: PartBuffer(bytes), suffix: Array(#""}"#.utf8))
    }

    private func expected(_ bytes: [UInt8]) -> [UInt8] {
        Array(#"{"blob":"\#(Data(bytes).base64EncodedString())"}"#.utf8)
    }

    @Test("for a part is standard base64 between two texts, at every length", arguments: lengths)
    func encodes(_ length: Int) {
        let bytes = sampleBytes(length)
        let body = body(bytes)
        #expect(body.bytes == expected(bytes))
        #expect(body.count == expected(bytes).count)
        #expect(body.isPart && !body.isEmpty)
    }

    @Test(
        "is the same when copied into buffers of any size",
        arguments: [1, 2, 3, 4, 5, 7, 64, 1_021],
        lengths.dropLast()
    )
    func pieces(_ room: Int, _ length: Int) {
        let bytes = sampleBytes(length, seed: 7)
        let body = body(bytes)
        var collected: [UInt8] = []
        while collected.count < body.count {
            let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                count = body.copy(from: collected.count, into: UnsafeMutableRawBufferPointer(buffer))
            }
            guard !piece.isEmpty else { break }
            collected += piece
        }
        #expect(collected == expected(bytes))
    }

    @Test("can be copied from any offset")
    func offsets() {
        let bytes = sampleBytes(50, seed: 3)
        let body = body(bytes)
        for offset in 0...body.count {
            let rest = [UInt8](unsafeUninitializedCapacity: 200) { buffer, count in
                count = body.copy(from: offset, into: UnsafeMutableRawBufferPointer(buffer))
            }
            #expect(rest == Array(expected(bytes)[offset...]))
        }
    }

    @Test("has the hash of its bytes", arguments: lengths + [49_152, 1 << 20])
    func hashes(_ length: Int) {
        let bytes = sampleBytes(length, seed: 5)
        #expect(body(bytes).sha256Hex == sha256Hex(expected(bytes)))
        #expect(RequestBody(bytes).sha256Hex == sha256Hex(bytes))
        #expect(RequestBody(bytes).bytes == bytes)
    }

    @Test("a buffer accepts a chunk whole or not at all, and can be reused")
    func buffer() {
        let buffer = PartBuffer(capacity: 10)
        func append(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { buffer.append($0) } }
        #expect(append([1, 2, 3, 4, 5, 6, 7]))
        #expect(!append([8, 9, 10, 11]))
        #expect(append([8, 9, 10]) && append([]))
        #expect(!append([11]) && buffer.count == 10)
        var hasher = SHA256Hasher()
        buffer.hash(into: &hasher)
        #expect(hasher.finish() == Digest(of: Array(1...10)).bytes)
        var rest = SHA256Hasher()
        buffer.hash(from: 8, into: &rest)
        buffer.hash(from: 10, into: &rest)
        #expect(rest.finish() == Digest(of: [9, 10]).bytes)
        buffer.clear()
        #expect(buffer.count == 0 && append([1]))
    }
}

extension Digest {
    fileprivate var bytes: [UInt8] {
        stride(from: 0, to: 64, by: 2).map { place in
            let start = hex.index(hex.startIndex, offsetBy: place)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }
}
