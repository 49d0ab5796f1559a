import ECREmulator
import TestInputs
import TestPrograms
import Testing

/// Layers that are generated while they are read, copied to an emulator that hashes and discards them: gigabytes
/// without a disk.
///
@Suite("Memory", .timeLimit(.minutes(10)))
struct MemoryTests {
    /// The most resident memory, in bytes (docs/architecture.md#bounds).
    static let bound = 64 << 20
    /// The most resident memory of an optimized build that copied almost nothing, in bytes, as measured.
    static let optimizedBase = 36 << 20

    /// The bound for a build that needs `base` bytes to copy almost nothing.
    ///
    /// A debug build may have as much more as it has with nothing to do, and half of that for the code that only a large
    /// copy loads.
    static func bound(over base: Int) -> Int { bound + max(0, base - optimizedBase) * 3 / 2 }

    @Test("stays under 64 MiB while a layer of 2 GiB is copied", .needs(.python))
    func largeLayer() async throws {
        try await withSource("1x2GiB") { source in
            let peak = try await source.copy("--upload", "registry")
            reportFigure("memory: a layer of 2 GiB, at most \(peak >> 10) KiB resident")
            #expect(peak < Self.bound, "\(peak >> 20) MiB")
            #expect(peak > 4 << 20, "\(peak) bytes is no figure of this program")
        }
    }

    @Test("stays under 64 MiB while 32 layers of 64 MiB are in flight", .needs(.python))
    func manyRelays() async throws {
        let base = try await withSource("1x1KiB") { try await $0.copy() }
        try await withSource("32x64MiB") { source in
            let peak = try await source.copy("--jobs", "32")
            reportFigure("memory: 32 relays, at most \(peak >> 10) KiB resident, \(base >> 10) KiB without")
            #expect(peak < Self.bound(over: base), "\(peak >> 20) MiB, \(base >> 20) without")
        }
    }

    @Test("stays under 64 MiB while a layer goes to ECR in parts", .needs(.python))
    func layerInParts() async throws {
        let base = try await withSource("1x1KiB") { try await $0.copy() }
        // 26 parts; the number makes no difference to the memory.
        try await withSource("1x256MiB") { source in
            let peak = try await source.copy("--upload", "api", "--state-dir", "\(source.directory)/state")
            reportFigure("memory: 256 MiB in parts, at most \(peak >> 10) KiB resident, \(base >> 10) KiB without")
            #expect(peak < Self.bound(over: base), "\(peak >> 20) MiB, \(base >> 20) without")
            // 25 parts of 10 MiB and the rest, and one for the config.
            #expect(source.emulator.requests.count { $0.operation == "UploadLayerPart" } == 27)
        }
    }

    @Test("stays under 64 MiB while some layers go in parts and many others through the registry", .needs(.python))
    func mixed() async throws {
        // Both ways as well, so that the same code is loaded.
        let base = try await withSource("1x64KiB", "1x1KiB") { source in
            try await source.copyAll("--resumable-above", "32KiB", "--state-dir", "\(source.directory)/state")
        }
        try await withSource("2x128MiB", "40x8MiB", "60x1MiB") { source in
            let peak = try await source.copyAll(
                "--resumable-above",
                "100MiB",
                "--state-dir",
                "\(source.directory)/state"
            )
            reportFigure("memory: parts and relays, at most \(peak >> 10) KiB resident, \(base >> 10) KiB without")
            #expect(peak < Self.bound(over: base), "\(peak >> 20) MiB, \(base >> 20) without")
            #expect(source.emulator.requests.count { $0.operation == "UploadLayerPart" } == 2 * 13)
        }
    }

    @Test(
        "stays under 64 MiB while a layer of 10 GiB is copied, either way",
        .needs(.python),
        .enabled(if: Soak.isOn, "takes a minute or two; `make soak` runs it"),
        arguments: ["registry", "api"]
    )
    func hugeLayer(upload: String) async throws {
        try await withSource("1x10GiB") { source in
            let peak = try await source.copy("--upload", upload, "--state-dir", "\(source.directory)/state")
            reportFigure("memory: a layer of 10 GiB, --upload \(upload), at most \(peak >> 10) KiB resident")
            #expect(peak < Self.bound, "\(peak >> 20) MiB")
        }
    }
}

/// An emulator with an image, and a repository in another region whose pushed layers are discarded.
private struct Source: Sendable {
    let emulator: Emulator
    let image: SeedImage
    /// A directory for the run's files.
    let directory: String

    /// Copies all images in parallel, otherwise as ``copy(_:)`` does.
    func copyAll(_ flags: String...) async throws -> Int {
        let hosts = [Cloud.home, Cloud.far].map { emulator.registryHost(account: Cloud.build, region: $0) }
        let (ended, peak) = try await runMeasured(
            .ecrReplicate,
            ["copy", "--all-tags"] + flags + ["\(hosts[0])/large", "\(hosts[1])/large"],
            environment: emulator.variables()
        )
        #expect(ended.exitCode == 0, "\(ended.errors)")
        return peak
    }

    /// Copies the image, as the command does.
    ///
    /// - Returns: The most resident memory of the command, in bytes.
    func copy(_ flags: String...) async throws -> Int {
        let hosts = [Cloud.home, Cloud.far].map { emulator.registryHost(account: Cloud.build, region: $0) }
        let (ended, peak) = try await runMeasured(
            .ecrReplicate,
            ["copy"] + flags + ["\(hosts[0])/large:v1", "\(hosts[1])/large"],
            environment: emulator.variables()
        )
        #expect(ended.exitCode == 0, "\(ended.errors)")
        #expect(ended.lines == ["\(hosts[1])/large:v1@\(image.digest)"])
        return peak
    }
}

/// - Parameter layers: The layers of each image; the images are tagged v1, v2 and so on.
private func withSource<Result>(_ layers: String..., body: (Source) async throws -> Result) async throws -> Result {
    let images = try layers.enumerated().map { try SeedDescription(parsing: "large:v\($0 + 1)=\($1)").image }
    var configuration = EmulatorConfiguration()
    configuration.discardsLayers = true
    return try await withScratchDirectory { directory in
        try await withEmulator(configuration) { emulator in
            for (number, image) in images.enumerated() {
                try emulator.seed(
                    image,
                    tag: "v\(number + 1)",
                    account: Cloud.build,
                    region: Cloud.home,
                    repository: "large"
                )
            }
            try emulator.createRepository(account: Cloud.build, region: Cloud.far, "large")
            return try await body(Source(emulator: emulator, image: images[0], directory: directory))
        }
    }
}
