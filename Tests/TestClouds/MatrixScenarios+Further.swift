import Content
import ECREmulator

@testable import Replicate

extension MatrixScenario {
    /// Copies an image to two accounts and two regions, with the source read once for both.
    public static let several: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [2_000])
        return MatrixScenario(
            description: "several",
            rigor: .shared,
            seed: { try $0.seed(image, tag: "v1", account: build, region: home, repository: "team/app") },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: {
                [
                    Place(account: build, region: far, "to/n\($0)"),
                    Place(account: production, region: home, "to/n\($0)"),
                ]
            },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image],
            tags: ["v1": image.digest]
        )
    }()

    /// Copies every tag of a repository: three images that share a layer.
    public static let allTags: MatrixScenario = {
        let images = SeedImage.withSharedLayer(["one", "two", "three"], size: 2_000)
        return MatrixScenario(
            description: "all tags",
            rigor: .shared,
            seed: { emulator in
                for (number, image) in images.enumerated() {
                    try emulator.seed(image, tag: "v\(number)", account: build, region: home, repository: "team/app")
                }
            },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: { [Place(account: build, region: far, "to/n\($0)")] },
            run: { try await $0.copyApp($1, .many(TagFilter()), to: $2) },
            resultsEach: images.count,
            images: images,
            tags: Dictionary(uniqueKeysWithValues: images.enumerated().map { ("v\($0)", $1.digest) })
        )
    }()

    /// Copies within one registry without mounts: a config, and a layer in two parts, whose upload at the registry is
    /// therefore closed.
    public static let declined: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [5_000])
        return MatrixScenario(
            description: "declined",
            rigor: .shared,
            uploads: smallParts(.auto),
            configure: makePartsSmall,
            seed: { try $0.seed(image, tag: "v1", account: build, region: home, repository: "team/app") },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: { [Place(account: build, region: home, "to/n\($0)")] },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image],
            tags: ["v1": image.digest]
        )
    }()

    /// Copies a layer in three parts, of which an earlier run has sent the first.
    public static let resumed: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [10_000])
        return MatrixScenario(
            description: "resumed",
            rigor: .shared,
            uploads: smallParts(.auto),
            isJournaled: true,
            configure: makePartsSmall,
            seed: { try $0.seed(image, tag: "v1", account: build, region: home, repository: "team/app") },
            prepare: { emulator, place in
                try emulator.createRepository(account: place.account, region: place.region, place.repository)
                // Otherwise it would be random whether the earlier run reached the config.
                try emulator.seedConfig(of: image, at: place)
            },
            precede: { replicator, emulator, places in
                emulator.inject(Fault(on: "UploadLayerPart", at: 2...2, .refuse))
                let results = try await replicator.copyApp(emulator, to: places)
                guard results.first?.error?.operation == "UploadLayerPart" else {
                    throw MatrixFailure(["the run before left \(results)"])
                }
            },
            places: { [Place(account: build, region: far, "to/n\($0)")] },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image],
            tags: ["v1": image.digest]
        )
    }()

    /// Copies an image with its SBOM between two registries that are treated as plain ones, with docker's logins.
    public static let plain: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [1_000])
        let sbom = SeedImage.referrer(to: image)
        return MatrixScenario(
            description: "plain",
            rigor: .shared,
            isLoggedIn: true,
            seed: { emulator in
                try emulator.seed(image, tag: "v1", account: build, region: home, repository: "team/app")
                try emulator.seed(sbom, account: build, region: home, repository: "team/app")
            },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: { [Place(account: build, region: far, "to/n\($0)")] },
            run: { replicator, emulator, places in
                let source = emulator.plainAuthority(account: build, region: home)
                return try await replicator.copy(
                    ImageReference(parsing: "http://\(source)/team/app:v1"),
                    .one(.tag(Tag(parsing: "v1"))),
                    to: places.map { place in
                        let destination = emulator.plainAuthority(account: place.account, region: place.region)
                        return try DestinationReference(parsing: "http://\(destination)/\(place.repository)")
                    },
                    tags: [],
                    CopyOptions(referrers: .all)
                )
            },
            images: [image, sbom],
            tags: ["v1": image.digest]
        )
    }()

    /// The size in bytes from which a layer goes in parts: a few thousand.
    static func smallParts(_ mode: UploadOptions.Mode) -> UploadOptions {
        var options = UploadOptions(mode: mode, resumableAbove: 4_096)
        options.smallestPart = 1_024
        return options
    }

    /// The same size for the emulator's parts.
    static let makePartsSmall: @Sendable (inout EmulatorConfiguration) -> Void = {
        $0.partSize = 4_096
        $0.smallestPart = 1_024
    }
}
