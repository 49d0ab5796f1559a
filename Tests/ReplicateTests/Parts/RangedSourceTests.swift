import Content
import HTTPTypes
import Testing

@testable import Replicate
@testable import Wire

@Suite("Reading a blob by ranges")
struct RangedSourceTests {
    @Test("Redirects keep the range, and later requests go to the last address")
    func redirects() async throws {
        let bench = try PartBench()
        bench.host.script(
            .status(307, [.location: "https://cdn.test/x?secret=1"]),
            .status(302, [.location: "/y"])
        )
        #expect(try await bench.upload() == "moved")
        #expect(
            bench.host.requests.map(\.url.text) == [
                "https://source.test/from/app/\(bench.blob.digest.hex)", "https://cdn.test/x?secret=1",
                "https://cdn.test/y", "https://cdn.test/y", "https://cdn.test/y", "https://cdn.test/y",
            ]
        )
        #expect(Set(bench.host.requests.compactMap { $0.fields[.range] }).count == 4)
        #expect(bench.gets.first == "bytes=0-9" && bench.gets.last == "bytes=30-34")
        #expect(bench.calls.count("from/app source") == 1)
    }

    @Test("Five redirects are followed, but not a sixth and none to plain http")
    func badRedirects() async throws {
        let many = try PartBench()
        for hop in 0..<6 { many.host.script(.status(307, [.location: "/\(hop)"])) }
        var error = await #expect(throws: CopyError.self) { try await many.upload() }
        #expect(error.map { "\($0)".contains("more than 5 redirects") } == true && error?.side == .source)

        let plain = try PartBench()
        plain.host.script(.status(307, [.location: "http://cdn.test/x?secret=1"]))
        error = await #expect(throws: CopyError.self) { try await plain.upload() }
        guard case .rejected("redirect not followed", _)? = error?.reason else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error.map { "\($0)" }?.contains("secret") == false)
    }

    @Test("An expired address is replaced, even in the middle", arguments: [400, 401, 403, 410], [0, 2])
    func expires(_ status: Int, after parts: Int) async throws {
        let bench = try PartBench()
        bench.host.script(Array(repeating: nil, count: parts) + [.status(status)])
        #expect(try await bench.upload() == "moved")
        #expect(bench.calls.count("from/app source") == 2)
        #expect(await bench.isStored())
    }

    @Test("A 404 of a fresh address is believed, one of a used address is not")
    func missing() async throws {
        let kept = try PartBench()
        kept.host.script([nil, .status(404)])
        #expect(try await kept.upload() == "moved")

        let fresh = try PartBench()
        fresh.host.script(.status(404))
        let error = await #expect(throws: CopyError.self) { try await fresh.upload() }
        #expect(error?.reason == .blobMissing(fresh.blob.digest))
        #expect(fresh.gets.count == 1)
    }

    @Test("Three refused addresses end the download")
    func refused() async throws {
        let bench = try PartBench()
        for _ in 0..<3 { bench.host.script(.status(403)) }
        let error = await #expect(throws: CopyError.self) { try await bench.upload() }
        #expect(error?.reason == .rejected(code: "HTTP 403", text: "the layer's host refuses"))
        #expect(error?.side == .source && error?.operation == "downloading \(bench.blob.digest)")
    }

    static let transientFailures: [RangeHost.Behaviour] = [
        .status(500), .status(503, [.retryAfter: "3"]), .status(429), .status(408),
        .failure(WireError(.disconnected, "cut")), .failure(WireError(.stalled, "stood still")),
        .failure(WireError(.tooLong, "more")), .short(1), .contentRange("bytes 0-9/99"), .contentRange("bytes 5-14/35"),
        .contentRange("nonsense"),
    ]

    @Test("A failed range is repeated, not the blob", arguments: transientFailures.indices, [0, 3])
    func repeats(_ index: Int, at get: Int) async throws {
        let bench = try PartBench()
        bench.host.script(Array(repeating: nil, count: get) + [Self.transientFailures[index]])
        #expect(try await bench.upload() == "moved")
        #expect(bench.gets.count == 5)
        #expect(bench.parts.count == 4)
        #expect(await bench.isStored())
    }

    @Test("An unknown size in Content-Range is accepted")
    func unknownSize() async throws {
        let bench = try PartBench(20)
        bench.host.script(.contentRange("bytes 0-9/*"))
        #expect(try await bench.upload() == "moved")
        #expect(bench.gets.count == 2)
    }

    @Test("A range that always fails ends the download, with the source named")
    func fails() async throws {
        let bench = try PartBench()
        for _ in 0..<3 { bench.host.script(.failure(WireError(.disconnected, "cut"))) }
        let error = await #expect(throws: CopyError.self) { try await bench.upload(bench.large(attempts: 3)) }
        #expect(error?.reason == .unreachable("cut") && error?.side == .source)
        #expect(bench.gets.count == 3)
    }
}
