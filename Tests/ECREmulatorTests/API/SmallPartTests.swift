import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Small values")
struct SmallPartTests {
    @Test(
        "a path is parsed into the operation",
        arguments: [
            ("/v2/", RegistryRoute.base), ("/v2", .base), ("/v2/_catalog", .catalog),
            ("/v2/team/app/tags/list", .tags(repository: "team/app")),
            ("/v2/team/app/manifests/v1", .manifest(repository: "team/app", reference: "v1")),
            ("/v2/a/blobs/sha256%3Aab", .blob(repository: "a", digest: "sha256:ab")),
            ("/v2/a/b/c/blobs/uploads/", .uploads(repository: "a/b/c")),
            ("/v2/blobs/uploads/blobs/uploads/x", .upload(repository: "blobs/uploads", id: "x")),
            ("/v2/a/referrers/sha256:ab", .referrers(repository: "a", digest: "sha256:ab")), ("/v2/a", .unknown),
        ]
    )
    func routes(path: String, route: RegistryRoute) {
        #expect(RegistryRoute(path: path) == route)
    }

    @Test(
        "a Range header is parsed into bytes",
        arguments: [
            ("bytes=0-9", 0..<10), ("bytes=90-", 90..<100), ("bytes=-5", 95..<100), ("bytes=95-200", 95..<100),
            ("bytes=100-", nil), ("bytes=9-3", nil), ("lines=1-2", nil), ("bytes=-0", nil), ("bytes=x-", nil),
        ] as [(String, Range<Int64>?)]
    )
    func ranges(header: String, range: Range<Int64>?) {
        #expect(DownloadServer.range(header, of: 100) == range)
    }

    @Test(
        "times are formatted and parsed",
        arguments: [
            (0.0, "19700101T000000Z"), (1_768_478_400, "20260115T120000Z"), (1_709_251_199, "20240229T235959Z"),
        ]
    )
    func instants(seconds: Double, text: String) {
        #expect(Instant.basic(Date(timeIntervalSince1970: seconds)) == text)
        #expect(Instant.parse(basic: text) == Date(timeIntervalSince1970: seconds))
    }

    @Test("times are formatted for people and for HTTP")
    func otherInstants() {
        #expect(Instant.extended(noon) == "2026-01-15T12:00:00Z")
        #expect(RequestHandler.date(noon) == "Thu, 15 Jan 2026 12:00:00 GMT")
        #expect(Instant.parse(basic: "2026-01-15T12:00Z") == nil)
    }

    @Test("JSON is escaped, so that any manifest stays intact")
    func json() throws {
        let text = "{\n\t\"a\": \"\\u00e4 / \u{1} ü \\\\ \"\r\n}\n"
        let bytes = JSON.members(["imageManifest": .text(text), "absent": nil, "n": .integer(-5)]).bytes
        let read = try Parameters(reading: bytes)
        #expect(read.imageManifest == text)
        #expect(String(decoding: JSON.members(["a": nil, "b": true]).bytes, as: UTF8.self) == #"{"b":true}"#)
    }

    @Test(
        "escapes in a path or form are decoded",
        arguments: [("a%2Fb", "a/b"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%C3%A4", "ä"), ("a%", "a%")]
    )
    func percent(text: String, decoded: String) {
        #expect(text.percentDecoded == decoded)
    }

    @Test("a seed gives the same image on every machine")
    func seeds() {
        let image = SeedImage.oci("app", layers: [1_000, 3_000_000])
        #expect(image.digest == SeedImage.oci("app", layers: [1_000, 3_000_000]).digest)
        #expect(image.digest != SeedImage.oci("other", layers: [1_000, 3_000_000]).digest)
        #expect(image.blobs[1].digest == Digest(of: SeedLayerTests.bytes(of: image.blobs[1])))
        #expect(image.blobs[1].size == 1_000)
        #expect(SeedBytes(seed: 1).prefix(3) == Array(SeedBytes(seed: 1).prefix(8).prefix(3)))
        let index = SeedImage.twoPlatforms("multi", layersEach: [10])
        #expect(index.manifests.count == 5)
        #expect(index.mediaType == ManifestType.ociIndex)
    }

    @Test("a generated stream has the same bytes in pieces and as a whole")
    func pieces() {
        var collected: [UInt8] = []
        SeedBytes(seed: 7).forEachChunk(of: 2_500_001) { collected += $0 }
        #expect(collected == SeedBytes(seed: 7).prefix(2_500_001))
    }

    @Test("any part of a generated stream equals that part of the whole, and all parts differ")
    func parts() {
        let bytes = SeedBytes(seed: 7)
        let whole = bytes.prefix(400_000)
        for (offset, count) in [(0, 5), (3, 70_000), (65_535, 3), (65_536, 65_536), (131_070, 200_000), (399_999, 1)] {
            #expect(bytes.read(at: Int64(offset), count: count) == Array(whole[offset..<offset + count]))
        }
        #expect(SeedBytes(seed: 7, byteCount: 100).prefix(100) == Array(whole.prefix(100)))
        let far = bytes.read(at: 10 << 30, count: 65_536)
        #expect(far != Array(whole.prefix(65_536)))
        #expect(far.dropFirst(8).elementsEqual(whole[8..<65_536]))
    }

    @Test(
        "seed images are parsed",
        arguments: [
            ("team/app:v1=8x128MiB", "team/app", "v1", 8, 128 << 20), ("ab:b=1x10GiB", "ab", "b", 1, 10 << 30),
            ("ab:b=3x7", "ab", "b", 3, 7), ("team/app:v1", "team/app", "v1", 0, 1), ("ab:b=1x2KB", "ab", "b", 1, 2_000),
        ] as [(String, String, String, Int, Int64)]
    )
    func seedOrders(text: String, repository: String, tag: String, count: Int, size: Int64) throws {
        let order = try SeedDescription(parsing: text)
        #expect(order.repository == repository && order.tag == tag)
        #expect(order.layers == Array(repeating: size, count: count))
    }

    @Test(
        "other texts are refused as seed images",
        arguments: [
            "", "team/app=1x1", "team/app", "Team/App:v1", "team/app:v1=", "team/app:v1=8", "ab:b=0x1", "ab:b=1x0",
            "ab:b=1x1TB", "ab:b=x1", "ab:b=1x",
            "ab:b=1x99999999999GiB", "ab:b:c=1x1", "ab:=1x1", "ab:b=1x-5",
        ]
    )
    func notSeedDescriptions(text: String) {
        #expect(throws: SeedSyntaxError.self) { try SeedDescription(parsing: text) }
    }

    @Test("Many seed images are two counts, and perhaps a region")
    func manySeeds() throws {
        let many = try ManySeeds(parsing: "1000x100")
        #expect(many.repositories == 1_000 && many.images == 100 && many.region == nil)
        #expect(many.names.first == "team/app0" && many.names.last == "team/app999")
        #expect(try ManySeeds(parsing: "2x3@eu-west-1").region == "eu-west-1")
        for text in ["", "x", "1000", "1000x", "0x5", "-1x5", "1x2x3", "5x5@", "5x5@somewhere", "5x5@a@b", "2000x1000"]
        {
            let error = #expect(throws: SeedSyntaxError.self) { try ManySeeds(parsing: text) }
            #expect(error?.description.hasPrefix("'\(text)' is not a number of repositories and images\n") == true)
        }
    }

    @Test(
        "faults are parsed",
        arguments: [
            ("PutImage:1:throttle", Fault(on: "PutImage", at: 1...1, .throttle(retryAfter: nil))),
            ("PUT blob:2-3:cutBody=65536", Fault(on: "PUT blob", at: 2...3, .cutBody(afterBytes: 65_536))),
            ("*:*:status=503", Fault(on: nil, at: nil, .status(503))),
            (
                "BatchGetImage:1:error=ServerException",
                Fault(
                    on: "BatchGetImage",
                    .error(code: "ServerException", message: "injected fault", status: 500)
                )
            ), ("GET layer:1:expireURL", Fault(on: "GET layer", .expireURL)),
            ("PutImage:1:throttle=3", Fault(on: "PutImage", .throttle(retryAfter: 3))),
            ("*:1:status=503,2", Fault(on: nil, .status(503, retryAfter: 2))),
            ("GET layer:1:drip=512", Fault(on: "GET layer", .drip(bytes: 512))),
            ("PutImage:1:skew=-600", Fault(on: "PutImage", .skew(seconds: -600))),
        ]
    )
    func faults(text: String, fault: Fault) throws {
        #expect(try Fault(parsing: text) == fault)
    }

    @Test(
        "other texts are refused as faults",
        arguments: [
            "", "PutImage", "PutImage:0:throttle", "PutImage:2-1:stall", "a:1:explode", "a:1:status=x", "a:1:stall=1",
            ":1:stall", "a:1:drip=0", "a:1:drip", "a:1:skew", "a:1:skew=x", "a:1:status=503,", "a:1:status=503,-1",
            "a:1:cutBody=-1", "a:1:status=99", "a:1:",
        ]
    )
    func notFaults(text: String) {
        #expect(throws: FaultSyntaxError.self) { try Fault(parsing: text) }
    }

    @Test("each fault counts the requests that match it")
    func occurrences() {
        var faults = InjectedFaults()
        faults.add(Fault(on: "PutImage", at: 2...3, .stall))
        faults.add(Fault(on: nil, at: 5...5, .truncate))
        let applied = ["PutImage", "ListImages", "PutImage", "PutImage", "PutImage"].map { faults.fault(for: $0) }
        #expect(applied == [nil, nil, .stall, .stall, .truncate])
        #expect(faults.appliedCount == 3)
        faults.removeAll()
        #expect(faults.appliedCount == 0)
    }

    @Test("a rate is used up, and is available again later")
    func rates() {
        var bucket = TokenBucket(tokens: 2, filledAt: noon)
        let taken = (0..<3).map { _ in bucket.take(rate: 2, now: noon) }
        #expect(taken == [true, true, false])
        let later = bucket.take(rate: 2, now: noon.addingTimeInterval(0.5))
        #expect(later)
    }
}
