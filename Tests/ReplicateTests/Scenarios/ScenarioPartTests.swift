import Content
import ECREmulator
import TestClouds
import Testing

@testable import Replicate

/// Layers sent to ECR in parts, over real sockets.
@Suite("Large layers", .timeLimit(.minutes(2)))
struct ScenarioPartTests {
    /// In bytes; with ECR's own part size the tests would take minutes.
    static let partSize = 65_536
    /// In bytes: five parts and a short sixth one.
    static let layer = Int64(5 * partSize + 1_000)

    private static func uploads(
        _ mode: UploadOptions.Mode = .auto,
        above: Int64 = Int64(partSize),
        state: String? = nil
    ) -> UploadOptions {
        var options = UploadOptions(mode: mode, resumableAbove: above, stateDirectory: state)
        options.smallestPart = partSize
        return options
    }

    /// An emulator with small parts, an image with large layers, and a destination for it.
    private func withLargeImage(
        _ uploads: UploadOptions = uploads(),
        attempts: Int = 8,
        layers: [Int64] = [layer],
        _ body: (ScenarioCloud, SeedImage) async throws -> Void
    ) async throws {
        try await withCloud(
            { configuration in
                configuration.partSize = Int64(Self.partSize)
                configuration.smallestPart = Int64(Self.partSize)
            },
            attempts: attempts,
            uploads: uploads
        ) { cloud in
            let image = SeedImage.oci("large", layers: layers)
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            try await body(cloud, image)
        }
    }

    @Test("A layer in parts costs 2 + parts + source GETs in place of the POST and the PUT")
    func budget() async throws {
        try await withLargeImage { cloud, image in
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest && results.receipt?.blobsMoved == 2)
            #expect(results.receipt?.bytesMoved == image.byteCount)
            #expect(
                cloud.counts == [
                    "BatchGetImage": 2, "BatchCheckLayerAvailability": 1, "GetDownloadUrlForLayer": 2,
                    // The config goes by the registry, the layer in six parts.
                    "GET layer": 1 + 6, "POST upload": 1, "PUT blob": 1, "InitiateLayerUpload": 1,
                    "UploadLayerPart": 6, "CompleteLayerUpload": 1, "PutImage": 1,
                ]
            )
            #expect(cloud.holds(image))
            #expect(cloud.openUploads() == 0)
        }
    }

    @Test("--upload api sends everything with the API and needs no token")
    func everything() async throws {
        try await withLargeImage(Self.uploads(.api, above: .max)) { cloud, image in
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(
                cloud.counts == [
                    "BatchGetImage": 2, "BatchCheckLayerAvailability": 1, "GetDownloadUrlForLayer": 2,
                    "GET layer": 1 + 6, "InitiateLayerUpload": 2, "UploadLayerPart": 1 + 6, "CompleteLayerUpload": 2,
                    "PutImage": 1,
                ]
            )
            #expect(cloud.emulator.requests.count == cloud.total)
            #expect(cloud.holds(image))
        }
    }

    @Test("Several destinations share one read of each part")
    func together() async throws {
        try await withLargeImage { cloud, image in
            try cloud.makeDestination("second")
            try cloud.makeDestination("third", account: ScenarioCloud.production)
            let places = [
                try cloud.destination(), try cloud.destination("second"),
                try cloud.destination("third", account: ScenarioCloud.production),
            ]
            let results = try await cloud.copy(to: places)
            #expect(results.count == 3 && results.allSatisfy { $0.error == nil })
            #expect(cloud.holds(image) && cloud.holds(image, "second"))
            #expect(cloud.holds(image, "third", account: ScenarioCloud.production))
            #expect(cloud.counts["UploadLayerPart"] == 3 * 6)
            #expect(cloud.counts["GET layer"] == 1 + 6)
        }
    }

    static let operations = [
        "GetDownloadUrlForLayer", "GET layer", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload",
    ]
    static let kinds: [Fault.Kind] = [
        .throttle(retryAfter: nil), .throttle(retryAfter: 2), .status(500), .status(503), .resetBefore, .loseAnswer,
        .cutBody(afterBytes: 10), .cutBody(afterBytes: 40_000), .truncate, .expireToken, .expireURL,
        .error(code: "ServerException", message: "ordered", status: 500),
        .status(503, retryAfter: 1), .drip(bytes: 20_000), .skew(seconds: 3_600),
    ]

    @Test("Any single fault on a part's request ends with the complete image", arguments: operations, kinds)
    func survives(operation: String, kind: Fault.Kind) async throws {
        // Only the layer goes in parts; the fault hits its first part, one in the middle and the last.
        for occurrence in operation == "GET layer" || operation == "UploadLayerPart" ? [1, 3, 6] : [1] {
            try await withLargeImage { cloud, image in
                cloud.emulator.inject(Fault(on: operation, at: occurrence...occurrence, kind))
                let results = try await cloud.copy()
                #expect(results.receipt?.digest == image.digest, "\(occurrence): \(results)")
                #expect(cloud.tag("v1") == image.digest)
                #expect(cloud.holds(image))
                #expect(cloud.counts["InitiateLayerUpload", default: 0] <= 2, "a part is repeated, not the layer")
                #expect(cloud.counts["UploadLayerPart", default: 0] <= 7)
            }
        }
    }

    @Test("An upload whose completion was lost leaves no journal entry once the layer is found")
    func lostCompletion() async throws {
        try await withStateDirectory { directory in
            try await withLargeImage(Self.uploads(state: directory), attempts: 1) { cloud, image in
                cloud.emulator.inject(Fault(on: "CompleteLayerUpload", at: 1...1, .loseAnswer))
                // libcurl itself repeats a request that a reused connection lost.
                cloud.emulator.inject(Fault(on: "CompleteLayerUpload", at: 2...9, .status(503)))
                #expect(try await cloud.copy().firstError != nil)
                #expect(files(in: directory).contains { $0.hasSuffix(".json") })
                let results = try await cloud.copy()
                #expect(results.receipt?.digest == image.digest && cloud.holds(image))
                #expect(cloud.counts["InitiateLayerUpload"] == 1, "a stored layer is not sent again")
                #expect(files(in: directory) == [])
            }
        }
    }

    @Test("A byte changed on the way is noticed before ECR stores the layer", arguments: [1, 3, 6])
    func corruptPart(occurrence: Int) async throws {
        try await withLargeImage(Self.uploads(.api)) { cloud, image in
            // The config is one of the seven downloads.
            cloud.emulator.inject(Fault(on: "GET layer", at: occurrence...occurrence, .corruptByte(at: 5)))
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.counts["InitiateLayerUpload"] == 3)
            #expect(cloud.counts["CompleteLayerUpload"] == 2)
            #expect(cloud.holds(image))
        }
    }

    @Test("A permanently damaged source is named, and no upload is completed")
    func damaged() async throws {
        try await withLargeImage(Self.uploads(.api)) { cloud, image in
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, .corruptByte(at: 5)))
            let error = try #require(try await cloud.copy().firstError)
            guard case .corrupt(let expected, _) = error.reason else {
                Issue.record("not corrupt: \(error)")
                return
            }
            #expect(image.blobs.map(\.digest).contains(expected) && error.side == .source)
            #expect(cloud.counts["CompleteLayerUpload"] == nil)
            #expect(cloud.tag("v1") == nil)
        }
    }

    @Test("The next run resumes an upload and reads and sends only the rest")
    func resumed() async throws {
        try await withStateDirectory { directory in
            try await withLargeImage(Self.uploads(state: directory), attempts: 2) { cloud, image in
                cloud.emulator.inject(Fault(on: "UploadLayerPart", at: 4...99, .status(500)))
                let broken = try await cloud.copy()
                #expect(broken.firstError?.operation == "UploadLayerPart")
                #expect(cloud.tag("v1") == nil)
                cloud.emulator.clearFaults()
                cloud.emulator.clearRequests()

                let results = try await cloud.copy()
                #expect(results.receipt?.digest == image.digest)
                #expect(cloud.counts["InitiateLayerUpload"] == nil)
                #expect(cloud.counts["UploadLayerPart"] == 3)
                #expect(cloud.counts["GET layer"] == 3, "the config had arrived")
                #expect(cloud.holds(image))
                #expect(cloud.openUploads() == 0 && files(in: directory) == [])
            }
        }
    }

    @Test("An upload that ECR has forgotten starts over")
    func forgotten() async throws {
        try await withStateDirectory { directory in
            try await withLargeImage(Self.uploads(state: directory), attempts: 2) { cloud, image in
                cloud.emulator.inject(Fault(on: "UploadLayerPart", at: 4...99, .status(500)))
                let broken = try await cloud.copy()
                #expect(broken.firstError != nil)
                cloud.emulator.clearFaults()
                try cloud.emulator.dropUploads(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    repository: "team/app"
                )
                cloud.emulator.clearRequests()

                let results = try await cloud.copy()
                #expect(results.receipt?.digest == image.digest)
                #expect(cloud.counts["InitiateLayerUpload"] == 1)
                #expect(cloud.counts["UploadLayerPart"] == 1 + 6)
                #expect(cloud.holds(image))
                #expect(files(in: directory) == [])
            }
        }
    }

    @Test("Large layers of one image move two at a time, and all arrive")
    func several() async throws {
        let layers = (0..<5).map { Self.layer + $0 }
        try await withLargeImage(layers: layers) { cloud, image in
            let results = try await cloud.copy()
            #expect(results.receipt?.digest == image.digest)
            #expect(cloud.counts["InitiateLayerUpload"] == 5)
            #expect(cloud.holds(image))
            var (moving, most) = (0, 0)
            for event in cloud.events.withLock({ $0 }) {
                switch event {
                case .blobStarted(let blob, _) where blob.size >= Self.layer: moving += 1
                case .blobMoved(let blob, _) where blob.size >= Self.layer: moving -= 1
                default: break
                }
                most = max(most, moving)
            }
            #expect(most == 2)
        }
    }

    @Test("A large layer is mounted, or after a decline sent in parts, with no upload left open")
    func mounts() async throws {
        for isEnabled in [true, false] {
            try await withLargeImage { cloud, image in
                if isEnabled {
                    cloud.enableMounting()
                }
                try cloud.makeDestination("prod/app", region: ScenarioCloud.home)
                let place = try cloud.destination("prod/app", region: ScenarioCloud.home)
                let results = try await cloud.copy(to: [place])
                #expect(results.receipt?.blobsMounted == (isEnabled ? 2 : 0))
                #expect(cloud.counts["UploadLayerPart"] == (isEnabled ? nil : 6))
                #expect(cloud.holds(image, "prod/app", region: ScenarioCloud.home))
                #expect(cloud.openUploads("prod/app", region: ScenarioCloud.home) == 0)
            }
        }
    }

    @Test("A denied part names the missing permission", arguments: ["UploadLayerPart"])
    func denied(_ action: String) async throws {
        // Everything goes by the API, because the registry needs the same permission for a config.
        try await withLargeImage(Self.uploads(.api)) { cloud, _ in
            cloud.emulator.deny(action: action)
            let error = try #require(try await cloud.copy().firstError)
            guard case .denied("ecr:\(action)", _) = error.reason else {
                Issue.record("not denied: \(error)")
                return
            }
            #expect(error.side == .destination && error.operation == action)
        }
    }
}
