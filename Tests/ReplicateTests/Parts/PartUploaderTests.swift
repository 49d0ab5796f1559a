import Content
import Platform
import Testing

@testable import Replicate
@testable import Wire

@Suite("Uploading a blob in parts", .timeLimit(.minutes(1)))
struct PartUploaderTests {
    @Test(
        "Parts are sent in order, and the upload is completed once",
        arguments: [(35, ["1 0+10", "1 10+10", "1 20+10", "1 30+5"]), (20, ["1 0+10", "1 10+10"]), (1, ["1 0+1"])]
    )
    func plainly(count: Int, parts: [String]) async throws {
        let bench = try PartBench(count)
        #expect(try await bench.upload() == "moved")
        #expect(bench.parts == parts)
        #expect(await bench.isStored())
        #expect(bench.calls.lines("complete ") == ["1"])
        #expect(bench.calls.count("from/app source") == 1, "one address serves for all parts")
        #expect(bench.progress == Int64(count))
    }

    @Test("A blob of one part is requested whole, without a range")
    func onePart() async throws {
        let bench = try PartBench(10)
        #expect(try await bench.upload() == "moved")
        #expect(bench.gets == ["all"])
    }

    @Test("Reading ahead is bounded by the memory for parts")
    func backpressure() async throws {
        let bench = try PartBench(200)
        let gets = Lock(0)
        await bench.uploads.at(part: 1) { uploads in
            gets.withLock { $0 = uploads.calls.count("get ") }
            return nil
        }
        #expect(try await bench.upload() == "moved")
        #expect(gets.withLock { $0 } <= SharedParts.mostParts)
        #expect(bench.gets.count == 20)
    }

    @Test("A part that the registry already has counts as sent")
    func lostAnswer() async throws {
        let bench = try PartBench()
        await bench.uploads.at(part: 2) { [bytes = bench.bytes] uploads in
            uploads.take(10..<20, of: bytes)
            return .standsAt(20)
        }
        #expect(try await bench.upload() == "moved")
        #expect(bench.parts == ["1 0+10", "1 10+10", "1 20+10", "1 30+5"])
        #expect(await bench.isStored())
    }

    @Test("The upload goes back to where the registry stands, even within a part", arguments: [0, 3, 10, 14])
    func goesBack(to place: Int) async throws {
        let bench = try PartBench()
        await bench.uploads.at(part: 3) { uploads in
            uploads.lose(after: place, of: "1")
            return .standsAt(Int64(place))
        }
        #expect(try await bench.upload() == "moved")
        #expect(bench.parts[3] == "1 \(place)+10")
        #expect(await bench.isStored())
        #expect(bench.progress == 35)
        #expect(bench.calls.lines("begin ") == ["1"])
    }

    @Test("The upload continues where the registry is ahead of it")
    func goesForward() async throws {
        let bench = try PartBench()
        await bench.uploads.at(part: 1) { [bytes = bench.bytes] uploads in
            uploads.take(0..<25, of: bytes)
            return .standsAt(25)
        }
        #expect(try await bench.upload() == "moved")
        #expect(bench.parts == ["1 0+10", "1 10+10", "1 20+10", "1 25+10"])
        #expect(await bench.isStored())
    }

    @Test("A registry that never accepts the offset it asked for is given up")
    func neverAccepts() async throws {
        let bench = try PartBench()
        for number in 1...40 { await bench.uploads.at(part: number) { _ in .standsAt(0) } }
        let error = await #expect(throws: CopyError.self) { try await bench.upload() }
        #expect(error?.side == .destination)
        #expect(bench.parts.count == 2 * (PartUploader.mostCorrections + 1))
        #expect(bench.calls.count("complete") == 0)
    }

    @Test("An upload that the registry lost starts over once", arguments: [1, 3, 4])
    func lost(part: Int) async throws {
        let bench = try PartBench()
        await bench.uploads.at(part: part) { uploads in
            uploads.forget()
            return nil
        }
        #expect(try await bench.upload() == "moved")
        #expect(bench.calls.lines("begin ") == ["1", "2"])
        #expect(await bench.isStored())
        #expect(bench.progress == 35)
    }

    @Test("An upload that the registry lost twice fails")
    func lostTwice() async throws {
        let bench = try PartBench()
        for number in [2, 4] {
            await bench.uploads.at(part: number) { uploads in
                uploads.forget()
                return nil
            }
        }
        let error = await #expect(throws: CopyError.self) { try await bench.upload() }
        #expect(error?.side == .destination && error?.operation == "UploadLayerPart")
        #expect(bench.calls.lines("begin ") == ["1", "2"])
    }

    @Test("A blob is stored if the registry lost the upload by completing it")
    func lostCompletion() async throws {
        let bench = try PartBench()
        await bench.uploads.complete(with: .gone)
        await bench.destination.change { [digest = bench.blob.digest] in $0.blobs = [digest] }
        #expect(try await bench.upload() == "moved")
        #expect(bench.calls.lines("begin ") == ["1"])
    }

    @Test("An upload whose bytes the registry refuses starts over once", arguments: [1, 2])
    func refused(times: Int) async throws {
        let bench = try PartBench()
        if times == 1 {
            await bench.uploads.complete(with: .refused)
            #expect(try await bench.upload() == "moved")
            #expect(await bench.isStored())
        } else {
            await bench.uploads.complete(with: .refused, .refused)
            let error = await #expect(throws: CopyError.self) { try await bench.upload() }
            guard case .corrupt(bench.blob.digest, _)? = error?.reason else {
                Issue.record("not corrupt: \(String(describing: error))")
                return
            }
            #expect(error?.operation == "CompleteLayerUpload")
        }
        #expect(bench.calls.lines("begin ") == ["1", "2"])
    }

    @Test(
        "An upload whose bytes hash to another digest is neither completed nor sent its last part",
        arguments: [1, 4]
    )
    func corrupt(get number: Int) async throws {
        let bench = try PartBench()
        bench.host.script((1...number).map { $0 == number ? .corrupt : nil })
        #expect(try await bench.upload() == "moved")
        #expect(bench.calls.lines("begin ") == ["1", "2"])
        #expect(bench.parts.filter { $0.hasPrefix("1 ") } == ["1 0+10", "1 10+10", "1 20+10"])
        #expect(bench.parts.filter { $0.hasPrefix("2 ") } == ["2 0+10", "2 10+10", "2 20+10", "2 30+5"])
        #expect(bench.calls.lines("complete ") == ["2"])
        #expect(await bench.isStored())
        #expect(bench.progress == 35)
    }

    @Test("A blob damaged at the source fails after three attempts and is never completed")
    func damaged() async throws {
        let bench = try PartBench(25)
        bench.host.script((0..<9).map { $0.isMultiple(of: 3) ? .corrupt : nil })
        let error = await #expect(throws: CopyError.self) { try await bench.upload() }
        guard case .corrupt(bench.blob.digest, _)? = error?.reason else {
            Issue.record("not corrupt: \(String(describing: error))")
            return
        }
        #expect(error?.side == .source)
        #expect(bench.calls.lines("begin ") == ["1", "2", "3"])
        #expect(bench.calls.count("complete") == 0)
    }
}
